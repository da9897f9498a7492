"""What every network of the zoo declares: source, parameters with unit, bounds and meaning, and how it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from spikesim.errors import ParameterError, unknown
from spikesim.parameters import LARGEST, ParameterInfo, check_settings, choice, count, number, settings_of

if TYPE_CHECKING:
    from spikesim.network import Network

__all__ = ["Description", "ParameterInfo", "ZooNetwork", "choice", "count", "number"]


class Description(NamedTuple):
    """What the zoo knows of a network without building it."""

    name: str
    title: str
    citation: str
    scaling: str
    deviations: tuple[str, ...]
    parameters: tuple[ParameterInfo, ...]
    engines: tuple[str, ...]
    duration: float
    dt: float

    @property
    def engine(self) -> str:
        """Default engine."""
        return self.engines[0]


@dataclass(frozen=True)
class ZooNetwork:
    """Base of the networks of the zoo: a frozen, checked set of parameters that builds a `Network`.

    Raises
    ------
    ParameterError
        If a parameter is outside what its field allows.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    scaling: ClassVar[str]
    deviations: ClassVar[tuple[str, ...]] = ()
    engines: ClassVar[tuple[str, ...]] = ("event", "grid")
    duration: ClassVar[float] = 1000.0
    dt: ClassVar[float] = 0.1

    def __post_init__(self) -> None:
        check_settings(self, f"{self.name}: ")

    def build(self, scale: float) -> Network:
        """The network with its neuron numbers multiplied by `scale`."""
        raise NotImplementedError

    def scaled(self, n: int, scale: float, what: str) -> int:
        """`n` times `scale`, rounded, at least 1 and small enough for 32-bit numbers."""
        if n * scale > LARGEST:
            limit = LARGEST / n
            raise ParameterError(f"{self.name}: scale {scale:g} makes too many of {n} {what}; use {limit:.2g} or less")
        size = round(n * scale)
        if size < 1:
            raise ParameterError(f"{self.name}: scale {scale:g} leaves none of {n} {what}; use {0.51 / n:.2g} or more")
        return size

    def indegree(self, p: float, n: int, source: str) -> int:
        """`p` times the `n` neurons of a source population, rounded, at least 1."""
        k = round(p * n)
        if k < 1:
            raise ParameterError(
                f"{self.name}: p = {p:g} of {n} {source} neurons makes no synapse; "
                f"use p of {0.51 / n:.2g} or more, or a larger scale"
            )
        return k

    @classmethod
    def parameters(cls) -> tuple[ParameterInfo, ...]:
        """Documented parameters in the order of their declaration."""
        return settings_of(cls)

    @classmethod
    def describe(cls) -> Description:
        """Everything but the network itself."""
        return Description(
            cls.name, cls.title, cls.citation, cls.scaling, cls.deviations,
            cls.parameters(), cls.engines, cls.duration, cls.dt,
        )  # fmt: skip

    @classmethod
    def named(cls, overrides: Mapping[str, Any]) -> ZooNetwork:
        """An instance with some parameters replaced; unknown names list the valid ones."""
        valid = [f.name for f in fields(cls)]
        for name in overrides:
            if name not in valid:
                raise unknown(f"parameter of {cls.name}:", name, valid)
        return cls(**overrides)

    @classmethod
    def read(cls, name: str, text: str) -> float | str:
        """Value of parameter `name` from text, as typed on a command line."""
        known = {f.name: f for f in fields(cls)}
        if name not in known:
            raise unknown(f"parameter of {cls.name}:", name, known)
        if known[name].metadata["kind"] == "choice":
            return text
        try:
            return float(text)
        except ValueError:
            raise ParameterError(f"{cls.name}: {name}: must be a number, got {text!r}") from None

"""What a benchmark is, and where they are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spikesim import Network


@dataclass(frozen=True)
class Variant:
    """One way we run a benchmark, a row of its table.

    Parameters
    ----------
    label : str
        Name of the row.
    engine : str
        ``"event"`` or ``"grid"``.
    build : callable
        Scale to `Network`; called in the process that runs it.
    """

    label: str
    engine: str
    build: Callable[[float], Network]


@dataclass(frozen=True)
class Case:
    """A benchmark: a file of `benchmarks.cases` that defines one as `CASE`.

    Parameters
    ----------
    title : str
        One line for people.
    variants : tuple of Variant
        Ours; ratios are taken to the first, whose network is what other simulators get.
    duration, dt : float, ms
        Simulated time and step, where the command line gives no other.
    precise : bool
        Whether spikes must be off the grid.
    peers : bool
        Whether other simulators take part.
    goals : mapping
        By row (label of a variant or name of a peer): relation and run time relative to the first row that
        we aim at, at scale 1, such as ``{"nest": (">=", 20.0)}``.
    """

    title: str
    variants: tuple[Variant, ...]
    duration: float = 1000.0
    dt: float = 0.1
    precise: bool = False
    peers: bool = True
    goals: Mapping[str, tuple[str, float]] = field(default_factory=dict)


def names() -> list[str]:
    """Names of all benchmarks."""
    import benchmarks.cases

    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(benchmarks.cases.__path__))


def load(name: str) -> Case:
    """The benchmark called `name`."""
    case: Case = importlib.import_module(f"benchmarks.cases.{name.replace('-', '_')}").CASE
    return case

"""Declared parameters: unit, bounds and meaning stand once, beside the default, and check every value."""

from __future__ import annotations

import operator
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import ParameterError, unknown

REQUIRED: Any = MISSING  # default of a setting that has to be given
LARGEST = 2**31 - 1  # neurons of a population, or anything else that is counted
Values = float | NDArray[np.float64]  # a number for all neurons, or one per neuron

_RELATIONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def param(default: Any, unit: str, bounds: str, doc: str, scalar: bool = False) -> Any:
    """Declare a numeric field of a part; `bounds` reads like ``"> 0"``, ``">= 0"`` or ``""`` (any finite number)."""
    return field(default=default, metadata={"unit": unit, "bounds": bounds, "doc": doc, "scalar": scalar})


def as_values(
    value: Any, owner: str, unit: str = "", bounds: str = "", scalar: bool = False, each: str = "neuron"
) -> Values:
    """Return `value` as a float or a read-only float64 vector (one for `each`), or say precisely what is wrong."""
    wanted = f"must be {bounds or 'a finite number'}{' ' + unit if unit else ''}"
    if isinstance(value, (bool, str)) or value is None:
        raise ParameterError(f"{owner}: {wanted}, got {value!r}")
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"{owner}: {wanted}, got {value!r} of type {type(value).__name__}") from None
    except OverflowError:
        raise ParameterError(f"{owner}: {wanted}, got a number beyond {np.finfo(np.float64).max:.2g}") from None
    if array.ndim > (0 if scalar else 1):
        allowed = "one number" if scalar else f"one number or a vector with one value per {each}"
        raise ParameterError(f"{owner}: must be {allowed}, got an array of shape {array.shape}")
    bad = ~np.isfinite(array)
    if bounds:
        relation, limit = bounds.split()
        bad |= ~_RELATIONS[relation](array, float(limit))
    if bad.any():
        where = f" ({each} {int(np.flatnonzero(bad)[0])})" if array.ndim else ""
        raise ParameterError(f"{owner}: {wanted}, got {array[bad].flat[0]}{where}")
    if array.ndim == 0:
        return float(array)
    array.setflags(write=False)
    return array


def as_count(value: Any, owner: str, minimum: int = 1) -> int:
    """Return `value` as an int of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        if not (isinstance(value, float) and value.is_integer()):
            raise ParameterError(f"{owner}: must be a whole number >= {minimum}, got {value!r}")
    if int(value) < minimum:
        raise ParameterError(f"{owner}: must be >= {minimum}, got {value}")
    return int(value)


@dataclass(frozen=True, eq=False)
class Part:
    """A frozen, validated bundle of parameters: the base of membranes, synapses, thresholds, resets and inputs.

    Raises
    ------
    ParameterError
        If a declared field is not finite, out of bounds or of the wrong shape.
    """

    _kernel_type: ClassVar[type]

    def __post_init__(self) -> None:
        for f in declared(self):
            checked = as_values(
                getattr(self, f.name),
                f"{type(self).__name__}.{f.name}",
                f.metadata["unit"],
                f.metadata["bounds"],
                f.metadata["scalar"],
            )
            object.__setattr__(self, f.name, checked)

    @classmethod
    def kernel_type(cls) -> type:
        """Named tuple of all declared fields: what kernels of a part without a lowered form receive.

        Made at run time, it is a new type in every process, so compiled kernels that know it are not cached: parts
        of this package have lowered forms of their own.
        """
        if "_kernel_type" not in cls.__dict__:
            names = [f.name for f in fields(cls) if "unit" in f.metadata]
            cls._kernel_type = namedtuple(cls.__name__, names)  # type: ignore[misc]
        return cls._kernel_type

    def lower(self, setting: Any) -> tuple[Any, ...]:
        """The part as kernels see it; overridden by parts that precompute constants from the engine's `setting`."""
        return pack(self.kernel_type(), *(getattr(self, f.name) for f in declared(self)))

    def check_size(self, n: int, owner: str) -> None:
        """Raise unless every per-neuron field has `n` values."""
        for f in declared(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray) and len(value) != n:
                raise ParameterError(
                    f"{type(self).__name__}.{f.name}: {owner} has {n} neurons, got {len(value)} values"
                )

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return False
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    def __hash__(self) -> int:
        return hash(type(self).__qualname__)

    def __repr__(self) -> str:
        inner = ", ".join(f"{f.name}={short(getattr(self, f.name))}" for f in fields(self))
        return f"{type(self).__name__}({inner})"


def pack(kind: type, *values: Any) -> Any:
    """Named tuple of numbers, or of equally long arrays as soon as one value is an array: two kinds to compile."""
    arrays = [np.asarray(v, dtype=np.float64) for v in values]
    if any(a.ndim for a in arrays):
        return kind(*(np.array(a) for a in np.broadcast_arrays(*arrays)))
    return kind(*(float(a) for a in arrays))


def declared(part: Part) -> Iterator[Field[Any]]:
    """The fields of `part` made with `param`."""
    return (f for f in fields(part) if "unit" in f.metadata)


def short(value: Any) -> str:
    """Readable form of a field: numbers plain, arrays by their range."""
    if isinstance(value, np.ndarray):
        return f"[{value.min():g} … {value.max():g}; {value.size}]" if value.size else "[]"
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return bool(a == b)


# ---------------------------------------------------------------- settings of whole networks, learners and studies


def number(default: float | None, unit: str, bounds: str, doc: str) -> Any:
    """Declare a real parameter; `bounds` reads like ``"> 0, <= 1"``, a default of None is left to the owner."""
    return field(default=default, metadata={"kind": "number", "unit": unit, "bounds": bounds, "doc": doc})


def count(default: int, doc: str, minimum: int = 1) -> Any:
    """Declare a whole-number parameter."""
    return field(default=default, metadata={"kind": "count", "unit": "", "bounds": f">= {minimum}", "doc": doc})


def choice(default: str, options: tuple[str, ...], doc: str) -> Any:
    """Declare a parameter that takes one of a few words."""
    return field(default=default, metadata={"kind": "choice", "unit": "", "bounds": " | ".join(options), "doc": doc})


class ParameterInfo(NamedTuple):
    """One documented parameter: `bounds` reads like ``"> 0, <= 1"`` or ``"poisson | dc"``; ``""`` is any number."""

    name: str
    default: float | int | str | None
    unit: str
    bounds: str
    meaning: str


def check_settings(owner: Any, prefix: str) -> None:
    """Check and replace every declared setting of a dataclass instance; errors name `prefix` and the field."""
    for f in fields(owner):
        if "kind" in f.metadata:
            object.__setattr__(owner, f.name, _checked(f, getattr(owner, f.name), f"{prefix}{f.name}"))


def settings_of(owner: Any) -> tuple[ParameterInfo, ...]:
    """Documented settings of a dataclass, in the order of their declaration."""
    declared = (f for f in fields(owner) if "kind" in f.metadata)
    return tuple(
        ParameterInfo(f.name, f.default, f.metadata["unit"], f.metadata["bounds"], f.metadata["doc"])  # type: ignore[arg-type]
        for f in declared
    )


def _checked(f: Field[Any], value: Any, owner: str) -> Any:
    kind, bounds = f.metadata["kind"], f.metadata["bounds"]
    if value is None and f.default is None:
        return None
    if kind == "choice":
        options = bounds.split(" | ")
        if value not in options:
            raise unknown(f"value of {owner}:", value, options)
        return value
    if kind == "count":
        if as_count(value, owner, int(bounds.split()[1])) > LARGEST:
            raise ParameterError(f"{owner}: must be <= {LARGEST}, got {value:g}")
        return int(value)
    for bound in bounds.split(", "):
        value = as_values(value, owner, f.metadata["unit"], bound, scalar=True)
    return value

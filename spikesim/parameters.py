"""Declared parameters: unit, bounds and meaning stand once, beside the default, and check every value."""

from __future__ import annotations

import operator
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import ParameterError

Values = float | NDArray[np.float64]  # a number for all neurons, or one per neuron

_RELATIONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def param(default: Any, unit: str, bounds: str, doc: str, scalar: bool = False) -> Any:
    """Declare a numeric field of a part; `bounds` reads like ``"> 0"``, ``">= 0"`` or ``""`` (any finite number)."""
    return field(default=default, metadata={"unit": unit, "bounds": bounds, "doc": doc, "scalar": scalar})


def as_values(value: Any, owner: str, unit: str = "", bounds: str = "", scalar: bool = False) -> Values:
    """Return `value` as a float or a read-only float64 vector, or say precisely what is wrong with it."""
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
        allowed = "one number" if scalar else "one number or a vector with one value per neuron"
        raise ParameterError(f"{owner}: must be {allowed}, got an array of shape {array.shape}")
    bad = ~np.isfinite(array)
    if bounds:
        relation, limit = bounds.split()
        bad |= ~_RELATIONS[relation](array, float(limit))
    if bad.any():
        where = f" (neuron {int(np.flatnonzero(bad)[0])})" if array.ndim else ""
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

"""Piecewise-constant functions of time, for currents and rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import ParameterError
from spikesim.parameters import as_values


class Steps:
    """``f(t) = values[k]`` for ``times[k] <= t < times[k + 1]``, 0 before ``times[0]``, the last value for ever.

    Parameters
    ----------
    times : array_like (k,), ms
        Strictly increasing, >= 0.
    values : array_like (k,) or (k, n)
        One value per time for all neurons, or one per time and neuron.
    """

    def __init__(self, times: ArrayLike, values: ArrayLike) -> None:
        t, v = as_values(times, "Steps.times", "ms", ">= 0"), as_signal(values, "Steps.values", "")
        if not isinstance(t, np.ndarray) or not t.size or (np.diff(t) <= 0).any():
            raise ParameterError(f"Steps.times: must be a strictly increasing vector of times, got {times!r}")
        if not isinstance(v, np.ndarray) or len(v) != len(t):
            raise ParameterError(
                f"Steps.values: must have shape ({t.size},) or ({t.size}, n), got {getattr(v, 'shape', ())}"
            )
        self.times: NDArray[np.float64] = t
        self.values: NDArray[np.float64] = v

    @classmethod
    def sampled(cls, values: ArrayLike, dt: float, t_start: float = 0.0) -> Steps:
        """A signal sampled every `dt` ms, each sample held until the next; 0 after the last."""
        v = as_signal(values, "Steps.sampled: values", "")
        step = as_values(dt, "Steps.sampled: dt", "ms", "> 0", scalar=True)
        start = as_values(t_start, "Steps.sampled: t_start", "ms", ">= 0", scalar=True)
        if not isinstance(v, np.ndarray) or not len(v):
            raise ParameterError(f"Steps.sampled: values must have shape (k,) or (k, n), got {getattr(v, 'shape', ())}")
        times = start + step * np.arange(len(v) + 1)
        return cls(times, np.concatenate([v, np.zeros_like(v[:1])]))

    def __call__(self, t: float) -> NDArray[np.float64] | np.float64:
        """Value at time `t` (ms): a number, or a vector (n,)."""
        k = int(np.searchsorted(self.times, t, "right")) - 1
        return self.values[k] if k >= 0 else np.zeros_like(self.values[0])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Steps):
            return NotImplemented
        return np.array_equal(self.times, other.times) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Steps({self.times.size} steps from {self.times[0]:g} to {self.times[-1]:g} ms)"


def as_signal(
    value: object, owner: str, unit: str, minimum: float | None = None
) -> Steps | float | NDArray[np.float64]:
    """Return a number, a vector (n,), a matrix (batch, n) or `Steps`, checked against `minimum`."""
    allowed = f"a number{'' if minimum is None else f' >= {minimum:g}'} {unit}, an array (n,) or (batch, n), or Steps"
    if isinstance(value, Steps):
        if minimum is not None and (value.values < minimum).any():
            raise ParameterError(f"{owner}: must be >= {minimum:g} {unit}, got {value.values.min()}")
        return value
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(f"{owner}: must be {allowed}, got {value!r}") from None
    if isinstance(value, (str, bool)) or value is None or array.ndim > 2:
        raise ParameterError(f"{owner}: must be {allowed}, got {value!r}")
    bad = ~np.isfinite(array) if minimum is None else ~(array >= minimum) | ~np.isfinite(array)
    if bad.any():
        raise ParameterError(f"{owner}: must be {allowed}, got {array[bad].flat[0]}")
    array.setflags(write=False)
    return array if array.ndim else float(array)


def check_signal(value: object, n: int, owner: str) -> None:
    """Raise unless a signal has `n` values, or one for all."""
    array = value.values if isinstance(value, Steps) else value
    if isinstance(array, np.ndarray) and (array.ndim == 2 or not isinstance(value, Steps)) and array.shape[-1] != n:
        raise ParameterError(f"{owner}: must have {n} values in the last axis, got shape {array.shape}")

"""`Spikes`: the single currency of encoders, sources, engines, recorders, decoders and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import ParameterError


class Spikes:
    """Spike times of `n` elements observed on ``[t_start, t_stop)``; immutable, sorted by (time, id).

    Parameters
    ----------
    times : array_like of float, shape (k,)
        Spike times in ms, in any order.
    ids : array_like of int, shape (k,)
        Element of each spike, 0 … n-1.
    n : int
        Number of elements, silent ones included.
    t_stop : float
        End of the observation in ms. A spike exactly at `t_stop` belongs to it: runs end inclusively.
    t_start : float, default 0
        Start of the observation in ms.

    Raises
    ------
    ParameterError
        If lengths differ, a time is not finite or outside the window, or an id is outside 0 … n-1.
    """

    __slots__ = ("ids", "n", "t_start", "t_stop", "times")

    times: NDArray[np.float64]
    ids: NDArray[np.int32]
    n: int
    t_start: float
    t_stop: float

    def __init__(self, times: ArrayLike, ids: ArrayLike, n: int, t_stop: float, t_start: float = 0.0) -> None:
        t, raw = _floats(times, "Spikes.times").ravel(), _whole(ids, "Spikes.ids").ravel()
        n, t_stop, t_start = _count(n, "Spikes.n"), _number(t_stop, "Spikes.t_stop"), _number(t_start, "Spikes.t_start")
        if t.size != raw.size:
            raise ParameterError(f"Spikes.ids: must be as long as times ({t.size}), got {raw.size}")
        if not (np.isfinite([t_start, t_stop]).all() and t_stop >= t_start):
            raise ParameterError(f"Spikes.t_stop: must be >= t_start ({t_start} ms), got {t_stop} ms")
        bad = ~np.isfinite(t) | (t < t_start) | (t > t_stop)
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            raise ParameterError(f"Spikes.times: must lie in [{t_start}, {t_stop}] ms, got {t[k]} (spike {k})")
        out = (raw < 0) | (raw >= n)
        if out.any():
            k = int(np.flatnonzero(out)[0])
            raise ParameterError(f"Spikes.ids: must be in 0 … {n - 1}, got {raw[k]} (spike {k})")
        i = raw.astype(np.int32)
        if t.size > 1 and not _is_sorted(t, i):
            order = np.lexsort((i, t))
            t, i = t[order], i[order]
        t.setflags(write=False)
        i.setflags(write=False)
        for name, value in (("times", t), ("ids", i), ("n", n), ("t_start", t_start), ("t_stop", t_stop)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Spikes.{name}: Spikes are immutable; make new ones")

    def __reduce__(self) -> tuple[Any, ...]:
        return Spikes, (self.times, self.ids, self.n, self.t_stop, self.t_start)

    @classmethod
    def from_trains(cls, trains: Sequence[ArrayLike], t_stop: float, t_start: float = 0.0) -> Spikes:
        """One sequence of times per element."""
        try:
            arrays = [_floats(train, "Spikes.from_trains").ravel() for train in trains]
        except TypeError:
            raise ParameterError(f"Spikes.from_trains: must be one train per element, got {trains!r}") from None
        times = np.concatenate(arrays) if arrays else np.empty(0)
        return cls(times, np.repeat(np.arange(len(arrays)), [a.size for a in arrays]), len(arrays), t_stop, t_start)

    @classmethod
    def from_dense(cls, dense: ArrayLike, dt: float = 1.0, t_start: float = 0.0) -> Spikes:
        """From counts or flags of shape (steps, n); the spike of step k lies at ``t_start + k * dt``."""
        counts = _whole(dense, "Spikes.from_dense")
        if counts.ndim != 2:
            raise ParameterError(f"Spikes.from_dense: must have shape (steps, n), got {counts.shape}")
        if (counts < 0).any():
            raise ParameterError("Spikes.from_dense: must hold counts (whole numbers >= 0)")
        dt, t_start = _step(dt, "Spikes.from_dense: dt"), _number(t_start, "Spikes.t_start")
        step, ids = np.nonzero(counts)
        times, repeats = t_start + step * dt, counts[step, ids].astype(np.int64)
        end = t_start + counts.shape[0] * dt
        return cls(np.repeat(times, repeats), np.repeat(ids, repeats), counts.shape[1], end, t_start)

    @classmethod
    def empty(cls, n: int, t_stop: float, t_start: float = 0.0) -> Spikes:
        """No spikes of `n` elements."""
        return cls((), np.empty(0, np.int32), n, t_stop, t_start)

    @property
    def duration(self) -> float:
        """Length of the observation in ms."""
        return self.t_stop - self.t_start

    def __len__(self) -> int:
        return self.times.size

    def __iter__(self) -> Iterator[tuple[float, int]]:
        return zip(self.times.tolist(), self.ids.tolist(), strict=True)

    def __repr__(self) -> str:
        rate = len(self) / self.n / self.duration * 1e3 if self.n and self.duration else 0.0
        window = f"[{self.t_start:g}, {self.t_stop:g}] ms"
        return f"Spikes({len(self)} spikes of {self.n} elements in {window}, {rate:.3g} Hz)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spikes):
            return NotImplemented
        same = (self.n, self.t_start, self.t_stop) == (other.n, other.t_start, other.t_stop)
        return same and np.array_equal(self.times, other.times) and np.array_equal(self.ids, other.ids)

    __hash__ = None  # type: ignore[assignment]

    def counts(self) -> NDArray[np.int64]:
        """Number of spikes per element, shape (n,)."""
        return np.bincount(self.ids, minlength=self.n)

    def trains(self) -> list[NDArray[np.float64]]:
        """Times of each element, a list of n sorted arrays."""
        order = np.argsort(self.ids, kind="stable")
        return np.split(self.times[order], np.cumsum(self.counts())[:-1]) if self.n else []

    def window(self, t_start: float, t_stop: float) -> Spikes:
        """Spikes in ``[t_start, t_stop)`` ms; a window that ends at `t_stop` of the whole includes that instant."""
        t_start, t_stop = (_number(t, "Spikes.window") for t in (t_start, t_stop))
        side = "right" if t_stop >= self.t_stop else "left"
        lo, hi = np.searchsorted(self.times, t_start), np.searchsorted(self.times, t_stop, side)  # type: ignore[call-overload]
        return Spikes(self.times[lo:hi], self.ids[lo:hi], self.n, min(t_stop, self.t_stop), max(t_start, self.t_start))

    def select(self, ids: ArrayLike) -> Spikes:
        """Spikes of the elements `ids`, renumbered 0 … in the order given."""
        chosen = _whole(ids, "Spikes.select").ravel().astype(np.int64)
        new = np.full(self.n, -1, dtype=np.int64)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= self.n or len(np.unique(chosen)) < chosen.size):
            raise ParameterError(f"Spikes.select: ids must be in 0 … {self.n - 1} and name no element twice")
        new[chosen] = np.arange(chosen.size)
        mapped = new[self.ids]
        keep = mapped >= 0
        return Spikes(self.times[keep], mapped[keep], chosen.size, self.t_stop, self.t_start)

    def shift(self, dt: float) -> Spikes:
        """The same spikes `dt` ms later."""
        dt = _number(dt, "Spikes.shift")
        return Spikes(self.times + dt, self.ids, self.n, self.t_stop + dt, self.t_start + dt)

    def to_dense(self, dt: float = 1.0) -> NDArray[np.int32]:
        """Counts per bin, shape (steps, n), with steps = ceil(duration / dt)."""
        dt = _step(dt, "Spikes.to_dense: dt")
        steps = int(np.ceil(self.duration / dt - 1e-9))
        if not steps:
            steps = int(len(self) > 0)  # an observation of no length may hold spikes all the same
        dense = np.zeros((steps, self.n), dtype=np.int32)
        step = np.minimum(((self.times - self.t_start) / dt + 1e-9).astype(np.int64), steps - 1)
        np.add.at(dense, (step, self.ids), 1)
        return dense

    @staticmethod
    def merge(*parts: Spikes) -> Spikes:
        """Union of observations of the same elements."""
        if not parts or not all(isinstance(p, Spikes) for p in parts):
            raise ParameterError(f"Spikes.merge: must be one or more Spikes, got {parts!r}")
        if len({p.n for p in parts}) != 1:
            raise ParameterError(f"Spikes.merge: sizes differ: {[p.n for p in parts]}")
        start, stop = min(p.t_start for p in parts), max(p.t_stop for p in parts)
        times, ids = np.concatenate([p.times for p in parts]), np.concatenate([p.ids for p in parts])
        return Spikes(times, ids, parts[0].n, stop, start)


def _floats(values: Any, owner: str) -> NDArray[np.float64]:
    """An array of its own."""
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(f"{owner}: must be numbers, got {values!r}") from None


def _whole(values: Any, owner: str) -> NDArray[Any]:
    """An array of whole numbers."""
    raw = values if isinstance(values, np.ndarray) else _floats(values, owner)
    whole = raw.dtype.kind in "iub" or (raw.dtype.kind == "f" and np.array_equal(raw, np.floor(raw)))
    if not whole:
        raise ParameterError(f"{owner}: must be whole numbers, got {values!r}")
    return raw


def _number(value: Any, owner: str) -> float:
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) and value == value:
        return float(value)
    raise ParameterError(f"{owner}: must be a number of ms, got {value!r}")


def _step(value: Any, owner: str) -> float:
    if 0 < _number(value, owner) < np.inf:
        return float(value)
    raise ParameterError(f"{owner}: must be > 0 ms, got {value!r}")


def _count(value: Any, owner: str) -> int:
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0:
        return int(value)
    raise ParameterError(f"{owner}: must be a whole number >= 0, got {value!r}")


def _is_sorted(times: NDArray[np.float64], ids: NDArray[np.int32]) -> bool:
    step = np.diff(times)
    return bool(np.all((step > 0) | ((step == 0) & (np.diff(ids) >= 0))))

"""Spike sources as seen by the engines: each emits its spikes of a slice, sorted by time, then element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.engines.grid_kernels import Counts, source_spikes
from spikesim.engines.poisson import classes, count_tables, pieces
from spikesim.inputs import PoissonSource, RegularSource, SpikeSource
from spikesim.network import Population
from spikesim.rng import GOLDEN, U64, exponential, make_key, mix, stream, unit

Emission = tuple[NDArray[Any], NDArray[np.int64]]


def _sorted(time: NDArray[Any], element: NDArray[np.int64]) -> Emission:
    order = np.lexsort((element, time))
    return time[order], element[order]


class Given:
    """Spikes known beforehand; `convert` turns ms into the engine's ticks."""

    def __init__(self, population: Population, batch: int, convert: Callable[[Any], Any]) -> None:
        source = population.model
        assert isinstance(source, SpikeSource)
        trains = source.batch if len(source.batch) > 1 else source.batch * batch
        time = np.concatenate([s.times for s in trains])
        element = np.concatenate([s.ids.astype(np.int64) + b * population.size for b, s in enumerate(trains)])
        self.convert, self.fed = convert, False
        self.time, self.element = _sorted(convert(time), element)

    def feed(self, time: NDArray[np.float64], element: NDArray[Any], now: Any) -> None:
        """Add spikes (ms), none of them before tick `now`; those of the past are forgotten."""
        new = np.maximum(self.convert(time), np.nextafter(now, np.inf) if isinstance(now, float) else now + 1)
        k = int(np.searchsorted(self.time, now, "right"))
        self.fed = True
        self.time, self.element = _sorted(
            np.concatenate([self.time[k:], new]), np.concatenate([self.element[k:], element.astype(np.int64)])
        )

    def emit(self, after: Any, until: Any) -> Emission:
        """Spikes in (after, until]."""
        lo, hi = np.searchsorted(self.time, [after, until], "right")
        return self.time[lo:hi], self.element[lo:hi]

    def next_time(self, after: Any) -> float:
        """First spike after `after`; inf if none."""
        k = int(np.searchsorted(self.time, after, "right"))
        return float(self.time[k]) if k < len(self.time) else np.inf

    def state(self) -> dict[str, Any]:
        """What it was fed; otherwise nothing moves."""
        return {"time": self.time, "element": self.element} if self.fed else {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what `state` gave."""
        if saved:
            self.time, self.element, self.fed = saved["time"], saved["element"], True


class _Fixed:
    """A source whose arrays move in place, if at all."""

    def state(self) -> dict[str, Any]:
        """Arrays that move, to be saved."""
        return {}

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what `state` gave."""
        for name, array in self.state().items():
            array[...] = saved[name]


class Regular(_Fixed):
    """Regular trains."""

    def __init__(self, population: Population, batch: int, convert: Callable[[Any], Any]) -> None:
        source = population.model
        assert isinstance(source, RegularSource)
        self.start = np.tile(np.broadcast_to(source.start, population.size), batch).astype(np.float64)
        self.interval = np.tile(np.broadcast_to(source.interval, population.size), batch).astype(np.float64)
        self.convert, self.ms = convert, float(convert(np.array([1e6]))[0]) / 1e6  # ticks per ms

    def emit(self, after: Any, until: Any) -> Emission:
        """Spikes in (after, until]."""
        lo = np.floor((after / self.ms - self.start) / self.interval) - 1.0
        hi = np.floor((until / self.ms - self.start) / self.interval) + 1.0
        lo = np.maximum(lo, 0.0)
        n = np.maximum(hi - lo + 1.0, 0.0).astype(np.int64)
        element = np.repeat(np.arange(len(n), dtype=np.int64), n)
        k = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n) + np.repeat(lo, n)
        time = self.convert(self.start[element] + k * self.interval[element])
        inside = (time > after) & (time <= until)
        return _sorted(time[inside], element[inside])

    def next_time(self, after: Any) -> float:
        """A lower bound of the first spike after `after`, in ticks."""
        k = np.maximum(np.floor((after / self.ms - self.start) / self.interval), -1.0) + 1.0
        return float(np.min(self.start + k * self.interval)) * self.ms


class GridPoisson(_Fixed):
    """A Poisson number of spikes per step and element."""

    def __init__(self, population: Population, batch: int, seed: int, dt: float) -> None:
        source = population.model
        assert isinstance(source, PoissonSource)
        self.key, self.dt = make_key(seed, "poisson source", population.name), dt
        self.shape = (batch, population.size)
        times, self.values = pieces(source.rate)
        self.steps = np.rint(times / dt).astype(np.int64)
        self.piece = -1

    def _enter(self, piece: int) -> None:
        rates = np.broadcast_to(np.asarray(self.values[piece], dtype=np.float64), self.shape).ravel()
        distinct, klass = classes(rates)
        self.table = Counts(*count_tables(distinct * self.dt * 1e-3))
        self.klass, self.piece = klass.astype(np.int32), piece
        self.expected, self.silent = float(rates.sum() * self.dt * 1e-3), not rates.any()

    def emit(self, after: int, until: int) -> Emission:
        """Spikes of the steps after + 1 … until."""
        step, found = max(after, 0) + 1, [(np.empty(0, np.int64), np.empty(0, np.int64))]
        while step <= until:
            piece = int(np.searchsorted(self.steps, step - 1, "right")) - 1
            last = min(until, int(self.steps[piece + 1])) if piece + 1 < len(self.steps) else until
            if piece != self.piece:
                self._enter(piece)
            room = int(2.0 * self.expected * (last - step + 1)) + 1024
            while step <= last and not self.silent:
                time, element = np.empty(room, np.int64), np.empty(room, np.int64)
                done, n = source_spikes(self.table, self.klass, self.key, step, last, time, element)
                found.append((time[:n], element[:n]))
                step, room = done + 1, 2 * room
            step = last + 1
        time, element = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return time, element

    def next_time(self, after: Any) -> float:
        """The grid engine never skips steps."""
        return float(after + 1)


@kernel(lean=True)
def _superposed_next(start, drawn, times, totals, t):
    """Next spike of the superposition after t: one exponential number spent at the total rates of the pieces."""
    need = exponential(start, 2 * drawn)
    piece = max(np.searchsorted(times, t, "right") - 1, 0)
    now = max(t, times[piece])
    while piece + 1 < len(times):
        room = (times[piece + 1] - now) * totals[piece]
        if need < room:
            break
        need -= room
        piece += 1
        now = times[piece]
    return now + need / totals[piece] if totals[piece] > 0.0 else np.inf


@kernel(lean=True)
def _superposed(start, moving, drawn, times, edges, totals, until, out_t, out_e):
    """Spikes up to `until`, dealt out to elements in proportion to their rates; returns how many (at most the room)."""
    n = 0
    while moving[0] <= until and n < len(out_t):
        t = moving[0]
        piece = max(np.searchsorted(times, t, "right") - 1, 0)
        share = unit(mix(start + (U64(2 * drawn[0] + 1) + U64(1)) * GOLDEN)) * totals[piece]
        out_t[n] = t
        out_e[n] = min(np.searchsorted(edges[piece], share, "right"), edges.shape[1] - 1)
        n += 1
        drawn[0] += 1
        moving[0] = _superposed_next(start, drawn[0], times, totals, t)
    return n


class EventPoisson(_Fixed):
    """Exact Poisson trains in continuous time: one superposed train whose spikes are dealt out to the elements."""

    def __init__(self, population: Population, batch: int, seed: int) -> None:
        source = population.model
        assert isinstance(source, PoissonSource)
        self.start = np.uint64(stream(make_key(seed, "poisson source", population.name), 0))
        self.times, values = pieces(source.rate)
        rates = [np.broadcast_to(np.asarray(v, dtype=np.float64), (batch, population.size)).ravel() for v in values]
        self.edges = np.cumsum(np.array(rates) * 1e-3, axis=1)
        self.totals = self.edges[:, -1].copy()
        self.drawn = np.zeros(1, dtype=np.int64)
        self.next = np.array([_superposed_next(self.start, 0, self.times, self.totals, 0.0)])

    def emit(self, after: float, until: float) -> Emission:
        """Spikes up to `until`."""
        found = []
        while self.next[0] <= until:
            room = int(1.2 * (until - max(after, 0.0)) * self.totals.max()) + 64
            out_t, out_e = np.empty(room), np.empty(room, np.int64)
            n = _superposed(self.start, self.next, self.drawn, self.times, self.edges, self.totals, until, out_t, out_e)
            found.append((out_t[:n], out_e[:n]))
        if not found:
            return np.empty(0), np.empty(0, np.int64)
        return tuple(map(np.concatenate, zip(*found, strict=True)))  # type: ignore[return-value]

    def next_time(self, after: float) -> float:
        """Next spike."""
        return float(self.next[0])

    def state(self) -> dict[str, Any]:
        """Arrays that move, to be saved."""
        return {"next": self.next, "drawn": self.drawn}

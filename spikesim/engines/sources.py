"""Spike sources as seen by the engines: each emits its spikes of a slice, sorted by time, then element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines.grid_kernels import Counts, source_counts
from spikesim.engines.poisson import classes, count_tables, pieces
from spikesim.inputs import PoissonSource, RegularSource, SpikeSource
from spikesim.network import Population
from spikesim.rng import make_key, uniforms

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
        self.time, self.element = _sorted(convert(time), element)

    def emit(self, after: Any, until: Any) -> Emission:
        """Spikes in (after, until]."""
        lo, hi = np.searchsorted(self.time, [after, until], "right")
        return self.time[lo:hi], self.element[lo:hi]

    def next_time(self, after: Any) -> float:
        """First spike after `after`; inf if none."""
        k = int(np.searchsorted(self.time, after, "right"))
        return float(self.time[k]) if k < len(self.time) else np.inf

    def state(self) -> dict[str, Any]:
        """Nothing moves."""
        return {}


class Regular:
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

    def state(self) -> dict[str, Any]:
        """Nothing moves."""
        return {}


class GridPoisson:
    """A Poisson number of spikes per step and element."""

    def __init__(self, population: Population, batch: int, seed: int, dt: float) -> None:
        source = population.model
        assert isinstance(source, PoissonSource)
        self.key, self.dt = make_key(seed, "poisson source", population.name), dt
        self.shape = (batch, population.size)
        times, self.values = pieces(source.rate)
        self.steps = np.rint(times / dt).astype(np.int64)
        self.piece = -1
        self.element = np.arange(batch * population.size, dtype=np.int64)
        self.out = np.empty(len(self.element), np.int64)

    def _enter(self, piece: int) -> None:
        rates = np.broadcast_to(np.asarray(self.values[piece], dtype=np.float64), self.shape).ravel()
        distinct, klass = classes(rates)
        self.table = Counts(*count_tables(distinct * self.dt * 1e-3))
        self.klass, self.piece = np.maximum(klass, 0), piece
        self.silent = not rates.any()

    def emit(self, after: int, until: int) -> Emission:
        """Spikes of the steps after + 1 … until."""
        times, elements = [], []
        for step in range(max(after, 0) + 1, until + 1):
            piece = int(np.searchsorted(self.steps, step - 1, "right")) - 1
            if piece != self.piece:
                self._enter(piece)
            if self.silent or not source_counts(self.table, self.klass, self.key, self.element, step, self.out):
                continue
            hit = np.flatnonzero(self.out)
            elements.append(np.repeat(hit, self.out[hit]))
            times.append(np.full(len(elements[-1]), step, dtype=np.int64))
        if not times:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate(times), np.concatenate(elements)

    def next_time(self, after: Any) -> float:
        """The grid engine never skips steps."""
        return float(after + 1)

    def state(self) -> dict[str, Any]:
        """Counts are functions of the step."""
        return {}


class EventPoisson:
    """Exact Poisson trains in continuous time: one superposed train whose spikes are dealt out to the elements."""

    def __init__(self, population: Population, batch: int, seed: int) -> None:
        source = population.model
        assert isinstance(source, PoissonSource)
        self.key = make_key(seed, "poisson source", population.name)
        self.shape = (batch, population.size)
        self.times, self.values = pieces(source.rate)
        self.edges = [self._cumulative(v) for v in self.values]
        self.drawn = np.zeros(1, dtype=np.int64)
        self.next = np.array([self._after(0.0)])

    def _cumulative(self, value: Any) -> NDArray[np.float64]:
        rates = np.broadcast_to(np.asarray(value, dtype=np.float64), self.shape).ravel() * 1e-3
        return np.cumsum(rates)

    def _uniform(self, which: int) -> float:
        return float(uniforms(self.key, np.array([which]), self.drawn)[0])

    def _after(self, t: float) -> float:
        """Next spike of the superposition after t, spending one exponential number over the pieces."""
        need = -np.log(self._uniform(0))
        piece = max(int(np.searchsorted(self.times, t, "right")) - 1, 0)
        now = max(t, float(self.times[piece]))
        while True:
            total = float(self.edges[piece][-1])
            last = piece + 1 == len(self.times)
            room = np.inf if last else (float(self.times[piece + 1]) - now) * total
            if need < room:
                return now + need / total if total > 0 else np.inf
            if last:
                return np.inf
            need -= room
            piece += 1
            now = float(self.times[piece])

    def emit(self, after: float, until: float) -> Emission:
        """Spikes up to `until`."""
        times, elements = [], []
        while self.next[0] <= until:
            t = float(self.next[0])
            edges = self.edges[max(int(np.searchsorted(self.times, t, "right")) - 1, 0)]
            e = int(np.searchsorted(edges, self._uniform(1) * edges[-1], "right"))
            times.append(t)
            elements.append(min(e, len(edges) - 1))
            self.drawn += 1
            self.next[0] = self._after(t)
        return np.array(times, dtype=np.float64), np.array(elements, dtype=np.int64)

    def next_time(self, after: float) -> float:
        """Next spike."""
        return float(self.next[0])

    def state(self) -> dict[str, Any]:
        """Arrays that move, to be saved."""
        return {"next": self.next, "drawn": self.drawn}

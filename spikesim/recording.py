"""What to record, and the recorder that keeps it: in memory, or streamed to an HDF5 file as the run goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines.layout import Block, Layout
from spikesim.errors import ParameterError, unknown
from spikesim.files import Stream
from spikesim.network import Network
from spikesim.spikes import Spikes


@dataclass(frozen=True)
class Record:
    """What a run records.

    Parameters
    ----------
    spikes : bool or mapping
        True: all spikes; False: only counts; or per population True, False or the ids of neurons to record.
    states : mapping from population to variable names
        State variables to sample, e.g. ``{"exc": ("v",)}``.
    interval : float, ms
        Sampling interval of states, > 0; samples at 0, interval, 2 interval, …
    ids : mapping from population to ids
        Neurons whose states are sampled; all where a population is not named.
    to : path or None
        HDF5 file to stream to instead of keeping everything in memory; an interrupted run leaves it readable with
        `Result.load`.
    overwrite : bool
        Whether `to` may exist.
    """

    spikes: bool | Mapping[str, Any] = True
    states: Mapping[str, Sequence[str]] = field(default_factory=dict)
    interval: float = 1.0
    ids: Mapping[str, Any] = field(default_factory=dict)
    to: str | Path | None = None
    overwrite: bool = False

    def check(self, network: Network, engine: str, dt: float) -> None:
        """Raise ParameterError where names, ids or the interval do not fit the network."""
        names = [p.name for p in network.populations]
        spikes = self.spikes if isinstance(self.spikes, Mapping) else {}
        for what, given in (("spikes", spikes), ("states", self.states), ("ids", self.ids)):
            for name in given:
                if name not in names:
                    raise unknown(f"population in Record.{what}:", name, names)
        for name, ids in {**spikes, **self.ids}.items():
            if not isinstance(ids, bool):
                _as_ids(ids, network[name].size, f"Record: ids of {name!r}")
        for name, variables in self.states.items():
            model = network[name].model
            valid = getattr(model, "variables", ())
            if isinstance(variables, str):
                raise ParameterError(f"Record.states[{name!r}]: must be a sequence of names, e.g. ({variables!r},)")
            for variable in variables:
                if variable not in valid:
                    raise unknown(f"state of {name!r} in Record.states:", variable, valid)
        if not (isinstance(self.interval, (int, float)) and np.isfinite(self.interval) and self.interval > 0):
            raise ParameterError(f"Record.interval: must be > 0 ms, got {self.interval}")
        steps = self.interval / dt
        if engine == "grid" and self.states and (round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps):
            raise ParameterError(
                f"Record.interval: must be a multiple of the time step {dt} ms on the grid, got {self.interval} ms"
            )


def _as_ids(ids: Any, n: int, owner: str) -> NDArray[np.int64]:
    array = np.asarray(ids)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ParameterError(f"{owner}: must be a vector of whole numbers, got {ids!r}")
    if array.size and (array.min() < 0 or array.max() >= n):
        raise ParameterError(f"{owner}: must be in 0 … {n - 1}, got {array.min()} … {array.max()}")
    return array.astype(np.int64)


class Recorder:
    """Keeps spikes, counts and samples of one run, by population."""

    def __init__(self, record: Record, layout: Layout, batch: int, scale: float) -> None:
        self.record, self.layout, self.batch, self.scale = record, layout, batch, scale
        self.counts = [np.zeros(batch * b.size, np.int64) for b in layout.blocks]
        self.wanted = {p.name: self._wanted(p.name, p.size) for p in layout.network.populations}
        self.pending: dict[int, list[tuple[NDArray[Any], NDArray[np.int64]]]] = {b.number: [] for b in layout.blocks}
        self.spikes: dict[str, list[Any]] = {name: [] for name, w in self.wanted.items() if w is not False}
        self.samples: dict[tuple[str, str], list[NDArray[np.float64]]] = {
            (name, v): [] for name, variables in record.states.items() for v in variables
        }
        self.times: list[float] = []
        self.stream: Stream | None = None

    def _wanted(self, name: str, size: int) -> Any:
        """True, False or a mask."""
        spikes = self.record.spikes
        value = spikes.get(name, False) if isinstance(spikes, Mapping) else spikes
        if isinstance(value, bool):
            return value
        mask = np.zeros(size, bool)
        mask[_as_ids(value, size, f"Record: ids of {name!r}")] = True
        return mask

    def ids(self, name: str) -> NDArray[np.int64]:
        """Neurons of a population whose states are sampled."""
        size = self.layout.network[name].size
        return _as_ids(self.record.ids.get(name, np.arange(size)), size, f"Record: ids of {name!r}")

    def receive(self, block: Block, time: NDArray[Any], element: NDArray[np.int64]) -> None:
        """Spikes of a slice."""
        np.add.at(self.counts[block.number], element, 1)
        if any(p.name in self.spikes for p in block.populations):
            self.pending[block.number].append((time, element))

    def sample(self, time: float, values: dict[tuple[str, str], NDArray[np.float64]]) -> None:
        """States at one time, arrays (batch, ids)."""
        self.times.append(time)
        for key, value in values.items():
            self.samples[key].append(value)

    def split(self) -> None:
        """Hand pending spikes on to their populations, or to the file."""
        for block in self.layout.blocks:
            pending, self.pending[block.number] = self.pending[block.number], []
            if not pending:
                continue
            time = np.concatenate([t for t, _ in pending])
            b, e = np.divmod(np.concatenate([x for _, x in pending]), block.size)
            for p, offset in zip(block.populations, block.offsets, strict=True):
                if p.name in self.spikes:
                    wanted = self.wanted[p.name]
                    mine = (e >= offset) & (e < offset + p.size)
                    i = e[mine] - offset
                    keep = slice(None) if wanted is True else wanted[i]
                    times = time[mine][keep] * self.scale if self.scale != 1.0 else time[mine][keep]
                    self.spikes[p.name].append((times, i[keep].astype(np.int32), b[mine][keep].astype(np.int32)))
        if self.stream is not None:
            self._write()

    def open(self, header: dict[str, Any]) -> None:
        """Create the file to stream to."""
        assert self.record.to is not None
        groups = {f"spikes/{name}/{part}": kind for name in self.spikes for part, kind in _SPIKE_ARRAYS}
        shapes = {f"states/{n}/{v}": (self.batch, len(self.ids(n))) for n, v in self.samples}
        counts = {p.name: np.zeros((self.batch, p.size), np.int64) for p in self.layout.network.populations}
        header = {**header, "spike_counts": counts}
        self.stream = Stream(Path(self.record.to), self.record.overwrite, header, groups, shapes)

    def _write(self) -> None:
        assert self.stream is not None
        for name, chunks in self.spikes.items():
            for chunk in chunks:
                for (part, _), array in zip(_SPIKE_ARRAYS, chunk, strict=True):
                    self.stream.append(f"spikes/{name}/{part}", array)
            chunks.clear()
        for (name, variable), rows in self.samples.items():
            if rows:
                self.stream.append(f"states/{name}/{variable}", np.stack(rows))
                rows.clear()
        if self.times:
            self.stream.append("state_times", np.array(self.times))
            self.times.clear()
        for block, counts in zip(self.layout.blocks, self.counts, strict=True):
            table = counts.reshape(self.batch, block.size)
            for p, offset in zip(block.populations, block.offsets, strict=True):
                self.stream.put(f"spike_counts/{p.name}", table[:, offset : offset + p.size])
        self.stream.flush()

    def population_counts(self, name: str) -> NDArray[np.int64]:
        """Spikes per stimulus and neuron, shape (batch, n)."""
        population = self.layout.network[name]
        block = self.layout.block_of(population)
        offset = block.offset(population)
        table = self.counts[block.number].reshape(self.batch, block.size)
        return table[:, offset : offset + population.size].copy()

    def trains(self, name: str, t_stop: float) -> tuple[Spikes, ...]:
        """Recorded spikes of a population, one `Spikes` per stimulus."""
        chunks = self.spikes[name]
        n = self.layout.network[name].size
        if not chunks:
            return tuple(Spikes.empty(n, t_stop) for _ in range(self.batch))
        time, ids, stimulus = (np.concatenate(c) for c in zip(*chunks, strict=True))
        return by_stimulus(time, ids, stimulus, n, self.batch, t_stop)


_SPIKE_ARRAYS = (("times", np.float64), ("ids", np.int32), ("stimulus", np.int32))


def by_stimulus(time: Any, ids: Any, stimulus: Any, n: int, batch: int, t_stop: float) -> tuple[Spikes, ...]:
    """Split spikes of a batch into one `Spikes` per stimulus."""
    if batch == 1:
        return (Spikes(time, ids, n, t_stop),)
    order = np.argsort(stimulus, kind="stable")
    cuts = np.searchsorted(stimulus[order], np.arange(1, batch))
    pairs = zip(np.split(time[order], cuts), np.split(ids[order], cuts), strict=True)
    return tuple(Spikes(t, i, n, t_stop) for t, i in pairs)


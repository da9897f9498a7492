"""What to record, and the recorder that keeps it: in memory, or streamed to an HDF5 file as the run goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines.layout import Block, Layout
from spikesim.errors import ParameterError, unknown
from spikesim.files import Stream, as_path, guard
from spikesim.network import Network
from spikesim.parameters import as_values, short
from spikesim.spikes import Spikes

Columns = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
COLUMNS = (("times", np.float64), ("ids", np.int32), ("stimulus", np.int32))


@dataclass(frozen=True, eq=False, repr=False)
class Record:
    """What a run records.

    Parameters
    ----------
    spikes : bool or mapping
        True: all spikes; False: only counts; or for populations by name True, False or the ids of neurons, those
        not named being only counted. Recorded spikes are numbered 0, 1, … in the order of the ids, so that rates and
        rasters refer to the neurons recorded; ``result.spike_ids`` tells which these are.
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

    Raises
    ------
    ParameterError
        If a field is not of the kind described; names and ids are checked against the network when a run is set up.
    """

    spikes: bool | Mapping[str, Any] = True
    states: Mapping[str, Sequence[str]] = field(default_factory=dict)
    interval: float = 1.0
    ids: Mapping[str, Any] = field(default_factory=dict)
    to: str | Path | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        spikes = self.spikes
        if not isinstance(spikes, bool):
            given = _as_mapping(spikes, "spikes", "True, False, or a mapping from populations to True, False or ids")
            spikes = {n: v if isinstance(v, bool) else _as_ids(v, f"Record.spikes[{n!r}]") for n, v in given.items()}
        states = _as_mapping(self.states, "states", "a mapping from populations to names of variables")
        for name, variables in states.items():
            if isinstance(variables, str) or not isinstance(variables, Sequence):
                example = f"e.g. ({variables!r},)" if isinstance(variables, str) else f"got {variables!r}"
                raise ParameterError(f"Record.states[{name!r}]: must be a sequence of names, {example}")
        ids = {n: _as_ids(v, f"Record.ids[{n!r}]") for n, v in _as_mapping(self.ids, "ids", "a mapping to ids").items()}
        for name, chosen in ids.items():
            if name not in states or not len(chosen):
                raise ParameterError(
                    f"Record.ids[{name!r}]: must choose neurons of a population named in Record.states"
                )
        if not (self.to is None or isinstance(self.to, (str, Path))):
            raise ParameterError(f"Record.to: must be a path or None, got {self.to!r}")
        to = None if self.to is None else as_path(self.to, "Record.to")
        if not isinstance(self.overwrite, bool):
            raise ParameterError(f"Record.overwrite: must be True or False, got {self.overwrite!r}")
        interval = as_values(self.interval, "Record.interval", "ms", "> 0", scalar=True)
        whole = {"spikes": spikes, "states": {n: tuple(v) for n, v in states.items()}, "ids": ids, "interval": interval}
        for name, value in {**whole, "to": to}.items():
            object.__setattr__(self, name, value)

    def check(self, network: Network, engine: str, dt: float) -> None:
        """Raise where names, ids or the interval do not fit the network, or `to` cannot be written."""
        names = [p.name for p in network.populations]
        spikes = self.spikes if isinstance(self.spikes, Mapping) else {}
        for what, given in (("spikes", spikes), ("states", self.states), ("ids", self.ids)):
            for name, value in given.items():
                if name not in names:
                    raise unknown(f"population in Record.{what}:", name, names)
                if isinstance(value, np.ndarray) and value.size and value.max() >= network[name].size:
                    raise ParameterError(
                        f"Record.{what}[{name!r}]: must be in 0 … {network[name].size - 1}, got {value.max()}"
                    )
        for name, variables in self.states.items():
            valid = getattr(network[name].model, "variables", ())
            for variable in variables:
                if variable not in valid:
                    raise unknown(f"state of {name!r} in Record.states:", variable, valid)
        steps = self.interval / dt
        if engine == "grid" and self.states and (round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps):
            raise ParameterError(
                f"Record.interval: must be a multiple of the time step {dt} ms on the grid, got {self.interval} ms"
            )
        if self.to is not None:
            guard(Path(self.to), self.overwrite)

    def spike_ids(self, name: str, size: int) -> NDArray[np.int64] | None:
        """Neurons of a population whose spikes are recorded, None where they are only counted."""
        value = self.spikes.get(name, False) if isinstance(self.spikes, Mapping) else self.spikes
        if isinstance(value, bool):
            return np.arange(size) if value else None
        return value

    def __repr__(self) -> str:
        shown = {f.name: getattr(self, f.name) for f in fields(self)}
        return f"Record({', '.join(f'{name}={_brief(value)}' for name, value in shown.items())})"


def _brief(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {short(v)}" for k, v in value.items()) + "}"
    return f"{str(value)!r}" if isinstance(value, Path) else short(value)


def _as_mapping(value: Any, name: str, wanted: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ParameterError(f"Record.{name}: must be {wanted}, got {value!r}")
    return value


def _as_ids(ids: Any, owner: str) -> NDArray[np.int64]:
    """Numbers of neurons, in the order given."""
    array = np.asarray(list(ids) if isinstance(ids, range) else ids)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise ParameterError(f"{owner}: must be a vector of whole numbers, got {ids!r}")
    if array.size and (array.min() < 0 or len(np.unique(array)) < array.size):
        raise ParameterError(f"{owner}: must be >= 0 and name no neuron twice, got {ids!r}")
    return array.astype(np.int64)


class Recorder:
    """Keeps spikes, counts and samples of one run, by population."""

    def __init__(self, record: Record, layout: Layout, batch: int, scale: float) -> None:
        self.record, self.layout, self.batch, self.scale = record, layout, batch, scale
        populations = layout.network.populations
        self.counts = [np.zeros(batch * b.size, np.int64) for b in layout.blocks]
        chosen = {p.name: record.spike_ids(p.name, p.size) for p in populations}
        self.spike_ids = {name: ids for name, ids in chosen.items() if ids is not None}
        self.state_ids = {name: record.ids.get(name, np.arange(layout.network[name].size)) for name in record.states}
        self.number = {p.name: self._numbers(p.name, p.size) for p in populations if p.name in self.spike_ids}
        self.pending: dict[int, list[tuple[NDArray[Any], NDArray[np.int64]]]] = {b.number: [] for b in layout.blocks}
        self.spikes: dict[str, list[Columns]] = {name: [] for name in self.spike_ids}
        self.samples: dict[tuple[str, str], list[NDArray[np.float64]]] = {
            (name, v): [] for name, variables in record.states.items() for v in variables
        }
        self.times: list[float] = []
        self.stream: Stream | None = None

    def _numbers(self, name: str, size: int) -> NDArray[np.int32]:
        """Number under which each neuron is recorded, -1 where it is not."""
        ids = self.spike_ids[name]
        number = np.full(size, -1, np.int32)
        number[ids] = np.arange(len(ids))
        return number

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
        """Hand pending spikes on to their populations."""
        for block in self.layout.blocks:
            pending, self.pending[block.number] = self.pending[block.number], []
            if not pending:
                continue
            time = np.concatenate([t for t, _ in pending]) * self.scale
            b, e = np.divmod(np.concatenate([x for _, x in pending]), block.size)
            for p, offset in zip(block.populations, block.offsets, strict=True):
                if p.name in self.spikes:
                    mine = np.flatnonzero((e >= offset) & (e < offset + p.size))
                    number = self.number[p.name][e[mine] - offset]
                    keep = number >= 0
                    mine, number = mine[keep], number[keep]
                    self.spikes[p.name].append((time[mine], number, b[mine].astype(np.int32)))

    def columns(self, name: str) -> Columns:
        """Times, numbers and stimuli of the spikes of a population that are held in memory."""
        empty = tuple(np.empty(0, kind) for _, kind in COLUMNS)
        return tuple(np.concatenate(c) for c in zip(empty, *self.spikes[name], strict=True))  # type: ignore[return-value]

    def table(self, name: str, variable: str) -> NDArray[np.float64]:
        """Samples held in memory, shape (samples, batch, ids)."""
        rows = self.samples[name, variable]
        return np.stack(rows) if rows else np.empty((0, self.batch, len(self.state_ids[name])))

    def open(self, path: Path, overwrite: bool, header: dict[str, Any], values: dict[str, NDArray[Any]]) -> None:
        """Create the file to stream to."""
        growing: dict[str, tuple[Any, tuple[int, ...]]] = {
            f"spikes/{name}/{part}": (kind, ()) for name in self.spikes for part, kind in COLUMNS
        }
        for name, variable in self.samples:
            growing[f"states/{name}/{variable}"] = (np.float64, (self.batch, len(self.state_ids[name])))
        self.stream = Stream(path, overwrite, header, {**growing, "state_times": (np.float64, ())}, values)

    def held(self) -> dict[str, NDArray[Any]]:
        """What is held in memory, by the names of the arrays of a file."""
        rows: dict[str, NDArray[Any]] = {}
        for name, chunks in self.spikes.items():
            if chunks:
                parts = zip(COLUMNS, self.columns(name), strict=True)
                rows |= {f"spikes/{name}/{part}": column for (part, _), column in parts}
        if self.times:
            rows["state_times"] = np.array(self.times)
            rows |= {f"states/{name}/{v}": self.table(name, v) for name, v in self.samples}
        return rows

    def write(self, values: dict[str, NDArray[Any]]) -> None:
        """Move what is held in memory to the file, with the `values` that tell how far the run has come."""
        assert self.stream is not None
        self.stream.write(self.held(), values)
        held: list[Any] = [*self.spikes.values(), *self.samples.values(), self.times]
        for items in held:
            items.clear()

    def population_counts(self, name: str) -> NDArray[np.int64]:
        """Spikes per stimulus and neuron, shape (batch, n)."""
        population = self.layout.network[name]
        block = self.layout.block_of(population)
        offset = block.offset(population)
        table = self.counts[block.number].reshape(self.batch, block.size)
        return table[:, offset : offset + population.size].copy()


def by_stimulus(columns: Columns, n: int, batch: int, t_stop: float) -> Any:
    """Spikes of a population as `Spikes`, those of a batch as one per stimulus."""
    time, ids, stimulus = columns
    if batch == 1:
        return Spikes(time, ids, n, t_stop)
    order = np.argsort(stimulus, kind="stable")
    cuts = np.searchsorted(stimulus[order], np.arange(1, batch))
    pairs = zip(np.split(time[order], cuts), np.split(ids[order], cuts), strict=True)
    return tuple(Spikes(t, i, n, t_stop) for t, i in pairs)

"""What comes back from a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim import files
from spikesim.describe import network_from_tree, network_to_tree
from spikesim.errors import SpikesimError, unknown
from spikesim.network import Network
from spikesim.recording import COLUMNS, Columns, by_stimulus
from spikesim.spikes import Spikes

if TYPE_CHECKING:
    import xarray

_TIMING = ("build_s", "compile_s", "run_s")


@dataclass(frozen=True)
class Counts:
    """What the engine counted, summed over stimuli.

    Attributes
    ----------
    spikes : spikes emitted, by population
    synaptic_events : spikes delivered to a synapse's target, by projection
    neuron_updates : state updates, by population (grid: neurons times steps; event: those that happened)
    inputs : arrivals of private Poisson input, by population
    """

    spikes: dict[str, int]
    synaptic_events: dict[str, int]
    neuron_updates: dict[str, int]
    inputs: dict[str, int]


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Recorded spikes and states, counts, and how the run was made.

    What was streamed to a file, or loaded from one, is read from there when it is first asked for.

    Attributes
    ----------
    spikes : mapping from population to `Spikes` (batch > 1: a tuple of them), of the neurons `spike_ids`
    states : mapping from population to mapping from variable to array (samples, ids), batch > 1: (batch, samples, ids)
    state_times : array (samples,), ms
    spike_counts : mapping from population to array (n,), batch > 1: (batch, n), of all neurons
    counts : Counts
    duration : float, ms
    spike_ids, state_ids : mapping from population to the neurons whose spikes and states were recorded, in order
    timing : seconds to build, to compile or load kernels, and to run
    """

    network: Network
    engine: str
    dt: float
    seed: int
    threads: int
    batch: int
    duration: float
    spikes: Mapping[str, Any]
    states: Mapping[str, Mapping[str, NDArray[np.float64]]]
    state_times: NDArray[np.float64]
    spike_counts: Mapping[str, NDArray[np.int64]]
    counts: Counts
    spike_ids: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    state_ids: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        states = {n: _named(f"recorded state of {n!r}:", found) for n, found in self.states.items()}
        object.__setattr__(self, "states", Named("population with recorded states", states))
        object.__setattr__(self, "spikes", _named("population with recorded spikes", self.spikes))
        object.__setattr__(self, "spike_counts", _named("population", self.spike_counts))

    def __repr__(self) -> str:
        total = sum(self.counts.spikes.values())
        return f"Result({self.engine} engine, {self.duration:g} ms, {total:,} spikes, seed {self.seed})"

    def rate(self, population: str) -> float:
        """Mean rate of a population in Hz, over elements and stimuli."""
        size = self.network[population].size * self.batch
        return self.counts.spikes[population] / size / self.duration * 1e3 if self.duration else 0.0

    def to_xarray(self) -> xarray.Dataset:
        """Sampled states and spike counts as an `xarray.Dataset` with named axes (needs the package xarray)."""
        try:
            import xarray
        except ImportError:
            raise SpikesimError("Result.to_xarray needs the package xarray: pip install xarray") from None
        data: dict[str, Any] = {}
        coords: dict[str, Any] = {"time": ("time", self.state_times, {"units": "ms"})}
        lead = ("stimulus",) if self.batch > 1 else ()
        for name, variables in self.states.items():
            coords[f"{name}_recorded"] = self.state_ids[name]
            for variable, values in variables.items():
                data[f"{name}.{variable}"] = ((*lead, "time", f"{name}_recorded"), values)
        for name, counts in self.spike_counts.items():
            data[f"{name}.spike_count"] = ((*lead, f"{name}_neuron"), counts)
        attributes = {"engine": self.engine, "seed": self.seed, "duration_ms": self.duration}
        if self.engine == "grid":
            attributes["dt_ms"] = self.dt
        return xarray.Dataset(data, coords=coords, attrs=attributes)

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write everything to an HDF5 file, whole or not at all.

        Raises
        ------
        FileError
            If the file exists and `overwrite` is false, or cannot be written.
        """
        arrays: dict[str, NDArray[Any]] = {"state_times": self.state_times}
        for name, found in self.spikes.items():
            columns = _columns((found,) if isinstance(found, Spikes) else found)
            arrays |= {f"spikes/{name}/{part}": c for (part, _), c in zip(COLUMNS, columns, strict=True)}
        for name, variables in self.states.items():  # in files samples come first, then stimuli, so that they can grow
            arrays |= {f"states/{name}/{v}": x[:, None] if self.batch == 1 else np.moveaxis(x, 0, 1)
                       for v, x in variables.items()}  # fmt: skip
        path = files.as_path(path, "Result.save")
        rows = np.array([len(a) for a in arrays.values()], np.int64)
        tree = {**header(self), **tally(self), "growing": list(arrays), "rows": rows, **arrays}
        files.write_tree(path, "result", tree, overwrite)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Result:
        """Result that was saved or streamed, also of a run that is still going on or was interrupted.

        Raises
        ------
        FileError
            If the file is missing, damaged, or something else; for the recordings, when they are first asked for.
        """
        return load(files.as_path(path, "Result.load"), {})


def header(run: Any) -> dict[str, Any]:
    """What is known of a run before it starts."""
    known = {k: getattr(run, k) for k in ("engine", "dt", "seed", "threads", "batch")}
    ids = {name: dict(getattr(run, name)) for name in ("spike_ids", "state_ids")}
    return {**known, **ids, "network": network_to_tree(run.network)}


def tally(result: Result) -> dict[str, NDArray[Any]]:
    """How far a run has come and what it has counted, in the order of populations and projections."""
    counts = result.counts
    projections = [str(p.name) for p in result.network.projections]
    neurons = [p.name for p in result.network.populations if not p.is_source]
    return {
        "duration": np.array([result.duration]),
        "timing": np.array([result.timing.get(k, 0.0) for k in _TIMING]),
        "counts/synaptic_events": np.array([counts.synaptic_events[n] for n in projections], np.int64),
        "counts/neuron_updates": np.array([counts.neuron_updates[n] for n in neurons], np.int64),
        "counts/inputs": np.array([counts.inputs[n] for n in neurons], np.int64),
        **{f"spike_counts/{n}": x.reshape(result.batch, -1) for n, x in result.spike_counts.items()},
    }


def load(path: Path, held: Mapping[str, NDArray[Any]], end: float = 0.0) -> Result:
    """Result of a file, followed by the rows up to `end` that are `held` in memory as the file could not take them."""
    tree = files.read_tree(path, "result", without=("spikes", "states"))
    network = network_from_tree(tree["network"])
    batch, duration = int(tree["batch"]), max(end, float(tree["duration"][0]))
    rows = dict(zip(tree["growing"], tree["rows"].tolist(), strict=True))
    read = partial(_read, path, rows, held)
    ids = {k: _in_order(tree.get(k, {}), network) for k in ("spike_ids", "state_ids")}
    spike_counts = _in_order(tree["spike_counts"], network)
    projections = [str(p.name) for p in network.projections]
    neurons = [p.name for p in network.populations if not p.is_source]
    named = {"synaptic_events": projections, "neuron_updates": neurons, "inputs": neurons}
    counted = {k: dict(zip(n, tree["counts"][k].tolist(), strict=True)) for k, n in named.items()}
    sampled: dict[str, list[str]] = {}
    for name in rows:
        if name.startswith("states/"):
            sampled.setdefault(name.split("/")[1], []).append(name.split("/")[2])
    return Result(
        network,
        **{k: tree[k] for k in ("engine", "dt", "seed", "threads", "batch")},
        spike_ids=ids["spike_ids"],
        state_ids=ids["state_ids"],
        duration=duration,
        spikes=_Stored(ids["spike_ids"], partial(_trains, read, ids["spike_ids"], batch, duration)),
        states={n: _Stored(v, partial(_samples, read, batch, n)) for n, v in sampled.items()},
        state_times=read("state_times"),
        spike_counts={n: x[0] if batch == 1 else x for n, x in spike_counts.items()},
        counts=Counts({n: int(x.sum()) for n, x in spike_counts.items()}, **counted),
        timing=dict(zip(_TIMING, tree["timing"].tolist(), strict=True)),
    )


class Named(Mapping[str, Any]):
    """Values by name; an unknown name is an error that lists those there are.

    Parameters
    ----------
    kind : str
        What is asked for, as in the error.
    found : mapping
    """

    def __init__(self, kind: str, found: Mapping[str, Any]) -> None:
        self.kind, self._found = kind, found

    def __getitem__(self, name: str) -> Any:
        if name not in self._found:
            raise unknown(self.kind, name, self._found)
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default` where there is none."""
        return self[name] if name in self else default  # noqa: SIM401 (this is what `get` is)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: …' for name in self)}}}"


def _named(kind: str, found: Mapping[str, Any]) -> Named:
    if isinstance(found, Named):
        found.kind = kind
        return found
    return Named(kind, found)


class _Stored(Named):
    """Values by name, each read from a file when it is first asked for."""

    def __init__(self, names: Any, read: Callable[[str], Any]) -> None:
        super().__init__("name", dict.fromkeys(names))
        self._read = read

    def __getitem__(self, name: str) -> Any:
        if super().__getitem__(name) is None:
            self._found[name] = self._read(name)  # type: ignore[index]
        return self._found[name]


def _in_order(found: Mapping[str, Any], network: Network) -> dict[str, Any]:
    """Entries by population, in the order of the network: files sort by name."""
    return {p.name: found[p.name] for p in network.populations if p.name in found}


def _read(path: Path, rows: Mapping[str, int], held: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    found = files.read_rows(path, "result", name, 0, rows[name])
    return np.concatenate([found, held[name]]) if name in held else found


def _trains(read: Any, ids: Mapping[str, NDArray[np.int64]], batch: int, duration: float, name: str) -> Any:
    times, numbers, stimuli = (read(f"spikes/{name}/{part}") for part, _ in COLUMNS)
    return by_stimulus((times, numbers, stimuli), len(ids[name]), batch, duration)


def _samples(read: Any, batch: int, name: str, variable: str) -> NDArray[np.float64]:
    return by_sample(read(f"states/{name}/{variable}"), batch)


def by_sample(table: NDArray[np.float64], batch: int) -> NDArray[np.float64]:
    """Samples as results show them, from (samples, batch, ids)."""
    return table[:, 0] if batch == 1 else np.moveaxis(table, 0, 1)


def _columns(trains: Any) -> Columns:
    stimulus = np.repeat(np.arange(len(trains), dtype=np.int32), [len(s) for s in trains])
    return np.concatenate([s.times for s in trains]), np.concatenate([s.ids for s in trains]), stimulus

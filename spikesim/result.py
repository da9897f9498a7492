"""What comes back from a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim import files
from spikesim.describe import network_from_tree, network_to_tree
from spikesim.errors import SpikesimError
from spikesim.network import Network
from spikesim.recording import by_stimulus
from spikesim.spikes import Spikes

if TYPE_CHECKING:
    import xarray


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


@dataclass(frozen=True, repr=False)
class Result:
    """Recorded spikes and states, counts, and how the run was made.

    Attributes
    ----------
    spikes : mapping from population to `Spikes` (batch > 1: a tuple of them)
    states : mapping from population to mapping from variable to array (samples, ids), batch > 1: (batch, samples, ids)
    state_times : array (samples,), ms
    spike_counts : mapping from population to array (n,), batch > 1: (batch, n)
    counts : Counts
    duration : float, ms
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
    timing: Mapping[str, float] = field(default_factory=dict)

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
        data = {}
        lead = ("stimulus",) if self.batch > 1 else ()
        for name, variables in self.states.items():
            for variable, values in variables.items():
                data[f"{name}.{variable}"] = ((*lead, "time", f"{name}_recorded"), values)
        for name, counts in self.spike_counts.items():
            data[f"{name}.spike_count"] = ((*lead, f"{name}_neuron"), counts)
        attributes = {"engine": self.engine, "dt_ms": self.dt, "seed": self.seed, "duration_ms": self.duration}
        return xarray.Dataset(data, coords={"time": ("time", self.state_times, {"units": "ms"})}, attrs=attributes)

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write everything to an HDF5 file, whole or not at all.

        Raises
        ------
        FileError
            If the file exists and `overwrite` is false, or cannot be written.
        """
        many = {name: (s,) if isinstance(s, Spikes) else s for name, s in self.spikes.items()}
        spikes = {
            name: {
                "times": np.concatenate([s.times for s in trains]),
                "ids": np.concatenate([s.ids for s in trains]),
                "stimulus": np.repeat(np.arange(len(trains), dtype=np.int32), [len(s) for s in trains]),
            }
            for name, trains in many.items()
        }
        # files keep samples first, then stimuli, so that they can grow
        states = {
            n: {v: np.moveaxis(x, 0, 1) if self.batch > 1 else x[:, None] for v, x in vs.items()}
            for n, vs in self.states.items()
        }
        counts = {n: x.reshape(self.batch, -1) for n, x in self.spike_counts.items()}
        tree = {"spikes": spikes, "states": states, "spike_counts": counts, "state_times": self.state_times}
        files.write_tree(Path(path), "result", {**tree, **header(self), **footer(self)}, overwrite)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Result:
        """Read a result that was saved or streamed, also of an interrupted run.

        Raises
        ------
        FileError
            If the file is missing, damaged, or something else.
        """
        tree = files.read_tree(Path(path), "result")
        batch, duration = tree["batch"], tree.get("duration", float(tree.get("progress", np.zeros(1))[0]))
        network = network_from_tree(tree["network"])
        spikes, states = {}, {}
        for name, s in tree.get("spikes", {}).items():
            k = min(len(s["times"]), len(s["ids"]), len(s["stimulus"]))
            trains = by_stimulus(
                s["times"][:k], s["ids"][:k], s["stimulus"][:k], network[name].size, batch,
                max(duration, float(s["times"].max(initial=0.0))),
            )  # fmt: skip
            spikes[name] = trains if batch > 1 else trains[0]
        for name, variables in tree.get("states", {}).items():
            states[name] = {v: x[:, 0] if batch == 1 else np.moveaxis(x, 0, 1) for v, x in variables.items()}
        spike_counts = {n: x[0] if batch == 1 else x for n, x in tree["spike_counts"].items()}
        totals = {n: int(x.sum()) for n, x in spike_counts.items()}
        counted = tree.get("counts", {})
        counts = Counts(totals, *(counted.get(k, {}) for k in ("synaptic_events", "neuron_updates", "inputs")))
        head = {k: tree[k] for k in ("engine", "dt", "seed", "threads", "batch")}
        return cls(
            network, **head, duration=duration, spikes=spikes, states=states, state_times=tree["state_times"],
            spike_counts=spike_counts, counts=counts, timing=tree.get("timing", {}),
        )  # fmt: skip


def header(run: Any) -> dict[str, Any]:
    """What is known before a run starts."""
    known = {k: getattr(run, k) for k in ("engine", "dt", "seed", "threads", "batch")}
    return {**known, "network": network_to_tree(run.network)}


def footer(result: Result) -> dict[str, Any]:
    """What is known when it has ended."""
    counts = {k: getattr(result.counts, k) for k in ("synaptic_events", "neuron_updates", "inputs")}
    return {"duration": result.duration, "counts": counts, "timing": dict(result.timing)}

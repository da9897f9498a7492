"""Saving a simulation with everything that is under way, and continuing it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spikesim import files
from spikesim.describe import decode, encode, network_from_tree, network_to_tree
from spikesim.errors import FileError, ParameterError
from spikesim.inputs import SpikeSource, Steps
from spikesim.network import Network

_OPTIONS = ("engine", "dt", "seed", "threads", "batch")


def check_batch(network: Network, batch: int) -> None:
    """Raise ParameterError where per-stimulus inputs do not match the batch."""
    for p in network.populations:
        if isinstance(p.model, SpikeSource) and len(p.model.batch) not in (1, batch):
            raise ParameterError(f"Population {p.name!r}: has spikes of {len(p.model.batch)} stimuli, batch is {batch}")
        for item in (p.model, *p.inputs):
            for name in ("rate", "value"):
                value = getattr(item, name, None)
                if isinstance(value, np.ndarray) and value.ndim == 2 and len(value) not in (1, batch):
                    raise ParameterError(f"Population {p.name!r}: {name} has {len(value)} stimuli, batch is {batch}")
                if isinstance(value, Steps) and value.values.ndim > 2:
                    raise ParameterError(f"Population {p.name!r}: {name} must not differ between stimuli")


def save(simulation: Any, path: Path, overwrite: bool) -> Path:
    """Write a simulation."""
    run, recorder = simulation._run, simulation._recorder
    recorder.split()
    tree = {
        **{name: getattr(simulation, name) for name in _OPTIONS},
        "network": network_to_tree(simulation.network),
        "record": encode(simulation.record),
        "now": np.array(run.now),
        "next_change": np.array(run.next_change),
        "asked": np.array(simulation._asked),
        "samples": simulation._samples,
        "timing": simulation._timing,
        "histories": {
            str(k): {"first": h.first, "time": h.view(h.first)[0], "element": h.view(h.first)[1]}
            for k, h in enumerate(run.histories)
        },
        "sources": {str(k): s.state() for k, s in run.sources.items()},
        "shards": {str(k): _shard(s) for k, s in enumerate(_shards(run))},
        "recorder": {
            "counts": {str(k): c for k, c in enumerate(recorder.counts)},
            "spikes": {n: {str(k): _columns(c, k) for k in range(3)} for n, c in recorder.spikes.items() if c},
            "samples": {f"{n}\n{v}": np.stack(rows) for (n, v), rows in recorder.samples.items() if rows},
            "times": np.array(recorder.times),
        },
    }
    files.write_tree(path, "simulation", tree, overwrite)
    return path


def _columns(chunks: list[Any], k: int) -> Any:
    return np.concatenate([c[k] for c in chunks])


def _shards(run: Any) -> list[Any]:
    return [s for shards in run.shards.values() for s in shards]


def _moving(shard: Any) -> dict[str, Any]:
    """Arrays of a shard that change while it runs, by a path of names."""
    found: dict[str, Any] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, np.ndarray):
            found[name] = value
        elif isinstance(value, tuple):
            for k, item in enumerate(value):
                walk(f"{name}.{k}", item)

    walk("state", shard.state)
    walk("private", getattr(shard, "private", ()))
    for k, item in enumerate(getattr(shard, "poisson", ())):
        walk(f"poisson.{k}", item.arrivals)
    for k, bundle in enumerate(shard.bundles):
        for name in ("weight", "active", "events"):
            found[f"bundle.{k}.{name}"] = getattr(bundle.store, name)
    return found


def _travelling(shard: Any) -> list[Any]:
    return shard.inbox.trips if hasattr(shard, "inbox") else shard.trips


def _shard(shard: Any) -> dict[str, Any]:
    trips = {str(k): {str(m): a for m, a in enumerate(trip)} for k, trip in enumerate(_travelling(shard))}
    return {"arrays": _moving(shard), "positions": np.array(shard.positions, dtype=np.int64), "trips": trips}


def load(cls: Any, path: Path, threads: int | None) -> Any:
    """Build a simulation from a file and put it where it was."""
    tree = files.read_tree(path, "simulation")
    network = network_from_tree(tree["network"])
    options = {name: tree[name] for name in _OPTIONS}
    if threads is not None and threads != options["threads"]:
        raise ParameterError(
            f"Simulation.load: {path} was saved with {options['threads']} threads, its state is split that way"
        )
    record = decode(tree["record"])
    simulation = cls(network, **options, record=record)
    try:
        _restore(simulation, tree)
    except (KeyError, ValueError) as error:
        raise FileError(f"{path} does not fit the network it describes; was it written by another version? ({error})") from None
    return simulation


def _restore(simulation: Any, tree: dict[str, Any]) -> None:
    run, recorder = simulation._run, simulation._recorder
    run.now = tree["now"].item()
    run.next_change = tree["next_change"].item()
    simulation._asked, simulation._samples = tree["asked"].item(), tree["samples"]
    simulation._timing = tree["timing"]
    for shards in run.shards.values():
        for shard in shards:
            shard.resume_at(max(0.0, float(run.now) * run.scale))
    for k, history in enumerate(run.histories):
        saved = tree["histories"][str(k)]
        history.first = saved["first"]
        history.append(saved["time"], saved["element"])
    for k, source in run.sources.items():
        for name, array in source.state().items():
            array[...] = tree["sources"][str(k)][name]
    for k, shard in enumerate(_shards(run)):
        saved = tree["shards"][str(k)]
        for name, array in _moving(shard).items():
            array[...] = saved["arrays"][name]
        shard.positions[:] = saved["positions"].tolist()
        for m, trip in saved.get("trips", {}).items():
            _travelling(shard)[int(m)] = tuple(trip[str(i)] for i in range(len(trip)))
    saved = tree["recorder"]
    for k, counts in enumerate(recorder.counts):
        counts[...] = saved["counts"][str(k)]
    for name, columns in saved.get("spikes", {}).items():
        recorder.spikes[name].append(tuple(columns[str(k)] for k in range(3)))
    for name, rows in saved.get("samples", {}).items():
        recorder.samples[tuple(name.split("\n"))].extend(rows)
    recorder.times.extend(saved["times"].tolist())

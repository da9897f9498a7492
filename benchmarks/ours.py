"""``python -m benchmarks.ours REQUEST OUT``: one run of ours in a process of its own, from JSON to npz."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import spikesim as ss
from benchmarks.case import Probe, Variant, load
from benchmarks.peers._protocol import peak_mb


def run(request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure one variant of a benchmark: its facts, and its spikes where they are asked for."""
    variant = load(request["case"]).variants[request["variant"]]
    if isinstance(variant, Probe):
        facts = variant.measure(request["scale"], request["threads"], request["seed"])
        return {"version": ss.__version__, **facts}, {}
    with tempfile.TemporaryDirectory(prefix="spikesim-bench-") as folder:
        return simulate(variant, request, Path(folder))


def simulate(variant: Variant, request: dict[str, Any], folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build a network, let it settle, and time what follows."""
    network = variant.build(request["scale"])
    keep = request["record"] or variant.record != "no"
    simulation = ss.Simulation(
        network,
        engine=variant.engine,
        dt=request["dt"],
        seed=request["seed"],
        threads=request["threads"],
        record=ss.Record(spikes=keep, to=folder / "spikes.h5" if variant.record == "file" else None),
    )
    if request["warmup"]:
        simulation.run(request["warmup"])
    before, settled = simulation.counts(), simulation.result().timing["run_s"] if request["warmup"] else 0.0
    simulation.run(request["duration"])
    after, timing = simulation.counts(), simulation.result().timing
    neurons = [p.name for p in network.populations if not p.is_source]
    facts = {
        "version": ss.__version__,
        "build_s": timing["build_s"],
        "compile_s": timing["compile_s"],
        "run_s": timing["run_s"] - settled,
        "spikes": sum(after.spikes[name] - before.spikes[name] for name in neurons),
        "events": sum(after.synaptic_events.values()) - sum(before.synaptic_events.values()),
        "inputs": sum(after.inputs.values()) - sum(before.inputs.values()),
        "bytes_per_synapse": _bytes(network, variant.engine),
        "peak_rss_mb": peak_mb(),
    }
    return facts, _spikes(simulation.result(), neurons) if request["record"] else {}


def _bytes(network: ss.Network, engine: str) -> float:
    """Of a synapse as stored, in the mean over the network."""
    stored = [row for row in ss.summary(network, engine) if row["kind"] == "synapses"]
    return sum(float(str(row["bytes"])) for row in stored) / max(1.0, network.synapses)


def _spikes(result: Any, neurons: list[Any]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for name in neurons:
        arrays |= {f"{name}/times": result.spikes[name].times, f"{name}/ids": result.spikes[name].ids}
    return arrays


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    facts, arrays = run(json.loads(source.read_text()))
    np.savez(target, facts=json.dumps(facts), **arrays)  # type: ignore[arg-type]

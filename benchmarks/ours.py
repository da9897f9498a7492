"""``python -m benchmarks.ours REQUEST OUT``: one run of ours in a process of its own, both files JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psutil

import spikesim as ss
from benchmarks.case import load


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Build and run one variant of a benchmark, counting spikes and recording nothing."""
    variant = load(request["case"]).variants[request["variant"]]
    network = variant.build(request["scale"])
    simulation = ss.Simulation(
        network,
        engine=variant.engine,
        dt=request["dt"],
        seed=request["seed"],
        threads=request["threads"],
        record=ss.Record(spikes=False),
    )
    simulation.run(request["duration"])
    result = simulation.result()
    neurons = [p.name for p in network.populations if not p.is_source]
    return {
        "version": ss.__version__,
        **{key: result.timing[key] for key in ("build_s", "compile_s", "run_s")},
        "spikes": int(sum(result.counts.spikes[name] for name in neurons)),
        "peak_rss_mb": _peak() / 2**20,
    }


def _peak() -> int:
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return int(memory.peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(json.dumps(run(json.loads(source.read_text()))))

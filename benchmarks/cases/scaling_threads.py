"""Time against threads, up to as many as the machine has: microcircuit and Brunel's network of 50,000 neurons."""

from __future__ import annotations

import os
from typing import Any

from benchmarks import figures
from benchmarks.case import Case, Rows, Variant
from benchmarks.cases import microcircuit
from benchmarks.cases._scaling import COLUMNS
from benchmarks.goals import Goal, speedup
from spikesim import Network, zoo

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
THREADS = sorted({min(2**k, max(2, CORES)) for k in range(8)})


def brunel(scale: float) -> Network:
    """Four times Brunel's network at the same indegrees: 50,000 neurons, 62.5 million synapses."""
    return zoo.build("brunel", scale=4.0 * scale, p=min(1.0, 0.025 / scale))


NETWORKS = {"microcircuit": microcircuit.build, "Brunel, N = 50,000": brunel}


def draw(rows: Rows) -> Any:
    """Speed-up over threads beside the ideal line."""
    figure, axes = figures.new()
    ax = axes[0, 0]
    kept = [row for row in figures.measured(rows, "run_s") if row["name"] == "ours"]
    for k, name in enumerate(NETWORKS):
        mine = [row for row in kept if row["group"] == name]
        times = [mine[0]["run_s"]["median"] / row["run_s"]["median"] for row in mine]
        ax.plot([row["threads"] for row in mine], times, "o-", color=figures.COLOURS[k], label=name)
    ax.plot(THREADS, THREADS, "--", color="grey", label="ideal", linewidth=0.8)
    ax.set_xticks(THREADS)
    figures.finish(ax, "threads", "speed-up against one thread", log=())
    return figure


CASE = Case(
    "run time over threads, grid",
    tuple(
        Variant(f"{name}, {k} thread{'s' if k > 1 else ''}", "grid", build, name, {"threads": float(k)}, threads=k)
        for name, build in NETWORKS.items()
        for k in THREADS
    ),
    duration=1_000.0,
    warmup=200.0,
    peers=False,
    columns=COLUMNS,
    goals=tuple(
        Goal(
            f"two threads against one, {name}",
            speedup(f"{name}, 1 thread", f"{name}, 2 threads"),
            1.7,
            1.9,
            threads=None,
        )
        for name in NETWORKS
    ),
    draw=draw,
)

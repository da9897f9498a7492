"""What the memory of the machine allows, beside what a synaptic event costs us.

Each event reads its synapse once, in the order in which synapses are stored. Bytes of a synapse over the bandwidth of
sequential reading is therefore the time below which no engine with such a store can come, unless the store fits the
cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks import figures
from benchmarks.case import Case, Column, Probe, Rows, Variant
from benchmarks.cases import brunel, microcircuit

SIZE = 2**26  # numbers of 8 bytes: far more than any cache
RANDOM = 2**23
TIMES = 5
READ = "sequential reading"


def fastest(work: Callable[[int], object], threads: int) -> float:
    """Seconds of the fastest of a few rounds in which every thread does `work(number)`."""
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(TIMES):
            start = time.perf_counter()
            list(pool.map(work, range(threads)))
            seconds.append(time.perf_counter() - start)
    return min(seconds)


def read(scale: float, threads: int, seed: int) -> Mapping[str, float]:
    """Sums of whole numbers, one array a thread."""
    arrays = [np.ones(max(1, int(SIZE * scale) // threads), np.int64) for _ in range(threads)]
    seconds = fastest(lambda k: arrays[k].sum(), threads)
    return {"gb_per_s": sum(a.nbytes for a in arrays) / seconds / 1e9}


def copy(scale: float, threads: int, seed: int) -> Mapping[str, float]:
    """Reading and writing, both counted."""
    arrays = [np.ones((2, max(1, int(SIZE * scale) // threads))) for _ in range(threads)]
    seconds = fastest(lambda k: np.copyto(arrays[k][0], arrays[k][1]), threads)
    return {"gb_per_s": sum(a.nbytes for a in arrays) / seconds / 1e9}


def scattered(scale: float, threads: int, seed: int) -> Mapping[str, float]:
    """Eight bytes each from places all over memory."""
    values, count = np.ones(max(1, int(SIZE * scale))), max(1, int(RANDOM * scale))
    places = [np.random.default_rng([seed, k]).integers(0, len(values), count) for k in range(threads)]
    out = [np.empty(count) for _ in range(threads)]
    seconds = fastest(lambda k: np.take(values, places[k], out=out[k], mode="clip"), threads)
    return {"gb_per_s": 8 * count * threads / seconds / 1e9, "ns_each": seconds / count * 1e9}


def draw(rows: Rows) -> Any:
    """Synaptic events per second over bytes of a synapse, below the roof that reading sets."""
    figure, axes = figures.new()
    ax = axes[0, 0]
    roof = next((row["gb_per_s"]["median"] for row in rows if row.get("side") == READ and row.get("gb_per_s")), None)
    if roof:
        at = np.array([1.0, 64.0])
        ax.plot(at, roof * 1e9 / at, color="black", linewidth=1, label=f"reading, {roof:.3g} GB/s")
    for k, row in enumerate(figures.measured(rows, "ns_per_event")):
        rate = row["threads"] / row["ns_per_event"]["median"] * 1e9
        ax.plot(row["bytes_per_synapse"]["median"], rate, "o", color=figures.COLOURS[k], label=row["side"])
    figures.finish(ax, "bytes per synapse, as stored", "synaptic events per second")
    return figure


CASE = Case(
    "bandwidth of the memory, and synaptic events against it",
    (
        Probe(READ, read),
        Probe("sequential copying", copy),
        Probe("scattered reading of 8 bytes", scattered),
        Variant("Brunel, grid", "grid", brunel.build, "Brunel"),
        Variant("Brunel, event", "event", brunel.build, "Brunel", duration=200.0),
        Variant("microcircuit, grid", "grid", microcircuit.build, "microcircuit"),
    ),
    warmup=100.0,
    peers=False,
    compare="",
    columns=(
        Column("gb_per_s", "GB/s"),
        Column("ns_each", "ns each"),
        Column("bytes_per_synapse", "bytes per\nsynapse"),
        Column("ns_per_event", "ns per event\nand thread"),
        Column("run_s", "run (s)"),
    ),
    draw=draw,
)

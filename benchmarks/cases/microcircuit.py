"""Cortical microcircuit of Potjans & Diesmann 2014 with Poisson drive: 77,169 neurons and 299 million synapses."""

from __future__ import annotations

from benchmarks.case import SIZE, Case, Column, Variant
from benchmarks.goals import Goal, of, times_faster
from spikesim import Network, zoo

OURS = "spikesim grid"


def build(scale: float) -> Network:
    """The zoo's network; below full scale its lost input is made up for."""
    return zoo.build("microcircuit", scale=scale)


CASE = Case(
    "Potjans & Diesmann 2014, Poisson drive, grid of 0.1 ms",
    (Variant(OURS, "grid", build),),
    duration=10_000.0,
    warmup=500.0,
    threads=2,
    slow_peers=("brian2",),
    columns=(
        *SIZE,
        Column("rate_hz", "rate (Hz)"),
        Column("build_s", "build (s)"),
        Column("run_s", "run (s)"),
        Column("real_time_factor", "real-time\nfactor"),
        Column("ns_per_event", "ns per event\nand thread"),
        Column("peak_rss_mb", "peak memory\n(MiB)"),
    ),
    goals=(
        Goal("real-time factor", of(OURS, "real_time_factor"), 3.0, 1.0, "<=", threads=2),
        Goal("build (s)", of(OURS, "build_s"), 25.0, 10.0, "<=", threads=2),
        Goal("peak memory (MiB)", of(OURS, "peak_rss_mb"), 4e9 / 2**20, 3e9 / 2**20, "<=", threads=2),
        Goal("NEST over ours", times_faster("nest"), 15.0, 30.0, scale=0.2, threads=2),
        Goal("one core: run time per synaptic event (ns)", of(OURS, "ns_per_event"), 6.0, 2.0, "<="),
    ),
)

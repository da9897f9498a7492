"""What recording every spike costs, in memory and streamed to a file."""

from __future__ import annotations

from benchmarks.case import Case, Column, Variant
from benchmarks.cases.microcircuit import build
from benchmarks.goals import Goal, speedup

NOTHING, MEMORY, FILE = "counted only", "recorded in memory", "streamed to a file"
KINDS = {NOTHING: "no", MEMORY: "memory", FILE: "file"}

CASE = Case(
    "Potjans & Diesmann 2014, Poisson drive: spikes counted, recorded, streamed",
    tuple(Variant(label, "grid", build, record=kind) for label, kind in KINDS.items()),
    duration=2_000.0,
    warmup=500.0,
    scale=1.0,
    threads=2,
    peers=False,
    columns=(
        Column("spikes", "spikes"),
        Column("rate_hz", "rate (Hz)"),
        Column("run_s", "run (s)"),
        Column("peak_rss_mb", "peak memory\n(MiB)"),
    ),
    goals=tuple(
        Goal(f"run time, {label} over counted", speedup(label, NOTHING), 1.1, 1.03, "<=", threads=2)
        for label in (MEMORY, FILE)
    ),
)

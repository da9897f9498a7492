"""Whether the microcircuit is right: distributions of rate, CV and correlation by population beside other simulators'.

Several seeds (``--repeat``) tell how far two runs of the same simulator are apart.
"""

from __future__ import annotations

from typing import Any

from benchmarks import figures
from benchmarks.activity import MEASURES
from benchmarks.case import Case, Rows, Variant
from benchmarks.cases.microcircuit import OURS, build
from benchmarks.goals import Goal
from spikesim.zoo.microcircuit import FULL_RATES, POPULATIONS

REFERENCE = FULL_RATES["poisson"]


def deviation(rows: Rows) -> float | None:
    """Largest relative difference of a mean rate from the published one."""
    found = {row["population"]: row["rate_hz"].get(OURS) for row in rows if "population" in row}
    pairs = [(found[name], rate) for name, rate in zip(POPULATIONS, REFERENCE, strict=True) if found.get(name)]
    return max((abs(sum(r) / len(r) / rate - 1.0) for r, rate in pairs), default=None)


def beside_seeds(rows: Rows) -> float | None:
    """Largest distance to another simulator, relative to the larger of those between two seeds of each."""
    found = []
    for row in (row for row in rows if "population" in row):
        for measure in MEASURES:
            seeds, others = row["seed_to_seed"][measure], row["distance"][measure]
            for label, distance in others.items():
                spread = [seeds[name] for name in (OURS, label) if seeds[name]]
                if spread and distance is not None:
                    found.append(distance / max(spread))
    return max(found, default=None)


ANYWHERE: dict[str, Any] = {"scale": None, "threads": None}
CASE = Case(
    "Potjans & Diesmann 2014, Poisson drive: statistics of the activity, all spikes recorded",
    (Variant(OURS, "grid", build),),
    duration=10_000.0,
    warmup=500.0,
    scale=0.2,
    threads=2,
    slow_peers=("brian2",),
    statistics=True,
    goals=(
        Goal("largest deviation from the published rates", deviation, 0.1, 0.05, "<=", threads=None),
        Goal("largest distance to another simulator over that between seeds", beside_seeds, 2.0, 1.5, "<=", **ANYWHERE),
    ),
    draw=figures.distributions,
)

"""Whether the microcircuit is right: distributions of rate, CV and correlation by population beside other simulators'.

Several seeds (``--repeat``) tell how far two runs of the same simulator are apart.
"""

from __future__ import annotations

from benchmarks import figures
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


CASE = Case(
    "Potjans & Diesmann 2014, Poisson drive: statistics of the activity, all spikes recorded",
    (Variant(OURS, "grid", build),),
    duration=10_000.0,
    warmup=500.0,
    scale=0.2,
    threads=2,
    statistics=True,
    goals=(Goal("largest deviation from the published rates", deviation, 0.1, 0.05, "<=", scale=None, threads=None),),
    draw=figures.distributions,
)

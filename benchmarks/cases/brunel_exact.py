"""Brunel's network in continuous time: spikes and Poisson drive off the grid, integrated exactly."""

from __future__ import annotations

from benchmarks.case import Case, Variant
from benchmarks.cases.brunel import build

CASE = Case(
    "Brunel 2000, delta synapses, spikes and Poisson drive in continuous time",
    (Variant("spikesim event", "event", build),),
    precise=True,
    goals={"nest": (">=", 10.0)},
)

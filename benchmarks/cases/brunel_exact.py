"""Brunel's network in continuous time: spikes and Poisson drive off the grid, integrated exactly."""

from __future__ import annotations

from benchmarks.case import Case, Variant
from benchmarks.cases.brunel import build
from benchmarks.goals import Goal, times_faster

CASE = Case(
    "Brunel 2000, delta synapses, spikes and Poisson drive in continuous time",
    (Variant("spikesim event", "event", build),),
    precise=True,
    goals=(Goal("NEST over ours", times_faster("nest"), 20.0, 50.0),),
)

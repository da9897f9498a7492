"""Vogels-Abbott network with exponential conductances, from 4,000 neurons to 40,000 at the same indegrees."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.cases._vogels_abbott import GOALS, variants

CASE = Case(
    "Vogels & Abbott 2005, exponential conductances",
    variants("vogels-abbott-coba", ("grid",)),
    warmup=200.0,
    alive=0.5,
    goals=GOALS,
)

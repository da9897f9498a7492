"""Brunel's network on the grid: delta synapses, fixed indegrees, 20 kHz of independent Poisson drive per neuron."""

from __future__ import annotations

from benchmarks.case import Case, Variant
from benchmarks.goals import Goal, times_faster
from spikesim import Network, zoo


def build(scale: float) -> Network:
    """The zoo's network: Brunel 2000 with the parameters of NEST's ``brunel_delta_nest.py``."""
    return zoo.build("brunel", scale=scale)


CASE = Case(
    "Brunel 2000, delta synapses, grid of 0.1 ms",
    (Variant("spikesim grid", "grid", build),),
    goals=(
        Goal("Brian2 over ours", times_faster("brian2"), 15.0, 25.0),
        Goal("NEST over ours", times_faster("nest"), 30.0, 60.0),
    ),
)

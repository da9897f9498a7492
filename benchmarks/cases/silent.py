"""What silent neurons cost in continuous time: a small active network with and without 1,000,000 of them.

The silent ones have synapses onto the active ones, so they are a part of the network that could speak at any time.
"""

from __future__ import annotations

from benchmarks.case import SIZE, Case, Column, Variant
from benchmarks.goals import Goal, speedup
from spikesim import LIF, FixedIndegree, Network, Neuron, Population, Projection, zoo

ACTIVE = 0.08  # of Brunel's network: 1,000 neurons
SILENT = 1_000_000
ALONE, TOGETHER = "active alone", "with silent neurons"


def alone(scale: float) -> Network:
    """The active network, 1,000 neurons times `scale`."""
    return zoo.build("brunel", scale=ACTIVE * scale)


def accompanied(scale: float) -> Network:
    """The active network and 1,000,000 (times `scale`) silent neurons that project to it."""
    active = alone(scale)
    silent = Population("silent", round(SILENT * scale), Neuron(LIF()))
    extra = [Projection(silent, target, FixedIndegree(100), weight=0.1, delay=1.5) for target in active.populations]
    return Network([*active.populations, silent], [*active.projections, *extra])


CASE = Case(
    "1,000 active neurons with and without 1,000,000 silent ones, continuous time",
    (Variant(ALONE, "event", alone), Variant(TOGETHER, "event", accompanied)),
    duration=10_000.0,
    peers=False,
    columns=(*SIZE, Column("spikes", "spikes"), Column("build_s", "build (s)"), Column("run_s", "run (s)")),
    goals=(Goal("run time with silent neurons over without", speedup(TOGETHER, ALONE), 1.1, 1.03, "<="),),
)

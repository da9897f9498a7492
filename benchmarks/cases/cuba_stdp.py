"""Network with plastic synapses: benchmark 5 of Brette et al. 2007, as NEST's ``cuba_stdp.py`` has it.

9,000 excitatory and 2,250 inhibitory neurons with exponential currents, 900 and 225 synapses each; synapses between
excitatory neurons, 8.1 million of them, follow multiplicative spike-timing-dependent plasticity.
"""

from __future__ import annotations

from benchmarks.case import Case, Variant
from spikesim import (
    LIF,
    Exponential,
    FixedIndegree,
    FixedThreshold,
    Network,
    Neuron,
    Normal,
    PoissonInput,
    Population,
    Projection,
    ResetTo,
)
from spikesim.plasticity import PairSTDP

SIZES = {"exc": 9_000, "inh": 2_250}
P, J, G, SPREAD, DELAY, RATE = 0.1, 35.0, 5.0, 3.0, 1.5, 4050.0  # pA, ms, Hz
RULE = PairSTDP(a_plus=0.01, a_minus=0.0105, mu_plus=1.0, mu_minus=1.0, w_max=2 * J)


def build(scale: float) -> Network:
    """`scale` times the neurons and indegrees; amplitudes and the drive of each neuron stay."""
    neuron = Neuron(LIF(20.0, 0.0, 250.0), Exponential(2.0), FixedThreshold(20.0), ResetTo(0.0), t_ref=2.0)
    start, drive = {"v": Normal(7.0, 5.0, high=19.9)}, PoissonInput(rate=RATE, weight=J)
    exc, inh = (Population(n, max(10, round(k * scale)), neuron, start, (drive,)) for n, k in SIZES.items())
    weights = {"exc": J, "inh": -G * J}
    synapses = [
        Projection(exc, exc, FixedIndegree(round(P * exc.size)), Normal(J, SPREAD, 0.0, 2 * J), DELAY, plasticity=RULE)
    ]
    for a, b in ((exc, inh), (inh, exc), (inh, inh)):
        synapses.append(Projection(a, b, FixedIndegree(round(P * a.size)), weights[a.name], DELAY))
    return Network([exc, inh], synapses)


CASE = Case(
    "Brette et al. 2007, benchmark 5: exponential currents, plastic synapses between excitatory neurons",
    (Variant("spikesim event", "event", build),),
)

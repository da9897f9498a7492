"""Brunel's network with additive spike-timing-dependent plasticity of all synapses between excitatory neurons."""

from __future__ import annotations

from benchmarks.case import Case, Variant
from benchmarks.cases.brunel import build as static
from benchmarks.goals import Goal, speedup, times_faster
from spikesim import Network, Projection
from spikesim.plasticity import PairSTDP


def build(scale: float) -> Network:
    """The network of `brunel`; excitatory synapses onto excitatory neurons learn, slowly enough to keep its rates."""
    network, synapses = static(scale), []
    for p in network.projections:
        learns, weight = p.name == "exc->exc", float(p.weight)  # type: ignore[arg-type]
        rule = PairSTDP(a_plus=1e-4, a_minus=1e-4, w_max=2.0 * weight) if learns else None
        synapses.append(Projection(p.pre, p.post, p.rule, weight, p.delay, plasticity=rule))
    return Network(list(network.populations), synapses)


CASE = Case(
    "Brunel 2000 with additive plasticity of all synapses between excitatory neurons, grid of 0.1 ms",
    (Variant("spikesim grid", "grid", build), Variant("spikesim grid, not learning", "grid", static)),
    goals=(
        Goal("the faster of Brian2 and NEST over ours", times_faster("nest", "brian2"), 6.0, 15.0),
        Goal("learning over not learning", speedup("spikesim grid", "spikesim grid, not learning"), 4.0, 2.0, "<="),
    ),
)

"""Vogels-Abbott network with voltage jumps: benchmark 4 of Brette et al. 2007, made for exact simulation."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.network import Network
from spikesim.synapses import Delta
from spikesim.zoo._model import number
from spikesim.zoo._vogels_abbott import INDEGREE, VogelsAbbott


@dataclass(frozen=True)
class VogelsAbbottDelta(VogelsAbbott):
    """Network of delta synapses whose rest lies above threshold, so that neurons also fire between events.

    References
    ----------
    Brette et al. 2007, doi:10.1007/s10827-007-0038-6, benchmark 4, p. 393.
    """

    name = "vogels-abbott-delta"
    title = "Tonic activity, voltage jumps"
    dt = 0.125
    deviations = (
        "NEST's cuba_ps.py runs this on the grid (iaf_psc_delta) although its comments say off-grid; its exact "
        "counterpart is iaf_psc_delta_ps",
        INDEGREE,
        "all neurons start at v_init = -49 mV, above threshold, and so fire at once, as in NEST; the jumps of these "
        "first spikes arrive during refractoriness and are lost",
        "the benchmark runs 10 s; the default here is 1 s",
    )

    delay: float = number(0.125, "ms", "> 0", "synaptic delay")
    w_exc: float = number(0.25, "mV", ">= 0", "excitatory jump")
    w_inh: float = number(-2.25, "mV", "<= 0", "inhibitory jump")

    def build(self, scale: float) -> Network:
        """The network with `scale` times the neurons and indegrees."""
        return self.assemble(scale, Delta(), {"exc": self.w_exc, "inh": self.w_inh})


NETWORK = VogelsAbbottDelta

"""Vogels-Abbott network with exponential conductances: benchmark 1 of Brette et al. 2007."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.network import Network
from spikesim.synapses import ExponentialConductance
from spikesim.zoo._model import number
from spikesim.zoo._vogels_abbott import INDEGREE, VogelsAbbott


@dataclass(frozen=True)
class VogelsAbbottCoba(VogelsAbbott):
    """Conductance-based network in the variant of NEST's ``brette_et_al_2007/coba.py``; grid engine only.

    References
    ----------
    Brette et al. 2007, doi:10.1007/s10827-007-0038-6, benchmark 1.
    """

    name = "vogels-abbott-coba"
    title = "Self-sustained activity, conductances"
    engines = ("grid",)
    deviations = (
        "w_exc and w_inh are 6 and 67 nS with delay 0.1 ms as in NEST; PyNN's VAbenchmarks has 4 and 51 nS, delay "
        "0.2 ms and a different stimulus (20 trains of 100 Hz for 50 ms, p = 0.01)",
        INDEGREE,
        "the activity dies out within 150 ms for about one seed in five, as it does in NEST",
        "all neurons start at -70 mV: NEST's script sets E_L but leaves V_m at the model's default",
    )

    v_rest: float = number(-60.0, "mV", "", "resting potential")
    v_init: float = number(-70.0, "mV", "", "membrane at time 0")
    w_exc: float = number(6.0, "nS", ">= 0", "excitatory peak conductance")
    w_inh: float = number(67.0, "nS", ">= 0", "inhibitory peak conductance")
    tau_exc: float = number(5.0, "ms", "> 0", "decay time of the excitatory conductance")
    tau_inh: float = number(10.0, "ms", "> 0", "decay time of the inhibitory conductance")
    e_exc: float = number(0.0, "mV", "", "excitatory reversal potential")
    e_inh: float = number(-80.0, "mV", "", "inhibitory reversal potential")

    def build(self, scale: float) -> Network:
        """The network with `scale` times the neurons and indegrees."""
        receptors = {
            "exc": ExponentialConductance(self.tau_exc, self.e_exc),
            "inh": ExponentialConductance(self.tau_inh, self.e_inh),
        }
        return self.assemble(scale, receptors, {"exc": self.w_exc, "inh": self.w_inh})


NETWORK = VogelsAbbottCoba

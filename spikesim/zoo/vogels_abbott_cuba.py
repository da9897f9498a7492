"""Vogels-Abbott network with exponential currents: benchmark 2 of Brette et al. 2007."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.network import Network
from spikesim.synapses import Exponential
from spikesim.zoo._model import number
from spikesim.zoo._vogels_abbott import INDEGREE, VogelsAbbott


@dataclass(frozen=True)
class VogelsAbbottCuba(VogelsAbbott):
    """Current-based network in the variant of NEST's ``brette_et_al_2007/cuba.py``.

    References
    ----------
    Brette et al. 2007, doi:10.1007/s10827-007-0038-6, benchmark 2.
    """

    name = "vogels-abbott-cuba"
    title = "Self-sustained activity, currents"
    deviations = (
        "w_inh is -139.5 pA as in NEST; -9 mV in Brian2's CUBA.py and PyNN's VAbenchmarks is -90 pA (w_inh=-90)",
        INDEGREE,
        "all neurons start at v_init = -49 mV, above threshold, and so fire at once, as in NEST; Brian2 draws uniform "
        "values between reset and threshold, has no delay and no stimulus",
        "the benchmark runs 10 s; the default here is 1 s",
    )

    w_exc: float = number(16.2, "pA", ">= 0", "excitatory amplitude")
    w_inh: float = number(-139.5, "pA", "<= 0", "inhibitory amplitude")
    tau_exc: float = number(5.0, "ms", "> 0", "decay time of the excitatory current")
    tau_inh: float = number(10.0, "ms", "> 0", "decay time of the inhibitory current")

    def build(self, scale: float) -> Network:
        """The network with `scale` times the neurons and indegrees."""
        receptors = {"exc": Exponential(self.tau_exc), "inh": Exponential(self.tau_inh)}
        return self.assemble(scale, receptors, {"exc": self.w_exc, "inh": self.w_inh})


NETWORK = VogelsAbbottCuba

"""A recurrent network whose excitatory synapses learn from rewards that come seconds late (Izhikevich 2007)."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.connectivity import FixedIndegree
from spikesim.inputs import PoissonInput
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import LIF, FixedThreshold, ResetTo
from spikesim.plasticity import RewardSTDP
from spikesim.zoo._model import ZooNetwork, count, number


@dataclass(frozen=True)
class IzhikevichReward(ZooNetwork):
    """Neurons that fire now and then, driven by noise; excitatory synapses onto excitatory neurons are rewarded.

    References
    ----------
    Izhikevich 2007, doi:10.1093/cercor/bhl152, figure 1.
    """

    name = "izhikevich-reward"
    title = "Distal reward: eligibility traces and a modulator"
    citation = "Izhikevich 2007, Cereb Cortex 17:2443-2452, doi:10.1093/cercor/bhl152"
    scaling = (
        "multiplies both neuron numbers at the same connection probability, and so the indegrees; weights stay, so "
        "recurrent input grows with the scale"
    )
    deviations = (
        "leaky integrate-and-fire neurons with delta synapses where the paper has its own neuron model, Poisson input "
        "where it has random currents",
        "150 neurons instead of 1000, and delays of 5 ms instead of 1 ms",
        "the eligibility lasts for 2 s instead of 1 s, which makes up for the shorter time of learning",
        "only synapses between excitatory neurons learn",
    )
    engines = ("event", "grid")

    n_exc: int = count(120, "excitatory neurons")
    n_inh: int = count(30, "inhibitory neurons")
    p: float = number(0.2, "", "> 0, <= 1", "indegree as a fraction of the source population")
    w_exc: float = number(1.0, "mV", ">= 0", "excitatory weight at the start")
    w_max: float = number(4.0, "mV", "> 0", "largest excitatory weight")
    w_inh: float = number(1.0, "mV", ">= 0", "size of an inhibitory weight")
    delay: float = number(5.0, "ms", "> 0", "synaptic delay")
    drive: float = number(265.0, "Hz", ">= 0", "rate of the Poisson input of a neuron")
    w_drive: float = number(2.0, "mV", "", "its weight")
    a_plus: float = number(0.1, "mV", "", "eligibility of a pair, source first")
    a_minus: float = number(0.15, "mV", "", "eligibility of a pair, target first, taken away")
    tau_c: float = number(2000.0, "ms", "> 0", "time constant of the eligibility")
    tau_d: float = number(200.0, "ms", "> 0", "time constant of the modulator")
    tau_m: float = number(20.0, "ms", "> 0", "membrane time constant")
    v_th: float = number(20.0, "mV", "> 0", "threshold above rest (rest and reset are 0 mV)")
    t_ref: float = number(2.0, "ms", ">= 0", "refractory period")

    def build(self, scale: float) -> Network:
        """The network with `scale` times the neurons."""
        neuron = Neuron(LIF(self.tau_m), threshold=FixedThreshold(self.v_th), reset=ResetTo(0.0), t_ref=self.t_ref)
        noise = (PoissonInput(self.drive, self.w_drive),)
        sizes = {"exc": self.scaled(self.n_exc, scale, "neurons"), "inh": self.scaled(self.n_inh, scale, "neurons")}
        exc, inh = (Population(name, size, neuron, inputs=noise) for name, size in sizes.items())
        rule = RewardSTDP(self.a_plus, self.a_minus, tau_c=self.tau_c, tau_d=self.tau_d, w_max=self.w_max, nearest=True)
        projections = []
        for pre, weight in ((exc, self.w_exc), (inh, -self.w_inh)):
            for post in (exc, inh):
                indegree = FixedIndegree(self.indegree(self.p, pre.size, pre.name), allow_self=False)
                learning = rule if pre is post is exc else None
                projections.append(Projection(pre, post, indegree, weight, self.delay, plasticity=learning))
        return Network([exc, inh], projections)


NETWORK = IzhikevichReward

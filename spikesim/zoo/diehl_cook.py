"""Unsupervised learning of digits by competing neurons (Diehl & Cook 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.connectivity import AllToAll, OneToOne, Pairwise, Uniform
from spikesim.inputs import PoissonSource, SpikeSource
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import LIF, AdaptiveThreshold, FixedThreshold, ResetTo
from spikesim.plasticity import CompetitiveSTDP
from spikesim.synapses import ExponentialConductance
from spikesim.zoo._model import ZooNetwork, choice, count, number

LEARNING = "input->exc"
V_TH = -72.0  # mV, of excitatory neurons whose threshold has not risen


@dataclass(frozen=True)
class DiehlCook(ZooNetwork):
    """Every input reaches every excitatory neuron; each excites an inhibitor of its own, which inhibits all others.

    Conductances are in units of the leak, 1 nS. Thresholds rise by `theta_plus` with every spike and fall slowly, so
    that no neuron wins for ever.

    References
    ----------
    Diehl & Cook 2015, doi:10.3389/fncom.2015.00099, sections 2.1 to 2.4; values of the authors' program.
    """

    name = "diehl-cook"
    title = "Competing neurons that learn from spikes alone"
    citation = "Diehl & Cook 2015, Front Comput Neurosci 9:99, doi:10.3389/fncom.2015.00099"
    scaling = "multiplies the number of excitatory and inhibitory neurons; inputs and weights stay"
    deviations = (
        "spikes of the inputs take one delay, not one of 0 to 10 ms each",
        "an excitatory neuron can fire again 5 ms after a spike; the authors' program also has a clock that keeps it "
        "from firing for 50 ms",
        "with inhibition `direct`, excitatory neurons inhibit each other without inhibitory ones between them",
        "inputs fire at one rate unless given spikes; `spikesim learn diehl-cook` shows them digits",
    )
    engines = ("grid",)
    dt = 0.5

    inputs: int = count(784, "inputs")
    n: int = count(400, "excitatory neurons, and as many inhibitory ones")
    rate: float = number(8.0, "Hz", ">= 0", "rate of each input")
    w_exc: float = number(10.4, "nS", ">= 0", "from an excitatory neuron to its inhibitor")
    inhibition: str = choice("neurons", ("neurons", "direct"), "through inhibitory neurons, or directly")
    tau_e: float = number(1.0, "ms", "> 0", "decay of the conductance of excitatory neurons' inputs")
    w_inh: float = number(17.0, "nS", ">= 0", "from an inhibitor to the other excitatory neurons")
    delay: float = number(0.5, "ms", "> 0", "of all synapses")
    eta_pre: float = number(1e-4, "", ">= 0", "learning rate at input spikes")
    eta_post: float = number(1e-2, "", ">= 0", "learning rate at output spikes")
    theta: float = number(20.0, "mV", ">= 0", "what thresholds have risen by at the beginning")
    theta_plus: float = number(0.05, "mV", ">= 0", "rise of the threshold with a spike")
    tau_theta: float = number(1e7, "ms", "> 0", "time constant of its fall")
    t_ref: float = number(5.0, "ms", ">= 0", "rest of excitatory neurons after a spike")

    def build(self, scale: float) -> Network:
        """The network with `scale` times the neurons."""
        return self.assemble(PoissonSource(rate=self.rate), scale)

    def assemble(self, source: PoissonSource | SpikeSource, scale: float = 1.0) -> Network:
        """The network with inputs of a kind of one's own."""
        n = self.scaled(self.n, scale, "neurons")
        exc = self._excitatory(n, AdaptiveThreshold(V_TH, self.theta_plus, self.tau_theta), {"theta": self.theta})
        rule = CompetitiveSTDP(eta_pre=self.eta_pre, eta_post=self.eta_post)
        return self._joined(source, exc, Uniform(0.003, 0.303), {"plasticity": rule, "dendritic": 0.0})

    def settled(self, source: SpikeSource, weights: NDArray[np.float64], theta: NDArray[np.float64]) -> Network:
        """The network after learning: weights (inputs, neurons), and what thresholds have risen by, stay as given."""
        return self._joined(source, self._excitatory(len(theta), FixedThreshold(V_TH + theta), {}), weights, {})

    def _excitatory(
        self, n: int, threshold: AdaptiveThreshold | FixedThreshold, initial: dict[str, float]
    ) -> Population:
        receptors = _receptors(self.tau_e, -100.0)
        model = Neuron(LIF(100.0, -65.0, 100.0), receptors, threshold, ResetTo(-65.0), self.t_ref)
        return Population("exc", n, model, initial=initial)

    def _joined(
        self, source: PoissonSource | SpikeSource, exc: Population, weight: object, learning: dict[str, Any]
    ) -> Network:
        """Inputs onto excitatory neurons, and these onto each other's inhibition."""
        given, n = Population("input", self.inputs, source), exc.size
        inputs = Projection(given, exc, AllToAll(), weight, self.delay, "ge", LEARNING, **learning)
        if self.inhibition == "direct":
            others = AllToAll(allow_self=False)
            return Network([given, exc], [inputs, Projection(exc, exc, others, self.w_inh, self.delay, "gi")])
        model = Neuron(LIF(10.0, -60.0, 10.0), _receptors(1.0, -85.0), FixedThreshold(-40.0), ResetTo(-45.0), 2.0)
        inh = Population("inh", n, model)
        relay = Projection(exc, inh, OneToOne(), self.w_exc, self.delay, "ge")
        pairs = Pairwise(*np.argwhere(~np.eye(n, dtype=bool)).T)
        return Network([given, exc, inh], [inputs, relay, Projection(inh, exc, pairs, self.w_inh, self.delay, "gi")])


def _receptors(tau_e: float, e_inh: float) -> dict[str, ExponentialConductance]:
    return {"ge": ExponentialConductance(tau_e, 0.0), "gi": ExponentialConductance(2.0, e_inh)}


NETWORK = DiehlCook

"""One neuron whose excitatory inputs compete by STDP (Song, Miller & Abbott 2000)."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.connectivity import AllToAll, Uniform
from spikesim.inputs import PoissonSource
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import LIF, FixedThreshold, ResetTo
from spikesim.plasticity import PairSTDP
from spikesim.synapses import Exponential
from spikesim.zoo._model import ZooNetwork, count, number


@dataclass(frozen=True)
class SongStdp(ZooNetwork):
    """A neuron with `n_exc` plastic excitatory and `n_inh` fixed inhibitory Poisson inputs.

    Additive pair STDP with ``a_minus = ratio a_plus`` sorts the weights into strong and weak ones, and so holds the
    neuron where it fires irregularly, whatever the rate of the inputs.

    References
    ----------
    Song, Miller & Abbott 2000, doi:10.1038/78829, figures 2 and 3.
    """

    name = "song-stdp"
    title = "Competition of inputs by additive STDP"
    citation = "Song, Miller & Abbott 2000, Nat Neurosci 3:919-926, doi:10.1038/78829"
    scaling = (
        "multiplies the numbers of inputs and divides their weights, so that the mean input stays; it gets noisier"
    )
    deviations = (
        "synapses are currents where the paper has conductances: w_max and w_inh are the currents that its largest "
        "conductances (0.015 and 0.05 of the leak) let pass near threshold",
        "tau_m is 10 ms where the paper has 20 ms, of which its conductances leave about half; the resistance stays",
        "weights start evenly distributed between 0 and w_max",
    )
    engines = ("event", "grid")
    duration = 10_000.0

    n_exc: int = count(1000, "excitatory inputs")
    n_inh: int = count(200, "inhibitory inputs")
    rate: float = number(20.0, "Hz", ">= 0", "rate of each excitatory input")
    rate_inh: float = number(10.0, "Hz", ">= 0", "rate of each inhibitory input")
    w_max: float = number(8.6, "pA", "> 0", "largest excitatory weight")
    w_inh: float = number(6.5, "pA", ">= 0", "size of an inhibitory weight")
    a_plus: float = number(0.005, "", ">= 0", "growth by a pair, relative to w_max")
    ratio: float = number(1.05, "", ">= 0", "decline relative to growth")
    tau_stdp: float = number(20.0, "ms", "> 0", "time constant of both halves of the window")
    tau_syn: float = number(5.0, "ms", "> 0", "time constant of the synaptic currents")
    tau_m: float = number(10.0, "ms", "> 0", "membrane time constant")
    c_m: float = number(100.0, "pF", "> 0", "membrane capacitance")
    v_rest: float = number(-70.0, "mV", "", "resting potential")
    v_th: float = number(-54.0, "mV", "", "threshold")
    v_reset: float = number(-60.0, "mV", "", "membrane after a spike")

    def build(self, scale: float) -> Network:
        """The network with `scale` times the inputs."""
        neuron = Neuron(
            LIF(self.tau_m, self.v_rest, self.c_m),
            {"exc": Exponential(self.tau_syn), "inh": Exponential(self.tau_syn)},
            FixedThreshold(self.v_th),
            ResetTo(self.v_reset),
        )
        cell = Population("cell", 1, neuron)
        exc = Population("exc", self.scaled(self.n_exc, scale, "inputs"), PoissonSource(self.rate))
        inh = Population("inh", self.scaled(self.n_inh, scale, "inputs"), PoissonSource(self.rate_inh))
        largest = self.w_max * self.n_exc / exc.size
        rule = PairSTDP(self.a_plus, self.ratio * self.a_plus, self.tau_stdp, self.tau_stdp, w_max=largest)
        drawn, fixed = Uniform(0.0, 0.999 * largest), -self.w_inh * self.n_inh / inh.size
        return Network(
            [exc, inh, cell],
            [
                Projection(exc, cell, AllToAll(), drawn, 0.0, "exc", "exc->cell", rule),
                Projection(inh, cell, AllToAll(), fixed, 0.0, "inh", "inh->cell"),
            ],
        )


NETWORK = SongStdp

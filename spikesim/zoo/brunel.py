"""Sparse network of excitatory and inhibitory LIF neurons with delta synapses (Brunel 2000)."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.connectivity import FixedIndegree
from spikesim.inputs import PoissonInput
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import LIF, FixedThreshold, ResetTo
from spikesim.zoo._model import ZooNetwork, count, number


@dataclass(frozen=True)
class Brunel(ZooNetwork):
    """Brunel's network as in NEST's ``brunel_delta_nest.py``.

    Every neuron has ``C_E = p n_exc`` excitatory and ``C_I = p n_inh`` inhibitory synapses of amplitude `j` and
    ``-g j``, and its own Poisson drive of rate ``eta nu_th C_E``, where ``nu_th = v_th / (j C_E tau_m)`` is the rate
    per synapse that brings the mean potential to threshold: ``eta v_th / (j tau_m)`` in all, 20 kHz by default.

    References
    ----------
    Brunel 2000, doi:10.1023/A:1008925309027, sections 2 and 4, Fig. 8C (g = 5, eta = 2: asynchronous irregular).
    """

    name = "brunel"
    title = "Sparse balanced network, delta synapses"
    citation = "Brunel 2000, J Comput Neurosci 8:183-208, doi:10.1023/A:1008925309027; NEST brunel_delta_nest.py"
    scaling = (
        "multiplies both neuron numbers at the same connection probability, and so the indegrees; amplitudes and the "
        "drive per neuron (eta v_th / (j tau_m)) stay, so recurrent input shrinks with the scale and the rate changes"
    )
    deviations = (
        "v_reset is 0 mV as in NEST's script; the paper has 10 mV (v_reset=10)",
        "the Poisson drive arrives without the delay NEST gives it, which only shifts it by 1.5 ms",
        "all neurons start at 0 mV, as in NEST's script",
    )

    n_exc: int = count(10_000, "excitatory neurons")
    n_inh: int = count(2_500, "inhibitory neurons")
    p: float = number(0.1, "", "> 0, <= 1", "indegree as a fraction of the source population")
    j: float = number(0.1, "mV", "> 0", "excitatory amplitude")
    g: float = number(5.0, "", ">= 0", "inhibitory amplitude relative to the excitatory one")
    eta: float = number(2.0, "", ">= 0", "drive relative to the one that reaches threshold")
    delay: float = number(1.5, "ms", "> 0", "synaptic delay")
    tau_m: float = number(20.0, "ms", "> 0", "membrane time constant")
    v_th: float = number(20.0, "mV", "> 0", "threshold above rest (rest is 0 mV)")
    v_reset: float = number(0.0, "mV", "", "membrane after a spike")
    t_ref: float = number(2.0, "ms", ">= 0", "refractory period")

    def build(self, scale: float) -> Network:
        """The network with `scale` times the neurons and indegrees."""
        sizes = {"exc": self.scaled(self.n_exc, scale, "neurons"), "inh": self.scaled(self.n_inh, scale, "neurons")}
        neuron = Neuron(
            LIF(self.tau_m, v_rest=0.0),
            threshold=FixedThreshold(self.v_th),
            reset=ResetTo(self.v_reset),
            t_ref=self.t_ref,
        )
        drive = PoissonInput(rate=1e3 * self.eta * self.v_th / (self.j * self.tau_m), weight=self.j)
        exc, inh = (Population(name, size, neuron, inputs=(drive,)) for name, size in sizes.items())
        weights = {"exc": self.j, "inh": -self.g * self.j}
        projections = [
            Projection(
                pre,
                post,
                FixedIndegree(self.indegree(self.p, pre.size, pre.name)),
                weight=weights[pre.name],
                delay=self.delay,
            )
            for pre in (exc, inh)
            for post in (exc, inh)
        ]
        return Network([exc, inh], projections)


NETWORK = Brunel

"""What the three Vogels-Abbott benchmarks share: sizes, connections and the stimulus that starts the activity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spikesim.connectivity import FixedIndegree, OneToOne
from spikesim.errors import ParameterError
from spikesim.inputs import PoissonSource, Steps
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import LIF, FixedThreshold, ResetTo
from spikesim.parameters import Part
from spikesim.zoo._model import ZooNetwork, count, number

CITATION = (
    "Vogels & Abbott 2005, J Neurosci 25:10786-10795, doi:10.1523/JNEUROSCI.3508-05.2005; "
    "Brette et al. 2007, J Comput Neurosci 23:349-398, doi:10.1007/s10827-007-0038-6"
)
SCALING = (
    "multiplies both neuron numbers and the number of stimulated neurons at the same connection probability, and so "
    "the indegrees; amplitudes stay, so the recurrent input shrinks with the scale"
)
INDEGREE = "every neuron has exactly 64 + 16 synapses as in NEST; Brian2's CUBA.py connects each pair with p = 0.02"


@dataclass(frozen=True)
class VogelsAbbott(ZooNetwork):
    """4,000 LIF neurons, 2 % connected, kicked by 300 Hz Poisson trains into 50 excitatory neurons from 1 to 51 ms."""

    citation = CITATION
    scaling = SCALING

    n_exc: int = count(3_200, "excitatory neurons")
    n_inh: int = count(800, "inhibitory neurons")
    p: float = number(0.02, "", "> 0, <= 1", "indegree as a fraction of the source population")
    tau_m: float = number(20.0, "ms", "> 0", "membrane time constant")
    c_m: float = number(200.0, "pF", "> 0", "membrane capacitance")
    v_rest: float = number(-49.0, "mV", "", "resting potential")
    v_th: float = number(-50.0, "mV", "", "threshold")
    v_reset: float = number(-60.0, "mV", "", "membrane after a spike")
    v_init: float = number(-49.0, "mV", "", "membrane at time 0")
    t_ref: float = number(5.0, "ms", ">= 0", "refractory period")
    delay: float = number(0.1, "ms", "> 0", "synaptic delay")
    stim_n: int = count(50, "stimulated excitatory neurons")
    stim_rate: float = number(300.0, "Hz", ">= 0", "rate of the Poisson train into each of them")
    stim_start: float = number(1.0, "ms", ">= 0", "start of the stimulus")
    stim_duration: float = number(50.0, "ms", "> 0", "duration of the stimulus")

    def assemble(self, scale: float, receptors: Mapping[str, Part] | Part, weights: Mapping[str, float]) -> Network:
        """The network from its synapse parts and the weights of both kinds of neurons (also their receptor names)."""
        neuron = Neuron(
            LIF(self.tau_m, self.v_rest, self.c_m),
            receptors,
            FixedThreshold(self.v_th),
            ResetTo(self.v_reset),
            self.t_ref,
        )
        exc, inh = (
            Population(name, self.scaled(size, scale, "neurons"), neuron, initial={"v": self.v_init})
            for name, size in (("exc", self.n_exc), ("inh", self.n_inh))
        )
        receptor = {name: name if isinstance(receptors, Mapping) else None for name in weights}
        projections = [
            Projection(
                pre,
                post,
                FixedIndegree(self.indegree(self.p, pre.size, pre.name)),
                weight=weights[pre.name],
                delay=self.delay,
                receptor=receptor[pre.name],
            )
            for pre in (exc, inh)
            for post in (exc, inh)
        ]
        stimulated = self.scaled(self.stim_n, scale, "stimulated neurons")
        if stimulated > exc.size:
            raise ParameterError(f"{self.name}: stim_n: must be at most {self.n_exc} (n_exc), got {self.stim_n}")
        train = Steps([self.stim_start, self.stim_start + self.stim_duration], [self.stim_rate, 0.0])
        stimulus = Population("stimulus", stimulated, PoissonSource(rate=train))
        kick = Projection(
            stimulus,
            exc[:stimulated],
            OneToOne(),
            weight=weights["exc"],
            delay=self.delay,
            receptor=receptor["exc"],
            name="stimulus->exc",
        )
        return Network([exc, inh, stimulus], [*projections, kick])

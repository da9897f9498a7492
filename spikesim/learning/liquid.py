"""A liquid: a fixed random recurrent network whose spikes hold on to past input in a form that is easy to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikesim.connectivity import FixedIndegree, Normal, Uniform
from spikesim.errors import ParameterError
from spikesim.inputs import SpikeSource
from spikesim.learning.learner import pack
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import LIF, FixedThreshold, ResetTo
from spikesim.parameters import REQUIRED, check_settings, count, number
from spikesim.progress import ProgressOption
from spikesim.simulation import simulate
from spikesim.spikes import Spikes
from spikesim.synapses import Exponential


@dataclass(frozen=True)
class Liquid:
    """Excitatory and inhibitory LIF neurons (4 : 1) with exponential currents, driven by spike patterns.

    Every neuron has `fan_in` synapses from the input, `degree` from excitatory and a quarter as many from inhibitory
    neurons; weights are normal with a deviation of half their mean. Neurons have a resistance of 1 GOhm, a threshold
    of 1 mV and reset to 0.

    Parameters
    ----------
    n : int
        Input elements.
    size : int
        Neurons.
    fan_in, degree : int
        Synapses per neuron from the input and from excitatory neurons.
    w_in, w_exc, w_inh : float, pA
        Mean weights; the last is the size of an inhibitory one.
    delay : float, ms
        Mean delay of the recurrent synapses, which are uniform between half of it and one and a half.
    tau_m, tau_s, t_ref : float, ms
        Membrane, synaptic and refractory time.
    seed : int
        Decides connections, weights and delays.

    Raises
    ------
    ParameterError
        If a setting is out of bounds.

    References
    ----------
    Maass, Natschläger & Markram 2002, doi:10.1162/089976602760407955.
    """

    n: int = count(REQUIRED, "input elements")
    size: int = count(400, "neurons", 5)
    fan_in: int = count(6, "synapses per neuron from the input")
    degree: int = count(20, "synapses per neuron from excitatory neurons", 4)
    w_in: float = number(1.2, "pA", ">= 0", "mean weight of the input")
    w_exc: float = number(0.3, "pA", ">= 0", "mean excitatory weight")
    w_inh: float = number(1.5, "pA", ">= 0", "mean size of an inhibitory weight")
    delay: float = number(5.0, "ms", "> 0", "mean recurrent delay")
    tau_m: float = number(30.0, "ms", "> 0", "membrane time constant")
    tau_s: float = number(5.0, "ms", "> 0", "synaptic time constant")
    t_ref: float = number(3.0, "ms", ">= 0", "refractory period")
    seed: int = count(0, "decides connections", 0)

    def __post_init__(self) -> None:
        check_settings(self, "Liquid.")

    def network(self, inputs: Sequence[Spikes]) -> Network:
        """The network with populations "input", "exc" and "inh", one stimulus per pattern."""
        pack(inputs, self.n, "Liquid.network: inputs")
        batch = tuple(s.shift(-s.t_start) for s in inputs)
        source = Population("input", self.n, SpikeSource(batch if len(batch) > 1 else batch[0]))
        neuron = Neuron(
            LIF(self.tau_m, c_m=self.tau_m), Exponential(self.tau_s), FixedThreshold(1.0), ResetTo(0.0), self.t_ref
        )
        inh = self.size // 5
        exc, inhibitory = Population("exc", self.size - inh, neuron), Population("inh", inh, neuron)
        projections = []
        for post in (exc, inhibitory):
            for pre, degree, w in (
                (source, self.fan_in, self.w_in),
                (exc, self.degree, self.w_exc),
                (inhibitory, self.degree // 4, -self.w_inh),
            ):
                late = Uniform(0.5 * self.delay, 1.5 * self.delay) if pre is not source else 0.5
                projections.append(Projection(pre, post, FixedIndegree(degree), Normal(w, abs(w) / 2), late))
        return Network([source, exc, inhibitory], projections)

    def respond(self, inputs: Sequence[Spikes], threads: int = 1, progress: ProgressOption = None) -> list[Spikes]:
        """Spikes of all neurons, the excitatory ones first, for each pattern; patterns must be equally long.

        Raises
        ------
        ParameterError
            If a pattern has another size than `n`, or patterns differ in length.
        """
        stop = pack(inputs, self.n, "Liquid.respond: inputs").stop
        if stop.min() != stop.max():
            raise ParameterError(f"Liquid.respond: inputs must be equally long, got {stop.min():g} … {stop.max():g} ms")
        result = simulate(
            self.network(inputs), float(stop[0]), batch=len(inputs), seed=self.seed, threads=threads, progress=progress
        )
        both = [result.spikes[name] for name in ("exc", "inh")]
        pairs = zip(*both, strict=True) if len(inputs) > 1 else [tuple(both)]
        return [stacked(*pair).shift(s.t_start) for pair, s in zip(pairs, inputs, strict=True)]


def stacked(first: Spikes, second: Spikes) -> Spikes:
    """One recording of the elements of two."""
    times = np.concatenate((first.times, second.times))
    ids = np.concatenate((first.ids, second.ids + first.n))
    return Spikes(times, ids, first.n + second.n, first.t_stop, first.t_start)

"""One neuron that finds a spike pattern hidden in noise (Masquelier, Guyonneau & Thorpe 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.connectivity import AllToAll
from spikesim.inputs import SpikeSource
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import LIF, FixedThreshold, ResetTo
from spikesim.plasticity import PairSTDP
from spikesim.spikes import Spikes
from spikesim.synapses import Exponential
from spikesim.zoo._model import ZooNetwork, count, number
from spikesim.zoo.microcircuit import current_per_potential

BIN = 10.0  # ms in which the rate of an afferent stays


class Hidden(NamedTuple):
    """Spikes of the afferents, and when the pattern begins (ms)."""

    spikes: Spikes
    onsets: NDArray[Any]


@dataclass(frozen=True)
class Masquelier(ZooNetwork):
    """A neuron with `n` afferents that fire at random; half of them repeat, in a quarter of the time, one pattern.

    References
    ----------
    Masquelier, Guyonneau & Thorpe 2008, doi:10.1371/journal.pone.0001377.
    """

    name = "masquelier"
    title = "A repeating pattern found by STDP"
    citation = "Masquelier, Guyonneau & Thorpe 2008, PLoS ONE 3:e1377, doi:10.1371/journal.pone.0001377"
    scaling = "multiplies the number of afferents and divides their weights, so that the mean input stays"
    deviations = (
        "a leaky integrator with exponential currents, whose reset far below rest stands for the paper's negative "
        "after-potential; currents that are under way at a spike go on",
        "rates of afferents make a random walk in steps of 10 ms between 0 and twice their mean",
    )
    engines = ("event", "grid")
    duration = 5_000.0

    n: int = count(2000, "afferents", 2)
    length: float = number(5_000.0, "ms", "> 0", "how long the afferents fire")
    rate: float = number(54.0, "Hz", ">= 0", "mean rate of an afferent")
    spontaneous: float = number(10.0, "Hz", ">= 0", "rate of spikes that belong to nothing, also in the pattern")
    part: float = number(0.5, "", ">= 0, <= 1", "share of the afferents in the pattern")
    share: float = number(0.25, "", ">= 0, <= 0.5", "share of the time in which the pattern is shown")
    pattern: float = number(50.0, "ms", "> 0", "length of the pattern")
    jitter: float = number(1.0, "ms", ">= 0", "deviation of each spike of the pattern, every time")
    psp: float = number(0.01, "mV", "> 0", "peak of the potential by one spike at the largest weight")
    start: float = number(0.475, "", ">= 0, <= 1", "weights at the start, relative to the largest")
    a_plus: float = number(0.03125, "", ">= 0", "growth by a pair, relative to the largest weight")
    ratio: float = number(0.85, "", ">= 0", "decline relative to growth")
    tau_plus: float = number(16.8, "ms", "> 0", "time constant of growth")
    tau_minus: float = number(33.7, "ms", "> 0", "time constant of decline")
    tau_m: float = number(10.0, "ms", "> 0", "membrane time constant")
    tau_syn: float = number(2.5, "ms", "> 0", "time constant of the synaptic currents")
    v_th: float = number(5.0, "mV", "> 0", "threshold above rest (rest is 0 mV)")
    v_reset: float = number(-5.0, "mV", "", "membrane after a spike")
    seed: int = count(0, "decides the spikes of the afferents", 0)

    def build(self, scale: float) -> Network:
        """The network with `scale` times the afferents."""
        return self.around(self.hidden(scale).spikes)

    def around(self, spikes: Spikes) -> Network:
        """The network for given spikes of the afferents."""
        neuron = Neuron(
            LIF(self.tau_m, 0.0, 250.0), Exponential(self.tau_syn), FixedThreshold(self.v_th), ResetTo(self.v_reset)
        )
        afferents, cell = Population("afferents", spikes.n, SpikeSource(spikes)), Population("cell", 1, neuron)
        largest = self.psp * current_per_potential(250.0, self.tau_m, self.tau_syn) * self.n / spikes.n
        rule = PairSTDP(
            self.a_plus, self.ratio * self.a_plus, self.tau_plus, self.tau_minus, w_max=largest, pairing="postsynaptic"
        )
        learning = Projection(
            afferents, cell, AllToAll(), self.start * largest, 0.0, plasticity=rule, name="afferents->cell"
        )
        return Network([afferents, cell], [learning])

    def hidden(self, scale: float = 1.0) -> Hidden:
        """Spikes of the afferents: noise, in some slots of time the pattern instead, and spontaneous spikes."""
        rng = np.random.default_rng((self.seed, 17))
        n = self.scaled(self.n, scale, "afferents")
        members = round(self.part * n)  # the first ones
        slots = max(1, round(self.length / self.pattern))
        length = slots * self.pattern
        shown = _apart(rng, slots, self.share)
        onsets = np.flatnonzero(shown).astype(np.float64) * self.pattern
        times, ids = self._noise(rng, n, length)
        copy = self._noise(rng, members, self.pattern) if members else (np.empty(0), np.empty(0, np.int64))
        inside = shown[np.minimum((times // self.pattern).astype(np.int64), slots - 1)] & (ids < members)
        jittered = rng.normal(0.0, self.jitter, (len(onsets), len(copy[0]))) + copy[0] + onsets[:, None]
        free = rng.poisson(self.spontaneous * length / 1e3 * n)
        times = np.concatenate((times[~inside], jittered.ravel(), rng.uniform(0.0, length, free)))
        ids = np.concatenate((ids[~inside], np.tile(copy[1], len(onsets)), rng.integers(0, n, free)))
        return Hidden(Spikes(np.clip(times, 0.0, length), ids, n, length), onsets)

    def _noise(self, rng: np.random.Generator, n: int, length: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Poisson spikes whose rates walk at random between 0 and twice the mean."""
        rates = rng.uniform(0.0, 2.0 * self.rate, n)
        times, ids = [np.empty(0)], [np.empty(0, np.int64)]
        for start in np.arange(0.0, length, BIN):
            width = min(BIN, length - start)
            found = np.repeat(np.arange(n), rng.poisson(rates * width / 1e3))
            times.append(rng.uniform(start, start + width, len(found)))
            ids.append(found)
            moved = np.abs(rates + rng.normal(0.0, 0.4 * self.rate, n))
            rates = np.clip(np.where(moved > 2.0 * self.rate, 4.0 * self.rate - moved, moved), 0.0, None)
        return np.concatenate(times), np.concatenate(ids)


def _apart(rng: np.random.Generator, slots: int, share: float) -> NDArray[np.bool_]:
    """Random slots, no two in a row, about `share` of them."""
    shown = np.zeros(slots, bool)
    chance = share / (1.0 - share)  # of a slot that follows an empty one
    for k in range(slots):
        shown[k] = rng.random() < chance and not (k and shown[k - 1])
    return shown


NETWORK = Masquelier

"""The encoders of Norse that give spikes, with their own conventions: one spike per step at most, explicit Euler.

Read in Norse 1.1 (`norse.torch.functional.encode`): its documentation and behaviour. ``population_encode`` there gives
responses, no spikes; `gaussian-fields` is the code for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, first_times
from spikesim.coding._rates import RateCode
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class NorsePoisson(RateCode):
    """``poisson_encode``: in each step a spike where a uniform number is below ``dt f_max x``, f_max = `rate_max`.

    A coin a step, not a Poisson process. Read as count over the expected count of the maximum.
    """

    family = "library"
    summary = "Norse: number of spikes, one coin a step"
    random = True
    stepped = True

    dt: float = param(1.0, "ms", ">= 0", "time step", scalar=True)
    rate_max: float = param(100.0, "Hz", "> 0", "rate of x = 1", scalar=True)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        p = self.dt * 1e-3 * self.rate_max * x
        fired = [np.flatnonzero(draw(step) < p) for step in range(self.steps)]
        return np.concatenate(fired), np.repeat(np.arange(self.steps) * self.dt, [len(f) for f in fired])

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """One random number a value and step."""
        return {"draws": float(values * self.steps), "activation_accesses": float(values * self.steps)}


@dataclass(frozen=True, eq=False, kw_only=True)
class NorseLif(ValueCode):
    """``constant_current_lif_encode``: a LIF neuron under the current ``gain x``, stepped with Euler's method.

    ``v += dt / tau_m (gain x - v)``; a spike where v > 1, which resets v to 0. Zero is silent. With `only_first` it is
    ``spike_latency_lif_encode``: spikes after the first are left out. Read as the mean of those of 4,096 values whose
    number of spikes and first spike are the same (the nearest there are, if none).

    Parameters
    ----------
    gain : float
        Current of x = 1, in units of the threshold, > 0.
    tau_m : float
        Membrane time constant in ms, > 0; 10 is Norse's.
    only_first : bool
        Whether spikes after the first are left out.
    """

    family = "library"
    summary = "Norse: current into a LIF neuron"
    stepped = True

    dt: float = param(1.0, "ms", ">= 0", "time step", scalar=True)
    gain: float = param(4.0, "", "> 0", "current of x = 1", scalar=True)
    tau_m: float = param(10.0, "ms", "> 0", "membrane time constant", scalar=True)
    only_first: bool = False

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """A membrane of a quarter of the presentation, 2 ms at least."""
        return super().within(steps, **{"tau_m": max(2.0, steps / 4), **settings})

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        current, v = self.gain * x.ravel(), np.zeros(x.size)
        silent, fired = np.ones(x.size, dtype=bool), []
        for _ in range(self.steps):
            v = v + self.dt / self.tau_m * (current - v)
            spike = v > 1.0
            v = np.where(spike, 0.0, v)
            fired.append(np.flatnonzero(spike & silent if self.only_first else spike))
            silent &= ~spike
        return np.concatenate(fired), np.repeat(np.arange(self.steps) * self.dt, [len(f) for f in fired])

    @cached_property
    def _table(self) -> tuple[Ints, Floats]:
        """Distinct keys of number and first step of spikes, sorted, and the mean value of each."""
        x = np.linspace(0, 1, 4096)
        where, times = self._events(x[None], lambda *_: x)
        key = self._key(Spikes(times, where, x.size, self.duration))
        found, index, count = np.unique(key, return_inverse=True, return_counts=True)
        return found, np.bincount(index, x) / count

    def _key(self, spikes: Spikes) -> Ints:
        first = np.minimum(np.round(first_times(spikes) / self.dt), self.steps).astype(np.int64)
        return spikes.counts() * (self.steps + 1) - first

    def _values(self, spikes: Spikes, values: int) -> Floats:
        keys, means = self._table
        key = self._key(spikes)
        right = np.clip(np.searchsorted(keys, key), 1, len(keys) - 1) if len(keys) > 1 else np.zeros(values, int)
        left = np.maximum(right - 1, 0)
        return means[np.where(key - keys[left] < keys[right] - key, left, right)]

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """One neuron update a value and step."""
        updates = float(values * self.steps)
        return {"updates": updates, "state_accesses": 2 * updates, "activation_accesses": float(values)}


CODES = {
    "norse-poisson": (NorsePoisson, {}),
    "norse-lif": (NorseLif, {}),
    "norse-lif-latency": (NorseLif, {"only_first": True}),
}

"""Population code: the value as a current injected into a leaky integrate-and-fire neuron."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, as_floats, spread
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class Current(ValueCode):
    """A LIF neuron driven by the constant ``gain x`` (in units of its threshold), from rest, reset to rest.

    First spike after ``t1 = tau_m ln(gain x / (gain x - 1))``, further ones every ``t_ref + t1``, in closed form.
    Silent for values whose first spike would not come in time: zero always, up to ``1 / (gain (1 - exp(-duration /
    tau_m)))``. Read by inverting the mean interval (the first latency for a single spike), silence as half the
    largest silent value: exact otherwise in continuous time. No bound is stated for a time step.

    Parameters
    ----------
    gain : float
        Drive of x = 1 over the drive that just reaches the threshold, > 1.
    tau_m : float
        Membrane time constant in ms, > 0.
    t_ref : float
        Absolute refractory period in ms, >= 0.
    """

    family = "population"
    summary = "current into a LIF neuron"

    gain: float = param(4.0, "", "> 1", "drive of x = 1 over rheobase", scalar=True)
    tau_m: float = param(10.0, "ms", "> 0", "membrane time constant", scalar=True)
    t_ref: float = param(0.0, "ms", ">= 0", "refractory period", scalar=True)

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """Membrane and refractoriness so that the maximum fires about every second step."""
        return super().within(steps, **{"tau_m": steps / 4, "gain": 4.0, "t_ref": 1.0, **settings})

    @property
    def silent(self) -> float:
        """Largest value that does not fire, 1 at most."""
        return min(1.0, 1 / (self.gain * -math.expm1(-self.duration / self.tau_m)))

    @property
    def bound(self) -> float | None:
        """Half of what is silent, in continuous time."""
        return None if self.dt else max(self.silent / 2, 1e-9)

    def rates(self, values: ArrayLike) -> Floats:
        """The rate neuron: real numbers in, steady rates in Hz out, ``1 / (t_ref + t1)``, 0 below ``x = 1 / gain``."""
        drive = self.gain * np.clip(as_floats(values, "Current.rates"), 0.0, 1.0)
        with np.errstate(divide="ignore"):
            first = np.where(drive > 1, -self.tau_m * np.log1p(-1 / np.maximum(drive, 1.0)), np.inf)
        return 1e3 / (self.t_ref + first)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        drive = self.gain * x.ravel()
        with np.errstate(divide="ignore"):
            first = np.where(drive > 1, -self.tau_m * np.log1p(-1 / np.maximum(drive, 1.0)), np.inf)
        fired = np.flatnonzero(first < self.duration)
        period = first[fired] + self.t_ref
        where, number = spread(fired, np.ceil((self.duration - first[fired]) / period - 1e-12))
        return where, first[where] + number * (first[where] + self.t_ref)

    def _values(self, spikes: Spikes, values: int) -> Floats:
        count = spikes.counts()
        fired = count > 0
        last = np.zeros(values)
        np.maximum.at(last, spikes.ids, spikes.times)
        # `count` latencies and `count - 1` refractory periods lie before the last spike
        latency = (self._middle(last[fired]) - (count[fired] - 1) * self.t_ref) / count[fired]
        found = np.full(values, self.silent / 2)
        found[fired] = np.clip(1 / (self.gain * -np.expm1(-np.maximum(latency, 1e-12) / self.tau_m)), 0.0, 1.0)
        return found

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """One neuron update a value and step (1 ms in continuous time), and the resets."""
        updates = values * (self.steps or self.duration)
        return {"updates": updates, "state_accesses": 2 * updates, "activation_accesses": float(values)}


CODE = Current

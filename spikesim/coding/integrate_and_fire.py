"""Signal code: an integrate-and-fire neuron driven by the signal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Floats, Ints
from spikesim.coding._signals import SignalCode
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class IntegrateAndFire(SignalCode):
    """A spike whenever the integral of ``rate_max x(t)`` passes a whole number; the signal is held between samples.

    Zero is silent, a constant maximum fires at `rate_max`. Spike times are exact. Between two spikes (and from the
    start to the first) the mean of x is known exactly, ``1 / (rate_max interval)``, and that is what is read; after the
    last spike the same as before it, or as much less as the silence tells. No bound on single samples.

    Parameters
    ----------
    rate_max : float
        Rate of x = 1 in Hz, > 0.

    References
    ----------
    Lazar 2004, doi:10.1016/j.neucom.2004.01.031 (time encoding with an integrate-and-fire neuron).
    """

    family = "signal"
    summary = "intervals of an integrator"
    domain = (0.0, 1.0)

    rate_max: float = param(1000.0, "Hz", "> 0", "rate of x = 1", scalar=True)

    def _events(self, x: Floats) -> tuple[Ints, Floats]:
        gain = self.rate_max * 1e-3 * self.dt
        before = np.concatenate([np.zeros((len(x), 1)), np.cumsum(gain * x, axis=1)], axis=1)
        whole = np.floor(before + 1e-9)
        count = np.diff(whole, axis=1).astype(np.int64)
        series, step = np.nonzero(count)
        count = count[series, step]
        where, place = np.repeat(series, count), np.repeat(step, count)
        number = np.arange(len(where)) - np.repeat(np.cumsum(count) - count, count)
        level = whole[where, place] + 1 + number
        part = (level - before[where, place]) / (gain * x[where, place])
        return where, (place + np.clip(part, 0.0, 1.0)) * self.dt

    def _values(self, spikes: Spikes, steps: int, channels: int) -> Floats:
        edges = np.arange(steps + 1) * self.dt
        found = np.zeros((steps, channels))
        for c, train in enumerate(spikes.trains()):
            if not len(train):
                continue
            silence = spikes.t_stop - train[-1]
            last = train[-1] - (train[-2] if len(train) > 1 else 0.0)
            tail = silence / max(last, silence) if last > 0 else 0.0
            times = np.concatenate([[0.0], train, [spikes.t_stop]])
            integral = np.concatenate([[0.0], np.arange(1, len(train) + 1), [len(train) + tail]])
            found[:, c] = np.diff(np.interp(edges, times, integral))
        return np.clip(found / (self.rate_max * 1e-3 * self.dt), 0.0, 1.0)

    def arithmetic(self, samples: int, spikes: float) -> dict[str, float]:
        """One neuron update a sample."""
        return {"updates": float(samples), "state_accesses": 2.0 * samples, "activation_accesses": float(samples)}


CODE = IntegrateAndFire

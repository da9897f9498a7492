"""Rate code: one coin a time step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints
from spikesim.coding._rates import RateCode
from spikesim.parameters import param


@dataclass(frozen=True, eq=False, kw_only=True)
class Bernoulli(RateCode):
    """In each time step a spike with probability ``x rate_max dt``, at the start of the step.

    Zero is silent; with ``rate_max = 1 / dt`` the maximum fires in every step. Read by counting, with standard
    deviation ``sqrt(p (1 - p) / steps)`` of the probability p.
    """

    family = "rate"
    summary = "number of spikes, one coin a step"
    random = True
    stepped = True

    dt: float = param(1.0, "ms", ">= 0", "time step", scalar=True)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        p = x * (self.rate_max * self.dt * 1e-3)
        fired = [np.flatnonzero(draw(step) < p) for step in range(self.steps)]
        return np.concatenate(fired), np.repeat(np.arange(self.steps) * self.dt, [len(f) for f in fired])

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """One random number a value and step."""
        return {"draws": float(values * self.steps), "activation_accesses": float(values * self.steps)}


CODE = Bernoulli

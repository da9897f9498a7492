"""Rate code: a Poisson process in continuous time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints
from spikesim.coding._rates import RateCode
from spikesim.parameters import as_count


@dataclass(frozen=True, eq=False, kw_only=True)
class Poisson(RateCode):
    """A Poisson process of rate ``x rate_max``, exact in continuous time: intervals are exponential.

    Zero is silent, the maximum fires ``N = rate_max duration`` times on average. Read by counting, with standard
    deviation ``sqrt(x / N)``: the error falls as 1/sqrt(N). With `dt` spikes move to the start of their step, several
    of one step onto each other.
    """

    family = "rate"
    summary = "number of spikes of a Poisson process"
    random = True

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        return renewal(x.ravel() * self.rate_max * 1e-3, self.duration, draw, 1)

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """One random number a spike and one more a value."""
        return {"draws": values + spikes, "activation_accesses": float(values)}


def renewal(rate: Floats, duration: float, draw: Draw, order: int) -> tuple[Ints, Floats]:
    """Trains whose intervals are sums of `order` exponentials, stationary from time 0; `rate` in spikes per ms."""
    alive = np.flatnonzero(rate > 0)
    stage = order * rate[alive]
    time = np.zeros(len(alive))
    # how many stages the interval under way at time 0 has left is uniform
    left = np.ceil(draw(0, alive) * order).astype(np.int64) if as_count(order, "order") > 1 else np.ones_like(alive)
    places, times, number = [], [], 1
    while len(alive):
        time = time - np.log(draw(number, alive)) / stage
        keep = time < duration
        alive, stage, time, left = alive[keep], stage[keep], time[keep], left[keep] - 1
        fired = left == 0
        places.append(alive[fired])
        times.append(time[fired])
        left[fired] = order
        number += 1
    return np.concatenate([np.empty(0, np.int64), *places]), np.concatenate([np.empty(0), *times])


CODE = Poisson

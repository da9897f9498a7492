"""Rate code: equal intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, spread
from spikesim.coding._rates import RateCode


@dataclass(frozen=True, eq=False, kw_only=True)
class Regular(RateCode):
    """Spikes at ``(j + 1/2) / (x rate_max)``: equal intervals, the first half as long.

    Zero is silent, the maximum fires ``N = rate_max duration`` times. Read by counting, off by at most ``1 / (2 N)``
    if N is whole (twice that if not): the error of a counted regular train falls as 1/N.
    """

    family = "rate"
    summary = "number of equally spaced spikes"

    @property
    def bound(self) -> float:
        """Half a spike, a whole one where `spikes_max` is not whole."""
        whole = abs(self.spikes_max - round(self.spikes_max)) < 1e-9
        return (0.5 if whole else 1.0) / self.spikes_max

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        expected = x.ravel() * self.spikes_max
        where, number = spread(np.arange(x.size), np.ceil(expected - 0.5).clip(0))
        return where, (number + 0.5) * self.duration / expected[where]


CODE = Regular

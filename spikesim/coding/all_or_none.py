"""Binary code: all or none within an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, spread
from spikesim.parameters import as_count, param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class AllOrNone(ValueCode):
    """``count`` spikes where x >= threshold, none elsewhere.

    The spikes lie in the middle of `count` equal parts of the presentation. Read as a bit: 1 for an element that fired
    at least half of `count` times (at least once for 1), else 0. Zero gives none, the maximum `count` spikes; exact
    for bits, off by at most ``max(threshold, 1 - threshold)`` for other values.

    Parameters
    ----------
    threshold : float
        Least value that fires, > 0.
    count : int
        Spikes that stand for "all", >= 1.
    """

    family = "binary"
    summary = "fires or not"

    threshold: float = param(0.5, "", "> 0", "least value that fires", scalar=True)
    count: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "count", as_count(self.count, "AllOrNone.count"))

    @property
    def bound(self) -> float:
        """The larger of the two sides of the threshold."""
        return max(min(self.threshold, 1.0), 1.0 - self.threshold)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        fired = np.flatnonzero(x >= self.threshold)
        where, number = spread(fired, np.full(len(fired), self.count))
        return where, (number + 0.5) * self.duration / self.count

    def _values(self, spikes: Spikes, values: int) -> Floats:
        return (spikes.counts() >= max(1.0, self.count / 2)).astype(np.float64)


CODE = AllOrNone

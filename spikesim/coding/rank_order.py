"""Latency code: only the order of firing counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, first_times
from spikesim.errors import ParameterError
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class RankOrder(ValueCode):
    """Values fire once each, the largest first; the one of rank r of n at ``(r + 1/2) duration / n``.

    Zeros are silent; of equal values the first fires first. Any increasing function of the values that keeps zero
    gives the same spikes. Read as ``modulation^r``, r the number of neurons that fired before (the mean for
    simultaneous ones): order is all that is left of the amplitude, so there is no bound.

    Parameters
    ----------
    modulation : float
        Weight of one rank relative to the one before, in (0, 1); 0 (default) takes the one that leaves the last of
        the neurons 1 %.

    References
    ----------
    Thorpe & Gautrais 1998, doi:10.1007/978-1-4615-4831-7_19.
    """

    family = "latency"
    summary = "order of firing"

    modulation: float = param(0.0, "", ">= 0", "weight of a rank relative to the one before", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.modulation >= 1:
            raise ParameterError(f"RankOrder.modulation: must be < 1, got {self.modulation:g}")

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        n = x.shape[1]
        order = np.argsort(-x, axis=1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.broadcast_to(np.arange(n), x.shape), axis=1)
        where = np.flatnonzero(x > 0)
        return where, (rank.ravel()[where] + 0.5) * self.duration / n

    def _values(self, spikes: Spikes, values: int) -> Floats:
        first = first_times(spikes)
        fired = np.flatnonzero(np.isfinite(first))
        _, same, counts = np.unique(first[fired], return_inverse=True, return_counts=True)
        rank = (np.cumsum(counts) - counts + (counts - 1) / 2)[same]
        found = np.zeros(values)
        found[fired] = (self.modulation or 0.01 ** (1 / values)) ** rank
        return found

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """A sort: n log2 n comparisons, each reading two values."""
        comparisons = values * np.log2(max(2, values))
        return {"activations": comparisons, "activation_accesses": 2 * comparisons}


CODE = RankOrder

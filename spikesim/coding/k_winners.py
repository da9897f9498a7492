"""Latency code: the k largest fire together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode
from spikesim.errors import ParameterError
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class KWinners(ValueCode):
    """The ``k = ceil(share n)`` largest of n values fire once at time 0, the others not (an N-of-M code).

    Zeros never fire; of equal values the first win. Read as 1 for winners and 0 for others.

    Parameters
    ----------
    share : float
        Part of the values that win, in (0, 1].
    """

    family = "latency"
    summary = "who is among the k largest"

    share: float = param(0.2, "", "> 0", "part of the values that win", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.share > 1:
            raise ParameterError(f"KWinners.share: must be <= 1, got {self.share:g}")

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        k = int(np.ceil(self.share * x.shape[1] - 1e-9))
        best = np.argsort(-x, axis=1, kind="stable")[:, :k]
        where = (best + np.arange(len(x))[:, None] * x.shape[1]).ravel()
        where = where[x.ravel()[where] > 0]
        return where, np.zeros(len(where))

    def _values(self, spikes: Spikes, values: int) -> Floats:
        return (spikes.counts() > 0).astype(np.float64)

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """Each value against the least of the winners so far."""
        comparisons = values + spikes * np.log2(max(2.0, spikes))
        return {"activations": comparisons, "activation_accesses": 2.0 * comparisons}


CODE = KWinners

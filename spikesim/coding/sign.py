"""Binary code: the sign, with one neuron for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class Sign(ValueCode):
    """One spike of the plus neuron where x > dead, of the minus neuron where x < -dead, none between.

    The spike lies in the middle of the presentation. Read as +1, -1 or 0 (none, or as many of both): exact for signs,
    off by at most ``max(dead, 1 - dead)``. Neuron 2i is the plus, 2i + 1 the minus neuron of value i.

    Parameters
    ----------
    dead : float
        Half-width of the range around zero that stays silent, >= 0.
    """

    family = "binary"
    summary = "which of two neurons fires"
    domain = (-1.0, 1.0)
    line = (-1.0, 1.0)

    dead: float = param(0.0, "", ">= 0", "half-width of the silent range around zero", scalar=True)

    @property
    def neurons(self) -> int:
        """Plus and minus."""
        return 2

    @property
    def bound(self) -> float:
        """The larger of what zero and one stand for."""
        return max(min(self.dead, 1.0), 1.0 - self.dead)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        plus, minus = np.flatnonzero(x > self.dead), np.flatnonzero(x < -self.dead)
        where = np.concatenate([2 * plus, 2 * minus + 1])
        return where, np.full(len(where), self.duration / 2)

    def _values(self, spikes: Spikes, values: int) -> Floats:
        both = spikes.counts().reshape(values, 2)
        return np.sign(both[:, 0] - both[:, 1]).astype(np.float64)


CODE = Sign

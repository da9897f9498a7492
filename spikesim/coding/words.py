"""Binary code: words of k bits, one slot of time a bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode
from spikesim.errors import ParameterError
from spikesim.parameters import as_count
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class Words(ValueCode):
    """The word ``w = min(floor(x 2^k), 2^k - 1)``, most significant bit first; bit j fires at the start of slot j.

    Slots last ``duration / bits``. A slot holds a 1 if any spike falls in it; the word is read as ``(w + 1/2) / 2^k``,
    off by at most ``2^-(k+1)``; words themselves are exact. Zero is silent (and read as the middle of the lowest
    word), the maximum fires in every slot.

    Parameters
    ----------
    bits : int
        Bits of a word k, 1 … 52.
    """

    family = "binary"
    summary = "which of k slots hold a spike"

    bits: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "bits", as_count(self.bits, "Words.bits"))
        if self.bits > 52:
            raise ParameterError(f"Words.bits: must be in 1 … 52, got {self.bits}")
        if self.dt and self.steps < self.bits:
            raise ParameterError(f"Words.bits: must be <= the number of time steps ({self.steps}), got {self.bits}")

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """At most eight bits, one step or more each."""
        return super().within(steps, **{"bits": min(8, steps), **settings})

    @property
    def bound(self) -> float:
        """Half a word."""
        return 0.5**self.bits / 2

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        word = np.minimum(np.floor(x * 2.0**self.bits), 2.0**self.bits - 1).astype(np.int64).ravel()
        slots = [np.flatnonzero(word >> (self.bits - 1 - j) & 1) for j in range(self.bits)]
        where = np.concatenate(slots)
        slot = np.repeat(np.arange(self.bits), [len(s) for s in slots])
        return where, self._starts()[slot]

    def _starts(self) -> Floats:
        """Start of each slot, on the time step if there is one."""
        starts = np.arange(self.bits) * (self.duration / self.bits)
        return np.ceil(starts / self.dt - 1e-9) * self.dt if self.dt else starts

    def _values(self, spikes: Spikes, values: int) -> Floats:
        slot = np.searchsorted(self._starts(), spikes.times + 1e-9 * self.duration, side="right") - 1
        bit = np.zeros((values, self.bits))
        bit[spikes.ids, slot] = 1.0
        return (bit @ 2.0 ** np.arange(self.bits - 1, -1, -1) + 0.5) / 2.0**self.bits


CODE = Words

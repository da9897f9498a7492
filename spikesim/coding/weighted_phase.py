"""Temporal code: bits with weights that halve from phase to phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode
from spikesim.errors import ParameterError
from spikesim.parameters import as_count
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightedPhase(ValueCode):
    """The bits of ``floor(x 2^bits)`` in every period of `bits` phases; a spike in phase j counts ``2^-(1 + j)``.

    Read as the mean over periods of the weights of all spikes. Zero is silent, the maximum (1, taken as 1 - 2^-bits)
    fires in every phase. Values k / 2^bits are exact, others up to ``2^-bits`` too small.

    Parameters
    ----------
    bits : int
        Phases of a period, 1 … 52.
    periods : int
        How often the word is repeated, >= 1.

    References
    ----------
    Kim et al. 2018, doi:10.1016/j.neucom.2018.05.087, section 3.
    """

    family = "temporal"
    summary = "spikes weighted by their phase"

    bits: int = 8
    periods: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("bits", "periods"):
            object.__setattr__(self, name, as_count(getattr(self, name), f"WeightedPhase.{name}"))
        if self.bits > 52:
            raise ParameterError(f"WeightedPhase.bits: must be in 1 … 52, got {self.bits}")
        if self.dt and self.steps % (self.bits * self.periods):
            raise ParameterError(
                f"WeightedPhase.bits: bits x periods must divide the number of time steps ({self.steps}), got "
                f"{self.bits} x {self.periods}"
            )

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """Words of up to eight bits, repeated as often as they fit."""
        bits = max(b for b in range(1, min(8, steps) + 1) if steps % b == 0)
        return super().within(steps, **{"bits": bits, "periods": steps // bits, **settings})

    @property
    def bound(self) -> float:
        """The last bit."""
        return 0.5**self.bits

    @property
    def strengths(self) -> Floats | None:
        """Spikes are sent with their weight: 1, 1/2, 1/4 … from phase to phase."""
        if not self.dt:
            return None
        phase = np.floor(np.arange(self.steps) * self.dt / self._slot + 1e-9) % self.bits
        return 0.5**phase

    @property
    def _slot(self) -> float:
        return self.duration / (self.bits * self.periods)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        word = np.minimum(np.floor(x * 2.0**self.bits), 2.0**self.bits - 1).astype(np.int64).ravel()
        phases = [np.flatnonzero(word >> (self.bits - 1 - j) & 1) for j in range(self.bits)] * self.periods
        slot = np.repeat(np.arange(self.bits * self.periods), [len(p) for p in phases])
        return np.concatenate(phases), slot * self._slot

    def _values(self, spikes: Spikes, values: int) -> Floats:
        phase = np.floor(spikes.times / self._slot + 1e-9).astype(np.int64) % self.bits
        return np.bincount(spikes.ids, 0.5 ** (1 + phase), minlength=values) / self.periods


CODE = WeightedPhase

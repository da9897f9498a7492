"""Temporal code: phase relative to an oscillation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, spread
from spikesim.errors import ParameterError
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class Phase(ValueCode):
    """One spike in every cycle of an oscillation, at the phase ``2 pi (1 - x)``: large values fire early in the cycle.

    Zero is silent, the maximum fires at the start of each cycle. Read as the mean phase over the cycles, so one
    displaced spike does little harm; exact in continuous time, off by at most ``dt / (2 period)`` with a time step.

    Parameters
    ----------
    period : float
        Length of a cycle in ms, > 0; a whole number of cycles must fill the presentation.

    References
    ----------
    Hopfield 1995, doi:10.1038/376033a0.
    """

    family = "temporal"
    summary = "phase in each cycle of an oscillation"

    period: float = param(10.0, "ms", "> 0", "length of a cycle", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        cycles = self.duration / self.period
        if round(cycles) < 1 or abs(cycles - round(cycles)) > 1e-6:
            raise ParameterError(
                f"Phase.period: a whole number of cycles must fill {self.duration:g} ms, got {self.period:g} ms"
            )
        if self.dt and abs(self.period / self.dt - round(self.period / self.dt)) > 1e-6:
            raise ParameterError(f"Phase.period: must be a multiple of dt ({self.dt:g} ms), got {self.period:g} ms")

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """Two cycles, one where the steps cannot be halved."""
        return super().within(steps, **{"period": steps / 2 if steps % 2 == 0 else float(steps), **settings})

    @property
    def cycles(self) -> int:
        """Cycles in a presentation."""
        return round(self.duration / self.period)

    @property
    def bound(self) -> float:
        """Half a time step of the cycle; rounding errors in continuous time."""
        return self.dt / (2 * self.period) if self.dt else 1e-12 * self.cycles

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        fired = np.flatnonzero(x > 0)
        where, cycle = spread(fired, np.full(len(fired), self.cycles))
        inside = np.minimum(self.period * (1 - x.ravel()[where]), np.nextafter(self.period, 0.0))
        if self.dt:
            inside = np.minimum(np.floor(inside / self.dt + 1e-9) * self.dt, self.period - self.dt)
        return where, cycle * self.period + inside

    def _values(self, spikes: Spikes, values: int) -> Floats:
        cycle = np.floor(spikes.times / self.period + 1e-13)
        x = 1 - self._middle(spikes.times - cycle * self.period) / self.period
        total = np.bincount(spikes.ids, np.clip(x, 0.0, 1.0), minlength=values)
        return total / np.maximum(spikes.counts(), 1)


CODE = Phase

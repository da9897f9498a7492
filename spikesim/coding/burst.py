"""Burst code: how many spikes, and how close together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, first_times, spread
from spikesim.errors import ParameterError
from spikesim.parameters import as_count
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class Burst(ValueCode):
    """A burst of ``ceil(spikes_max x)`` spikes at intervals of ``ceil(isi_max - (isi_max - isi_min) x)`` units.

    It starts at time 0; a unit is `dt`, or 1 ms in continuous time. Both numbers are read, and x is the middle of the
    range that fits both. Zero is silent, the maximum fires `spikes_max` spikes at the shortest interval. Off by at
    most ``1 / (2 spikes_max)``.

    Parameters
    ----------
    spikes_max : int
        Spikes of the longest burst, >= 1.
    isi_min, isi_max : int
        Shortest and longest interval in units, ``1 <= isi_min < isi_max``.

    References
    ----------
    Park et al. 2019, doi:10.1145/3316781.3317822; Guo et al. 2021, doi:10.3389/fnins.2021.638474, section 2.2.4.
    """

    family = "temporal"
    summary = "length and tightness of a burst"

    spikes_max: int = 5
    isi_min: int = 2
    isi_max: int = 6

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("spikes_max", "isi_min", "isi_max"):
            object.__setattr__(self, name, as_count(getattr(self, name), f"Burst.{name}"))
        if self.isi_max <= self.isi_min:
            raise ParameterError(f"Burst.isi_max: must be > isi_min ({self.isi_min}), got {self.isi_max}")
        if self.longest * self._unit >= self.duration:
            raise ParameterError(
                f"Burst.duration: must exceed the longest burst ({self.longest * self._unit:g} ms), got "
                f"{self.duration:g} ms; shorten isi_max or spikes_max"
            )

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """Five spikes and the longest intervals that fit, fewer spikes in fewer than ten steps."""
        spikes = min(5, max(1, steps // 2))
        low = 2 if steps >= 10 else 1
        fitting = [high for high in range(steps, low, -1) if _longest(spikes, low, high) < steps]
        if not fitting:
            raise ParameterError(f"Burst: needs at least 2 time steps, got {steps}")
        return super().within(steps, **{"spikes_max": spikes, "isi_min": low, "isi_max": fitting[0], **settings})

    @property
    def longest(self) -> int:
        """Units from the first to the last spike of the longest burst."""
        return _longest(self.spikes_max, self.isi_min, self.isi_max)

    @property
    def bound(self) -> float:
        """Half the range of values with as many spikes."""
        return 0.5 / self.spikes_max

    @property
    def _unit(self) -> float:
        return self.dt or 1.0

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        flat = x.ravel()
        isi = np.ceil(self.isi_max - (self.isi_max - self.isi_min) * flat - 1e-9)
        where, number = spread(np.arange(x.size), np.ceil(self.spikes_max * flat - 1e-9).clip(0))
        return where, number * isi[where] * self._unit

    def _values(self, spikes: Spikes, values: int) -> Floats:
        count = spikes.counts()
        low, high = (count - 1) / self.spikes_max, count / self.spikes_max
        last = np.zeros(values)
        np.maximum.at(last, spikes.ids, spikes.times)
        several = count > 1
        isi = np.zeros(values)
        isi[several] = (last - first_times(spikes))[several] / (count[several] - 1) / self._unit
        width = self.isi_max - self.isi_min
        tight_low, tight_high = (self.isi_max - isi) / width, (self.isi_max - isi + 1) / width
        fits = several & (np.maximum(low, tight_low) <= np.minimum(high, tight_high))
        low, high = np.where(fits, np.maximum(low, tight_low), low), np.where(fits, np.minimum(high, tight_high), high)
        return np.where(count > 0, np.clip((low + high) / 2, 0.0, 1.0), 0.0)

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """Two products a value."""
        return {"macs": 2.0 * values, "activation_accesses": float(values)}


def _longest(spikes: int, low: int, high: int) -> int:
    """Units from first to last spike, largest over all values."""
    edges = [n / spikes + 1e-7 for n in range(spikes)]  # just above these there is one spike more
    edges += [(high - isi) / (high - low) for isi in range(low, high)]
    return max((math.ceil(spikes * x - 1e-9) - 1) * math.ceil(high - (high - low) * x - 1e-9) for x in edges if x > 0)


CODE = Burst

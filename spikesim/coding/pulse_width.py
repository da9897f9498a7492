"""Signal code: pulses as wide as the signal is large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from spikesim.coding._contract import Floats, Ints
from spikesim.coding._signals import SignalCode
from spikesim.errors import ParameterError
from spikesim.parameters import as_count
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class PulseWidth(SignalCode):
    """In every period of `samples` samples a pulse from its start until a ramp from 0 to 1 reaches the signal.

    Neuron 2c fires where the pulse of channel c rises, 2c + 1 where it falls; the signal is held between samples. Zero
    gives no pulse, the maximum one that falls just before the next rises. Read as width over period for the whole
    period: exact for a signal that is constant in it. No bound for others.

    Parameters
    ----------
    samples : int
        Samples in a period of the ramp, >= 1; periods left incomplete at the end read as the one before.
    """

    family = "signal"
    summary = "time from rise to fall of a pulse"
    domain = (0.0, 1.0)

    samples: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "samples", as_count(self.samples, "PulseWidth.samples"))

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """A pulse a frame."""
        return super().within(steps, **{"samples": steps, **settings})

    @property
    def neurons(self) -> int:
        """Rise and fall."""
        return 2

    def _events(self, x: Floats) -> tuple[Ints, Floats]:
        periods = x.shape[1] // self.samples
        if not periods:
            raise ParameterError(
                f"PulseWidth.samples: the signal ({x.shape[1]} samples) is shorter than a period ({self.samples})"
            )
        held = x[:, : periods * self.samples].reshape(len(x), periods, self.samples)
        offset = np.arange(self.samples)
        reached = held * self.samples < offset + 1  # within the sample the ramp passes the signal, or did before
        first = np.where(reached.any(axis=2), reached.argmax(axis=2), self.samples - 1)
        level = np.take_along_axis(held, first[..., None], axis=2)[..., 0]
        width = np.maximum(level * self.samples, first)
        series, period = np.nonzero(width > 0)
        rise = period * self.samples * self.dt
        fall = rise + np.minimum(width[series, period], self.samples * (1 - 1e-12)) * self.dt
        return np.concatenate([2 * series, 2 * series + 1]), np.concatenate([rise, fall])

    def _values(self, spikes: Spikes, steps: int, channels: int) -> Floats:
        length = self.samples * self.dt
        periods = max(1, steps // self.samples)
        rise = np.full((periods, channels), np.nan)
        fall = rise.copy()
        period = np.minimum((spikes.times / length + 1e-13).astype(np.int64), periods - 1)
        for edge, found in ((0, rise), (1, fall)):
            mine = spikes.ids % 2 == edge
            found[period[mine], spikes.ids[mine] // 2] = spikes.times[mine]
        width = np.nan_to_num(np.clip((fall - rise) / length, 0.0, 1.0))
        index = np.minimum(np.arange(steps) // self.samples, periods - 1)
        return width[index]


CODE = PulseWidth

"""What rate codes share, and the readings of a rate: count, window, exponential trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from spikesim.coding._contract import Floats, ValueCode, as_floats
from spikesim.errors import ParameterError
from spikesim.parameters import as_values, param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class RateCode(ValueCode):
    """Codes in which x is a fraction of the largest rate, read back by counting.

    Parameters
    ----------
    rate_max : float
        Rate in Hz that x = 1 stands for; at most one spike per time step where there is one.
    """

    rate_max: float = param(200.0, "Hz", "> 0", "rate of x = 1", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dt and self.rate_max * self.dt > 1e3 * (1 + 1e-9):
            raise ParameterError(
                f"{type(self).__name__}.rate_max: must be at most one spike per step "
                f"({1e3 / self.dt:g} Hz for dt {self.dt:g} ms), got {self.rate_max:g} Hz"
            )

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """Up to one spike per time step."""
        return super().within(steps, **{"rate_max": 1000.0, **settings})

    @property
    def spikes_max(self) -> float:
        """Mean number of spikes of x = 1."""
        return self.rate_max * self.duration * 1e-3

    def rates(self, values: ArrayLike) -> Floats:
        """The rate neuron: real numbers in, rates in Hz out, without spikes; ``rate_max x``, cut to what x may be."""
        return self.rate_max * np.clip(as_floats(values, f"{type(self).__name__}.rates"), 0.0, 1.0)

    def _values(self, spikes: Spikes, values: int) -> Floats:
        return spikes.counts() / self.spikes_max

    def from_window(self, spikes: Spikes, width: float, every: float) -> tuple[Floats, Floats]:
        """Values over time from a sliding count.

        Parameters
        ----------
        spikes : Spikes
        width : float
            Window in ms, > 0; it ends at the time of the reading.
        every : float
            Time between readings in ms, > 0.

        Returns
        -------
        times : ndarray (readings,)
            ``width, width + every, …`` up to the end, ms.
        values : ndarray (readings, values)
            ``count / (rate_max width)``.
        """
        owner = f"{type(self).__name__}.from_window"
        wide = float(as_values(width, f"{owner}: width", "ms", "> 0", scalar=True))
        step = float(as_values(every, f"{owner}: every", "ms", "> 0", scalar=True))
        if wide > spikes.duration:
            raise ParameterError(f"{owner}: width must be <= the duration ({spikes.duration:g} ms), got {wide:g} ms")
        times = spikes.t_start + np.arange(wide, spikes.duration + 1e-9, step)
        counts = np.stack([spikes.window(t - wide, t).counts() for t in times])
        return times, counts / (self.rate_max * wide * 1e-3)

    def from_trace(self, spikes: Spikes, tau: float, times: ArrayLike) -> Floats:
        """Values over time from an exponential trace: ``sum exp(-(t - t_k) / tau) / (rate_max tau)`` over t_k <= t.

        The normal reading of a leaky neuron; it takes some `tau` to settle, and then has variance ``1 / (2 r tau)``
        relative to the squared rate r for a Poisson train.

        Parameters
        ----------
        spikes : Spikes
        tau : float
            Time constant in ms, > 0.
        times : array_like (readings,)
            When to read, ms.

        Returns
        -------
        ndarray (readings, values)
        """
        owner = f"{type(self).__name__}.from_trace"
        decay = float(as_values(tau, f"{owner}: tau", "ms", "> 0", scalar=True))
        read = as_floats(times, f"{owner}: times").ravel()
        lag = read[:, None] - spikes.times
        weight = np.where(lag >= 0, np.exp(-np.maximum(lag, 0.0) / decay), 0.0)
        member = spikes.ids[:, None] == np.arange(spikes.n)
        return weight @ member / (self.rate_max * decay * 1e-3)

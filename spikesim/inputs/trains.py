"""Populations that emit given or regular spike trains."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.errors import ParameterError
from spikesim.parameters import Part, Values, param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, repr=False)
class SpikeSource(Part):
    """Model of a population that replays given `Spikes`.

    Parameters
    ----------
    spikes : Spikes, or a sequence of Spikes
        One recording for all, or one per stimulus of a batch. On the grid, times are rounded to the step.
    """

    spikes: Spikes | tuple[Spikes, ...] = ()

    def __post_init__(self) -> None:
        many = self.spikes if isinstance(self.spikes, (tuple, list)) else (self.spikes,)
        if not many or not all(isinstance(s, Spikes) for s in many):
            raise ParameterError("SpikeSource.spikes: must be Spikes, or one Spikes per stimulus of a batch")
        if len({s.n for s in many}) != 1:
            raise ParameterError("SpikeSource.spikes: all recordings of a batch must have the same number of elements")
        if min(s.t_start for s in many) < 0:
            raise ParameterError("SpikeSource.spikes: times must be >= 0 ms (use Spikes.shift)")
        object.__setattr__(self, "spikes", self.spikes if isinstance(self.spikes, Spikes) else tuple(many))

    @property
    def batch(self) -> tuple[Spikes, ...]:
        """The recordings as a tuple, one per stimulus."""
        return (self.spikes,) if isinstance(self.spikes, Spikes) else self.spikes

    def check_size(self, n: int, owner: str) -> None:
        """Raise unless the recordings have `n` elements."""
        if self.batch[0].n != n:
            raise ParameterError(f"SpikeSource.spikes: {owner} has {n} elements, the recording {self.batch[0].n}")

    def __repr__(self) -> str:
        return f"SpikeSource({self.batch[0]!r}{f' × {len(self.batch)}' if len(self.batch) > 1 else ''})"


@dataclass(frozen=True, eq=False, repr=False)
class RegularSource(Part):
    """Model of a population that fires at ``start + k * interval`` for all whole k >= 0.

    Parameters
    ----------
    interval : float or array (n,), ms
        Time between spikes, > 0.
    start : float or array (n,), ms
        Time of the first spike, >= 0.
    """

    interval: Values = param(10.0, "ms", "> 0", "time between spikes")
    start: Values = param(0.0, "ms", ">= 0", "time of the first spike")

"""Temporal code: precise times relative to a reference neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, first_times
from spikesim.errors import ParameterError
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class Reference(ValueCode):
    """Every value fires once, ``(1 - x) span`` after the last neuron, the reference, which fires at `onset`.

    Nothing is silent: zero fires `span` after the reference, the maximum with it. Only differences count, so spikes
    that are all displaced alike read the same. Exact in continuous time; off by at most ``dt / span`` with a time step,
    where both ends of a difference are rounded. A silent neuron reads as 0; without reference spike all values do.

    Parameters
    ----------
    onset : float
        When the reference fires, ms; stands for the event the others are timed by.
    margin : float
        Time kept free at the end, ms, >= 0: ``span = duration - onset - margin`` (one step less on a time step).
    """

    family = "temporal"
    summary = "time after a reference spike"

    onset: float = param(0.0, "ms", ">= 0", "when the reference fires", scalar=True)
    margin: float = param(0.0, "ms", ">= 0", "time kept free at the end", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.span <= 0:
            raise ParameterError(
                f"Reference.onset: onset, margin and one time step must leave some of {self.duration:g} ms, got "
                f"onset {self.onset:g} ms, margin {self.margin:g} ms"
            )

    @property
    def span(self) -> float:
        """Longest difference in ms."""
        return self.duration - self.onset - self.margin - self.dt

    @property
    def bound(self) -> float:
        """A step of the span; rounding errors in continuous time."""
        return self.dt / self.span if self.dt else 1e-12 * self.duration / self.span

    def size(self, values: int) -> int:
        """One neuron a value and the reference."""
        return values + 1

    def values(self, size: int) -> int:
        """All neurons but the reference."""
        if size < 2:
            raise ParameterError(f"Reference.decode: needs at least 2 neurons, got {size}")
        return size - 1

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        k, n = x.shape
        times = np.column_stack([self.onset + (1 - x) * self.span, np.full(k, self.onset)]).ravel()
        return np.arange(k * (n + 1)), times

    def _values(self, spikes: Spikes, values: int) -> Floats:
        first = first_times(spikes)
        with np.errstate(invalid="ignore"):
            x = 1 - (first[:-1] - first[-1]) / self.span
        return np.where(np.isfinite(x), np.clip(x, 0.0, 1.0), 0.0)


CODE = Reference

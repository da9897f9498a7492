"""Signal code: Ben's spiker algorithm, spikes that a filter turns back into the signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from spikesim._jit import kernel
from spikesim.coding._contract import Floats, Ints
from spikesim.coding._signals import SignalCode
from spikesim.parameters import as_count, param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class BensSpiker(SignalCode):
    """A spike where taking the filter h away from the signal ahead makes it smaller by more than the threshold.

    At sample s with the residual r, ``sum_j |r_(s+j) - h_j| <= sum_j |r_(s+j)| - threshold`` makes a spike, and h is
    subtracted from r. Read as the convolution of the spikes with h, a raised cosine of `taps` samples and sum 1: zero
    is silent, the maximum fires in every sample. No bound. It looks `taps` samples ahead.

    Parameters
    ----------
    taps : int
        Length of h in samples, >= 1.
    threshold : float
        Least gain that is worth a spike, in units of what a fitting spike gains, >= 0.

    References
    ----------
    Schrauwen & Van Campenhout 2003, doi:10.1109/IJCNN.2003.1224019.
    """

    family = "signal"
    summary = "spikes that a filter turns back"
    domain = (0.0, 1.0)

    taps: int = 8
    threshold: float = param(0.8, "", ">= 0", "least gain that is worth a spike", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "taps", as_count(self.taps, "BensSpiker.taps"))

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """A filter as long as two frames."""
        return super().within(steps, **{"taps": 2 * steps, **settings})

    @property
    def filter(self) -> Floats:
        """The filter h."""
        window = 1 - np.cos(2 * np.pi * (np.arange(self.taps) + 0.5) / self.taps) if self.taps > 1 else np.ones(1)
        return window / window.sum()

    def _events(self, x: Floats) -> tuple[Ints, Floats]:
        residual = np.concatenate([x, np.zeros((len(x), self.taps))], axis=1)
        out = np.zeros(x.shape, np.int64)
        _subtract(residual, self.filter, self.threshold, out)
        series, step = np.nonzero(out)
        return series, step * self.dt

    def _values(self, spikes: Spikes, steps: int, channels: int) -> Floats:
        dense = np.zeros((steps, channels))
        np.add.at(dense, (self.step_of(spikes, steps), spikes.ids), 1.0)
        found = np.zeros((steps, channels))
        for j, h in enumerate(self.filter[:steps]):
            found[j:] += h * dense[: steps - j]
        return found

    def arithmetic(self, samples: int, spikes: float) -> dict[str, float]:
        """Two sums over the filter a sample, a third a spike."""
        work = self.taps * (2.0 * samples + spikes)
        return {"biases": work, "activation_accesses": work}


@kernel(lean=True)
def _subtract(residual, h, threshold, out):
    """Spikes of `residual` (series, steps + taps), which is used up."""
    taps = len(h)
    for i in range(out.shape[0]):
        for s in range(out.shape[1]):
            gain = 0.0
            for j in range(taps):
                gain += abs(residual[i, s + j]) - abs(residual[i, s + j] - h[j])
            if gain >= threshold:
                out[i, s] = 1
                for j in range(taps):
                    residual[i, s + j] -= h[j]


CODE = BensSpiker

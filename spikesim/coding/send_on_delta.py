"""Signal code: send on delta, with an error that is always below the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim._jit import kernel
from spikesim.coding._contract import Floats, Ints
from spikesim.coding._signals import DeltaCode


@dataclass(frozen=True, eq=False, kw_only=True)
class SendOnDelta(DeltaCode):
    """While ``|x - reference| >= threshold``: a spike up or down, and the reference moves by the threshold.

    Several spikes of one sample share its interval evenly. The signal that is read differs from x by less than the
    threshold at every sample. Zero has no special role: what equals `start` is silent.

    References
    ----------
    Miskowicz 2006, doi:10.3390/s6010049.
    """

    family = "signal"
    summary = "changes by a threshold, all of them"

    @property
    def bound(self) -> float:
        """The threshold."""
        return self.threshold

    def _signs(self, x: Floats) -> Ints:
        out = np.zeros(x.shape, np.int64)
        _follow((x - self.start) / self.threshold, out)
        return out


@kernel(lean=True)
def _follow(x, out):
    """Whole steps by which the reference follows `x` (series, steps), both in units of the threshold."""
    for i in range(x.shape[0]):
        level = 0.0
        for s in range(x.shape[1]):
            change = np.trunc(x[i, s] - level)
            out[i, s] = np.int64(change)
            level += change


CODE = SendOnDelta

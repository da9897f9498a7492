"""Signal code: step forward, at most one spike a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim._jit import kernel
from spikesim.coding._contract import Floats, Ints
from spikesim.coding._signals import DeltaCode


@dataclass(frozen=True, eq=False, kw_only=True)
class StepForward(DeltaCode):
    """A spike up where ``x > base + threshold``, down where ``x < base - threshold``; the base moves by the threshold.

    At most one spike a sample, so changes faster than a threshold a sample are caught up with later: the error stays
    within the threshold only for slower signals. What stays within a threshold of `start` is silent.

    References
    ----------
    Kasabov et al. 2016, doi:10.1016/j.neunet.2015.09.011; Petro, Kasabov & Kiss 2020,
    doi:10.1109/TNNLS.2019.2906158, section II.
    """

    family = "signal"
    summary = "changes by a threshold, one a sample"

    def _signs(self, x: Floats) -> Ints:
        out = np.zeros(x.shape, np.int64)
        _step((x - self.start) / self.threshold, out)
        return out


@kernel(lean=True)
def _step(x, out):
    """Moves of the base after `x` (series, steps), both in units of the threshold."""
    for i in range(x.shape[0]):
        base = 0.0
        for s in range(x.shape[1]):
            if x[i, s] > base + 1.0:
                out[i, s] = 1
                base += 1.0
            elif x[i, s] < base - 1.0:
                out[i, s] = -1
                base -= 1.0


CODE = StepForward

"""Signal code: threshold-based representation of differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from spikesim.coding._contract import Floats, Ints, as_floats
from spikesim.coding._signals import DeltaCode
from spikesim.errors import ParameterError


@dataclass(frozen=True, eq=False, kw_only=True)
class ThresholdBased(DeltaCode):
    """A spike where the difference of successive samples exceeds the threshold, up or down by its sign.

    The sample before the first is `start`. `fit` sets the threshold to ``mean(|d|) + factor std(|d|)`` of the
    differences d of data. Slow drifts are lost, and errors add up; no bound.

    References
    ----------
    Delbruck & Lichtsteiner 2007, doi:10.1109/ISCAS.2007.378038; Petro, Kasabov & Kiss 2020,
    doi:10.1109/TNNLS.2019.2906158, section II.
    """

    family = "signal"
    summary = "differences above a threshold"

    @classmethod
    def fit(cls, signals: ArrayLike, factor: float = 1.0, **settings: Any) -> Self:
        """Threshold from data (…, steps, channels), all channels together."""
        x = as_floats(signals, "ThresholdBased.fit")
        if x.ndim < 2 or x.shape[-2] < 2:
            raise ParameterError(f"ThresholdBased.fit: must have shape (…, steps > 1, channels), got {x.shape}")
        change = np.abs(np.diff(x, axis=-2))
        found = float(change.mean() + factor * change.std())
        if found <= 0:
            raise ParameterError("ThresholdBased.fit: the signals do not change, there is no threshold to find")
        return cls(threshold=found, **settings)

    def adapted(self, data: ArrayLike) -> Self:
        """The threshold of `fit`."""
        return self.changed(threshold=type(self).fit(data).threshold)

    def _signs(self, x: Floats) -> Ints:
        change = np.diff(x, axis=1, prepend=self.start)
        return (change > self.threshold).astype(np.int64) - (change < -self.threshold)


CODE = ThresholdBased

"""Signal code: departures from the mean of a moving window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Floats, Ints
from spikesim.coding._signals import DeltaCode
from spikesim.parameters import as_count


@dataclass(frozen=True, eq=False, kw_only=True)
class MovingWindow(DeltaCode):
    """A spike up where x exceeds the mean of the `window` samples before it by more than the threshold; down likewise.

    Samples before the first count as `start`. A constant is silent once it fills the window. Spikes have no reference
    that follows them, so errors add up; no bound.

    Parameters
    ----------
    window : int
        Samples in the mean, >= 1.

    References
    ----------
    Kasabov et al. 2016, doi:10.1016/j.neunet.2015.09.011; Petro, Kasabov & Kiss 2020,
    doi:10.1109/TNNLS.2019.2906158, section II.
    """

    family = "signal"
    summary = "departures from a moving mean"

    window: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "window", as_count(self.window, "MovingWindow.window"))

    def _signs(self, x: Floats) -> Ints:
        padded = np.concatenate([np.full((len(x), self.window), self.start), x], axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(padded[:, :-1], self.window, axis=1)
        departure = x - windows.mean(axis=2)
        return (departure > self.threshold).astype(np.int64) - (departure < -self.threshold)


CODE = MovingWindow

"""Recent spikes of one block, kept until every bundle that reads them has delivered them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class History:
    """Growing arrays of (time, element), sorted; positions count from the first spike ever and stay valid.

    Parameters
    ----------
    dtype : type of times, float64 (ms) or int64 (steps)
    """

    def __init__(self, dtype: Any) -> None:
        self.time: NDArray[Any] = np.empty(1024, dtype)
        self.element = np.empty(1024, np.int64)
        self.first = 0  # position of time[0]
        self.size = 0

    @property
    def end(self) -> int:
        """Position after the last spike."""
        return self.first + self.size

    def append(self, time: NDArray[Any], element: NDArray[np.int64]) -> None:
        """Add spikes not earlier than those held."""
        need = self.size + len(time)
        if need > len(self.time):
            for name in ("time", "element"):
                old = getattr(self, name)
                new = np.empty(2 * need, old.dtype)
                new[: self.size] = old[: self.size]
                setattr(self, name, new)
        self.time[self.size : need] = time
        self.element[self.size : need] = element
        self.size = need

    def view(self, position: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Spikes from `position` on."""
        lo = position - self.first
        return self.time[lo : self.size], self.element[lo : self.size]

    def find(self, time: Any) -> int:
        """Position of the first spike not earlier than `time`."""
        return self.first + int(np.searchsorted(self.time[: self.size], time))

    def trim(self, position: int) -> None:
        """Forget spikes before `position` once they are the larger part."""
        lo = position - self.first
        if lo > 4096 and 2 * lo > self.size:
            for array in (self.time, self.element):
                array[: self.size - lo] = array[lo : self.size].copy()
            self.first, self.size = position, self.size - lo

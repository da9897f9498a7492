"""Tables and schedules for Poisson input, shared by both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from spikesim.inputs import Steps

GUIDE = 4096


def pieces(rate: Any) -> tuple[NDArray[np.float64], list[Any]]:
    """Start times (ms) and values of a rate: one piece from 0 on where it is constant."""
    if not isinstance(rate, Steps):
        return np.zeros(1), [rate]
    times, values = rate.times, list(rate.values)
    if times[0] > 0:
        times, values = np.concatenate([[0.0], times]), [np.zeros_like(values[0]), *values]
    return times, values


def count_tables(means: NDArray[np.float64]) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Guide (classes, 4096) and distribution functions (classes, K) of Poisson counts with these means.

    A guide entry is the count where a whole 1/4096 of the unit interval maps to one count, else the complement of
    the first candidate, from which the distribution function is searched.
    """
    largest = float(means.max(initial=0.0))
    top = int(largest + 10.0 * np.sqrt(largest)) + 40  # beyond this the tail is below 2**-53
    cdf = pdtr(np.arange(top)[None, :], means[:, None])
    cdf[:, -1] = 2.0
    edges = np.arange(GUIDE + 1) / GUIDE
    guide = np.empty((len(means), GUIDE), dtype=np.int16)
    for c, row in enumerate(cdf):
        low = np.searchsorted(row, edges[:-1], "right")
        high = np.searchsorted(row, edges[1:], "left")
        guide[c] = np.where(low == high, low, ~low)
    return guide, cdf


def classes(rates: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Distinct values of `rates` and the class of each entry; -1 where the rate is 0."""
    distinct, klass = np.unique(rates, return_inverse=True)
    klass = klass.astype(np.int16 if len(distinct) < 32768 else np.int32)
    return distinct, np.where(rates > 0, klass, -1).astype(klass.dtype)

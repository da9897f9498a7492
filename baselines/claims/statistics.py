"""Intervals over seeds, and the rule of the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95
HOLDS, FAILS, OPEN = "holds", "does not hold", "cannot be told"
RULE = (
    f"A question is asked of the paired differences over seeds, the spiking side minus its rival: it {HOLDS} if their "
    f"{100 * LEVEL:.0f} % t interval lies above the margin, it {FAILS} if it lies below, otherwise it {OPEN}. A claim "
    f"{HOLDS} if all its deciding questions hold, and {FAILS} if one does not."
)


class Interval(NamedTuple):
    """Mean and the ends of its t interval, which are None for fewer than two numbers."""

    mean: float
    low: float | None
    high: float | None


def interval(values: Sequence[float]) -> Interval:
    """``mean ± t s / sqrt(n)``, t the quantile of Student's distribution with n - 1 degrees of freedom.

    Parameters
    ----------
    values : sequence of float
        One for each seed.
    """
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return Interval(mean, None, None)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half)


def verdict(found: Interval, margin: float) -> str:
    """Whether a number exceeds the margin: it holds, does not hold, or cannot be told."""
    if found.low is None or found.high is None:
        return OPEN
    return HOLDS if found.low > margin else FAILS if found.high < margin else OPEN


def overall(verdicts: Sequence[str]) -> str:
    """Verdict on a claim from those on its deciding questions."""
    if FAILS in verdicts:
        return FAILS
    return OPEN if OPEN in verdicts or not verdicts else HOLDS

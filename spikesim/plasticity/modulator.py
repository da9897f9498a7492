"""A modulator such as dopamine: what rewards leave behind, as the rows that kernels read.

A row is (time, level right after, 1 or 0 while frozen, amount); until the next row the level decays. Rewards to come
may be known beforehand: rows are sorted by time, and levels follow from the amounts alone, so they do not depend on
when a reward was announced.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import ParameterError
from spikesim.parameters import as_values
from spikesim.plasticity.rule import Plasticity

Rows = NDArray[np.float64]


def opened(rule: Plasticity) -> Rows:
    """No reward yet; no rows for a rule that has no use for them."""
    return np.array([[0.0, 0.0, 1.0, 0.0]]) if rule.modulated else np.empty((0, 4))


def with_reward(rule: Plasticity, rows: Rows, amount: Any, at: Any, now: float, owner: str) -> Rows:
    """The rows with a reward more; its level has the area `amount`.

    Raises
    ------
    ParameterError
        If the rule has no modulator, the amount is no finite number, or `at` lies before `now` (ms).
    """
    if not rule.modulated:
        raise ParameterError(f"{owner}: {type(rule).__name__} has no use for rewards; RewardSTDP has")
    amount = as_values(amount, f"{owner}: amount", scalar=True)
    at = as_values(at, f"{owner}: at", "ms", scalar=True)
    if at < now:
        raise ParameterError(f"{owner}: at: must not lie in the past, got {at:g} ms, the time is {now:g} ms")
    k = int(np.searchsorted(rows[:, 0], at, "right"))
    tau = rule.tau_d  # type: ignore[attr-defined]
    rows = np.insert(rows, k, (at, 0.0, rows[k - 1, 2], amount / tau), axis=0)
    for i in range(k, len(rows)):
        rows[i, 1] = rows[i - 1, 1] * math.exp(-(rows[i, 0] - rows[i - 1, 0]) / tau) + rows[i, 3]
    return rows


def switched(rule: Plasticity, rows: Rows, on: bool, at: float) -> Rows:
    """The rows when the modulator acts, or ceases to act, from `at` on; its level goes on."""
    at = max(at, 0.0)
    rows = with_reward(rule, rows, 0.0, at, 0.0, "modulator")
    rows[np.searchsorted(rows[:, 0], at, "left") :, 2] = float(on)
    return rows


def settled(rule: Plasticity, rows: Rows, at: float) -> Rows:
    """The rows when weights already hold all that came before `at`."""
    k = int(np.searchsorted(rows[:, 0], at, "right"))
    rows = with_reward(rule, rows, 0.0, at, 0.0, "modulator")
    rows[:k, 2] = 0.0
    return rows

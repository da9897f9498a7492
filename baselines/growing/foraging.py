"""Foraging with food that moves: a row of five cells, many of them side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CELLS, STEPS, MEALS = 5, 60, 5
BEST = STEPS // 2  # meals of one who always knows: two steps from the middle to either end


class Foraging:
    """Food lies at one end of the row; whoever eats starts again from the middle. After five meals it changes sides.

    Nothing tells on which side it is but having eaten. Who always goes the same way eats five meals or none, who turns
    round at an empty end and remembers which way it goes eats about twenty.

    Parameters
    ----------
    seeds : sequence of int
        One row each; where the food is first depends on whether the seed is even.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self.right = np.array([s % 2 for s in seeds], bool)
        self.at, self.meals = np.full(len(seeds), CELLS // 2), np.zeros(len(seeds))
        self.fed, self.step = np.zeros(len(seeds), bool), 0

    def senses(self) -> NDArray[np.float64]:
        """At the left end, at the right end, fed just now, always (rows, 4), zeros and ones."""
        ends = (self.at == 0, self.at == CELLS - 1)
        return np.stack([*ends, self.fed, np.ones_like(self.fed)], axis=1).astype(np.float64)

    def act(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """One step to the left (0) or right (1) each; what was eaten, and whether life is over."""
        self.at = np.clip(self.at + 2 * actions - 1, 0, CELLS - 1)
        self.fed = self.at == np.where(self.right, CELLS - 1, 0)
        self.at[self.fed] = CELLS // 2
        self.meals += self.fed
        self.right ^= self.fed & (self.meals % MEALS == 0)
        self.step += 1
        return self.fed.astype(np.float64), np.full(len(self.at), self.step >= STEPS)

    def keep(self, these: NDArray[np.bool_]) -> None:
        """Go on with these lives alone."""
        self.at, self.meals, self.fed, self.right = (x[these] for x in (self.at, self.meals, self.fed, self.right))

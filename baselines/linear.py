"""What one hyperplane can do: Rosenblatt's rule, separability, and Cover's count of dichotomies."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def separable(x: NDArray[np.float64], wanted: NDArray[np.int64]) -> bool:
    """Whether a hyperplane through 0 puts every pattern on its side, decided exactly by linear programming."""
    from scipy.optimize import linprog

    n = x.shape[1]
    found = linprog(np.zeros(n), A_ub=-wanted[:, None] * x, b_ub=-np.ones(len(x)), bounds=[(None, None)] * n)
    return bool(found.status == 0)


def cover(patterns: int, neurons: int) -> float:
    """Fraction of all dichotomies of `patterns` points that a hyperplane through 0 in `neurons` dimensions makes.

    References
    ----------
    Cover 1965, doi:10.1109/PGEC.1965.264137, equation 5.
    """
    return sum(math.comb(patterns - 1, k) for k in range(neurons)) / 2 ** (patterns - 1)


def perceptron(x: NDArray[np.float64], wanted: NDArray[np.int64], passes: int) -> tuple[NDArray[np.float64], int, bool]:
    """Rosenblatt's rule, weights from 0: weights, mistakes in all, and whether a pass without mistakes was reached."""
    w, mistakes = np.zeros(x.shape[1]), 0
    for _ in range(passes):
        before = mistakes
        for row, y in zip(x, wanted, strict=True):
            if y * (w @ row) <= 0:
                w = w + y * row
                mistakes += 1
        if mistakes == before:
            return w, mistakes, True
    return w, mistakes, False


def crossing(alphas: list[float], fractions: list[float]) -> float:
    """Load at which the fraction falls through one half, linear in between; the last load if it never does."""
    for i in range(1, len(alphas)):
        if fractions[i - 1] >= 0.5 > fractions[i]:
            gap = fractions[i - 1] - fractions[i]
            return alphas[i - 1] + (fractions[i - 1] - 0.5) / gap * (alphas[i] - alphas[i - 1])
    return alphas[-1]

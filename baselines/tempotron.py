"""The tempotron: a neuron that learns to fire, or not to fire, at patterns of single spikes; and the perceptron.

Potential ``V(t) = sum_i w_i K(t - t_i)`` with ``K(s) = V0 (exp(-s / tau) - exp(-s / tau_s))`` scaled to a peak of 1. A
pattern is answered with yes if V reaches the threshold 1 anywhere. After a wrong answer the weights move by
``rate K(t_max - t_i)``, up for a missed yes, down for a wrong one, t_max being the time of the largest V.

References
----------
Gütig & Sompolinsky 2006, doi:10.1038/nn1643. Rubin, Monasson & Sompolinsky 2010, doi:10.1103/PhysRevLett.105.218102.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TAU, TAU_S, DURATION = 15.0, 3.75, 500.0  # ms
_GRID = 2.0  # ms between the times the learner looks at
_PEAK = TAU * TAU_S / (TAU - TAU_S) * math.log(TAU / TAU_S)
V0 = 1.0 / (math.exp(-_PEAK / TAU) - math.exp(-_PEAK / TAU_S))
_MOMENTUM, _RATE = 0.9, 1e-2


class Patterns(NamedTuple):
    """Spike times (patterns, neurons) in ms, one spike per neuron, and the wanted answers (patterns,) as -1 and 1."""

    times: NDArray[np.float64]
    wanted: NDArray[np.int64]


def draw(patterns: int, neurons: int, seed: int) -> Patterns:
    """Independent times and answers."""
    rng = np.random.default_rng(seed)
    return Patterns(rng.uniform(0, DURATION, (patterns, neurons)), rng.choice((-1, 1), patterns))


def kernel(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """K(s), 0 before the spike."""
    s = np.maximum(s, 0.0)
    return V0 * (np.exp(-s / TAU) - np.exp(-s / TAU_S))


def learn(p: Patterns, cycles: int, seed: int) -> tuple[NDArray[np.float64], int]:
    """Weights after at most `cycles` passes, and how many patterns they still answer wrongly (in the last pass)."""
    rng = np.random.default_rng((seed, 1))
    grid = np.arange(0.0, DURATION + 3 * TAU, _GRID)
    shapes = kernel(grid[None, None, :] - p.times[:, :, None]).astype(np.float32)  # (patterns, neurons, times)
    n = p.times.shape[1]
    w = rng.normal(0.0, 1.0 / np.sqrt(n), n).astype(np.float32)
    step = np.zeros(n, np.float32)
    wrong = len(p.wanted)
    for _ in range(cycles):
        wrong = 0
        for i in rng.permutation(len(p.wanted)):
            v = w @ shapes[i]
            at = int(v.argmax())
            if (v[at] >= 1.0) != (p.wanted[i] > 0):
                wrong += 1
                step = _MOMENTUM * step + _RATE * float(p.wanted[i]) * shapes[i][:, at]
                w = w + step
        if not wrong:
            break
    return w.astype(np.float64), wrong


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

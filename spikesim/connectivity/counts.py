"""Random counts by inversion: draws from an urn, and the indegrees of a fixed total number of synapses."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.rng import uniform

_LOG_2PI = math.log(2.0 * math.pi)
_EXACT = np.array(  # error of Stirling's formula for log n!, n = 0 … 15, where the series is not accurate enough
    [0.0] + [math.log(math.factorial(n)) - 0.5 * (_LOG_2PI + math.log(n)) - n * math.log(n) + n for n in range(1, 16)]
)


@kernel
def _stirling_error(n):
    """``log n! - log(sqrt(2 pi n) (n / e)**n)``."""
    if n <= 15.0:
        return _EXACT[int(n)]
    s = 1.0 / (n * n)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / n


@kernel
def _deviance(x, mean):
    """``x log(x / mean) + mean - x`` without cancellation."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    v = (x - mean) / (x + mean)
    total, term, j = (x - mean) * v, 2.0 * x * v * v * v, 1.0
    while True:
        longer = total + term / (2.0 * j + 1.0)
        if longer == total:
            return total
        total, term, j = longer, term * v * v, j + 1.0


@kernel
def binomial_probability(x, n, p):
    """Probability of x successes in n trials, all float64, to near machine precision.

    Saddle-point form of Loader 2000, Fast and accurate computation of binomial probabilities.
    """
    q = 1.0 - p
    if x == 0.0:
        return math.exp(n * math.log1p(-p))
    if x == n:
        return math.exp(n * math.log(p))
    exponent = _stirling_error(n) - _stirling_error(x) - _stirling_error(n - x)
    exponent -= _deviance(x, n * p) + _deviance(n - x, n * q)
    return math.exp(exponent - 0.5 * (_LOG_2PI + math.log(x) + math.log1p(-x / n)))


@kernel
def _ratio(x, good, bad, k, replace):
    """P(x + 1) / P(x) of the number of good balls among k."""
    if replace:
        return (k - x) / (x + 1.0) * (good / bad)
    return (good - x) / (x + 1.0) * ((k - x) / (bad - k + x + 1.0))


@kernel
def good_balls(u, good, bad, k, replace):
    """Number of good balls among k drawn from an urn with `good` and `bad` balls (float64), at the uniform number u.

    With replacement Binomial(k, good / (good + bad)), else hypergeometric: inversion that walks outwards from the
    mode, so that about 1.6 standard deviations are visited.
    """
    everything = good + bad
    low, high = (0.0, k) if replace else (max(0.0, k - bad), min(k, good))
    if low == high or good == 0.0:
        return np.int64(low)
    if bad == 0.0:
        return np.int64(high)
    if replace:
        mode = min(math.floor((k + 1.0) * (good / everything)), high)
        weight = binomial_probability(mode, k, good / everything)
    else:
        mode = min(max(math.floor((k + 1.0) * ((good + 1.0) / (everything + 2.0))), low), high)
        p = k / everything
        weight = binomial_probability(mode, good, p) * binomial_probability(k - mode, bad, p)
        weight /= binomial_probability(k, everything, p)
    up, down, p_up, p_down = mode, mode, weight, weight
    left = u - weight
    while left >= 0.0 and p_up + p_down > 1e-20:  # below that only rounding is left of u
        p_up = p_up * _ratio(up, good, bad, k, replace) if up < high else 0.0
        up += 1.0
        left -= p_up
        if left < 0.0:
            return np.int64(up)
        p_down = p_down / _ratio(down - 1.0, good, bad, k, replace) if down > low else 0.0
        down -= 1.0
        left -= p_down
        if left < 0.0:
            return np.int64(down)
    return np.int64(mode)


@kernel
def _fill_binomial(key, lo, n, p, out):
    """out[i] ~ Binomial(n, p) for element lo + i."""
    for i in range(len(out)):
        out[i] = good_balls(uniform(key, lo + i, 0), p, 1.0 - p, np.float64(n), True)


@kernel
def _split(key, total, cells, n, lo, replace, out):
    """Split `total` balls over n urns of `cells` cells by halving; out[i] is the share of urn lo + i.

    The share of each half is a function of the key and the half, so that a range of urns costs only itself.
    """
    hi = lo + len(out)
    first, last, count = np.zeros(64, np.int64), np.zeros(64, np.int64), np.zeros(64, np.int64)
    first[0], last[0], count[0] = 0, n, total
    top = 1
    while top > 0:
        top -= 1
        a, b, k = first[top], last[top], count[top]
        if b <= lo or a >= hi or k == 0:
            continue
        if b - a == 1:
            out[a - lo] = k
            continue
        middle = (a + b) // 2
        good, bad = np.float64(middle - a) * cells, np.float64(b - middle) * cells
        share = good_balls(uniform(key, a, b), good, bad, np.float64(k), replace)
        first[top], last[top], count[top] = a, middle, share
        first[top + 1], last[top + 1], count[top + 1] = middle, b, k - share
        top += 2


def binomial_counts(key: np.uint64, n: int, p: float, lo: int, hi: int) -> NDArray[np.int64]:
    """One number from Binomial(n, p) for each of the elements ``lo … hi-1``."""
    out = np.zeros(hi - lo, np.int64)
    with np.errstate(over="ignore"):
        _fill_binomial(key, lo, n, p, out)
    return out


def shared_counts(key: np.uint64, total: int, cells: int, n: int, replace: bool, lo: int, hi: int) -> NDArray[np.int64]:
    """Counts of elements ``lo … hi-1`` when `total` balls fall on n elements of `cells` cells each.

    With `replace` a cell takes any number of balls (multinomial counts), else at most one (multivariate
    hypergeometric counts).
    """
    out = np.zeros(hi - lo, np.int64)
    with np.errstate(over="ignore"):
        _split(key, total, np.float64(cells), n, lo, replace, out)
    return out

"""How elements fire together: spike-count correlations and cross-correlograms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.firing import binned, check_spikes
from spikesim.errors import ParameterError
from spikesim.parameters import as_count, as_values
from spikesim.spikes import Spikes


class Correlogram(NamedTuple):
    """Lags (bin centres) in ms and number of spike pairs at each, both of shape (2 * half + 1,)."""

    lags: NDArray[np.float64]
    counts: NDArray[np.int64]


def count_correlations(
    spikes: Spikes, bin: float = 5.0, pairs: int | None = 10_000, seed: int = 0
) -> NDArray[np.float64]:
    """Pearson correlation of binned spike counts, ``cov(x, y) / sqrt(var(x) var(y))``, for pairs of elements.

    Elements whose count is the same in every bin (silent ones, say) have no correlation and are left out.

    Parameters
    ----------
    spikes : Spikes
    bin : float, default 5
        Bin width in ms, > 0; at least two bins must fit.
    pairs : int or None, default 10,000
        Number of different pairs drawn at random; all pairs when None or when there are no more.
    seed : int, default 0
        Decides which pairs are drawn.

    Returns
    -------
    ndarray, shape (k,)
        Correlation of each pair, k <= `pairs`; empty when fewer than two elements are left.

    Raises
    ------
    ParameterError
        If there is no element, fewer than two bins fit, or `pairs` or `seed` is not a valid count.
    """
    from scipy.sparse import csr_array  # here: importing scipy would slow down every start

    steps, step, ids = binned(spikes, bin, "count_correlations", minimum=2)
    wanted = None if pairs is None else as_count(pairs, "count_correlations.pairs")
    rng = np.random.default_rng(as_count(seed, "count_correlations.seed", 0))
    counts = csr_array((np.ones(ids.size), (ids, step)), shape=(spikes.n, steps))
    counts.sum_duplicates()
    mean = counts.sum(axis=1) / steps
    variance = counts.power(2).sum(axis=1) / steps - mean**2
    varies = np.flatnonzero(variance > 1e-12)
    left, right = (varies[side] for side in _draw_pairs(varies.size, wanted, rng))
    out = np.empty(left.size)
    for lo in range(0, left.size, 4096):  # in pieces: memory stays small for a million pairs
        x, y = left[lo : lo + 4096], right[lo : lo + 4096]
        product = counts[x].multiply(counts[y]).sum(axis=1) / steps
        out[lo : lo + 4096] = (product - mean[x] * mean[y]) / np.sqrt(variance[x] * variance[y])
    return np.clip(out, -1.0, 1.0)


def mean_correlation(spikes: Spikes, bin: float = 5.0, pairs: int | None = 10_000, seed: int = 0) -> float:
    """Mean of `count_correlations` over the same random sample of pairs.

    Parameters
    ----------
    spikes, bin, pairs, seed
        As in `count_correlations`.

    Returns
    -------
    float
        Mean correlation, NaN when fewer than two elements have one.

    Raises
    ------
    ParameterError
        As `count_correlations`.
    """
    values = count_correlations(spikes, bin, pairs, seed)
    return float(values.mean()) if values.size else float("nan")


def cross_correlogram(
    a: Spikes | ArrayLike, b: Spikes | ArrayLike | None = None, max_lag: float = 50.0, bin: float = 1.0
) -> Correlogram:
    """Histogram of the lags ``t_b - t_a`` over all pairs of a spike of `a` and a spike of `b`.

    Bin k holds the lags nearest to ``k * bin``, a tie going away from 0, so that swapping `a` and `b` mirrors
    the result. On a grid of dt, take `bin` as an odd multiple of dt: then all bins are equally wide.
    ``counts / (len(a) * bin) * 1000`` is the rate of `b` in Hz around a spike of `a`.

    Parameters
    ----------
    a, b : array_like of float, ms, or Spikes
        Spike times; the elements of `Spikes` are pooled. Without `b` the autocorrelogram of `a`, in which no
        spike is paired with itself.
    max_lag : float, default 50
        Largest lag in ms (centre of the last bin, rounded to whole bins), >= `bin`.
    bin : float, default 1
        Bin width in ms, > 0.

    Returns
    -------
    Correlogram
        ``lags`` (ms) and ``counts``.

    Raises
    ------
    ParameterError
        If times are not finite, `bin` is not > 0 or `max_lag` is shorter than `bin`.

    References
    ----------
    Perkel, Gerstein & Moore 1967, doi:10.1016/S0006-3495(67)86597-4.
    """
    from spikesim.analysis._kernels import correlogram

    width = float(as_values(bin, "cross_correlogram.bin", "ms", "> 0", scalar=True))
    reach = float(as_values(max_lag, "cross_correlogram.max_lag", "ms", "> 0", scalar=True))
    half = round(reach / width)
    if half < 1:
        raise ParameterError(f"cross_correlogram.max_lag: must be >= bin ({width:g} ms), got {reach:g} ms")
    first = _pooled(a, "cross_correlogram.a")
    second = first if b is None else _pooled(b, "cross_correlogram.b")
    counts = correlogram(first, second, width, half)
    if b is None:
        counts[half] -= first.size
    return Correlogram(width * np.arange(-half, half + 1, dtype=np.float64), counts)


def as_train(times: ArrayLike, owner: str) -> NDArray[np.float64]:
    """Spike times of one element as a sorted vector."""
    try:
        train = np.array(times, dtype=np.float64, ndmin=1)
    except (TypeError, ValueError):
        raise ParameterError(f"{owner}: must be spike times in ms, got {type(times).__name__}") from None
    if train.ndim > 1:
        raise ParameterError(f"{owner}: must be a vector of spike times, got an array of shape {train.shape}")
    bad = np.flatnonzero(~np.isfinite(train))
    if bad.size:
        raise ParameterError(f"{owner}: spike times must be finite, got {train[bad[0]]} (spike {bad[0]})")
    return np.sort(train)


def _pooled(train: Spikes | ArrayLike, owner: str) -> NDArray[np.float64]:
    if isinstance(train, Spikes):
        check_spikes(train, owner)
        return train.times.copy()  # a copy can be written to: one compiled version serves both kinds of input
    return as_train(train, owner)


def _draw_pairs(n: int, wanted: int | None, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Different pairs i < j of n elements: `wanted` at random, or all in order."""
    total = n * (n - 1) // 2
    if wanted is None or wanted >= total:
        left, right = np.triu_indices(n, 1)
        return left, right
    number = np.sort(rng.choice(total, wanted, replace=False, shuffle=False))
    right = ((1 + np.sqrt(8.0 * number + 1)) / 2).astype(np.int64)
    right -= right * (right - 1) // 2 > number  # the square root may round across a whole number
    right += right * (right + 1) // 2 <= number
    return number - right * (right - 1) // 2, right

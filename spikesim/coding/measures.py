"""How well a code keeps a signal: error, signal to noise, information."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.coding._contract import as_floats
from spikesim.errors import ParameterError
from spikesim.parameters import as_count

_PAIRS = 200_000  # more pairs than this are thinned evenly before information is estimated
_SHUFFLES = 5


def rmse(x: ArrayLike, y: ArrayLike) -> float:
    """Root of the mean squared difference of a signal and its reading."""
    a, b = _pair(x, y, "rmse")
    return float(np.sqrt(np.mean((a - b) ** 2)))


def snr_db(x: ArrayLike, y: ArrayLike) -> float:
    """Power of the signal x over power of the error, ``10 log10(sum x^2 / sum (x - y)^2)``, infinite without error.

    References
    ----------
    Petro, Kasabov & Kiss 2020, doi:10.1109/TNNLS.2019.2906158, equation 6.
    """
    a, b = _pair(x, y, "snr_db")
    noise = float(np.sum((a - b) ** 2))
    power = float(np.sum(a**2))
    if noise == 0:
        return np.inf
    return float(10 * np.log10(power / noise)) if power else -np.inf


def mutual_information(x: ArrayLike, y: ArrayLike, bins: int = 32, seed: int = 0) -> float:
    """Information in bits that a reading y gives about the value x, corrected for the bias of few data.

    Both are cut at their quantiles into at most `bins` classes (a value that is frequent has a class of its own); the
    plug-in estimate is taken, and the mean of what it gives for five random pairings of x and y, which is bias alone,
    is subtracted. At most ``log2(bins)``, not below 0. Above 200,000 pairs, every k-th is used.

    Parameters
    ----------
    x, y : array_like
        Values and readings, of equal shape.
    bins : int
        Classes at most, >= 2.
    seed : int
        Decides the pairings.
    """
    a, b = _pair(x, y, "mutual_information")
    bins = as_count(bins, "mutual_information.bins", 2)
    step = -(-a.size // _PAIRS)
    i, j = _classes(a[::step], bins), _classes(b[::step], bins)
    rng = np.random.default_rng(seed)
    bias = float(np.mean([_plug_in(i, rng.permutation(j)) for _ in range(_SHUFFLES)]))
    return max(0.0, _plug_in(i, j) - bias)


def _classes(x: NDArray[Any], bins: int) -> NDArray[np.int64]:
    edges = np.unique(np.quantile(x, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf"))
    return np.searchsorted(edges, x, side="left").astype(np.int64)


def _plug_in(i: NDArray[np.int64], j: NDArray[np.int64]) -> float:
    """Plug-in mutual information in bits of two sequences of classes."""
    rows, columns = int(i.max()) + 1, int(j.max()) + 1
    joint = np.bincount(i * columns + j, minlength=rows * columns).reshape(rows, columns) / i.size
    return _entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0)) - _entropy(joint)


def _entropy(p: NDArray[Any]) -> float:
    p = p[p > 0]
    return float(-np.sum(p * np.log2(p)))


def _pair(x: ArrayLike, y: ArrayLike, owner: str) -> tuple[NDArray[Any], NDArray[Any]]:
    a, b = as_floats(x, f"{owner}.x"), as_floats(y, f"{owner}.y")
    if a.shape != b.shape or not a.size:
        raise ParameterError(f"{owner}: x and y must be of the same shape and not empty, got {a.shape} and {b.shape}")
    return a.ravel(), b.ravel()

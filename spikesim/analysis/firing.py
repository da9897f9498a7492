"""How much, how regularly and when a population fires: rates, intervals, counts, rate over time, spectrum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import ParameterError
from spikesim.parameters import as_count, as_values
from spikesim.spikes import Spikes

_EDGE = 1e-9  # in bins: grid times such as 49 * 0.1 may lie this far below the edge they mean


class Psth(NamedTuple):
    """Rate over time: bin centres in ms and rate per element in Hz, both of shape (steps,)."""

    times: NDArray[np.float64]
    rate: NDArray[np.float64]


class Spectrum(NamedTuple):
    """One-sided power spectral density: frequency in Hz and power in Hz²/Hz, both of shape (frequencies,)."""

    frequency: NDArray[np.float64]
    power: NDArray[np.float64]


def mean_rate(spikes: Spikes) -> float:
    """Mean rate of all elements, ``len(spikes) / (n * duration)``.

    Parameters
    ----------
    spikes : Spikes

    Returns
    -------
    float
        Rate per element in Hz, silent elements included.

    Raises
    ------
    ParameterError
        If there is no element or the window is empty.
    """
    check_spikes(spikes, "mean_rate")
    return len(spikes) / spikes.n / spikes.duration * 1e3


def rates(spikes: Spikes) -> NDArray[np.float64]:
    """Rate of each element, ``count / duration``.

    Parameters
    ----------
    spikes : Spikes

    Returns
    -------
    ndarray, shape (n,)
        Rates in Hz.

    Raises
    ------
    ParameterError
        If there is no element or the window is empty.
    """
    check_spikes(spikes, "rates")
    return spikes.counts() / spikes.duration * 1e3


def isi(spikes: Spikes) -> list[NDArray[np.float64]]:
    """Interspike intervals of each element.

    Parameters
    ----------
    spikes : Spikes

    Returns
    -------
    list of n ndarray
        Intervals in ms in the order of time; empty for elements with fewer than two spikes.

    Raises
    ------
    ParameterError
        If there is no element.
    """
    check_spikes(spikes, "isi", timed=False)
    return [np.diff(train) for train in spikes.trains()]


def cv_isi(spikes: Spikes, min_isi: int = 2) -> NDArray[np.float64]:
    """Coefficient of variation of the interspike intervals of each element, ``std(isi) / mean(isi)``.

    0 is a regular train, 1 a Poisson train. The standard deviation divides by the number of intervals.

    Parameters
    ----------
    spikes : Spikes
    min_isi : int, default 2
        Elements with fewer intervals (fewer than ``min_isi + 1`` spikes) get NaN; at least 2. Few intervals
        bias the value downwards, so compare only trains of like length.

    Returns
    -------
    ndarray, shape (n,)
        CV, NaN where undefined; use ``numpy.nanmean`` for the population.

    Raises
    ------
    ParameterError
        If there is no element or `min_isi` is below 2.
    """
    check_spikes(spikes, "cv_isi", timed=False)
    least = as_count(min_isi, "cv_isi.min_isi", 2)
    order = np.argsort(spikes.ids, kind="stable")
    ids, times = spikes.ids[order], spikes.times[order]
    inside = ids[1:] == ids[:-1]
    intervals, owner = np.diff(times)[inside], ids[1:][inside]
    number = np.bincount(owner, minlength=spikes.n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(owner, intervals, spikes.n) / number
        variance = np.bincount(owner, (intervals - mean[owner]) ** 2, spikes.n) / number
        cv = np.sqrt(variance) / mean
    return np.where((number >= least) & (mean > 0), cv, np.nan)


def fano(spikes: Spikes, window: float = 100.0) -> NDArray[np.float64]:
    """Fano factor of each element: variance over mean of its spike counts in consecutive windows.

    1 for a Poisson train, towards 0 for a regular one. The variance is the unbiased one.

    Parameters
    ----------
    spikes : Spikes
    window : float, default 100
        Length of the counting windows in ms, > 0; at least two must fit. What is left at the end is not used.

    Returns
    -------
    ndarray, shape (n,)
        Fano factor, NaN for elements without a spike.

    Raises
    ------
    ParameterError
        If there is no element, or fewer than two windows fit.
    """
    steps, step, ids = binned(spikes, window, "fano", "window", minimum=2)
    cell, count = np.unique(ids.astype(np.int64) * steps + step, return_counts=True)
    owner = cell // steps
    total = np.bincount(owner, count, spikes.n)
    squares = np.bincount(owner, count.astype(np.float64) ** 2, spikes.n)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (squares - total**2 / steps) / (steps - 1)
        return variance / (total / steps)


def psth(spikes: Spikes, bin: float = 1.0, sigma: float | None = None) -> Psth:
    """Rate over time of the whole population (peri-stimulus time histogram), ``counts / (n * bin)``.

    Parameters
    ----------
    spikes : Spikes
    bin : float, default 1
        Bin width in ms, > 0. Bins start at `t_start`; what is left at the end is not used.
    sigma : float, optional
        Width in ms, > 0, of a Gaussian to smooth with; mirrored at both ends, so that the mean is kept.

    Returns
    -------
    Psth
        ``times`` (bin centres, ms) and ``rate`` (Hz per element), both of shape (steps,).

    Raises
    ------
    ParameterError
        If there is no element, no bin fits, or `bin` or `sigma` is not > 0.
    """
    steps, step, _ = binned(spikes, bin, "psth")
    rate = np.bincount(step, minlength=steps) / (spikes.n * bin) * 1e3
    if sigma is not None:
        from scipy.ndimage import gaussian_filter1d  # here: importing scipy would slow down every start

        width = as_values(sigma, "psth.sigma", "ms", "> 0", scalar=True)
        rate = gaussian_filter1d(rate, width / bin, mode="reflect")
    return Psth(spikes.t_start + bin * np.arange(0.5, steps, dtype=np.float64), rate)


def spectrum(spikes: Spikes, bin: float = 1.0, segment: float | None = None) -> Spectrum:
    """Power spectral density of the population rate by Welch's method (Hann window, half overlap, mean removed).

    Independent Poisson trains of rate r have the flat spectrum ``2 r / n``.

    Parameters
    ----------
    spikes : Spikes
    bin : float, default 1
        Bin width of the rate in ms, > 0; frequencies go up to ``1000 / (2 * bin)`` Hz.
    segment : float, optional
        Length of a segment in ms, at least two bins; the frequency step is ``1000 / segment`` Hz. Default 250,
        or the whole window where that is shorter.

    Returns
    -------
    Spectrum
        ``frequency`` (Hz) and ``power`` (Hz²/Hz), both of shape (frequencies,).

    Raises
    ------
    ParameterError
        If there is no element, `segment` is longer than the window, or fewer than two bins fit into it.

    References
    ----------
    Welch 1967, doi:10.1109/TAU.1967.1161901.
    """
    from scipy.signal import welch  # here: its import takes most of a second

    rate = psth(spikes, bin).rate
    length = min(250.0, spikes.duration)
    if segment is not None:
        length = float(as_values(segment, "spectrum.segment", "ms", "> 0", scalar=True))
    size = int(length / bin + _EDGE)
    if not 2 <= size <= rate.size:
        raise ParameterError(
            f"spectrum.segment: must hold at least two bins of {bin:g} ms and fit into the window "
            f"({spikes.duration:g} ms), got {length:g} ms"
        )
    return Spectrum(*welch(rate, fs=1e3 / bin, nperseg=size))


def check_spikes(spikes: Spikes, owner: str, timed: bool = True) -> None:
    """Raise unless `spikes` are `Spikes` of at least one element, in a window longer than 0 where that matters."""
    if not isinstance(spikes, Spikes):
        hint = "; of a batch take one stimulus, spikes[0]" if isinstance(spikes, tuple) else ""
        raise ParameterError(f"{owner}: must get Spikes, got {type(spikes).__name__}{hint}")
    if spikes.n == 0:
        raise ParameterError(f"{owner}: needs Spikes of at least one element, got n=0")
    if timed and spikes.duration <= 0:
        raise ParameterError(
            f"{owner}: needs a window longer than 0 ms, got Spikes on [{spikes.t_start:g}, {spikes.t_stop:g}] ms"
        )


def binned(
    spikes: Spikes, bin: float, owner: str, field: str = "bin", minimum: int = 1
) -> tuple[int, NDArray[np.int64], NDArray[np.int32]]:
    """Number of whole bins in the window, then bin and element of each spike that lies in one of them.

    Bins are ``[lo, hi)``; the last one includes its end where that is the end of the window.
    """
    check_spikes(spikes, owner)
    width = as_values(bin, f"{owner}.{field}", "ms", "> 0", scalar=True)
    steps = int(spikes.duration / width + _EDGE)
    if steps < minimum:
        raise ParameterError(
            f"{owner}.{field}: at least {minimum} must fit into the window ({spikes.duration:g} ms), got {width:g} ms"
        )
    step = ((spikes.times - spikes.t_start) / width + _EDGE).astype(np.int64)
    if spikes.duration / width < steps + _EDGE:
        step = np.minimum(step, steps - 1)
    keep = step < steps
    return steps, step[keep], spikes.ids[keep]

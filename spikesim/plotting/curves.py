"""Rates over time and histograms of rates and irregularity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.firing import cv_isi, psth, rates
from spikesim.plotting.common import Groups, as_groups, axes_or_new, colours, named, span
from spikesim.spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 40  # in a histogram, about


def population_rate(spikes: Spikes | Mapping[str, Spikes], ax: Axes | None = None, *, bin: float | None = None) -> Axes:
    """Population rate over time, one line per population.

    Parameters
    ----------
    spikes : Spikes or mapping of str to Spikes
        One population, or several by name.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.
    bin : float, optional
        Bin width in ms; chosen from the duration without it. The label states it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If `spikes` holds no Spikes, a population has no element, the window is empty or no bin fits.
    """
    groups = as_groups(spikes, "population_rate")
    ax = axes_or_new(ax)
    draw_rate(ax, groups, bin)
    return named(ax, groups)


def rate_histogram(spikes: Spikes | Mapping[str, Spikes], ax: Axes | None = None) -> Axes:
    """Distribution of the rates of single elements, one outline per population.

    Bins are whole multiples of the smallest difference in rate (one spike more), so that none stays empty by
    arithmetic.

    Parameters
    ----------
    spikes : Spikes or mapping of str to Spikes
        One population, or several by name.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If `spikes` holds no Spikes, a population has no element, or the window is empty.
    """
    groups = as_groups(spikes, "rate_histogram")
    ax = axes_or_new(ax)
    draw_rates(ax, groups)
    return named(ax, groups)


def cv_histogram(spikes: Spikes | Mapping[str, Spikes], ax: Axes | None = None, *, min_isi: int = 2) -> Axes:
    """Distribution of the CV of interspike intervals, one outline per population; 1 is a Poisson train.

    Parameters
    ----------
    spikes : Spikes or mapping of str to Spikes
        One population, or several by name.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.
    min_isi : int, default 2
        Elements with fewer intervals are left out.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If `spikes` holds no Spikes, a population has no element, or `min_isi` is below 2.
    """
    groups = as_groups(spikes, "cv_histogram")
    ax = axes_or_new(ax)
    draw_cvs(ax, groups, min_isi)
    return named(ax, groups)


def draw_rate(ax: Axes, groups: Groups, bin: float | None) -> None:
    """Lines of the population rates, with labels but no legend."""
    width = _auto_bin(groups) if bin is None else bin
    for (name, spikes), colour in zip(groups.items(), colours(groups), strict=True):
        rate = psth(spikes, width).rate
        edges = spikes.t_start + width * np.arange(rate.size + 1)
        ax.stairs(rate, edges, baseline=None, lw=0.9, color=colour, label=name)
    ax.set_xlim(*span(groups))
    ax.set_ylim(0.0, None if any(len(s) for s in groups.values()) else 1.0)
    ax.set_xlabel(f"time (ms), bins of {width:g} ms")
    ax.set_ylabel("rate (Hz)")


def draw_rates(ax: Axes, groups: Groups) -> None:
    """Histogram of rates, with labels but no legend."""
    values = [rates(spikes) for spikes in groups.values()]
    step = max(1e3 / spikes.duration for spikes in groups.values())
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    width = step * max(1.0, np.ceil((high - low) / (_BINS * step)))
    edges = low + width * np.arange(int((high - low) / width + 1e-6) + 2)
    _outlines(ax, groups, [v + 1e-6 * step for v in values], edges)  # rates lie on edges: keep rounding off them
    ax.set_xlim(0.0, edges[-1])
    ax.set_xlabel("rate of a neuron (Hz)")


def draw_cvs(ax: Axes, groups: Groups, min_isi: int) -> None:
    """Histogram of the CV of interspike intervals, with labels but no legend."""
    values = [cv_isi(spikes, min_isi) for spikes in groups.values()]
    values = [v[np.isfinite(v)] for v in values]
    top = max([1.5, *(1.02 * v.max() for v in values if v.size)])
    _outlines(ax, groups, values, np.linspace(0.0, top, _BINS + 1))
    ax.set_xlim(0.0, top)
    ax.set_xlabel(f"CV of ISI (neurons with ≥ {min_isi} intervals)")
    if not any(v.size for v in values):
        ax.set_ylim(0.0, 1.0)
        text = f"no neuron has {min_isi + 1} spikes"
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color="0.4")


def _outlines(ax: Axes, groups: Groups, values: list[NDArray[np.float64]], edges: NDArray[np.float64]) -> None:
    for (name, spikes), colour, v in zip(groups.items(), colours(groups), values, strict=True):
        share = np.histogram(v, edges)[0] / spikes.n
        ax.stairs(share, edges, fill=True, color=colour, alpha=0.15)
        ax.stairs(share, edges, color=colour, lw=1.2, label=name)
    ax.set_ylim(bottom=0.0)
    ax.set_ylabel("fraction of neurons")


def _auto_bin(groups: Groups) -> float:
    """Bin width in ms, 1, 2 or 5 times a power of ten: 500 bins, or fewer (down to 50) to hold five spikes each."""
    start, stop = span(groups)
    fewest = min((len(s) for s in groups.values() if len(s)), default=1)
    width = (stop - start) / min(500.0, max(50.0, fewest / 5))
    decade = 10.0 ** np.floor(np.log10(width))
    return float(next(m * decade for m in (1, 2, 5, 10) if m * decade >= width * (1 - 1e-9)))

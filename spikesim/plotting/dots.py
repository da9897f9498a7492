"""Raster plots."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from spikesim.parameters import as_count
from spikesim.plotting.common import Groups, as_groups, axes_or_new, colours, span
from spikesim.plotting.curves import draw_rate
from spikesim.spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS = 20_000  # drawn in one raster at most
_LEAST_ROWS = 20  # drawn of the largest population: fewer show no pattern
_LEAST_BAND = 0.05  # height every band gets, in parts of the raster; what is left goes by population size

Band = tuple[float, float]


def raster(
    spikes: Spikes | Mapping[str, Spikes],
    ax: Axes | None = None,
    *,
    rate: bool = False,
    bin: float | None = None,
    limit: int = DOTS,
) -> Axes:
    """Raster plot: time to the right, one row per element, one dot per spike.

    Several populations are stacked, the first on top, each in a band of its own colour. Where there are more
    than `limit` spikes, every k-th element is drawn, and the title says so.

    Parameters
    ----------
    spikes : Spikes or mapping of str to Spikes
        One population, or several by name.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.
    rate : bool, default False
        Also draw the population rate below; that panel is the last of ``ax.figure.axes``.
    bin : float, optional
        Bin width of the rate in ms; chosen from the duration without it.
    limit : int, default 20,000
        Largest number of dots.

    Returns
    -------
    matplotlib Axes
        The raster.

    Raises
    ------
    ParameterError
        If `spikes` holds no Spikes, a population has no element, or the window is empty.
    """
    groups = as_groups(spikes, "raster")
    stride, thinned = _thin(groups, as_count(limit, "raster.limit"))
    ax = axes_or_new(ax)
    below = _split(ax) if rate else None
    bands = _bands(groups)
    rows = max(sum(s.n for s in groups.values()) / stride, 1)
    height = ax.get_window_extent().height / ax.figure.dpi * 72 / rows
    for (name, dots), (low, high), colour in zip(thinned.items(), bands, colours(groups), strict=True):
        y = low + (dots.ids + 0.5) * (high - low) / dots.n
        size = float(np.clip(0.8 * height, 1.5, 12.0))
        ax.plot(
            dots.times, y, "|", ms=size, mew=min(0.8, size / 2), color=colour, label=name, rasterized=len(dots) > 2000
        )
    _label_bands(ax, groups, bands)
    start, stop = span(groups)
    ax.set_xlim(start, stop)
    ax.set_xlabel("time (ms)")
    total, drawn = _size(groups), _size(thinned)
    if total == 0:
        ax.text(0.5, 0.5, "no spikes", transform=ax.transAxes, ha="center", va="center", color="0.4")
    if drawn < total:
        share = f"1 in {stride} neurons, " if stride > 1 else ""
        ax.set_title(f"drawn: {share}{drawn:,} of {total:,} spikes", loc="right", fontsize="small", color="0.3")
    if below is not None:
        draw_rate(below, groups, bin)
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    return ax


def _thin(groups: Groups, limit: int) -> tuple[int, Groups]:
    """Every k-th element of all populations, k as small as `limit` allows; few busy elements lose spikes instead."""

    def every(k: int) -> Groups:
        return {name: _keep(s, s.ids % k == 0) for name, s in groups.items()} if k > 1 else groups

    most = max(1, max(s.n for s in groups.values()) // _LEAST_ROWS)
    stride = min(max(1, math.ceil(_size(groups) / limit)), most)
    thinned = every(stride)
    while _size(thinned) > limit and stride < most:
        stride += 1
        thinned = every(stride)
    step = math.ceil(_size(thinned) / limit)
    if step > 1:
        thinned = {name: _keep(s, np.arange(len(s)) % step == 0) for name, s in thinned.items()}
    return stride, thinned


def _size(groups: Groups) -> int:
    return sum(len(s) for s in groups.values())


def _keep(spikes: Spikes, mask: np.ndarray) -> Spikes:
    return Spikes(spikes.times[mask], spikes.ids[mask], spikes.n, spikes.t_stop, spikes.t_start)


def _bands(groups: Groups) -> list[Band]:
    """Bottom and top of each population's rows: element numbers for one, shares of the height for several."""
    if len(groups) == 1:
        return [(-0.5, next(iter(groups.values())).n - 0.5)]
    sizes = np.array([s.n for s in groups.values()], dtype=np.float64)
    least = min(_LEAST_BAND, 0.75 / sizes.size)
    shares = least + (1.0 - least * sizes.size) * sizes / sizes.sum()
    edges = np.concatenate(([1.0], 1.0 - np.cumsum(shares[:-1]), [0.0]))
    return [(low, high) for high, low in pairwise(edges.tolist())]


def _label_bands(ax: Axes, groups: Groups, bands: list[Band]) -> None:
    ax.set_ylim(bands[-1][0], bands[0][1])
    if len(groups) == 1:
        name = next(iter(groups))
        ax.set_ylabel(f"neuron ({name})" if name else "neuron")
        return
    for low, _ in bands[:-1]:
        ax.axhline(low, color="0.8", lw=0.6, zorder=0)
    labels = [f"{name} ({s.n:,})" for name, s in groups.items()]
    ax.set_yticks([(low + high) / 2 for low, high in bands], labels)
    ax.tick_params(axis="y", length=0)
    for tick, colour in zip(ax.get_yticklabels(), colours(groups), strict=True):
        tick.set_color(colour)
        tick.set_fontsize("medium" if len(groups) <= 4 else "small" if len(groups) <= 10 else "x-small")


def _split(ax: Axes) -> Axes:
    """Make room in `ax` for a panel below on the same time axis, and return that panel."""
    spec = ax.get_subplotspec()
    if spec is not None:
        inner = spec.subgridspec(2, 1, height_ratios=(3, 1), hspace=0.08)
        ax.set_subplotspec(inner[0])
        return ax.figure.add_subplot(inner[1], sharex=ax)
    x, y, width, height = ax.get_position().bounds
    ax.set_position((x, y + 0.27 * height, width, 0.73 * height))
    return ax.figure.add_axes((x, y, width, 0.24 * height), sharex=ax)

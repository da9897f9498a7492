"""Figures of benchmarks: bars by default, lines over what a row stands for, distributions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.activity import BINS, MEASURES
from benchmarks.report import number
from spikesim.plotting.common import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]
Y = Callable[[Mapping[str, Any]], tuple[float, float, float] | None]
MUCH = 20.0
UNITS = {"run_s": "run time (s)", "build_s": "build time (s)", "total_s": "time (s)"}


def new(columns: int = 1, rows: int = 1, width: float = 7.0, height: float = 4.0) -> tuple[Figure, Any]:
    """A figure and its axes."""
    from matplotlib.figure import Figure  # here: its import takes a while, and not of pyplot, which keeps all figures

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def measured(rows: Rows, key: str) -> list[Mapping[str, Any]]:
    """Rows of sides for which `key` was measured."""
    return [row for row in rows if "side" in row and row.get(key)]


def bars(rows: Rows, key: str = "run_s", label: str | None = None) -> Figure:
    """One bar per side, its median with the range over it; dots on a logarithmic axis where they differ much."""
    kept = measured(rows, key)
    groups = list(dict.fromkeys(row["group"] for row in kept))
    figure, axes = new(height=1.2 + 0.35 * max(2, len(kept) + len(groups) - 1))
    ax = axes[0, 0]
    names = list(dict.fromkeys(["ours", *(row["name"] for row in kept)]))
    values = [row[key]["median"] for row in kept]
    logarithmic = max(values) > MUCH * min(values)
    heights = [k + groups.index(row["group"]) for k, row in enumerate(kept)]
    for height, row in zip(heights, kept, strict=True):
        v, colour = row[key], COLOURS[names.index(row["name"]) % len(COLOURS)]
        if logarithmic:
            ax.plot(v["median"], height, "o", color=colour, markersize=8)
        else:
            ax.barh(height, v["median"], color=colour, height=0.75)
        ax.plot([v["min"], v["max"]], [height, height], color="black", linewidth=1.5)
        ax.annotate(
            number(v["median"]), (v["max"], height), (8, 0), textcoords="offset points", va="center", fontsize=9
        )
    ax.set_yticks(heights, [row["side"] for row in kept])
    ax.set_ylim(heights[-1] + 0.8, -0.8)
    if logarithmic:
        _logarithmic(ax, "x")
        ax.grid(axis="y", linewidth=0.4)
        ax.margins(x=0.2)
    else:
        ax.set_xlim(0.0, 1.15 * max(row[key]["max"] for row in kept))
    ax.set_xlabel(label or UNITS.get(key, key))
    _frame(ax)
    if kept:
        ax.set_title(kept[0]["benchmark"], fontsize=10)
    return figure


def _logarithmic(ax: Axes, name: str) -> None:
    """A logarithmic axis with readable numbers, also where it spans less than a decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(ax, f"set_{name}scale")("log")
    axis = getattr(ax, f"{name}axis")
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 50 * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())


def lines(ax: Axes, rows: Rows, x: str, key: str, by: Callable[[Mapping[str, Any]], str], scale: float = 1.0) -> None:
    """A line per value of `by`: medians of `key` over `x` (in ``row["at"]`` or the row itself), with their ranges."""
    kept = [row for row in measured(rows, key) if x in row["at"] or row.get(x) is not None]
    for k, name in enumerate(dict.fromkeys(by(row) for row in kept)):
        mine = sorted(((_x(row, x), row[key]) for row in kept if by(row) == name), key=lambda pair: pair[0])
        at, values = [m[0] for m in mine], [m[1] for m in mine]
        middle, low, high = (np.array([v[part] for v in values]) * scale for part in ("median", "min", "max"))
        spread = np.abs([middle - low, high - middle])
        ax.errorbar(at, middle, spread, marker="o", markersize=4, color=COLOURS[k % len(COLOURS)], label=name)
    _frame(ax)


def _x(row: Mapping[str, Any], x: str) -> float:
    value = row["at"][x] if x in row["at"] else row[x]
    return float(value["median"] if isinstance(value, Mapping) else value)


def _frame(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)


def finish(ax: Axes, x: str, y: str, log: Iterable[str] = ("x", "y"), legend: bool = True) -> None:
    """Labels, logarithmic axes and a legend."""
    _frame(ax)
    for axis in log:
        _logarithmic(ax, axis)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if legend and ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize="small")


def distributions(rows: Rows) -> Figure:
    """Histograms of rate, CV and correlation by population, one line per side."""
    found = [row for row in rows if "population" in row]
    figure, axes = new(len(found), len(MEASURES), width=2.0 * len(found), height=5.5)
    titles = {"rate": "rate (Hz)", "cv": "CV of intervals", "correlation": "correlation"}
    for column, row in enumerate(found):
        for line, measure in enumerate(MEASURES):
            ax = axes[line, column]
            for k, (side, density) in enumerate(row["histogram"][measure].items()):
                ax.stairs(density, BINS[measure], color=COLOURS[k], label=side, linewidth=1.2)
            ax.set_yticks([])
            ax.set_xlabel(titles[measure], fontsize=8)
            ax.tick_params(labelsize=7)
            _frame(ax)
        axes[0, column].set_title(row["population"], fontsize=9)
    if found:
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False, fontsize=9)
    return figure

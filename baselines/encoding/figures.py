"""Pictures of a run: the same sample under every code, accuracy against spikes and time, faults."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from baselines.encoding.plan import Plan
from baselines.encoding.presentation import present
from spikesim.plotting import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Fill = Callable[[BinaryIO], object]
FAMILIES = ("binary", "rate", "temporal", "latency", "population", "signal", "library")
_COLOUR = dict(zip(FAMILIES, (*COLOURS[:6], "#888888"), strict=True))
_SHOWN = 60  # neurons of a raster at most


def rasters(plan: Plan, document: dict[str, Any]) -> Fill:
    """The first test sample under every code, with the budget in the middle."""
    rows = _middle(document["rows"])
    width = min(4, len(rows))
    height = math.ceil((len(rows) + 1) / width)
    figure = _figure(3.1 * width, 0.5 + 1.75 * height)
    axes = figure.subplots(height, width, squeeze=False).ravel()
    _input(axes[0], plan)
    for ax, row in zip(axes[1:], rows, strict=False):
        _raster(ax, plan, row)
    for ax in axes[len(rows) + 1 :]:
        ax.axis("off")
    figure.suptitle(f"The first test sample of {document['title']}; time in ms", fontsize=10)
    return _saved(figure)


def _input(ax: Axes, plan: Plan) -> None:
    x, rows = plan.material.test.x[0], plan.material.rows
    ax.imshow(x.reshape(rows) if rows else x.T, cmap="gray_r", aspect="equal" if rows else "auto", origin="upper")
    ax.set_title("input" if rows else "input (frames →)", fontsize=8)
    ax.set_xticks([])
    ax.set_yticks([])


def _raster(ax: Axes, plan: Plan, row: dict[str, Any]) -> None:
    shown = present(row["encoder"], plan.material, row["budget"])
    spikes = shown.sample(shown.spikes(plan.material.test.x[:1], 0), 0)
    few = min(shown.neurons, _SHOWN)
    first = (shown.neurons - few) // 2
    mine = (spikes.ids >= first) & (spikes.ids < first + few)
    size = max(2.5, min(6.0, 150 / few))
    ax.plot(spikes.times[mine] + 0.5, spikes.ids[mine], "|", ms=size, mew=0.9, color=_COLOUR[row["family"]])
    ax.set_xlim(0, shown.steps)
    ax.set_ylim(first + few - 0.5, first - 0.5)
    ax.set_yticks([])
    ax.tick_params(axis="x", labelsize=7)
    part = f", {few} of {shown.neurons} neurons" if few < shown.neurons else ""
    ax.set_title(f"{row['encoder']}: {len(spikes)} spikes{part}", fontsize=7)


def trade_offs(plan: Plan, document: dict[str, Any]) -> Fill:
    """Accuracy (information without labels) against spikes, and against time."""
    rows = document["rows"]
    labelled = bool(document["classifiers"])
    figure = _figure(11.0, 5.2)
    left, right = figure.subplots(1, 2)
    _against_spikes(left, document, labelled)
    if labelled:
        _over_time(right, document)
    else:
        for row in rows:
            y = 60.0 if row["snr_db"] is None else min(row["snr_db"], 60.0)
            right.plot(max(row["spikes_per_sample"], 0.1), y, "o", color=_COLOUR[row["family"]], ms=5)
        right.set_xscale("log")
        right.set_xlabel("spikes per sample")
        right.set_ylabel("signal to noise (dB, 60 at most)")
    for family in dict.fromkeys(row["family"] for row in rows):
        left.plot([], [], "o", color=_COLOUR[family], label=family)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=8, frameon=False, fontsize=8)
    figure.suptitle(f"Codes on {document['title']}", fontsize=11)
    return _saved(figure)


def _against_spikes(ax: Axes, d: dict[str, Any], labelled: bool) -> None:
    for name in dict.fromkeys(row["encoder"] for row in d["rows"]):
        mine = [row for row in d["rows"] if row["encoder"] == name]
        x = [max(row["spikes_per_sample"], 0.1) for row in mine]
        y = [100 * row["accuracy"] if labelled else row["mutual_information_bits"] for row in mine]
        colour = _COLOUR[mine[0]["family"]]
        ax.plot(x, y, "-", color=colour, lw=0.6, alpha=0.5)
        for row, a, b in zip(mine, x, y, strict=True):
            ax.plot(a, b, "o", ms=7 if row["pareto"] else 3.5, color=colour, mec="black" if row["pareto"] else "none")
    for row in d["rows"]:
        if row["recommended"]:
            y = 100 * row["accuracy"] if labelled else row["mutual_information_bits"]
            where = (max(row["spikes_per_sample"], 0.1), y)
            ax.annotate(f"recommended: {row['encoder']}, {row['budget']}", where, (0, -40), textcoords="offset points",
                        fontsize=8, ha="center", arrowprops={"arrowstyle": "-", "lw": 0.6})  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlabel("spikes per sample")
    ax.set_ylabel(f"test accuracy, {d['classifiers'][0]} (%)" if labelled else "mutual information (bits per value)")
    which = " on validation data" if labelled else ""
    ax.set_title(f"each code with every budget; ringed: none better with as few spikes{which}", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)


def _over_time(ax: Axes, d: dict[str, Any]) -> None:
    rows = _middle(d["rows"])
    for row in rows:
        r = row["readouts"][d["classifiers"][0]]
        if len(r["times_ms"]) > 1:
            ax.plot(
                r["times_ms"], 100 * np.array(r["accuracy_over_time"]), color=_COLOUR[row["family"]], lw=1, alpha=0.8
            )
    ax.set_xlabel("time (ms)")
    ax.set_ylabel("test accuracy so far (%)")
    ax.set_title(f"decision over time, {d['classifiers'][0]}, middle budget", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)


def faults(plan: Plan, document: dict[str, Any]) -> Fill:
    """Accuracy lost under each fault, in percentage points."""
    rows = _middle(document["rows"])
    figure = _figure(7.5, 1.4 + 0.24 * len(rows))
    ax = figure.subplots()
    if not document["classifiers"]:
        ax.axis("off")
        ax.text(0.5, 0.5, "no labels: no accuracy to lose", ha="center")
        return _saved(figure)
    name = document["classifiers"][0]
    names = list(rows[0]["readouts"][name]["robustness"])
    readings = [row["readouts"][name] for row in rows]
    lost = np.array([[100 * (r["accuracy"] - r["robustness"][n]) for n in names] for r in readings])
    most = max(10.0, float(lost.max()))
    image = ax.imshow(lost, cmap="magma_r", aspect="auto", vmin=0, vmax=most)
    for i, j in np.ndindex(lost.shape):
        ax.text(j, i, f"{lost[i, j]:.0f}", ha="center", va="center", fontsize=7,
                color="white" if lost[i, j] > 0.6 * most else "black")  # fmt: skip
    ax.set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=8)
    labels = [f"{row['encoder']} ({100 * r['accuracy']:.0f} %)" for row, r in zip(rows, readings, strict=True)]
    ax.set_yticks(range(len(rows)), labels, fontsize=7)
    figure.colorbar(image, ax=ax, label="accuracy lost (percentage points)")
    ax.set_title(f"Under faults, {name}, middle budget, {document['title']}", fontsize=9)
    return _saved(figure)


def _middle(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a code: the budget in the middle of those that worked."""
    by_code: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_code.setdefault(row["encoder"], []).append(row)
    return [mine[len(mine) // 2] for mine in by_code.values()]


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # no display, no global state
    return figure


def _saved(figure: Figure) -> Fill:
    return lambda file: figure.savefig(file, dpi=130, format="png")


FIGURES: dict[str, Callable[[Plan, dict[str, Any]], Fill]] = {
    "rasters.png": rasters,
    "trade_offs.png": trade_offs,
    "faults.png": faults,
}

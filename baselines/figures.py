"""Figures of the report: one input on its way through the twin, both sides beside each other, and the details."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.contract import Example, Fill
from baselines.words import Measured, capital, multiple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ANN, SNN, CORE = "#0072B2", "#E69F00", "#D55E00"  # Okabe & Ito: distinct for colour-blind readers too
_ITEMS = {
    "arithmetic": ("multiply-accumulates", "accumulates", "biases", "activation functions"),
    "weight reads": ("weight reads", "weight reads for spikes"),
    "neuron updates": ("neuron updates", "state traffic", "state traffic of spikes", "spikes"),
    "activations and spikes": ("activation traffic", "spike traffic"),
    "encoder, decoder, addresses": ("encoder", "decoder", "addressing", "addressing of spikes"),
}
_SHOWN = ("horowitz-fp32-naive", "horowitz-fp32-sram", "horowitz-int8-sram", "horowitz-int8-dram", "lemaire-2022")
_SHADES = ("#440154", "#3B528B", "#21918C", "#5EC962", "#BBBBBB")
_ABOVE: dict[str, Any] = {
    "ha": "center",
    "va": "bottom",
    "fontsize": 8,
    "bbox": {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
}
_MARKS = "osD^v<>"
_TALLEST = 12.0  # inches
_LONG = 6  # times longer than high: such a picture fills its place instead of keeping its shape


def draw_raster(example: Example, title: str) -> Fill:
    """Picture of one inference: the input, the spikes of every layer, and how often each output fired."""
    layers = list(example.layers.items())
    heights = [0.5 + np.log10(1 + spikes.n) for _, spikes in layers]
    figure = new_figure(9.0, 1.0 + min(0.9 * sum(heights), _TALLEST))
    grid = figure.add_gridspec(len(layers), 3, width_ratios=(1.5, 5, 1.3), height_ratios=heights)
    first = None
    for row, (name, spikes) in enumerate(layers):
        ax = figure.add_subplot(grid[row, 1], sharex=first)
        first = first or ax
        last = row == len(layers) - 1
        size = 9.0 if spikes.n <= 20 else 2.5
        ax.plot(spikes.times, spikes.ids, "|" if spikes.n <= 20 else ".", ms=size, color=CORE if last else "black")
        ax.set_ylim(spikes.n - 0.5 + 0.02 * spikes.n, -0.5 - 0.02 * spikes.n)
        ax.set_xlim(0, spikes.t_stop + 0.5)
        ax.set_ylabel(f"{name}\n({spikes.n})")
        ax.locator_params(axis="y", integer=True)
        ax.tick_params(labelbottom=last)
        ax.set_title(f"{len(spikes):,} spikes", loc="right", fontsize=8, pad=2)
        if last:
            ax.set_xlabel("time (ms); one time step is 1 ms")
            ax.set_yticks(range(spikes.n) if spikes.n <= 20 else [])
            ax.tick_params(axis="y", labelsize=8)
            _counts(figure.add_subplot(grid[row, 2], sharey=ax), spikes.counts())
    _picture(figure.add_subplot(grid[0, 0]), example)
    figure.suptitle(f"{capital(title)}\nfirst test input: {example.title}", fontsize=10)
    return lambda file: figure.savefig(file, dpi=150, format="png")


def draw_comparison(f: dict[str, Any]) -> Fill:
    """Picture of one family's report: metric, operations, energies relative to the ANN, break-even."""
    figure = new_figure(11.0, 7.5)
    axes = figure.subplots(2, 2)
    _metric(axes[0, 0], f)
    _operations(axes[0, 1], f)
    _energies(axes[1, 0], f)
    _break_even(axes[1, 1], f)
    figure.suptitle(_headline(f), fontsize=11)
    return lambda file: figure.savefig(file, dpi=110, format="png")


def draw_detail(f: dict[str, Any]) -> Fill | None:
    """Picture of what lies behind: spread over price tables, learning; steps and thresholds, confusions if known."""
    full = bool(f["pareto"])
    if not full and not f["metrics"][1:]:
        return None
    panels = (_pareto, _spread, _learning, _confusions) if full else (_spread, _learning)
    figure = new_figure(11.0, 4.0 * len(panels) // 2)
    for ax, panel in zip(figure.subplots(len(panels) // 2, 2).flat, panels, strict=True):
        panel(ax, f)
    figure.suptitle(_headline(f), fontsize=11)
    return lambda file: figure.savefig(file, dpi=110, format="png")


def draw_exhibits(f: dict[str, Any]) -> Fill | None:
    """Picture of the curves of the exhibits, if there are any."""
    drawn = [e for e in f["exhibits"].values() if e["curves"]]
    if not drawn:
        return None
    figure = new_figure(5.5 * len(drawn), 3.8)
    for ax, e in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
        for i, (label, x, y) in enumerate(e["curves"]):
            ax.plot(x, y, f"{_MARKS[i % len(_MARKS)]}-", ms=4, label=label)
        ax.set_xlabel(e["axes"][0])
        ax.set_ylabel(e["axes"][1])
        ax.set_title(e["title"], fontsize=10)
        ax.legend(fontsize=8, frameon=False)
        _plain(ax)
    return lambda file: figure.savefig(file, dpi=110, format="png")


DRAWINGS: dict[str, Callable[[dict[str, Any]], Fill | None]] = {
    "comparison": draw_comparison,
    "detail": draw_detail,
    "exhibits": draw_exhibits,
}


def _headline(f: dict[str, Any]) -> str:
    seeds = f"{f['seeds']} {'seed' if f['seeds'] == 1 else 'seeds'}"
    return f"{capital(f['title'])} and its spiking twin, {f['task_title']}, {seeds}"


def new_figure(width: float, height: float) -> Figure:
    """Empty figure that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # no display, no global state: works in terminals, servers and notebooks alike
    return figure


def _plain(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)


def _picture(ax: Axes, example: Example) -> None:
    ax.axis("off")
    if example.image is not None and example.image.ndim >= 2:
        image = example.image.mean(axis=tuple(range(example.image.ndim - 2)))  # frames and channels in one picture
        fill = max(image.shape) > _LONG * min(image.shape)
        ax.imshow(image, cmap="gray_r", interpolation="nearest", aspect="auto" if fill else "equal")
        ax.set_title(example.shows, fontsize=9)


def _counts(ax: Axes, counts: np.ndarray) -> None:
    winner = int(np.argmax(counts))
    ax.barh(range(len(counts)), counts, color=[CORE if i == winner else "0.75" for i in range(len(counts))])
    ax.set_xlabel("spikes")
    ax.locator_params(axis="x", integer=True)
    ax.tick_params(labelleft=False)
    _plain(ax)


def _metric(ax: Axes, f: dict[str, Any]) -> None:
    metric, all_scores = Measured.of(f), []
    for x, (side, colour) in enumerate((("ann", ANN), ("snn", SNN), ("replay", CORE))):
        scores = [metric.factor * record[side]["score"] for record in f["per_seed"]]
        all_scores += scores
        ax.plot(np.full(len(scores), x), scores, "o", color=colour, alpha=0.6, ms=7, mec="none")
        ax.plot([x - 0.25, x + 0.25], [np.mean(scores)] * 2, color=colour, lw=2.5)
        ax.text(x + 0.29, np.mean(scores), f"{np.mean(scores):{metric.digits}}", va="center", fontsize=9)
    ax.set_xticks(range(3), ["ANN", "SNN in torch", "SNN in the core"])
    ax.set_xlim(-0.5, 2.7)
    low, high = min(all_scores), max(all_scores)
    least = 1.0 if metric.percent else 0.1 * abs(high)  # from bottom to top
    margin = max(0.25 * (high - low), 0.5 * (least - (high - low)))
    ax.set_ylim(low - margin, high + margin)
    ax.set_ylabel(f"test {metric.label}")
    ax.set_title(f"{capital(metric.name)}: every seed, and the mean", fontsize=10)
    _plain(ax)


def _operations(ax: Axes, f: dict[str, Any]) -> None:
    ann, core = f["ann"], f["replay"]
    bars = [
        ("multiply-accumulates", ann["macs"], ANN),
        ("… with input not zero", ann["macs_with_nonzero_input"], ANN),
        ("synaptic events", core["synaptic_events"], CORE),
        ("neuron updates", core["neuron_updates"], CORE),
        ("encoder spikes", core["spikes_per_input"], CORE),
        ("neuron spikes", core["spikes_per_neuron"] * core["neurons"], CORE),
    ]
    for y, (_, value, colour) in enumerate(bars):
        ax.barh(y, value, color=colour)
        ax.text(value * 1.15, y, f"{value:,.0f}", va="center", fontsize=8)
    ax.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    ax.invert_yaxis()
    ax.set_xscale("log")
    values = [value for _, value, _ in bars if value]
    ax.set_xlim(10 ** np.floor(np.log10(min(values) / 2)), 8 * max(values))
    ax.set_xlabel("per inference (log scale)")
    ax.set_title("Operations: ANN (blue), twin (orange)", fontsize=10)
    _plain(ax)


def _energies(ax: Axes, f: dict[str, Any]) -> None:
    priced = [e for name, e in f["energy"].items() if name in _SHOWN and e["ann"] and e["snn"]]
    for x, e in enumerate(priced):
        for side, shift in (("ann", -0.2), ("snn", 0.2)):
            bottom, items = 0.0, e["items"][side]
            for shade, names in zip(_SHADES, _ITEMS.values(), strict=True):
                height = sum(items[name] for name in names) / e["ann"]
                ax.bar(x + shift, height, 0.36, bottom=bottom, color=shade)
                bottom += height
            ax.annotate(multiple(bottom), (x + shift, bottom), (0, 3), textcoords="offset points", **_ABOVE)
            ax.text(
                x + shift, -0.02, side.upper(), ha="center", va="top", fontsize=8, transform=ax.get_xaxis_transform()
            )
    ax.axhline(1.0, color="0.4", lw=0.8, ls="--")
    ax.set_xticks(range(len(priced)), ["\n" + e["title"].replace(" ", "\n", 1) for e in priced], fontsize=8)
    ax.tick_params(axis="x", length=0)
    for shade, name in zip(_SHADES, _ITEMS, strict=True):
        ax.bar(0, 0, color=shade, label=name)
    ax.set_ylim(0, 1.5 * max([1.0, *(e["snn"] / e["ann"] for e in priced)]))  # room for the legend above the bars
    ax.legend(fontsize=8, frameon=False, loc="upper left", ncols=2)
    ax.set_ylabel("energy / energy of the ANN")
    ax.set_title("Energy, estimated", fontsize=10)
    _plain(ax)


def _break_even(ax: Axes, f: dict[str, Any]) -> None:
    rows = [
        (f["energy"][name]["title"], e)
        for name, e in f["break_even"].items()
        if name in _SHOWN and e["spikes_per_synapse"] is not None
    ]
    for y, (_, e) in enumerate(rows):
        ax.barh(y, e["spikes_per_synapse"], color=ANN, alpha=0.35, height=0.5)
        label = (
            f" {e['spikes_per_synapse']:.3g}" if e["spikes_per_synapse"] else " none: fixed costs alone exceed the ANN"
        )
        ax.text(0, y, label, va="center", fontsize=8)
    counted = rows[0][1]["measured"] if rows else 0.0
    ax.axvline(counted, color=CORE, lw=2)
    ax.text(counted, len(rows) - 0.4, f" counted: {counted:.3g}", color=CORE, va="center", fontsize=9)
    ax.set_yticks(range(len(rows)), [title.replace(" ", "\n", 1) for title, _ in rows])
    ax.set_ylim(len(rows) - 0.2, -0.6)
    ax.set_xlim(0, 1.3 * max([counted, *(e["spikes_per_synapse"] for _, e in rows)]))
    ax.set_xlabel("spikes per synapse and inference")
    ax.set_title("Break-even: the twin is cheaper if the line lies within the bar", fontsize=10)
    _plain(ax)


def _pareto(ax: Axes, f: dict[str, Any]) -> None:
    """Score over energy; every point is the trained twin with other steps and thresholds."""
    p, table, metric = f["pareto"], f["pareto"]["table"], Measured.of(f)
    factor = metric.factor
    for mark, threshold in zip(_MARKS, sorted({q["threshold"] for q in p["points"]}), strict=False):
        mine = [q for q in p["points"] if q["threshold"] == threshold]
        x = [1e9 * q["energy"][table] for q in mine]
        ax.plot(x, [factor * q["score"] for q in mine], f"{mark}-", ms=5, lw=0.8, label=f"threshold × {threshold:g}")
        for q, at in zip(mine, x, strict=True):
            if threshold == 1.0:
                ax.annotate(f"{q['steps']}", (at, factor * q["score"]), (0, 5), textcoords="offset points", fontsize=7)
    front = sorted((q for q in p["points"] if q["front"]), key=lambda q: q["energy"][table])
    x = [1e9 * q["energy"][table] for q in front]
    ax.plot(x, [factor * q["score"] for q in front], color="0.6", lw=5, alpha=0.4, zorder=0, label="none better")
    for key, label, style in (("ann", "ANN", "-"), ("ann_skipping_zeros", "ANN skipping zeros", "--")):
        if f["energy"][table][key]:
            ax.axvline(1e9 * f["energy"][table][key], color=ANN, lw=1, ls=style, label=label)
    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(lambda value, place: "")
    ax.set_xlabel(f"energy per inference (nJ), {p['title']}")
    ax.set_ylabel(f"test {metric.label}")
    ax.set_title("Fewer steps (numbers), higher thresholds; not retrained", fontsize=10)
    ax.legend(fontsize=7, frameon=False)
    _plain(ax)


def _spread(ax: Axes, f: dict[str, Any]) -> None:
    """The same counts under every price table."""
    sides = (
        ("ann", "o", ANN, "ANN"),
        ("ann_skipping_zeros", "d", ANN, "ANN skipping zeros"),
        ("snn", "s", CORE, "twin"),
    )
    rows = [(e["title"], e) for e in f["energy"].values() if any(e.get(key) for key, *_ in sides)]
    for key, mark, colour, label in sides:
        known = [(1e9 * e[key], y) for y, (_, e) in enumerate(rows) if e.get(key)]
        if known:
            filled = colour if key != "ann_skipping_zeros" else "none"
            ax.plot(*zip(*known, strict=True), mark, color=colour, mfc=filled, ms=5, label=label)
    ax.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=7)
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set_xlabel("energy per inference (nJ)")
    ax.set_title("The spread over price tables (estimates)", fontsize=10)
    ax.grid(axis="x", color="0.9")
    ax.legend(fontsize=7, frameon=False, loc="lower left")
    _plain(ax)


def _learning(ax: Axes, f: dict[str, Any]) -> None:
    """Validation score over passes, every seed."""
    metric = Measured.of(f)
    own = f["validated"].startswith("validation ")
    factor = metric.factor if own else 1.0
    for side, colour, label in (("ann", ANN, "ANN"), ("snn", SNN, "SNN in torch")):
        for i, record in enumerate(f["per_seed"]):
            scores = [factor * score for _, score in record[side]["learning"]]
            ax.plot(
                range(1, len(scores) + 1), scores, ".-", color=colour, lw=1, ms=3, alpha=0.8, label=None if i else label
            )
    ax.set_xlabel("pass over the training data")
    ax.set_ylabel(f"validation {metric.label}" if own else f["validated"])
    ax.set_title("Learning", fontsize=10)
    ax.legend(fontsize=8, frameon=False, loc="best")
    _plain(ax)


def _confusions(ax: Axes, f: dict[str, Any]) -> None:
    """Answers of ANN and twin, side by side, classes in rows."""
    tables = [np.array(f[side]["confusion"], float) for side in ("ann", "replay")]
    if not all(t.size for t in tables):
        ax.axis("off")
        return
    rates = [t / np.maximum(t.sum(1, keepdims=True), 1) for t in tables]
    n = len(rates[0])
    both = np.concatenate([rates[0], np.full((n, 1), np.nan), rates[1]], axis=1)
    image = ax.imshow(both, cmap="viridis", vmin=0, vmax=1)
    ax.set_xticks([(n - 1) / 2, n + 1 + (n - 1) / 2], ["answered by the ANN", "answered by the twin"])
    ax.set_yticks(range(n) if n <= 12 else [])
    ax.set_ylabel("class")
    ax.figure.colorbar(image, ax=ax, shrink=0.6, label="fraction of the class")  # type: ignore[union-attr]
    ax.set_title("Confusions", fontsize=10)

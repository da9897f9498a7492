"""One picture per claim: every question with its interval, and the curves or the contestants beside it."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from baselines.claims.statistics import FAILS, HOLDS, OPEN
from baselines.contract import Fill
from baselines.figures import new_figure
from spikesim.plotting import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOUR = {HOLDS: "#009E73", FAILS: "#D55E00", OPEN: "#888888"}
_BARS = 6  # for which there is room at least
_SHORT = 0.5  # bars that do not hold their label
_WIDE = 46  # characters of a question on one line


def picture(c: dict[str, Any]) -> Fill:
    """Picture of one claim of the document."""
    units = [u for u in ("points", "factor") if any(a["unit"] == u for a in c["questions"])]
    counts = [sum(a["unit"] == u for a in c["questions"]) for u in units]
    figure = new_figure(13.0, max(4.2, 1.2 + 0.5 * sum(counts)))
    grid = figure.add_gridspec(len(units), 2, width_ratios=(1.5, 1), height_ratios=[n + 1 for n in counts])
    for row, unit in enumerate(units):
        _answers(figure.add_subplot(grid[row, 0]), [a for a in c["questions"] if a["unit"] == unit], unit)
    beside = figure.add_subplot(grid[:, 1])
    if c["curves"]["lines"]:
        _curves(beside, c)
    else:
        _contestants(beside, c)
    seeds = f"{c['seeds']} {'seed' if c['seeds'] == 1 else 'seeds'}"
    figure.suptitle(f"{c['title']}: {c['verdict']} ({seeds})", fontsize=12)
    return lambda file: figure.savefig(file, dpi=110, format="png")


def _answers(ax: Axes, answers: list[dict[str, Any]], unit: str) -> None:
    """Means and intervals; what lies right of the margin speaks for the claim."""
    from matplotlib.ticker import LogLocator, NullFormatter

    show = math.exp if unit == "factor" else lambda value: 100 * value
    for place, a in enumerate(answers):
        colour = _COLOUR[a["verdict"]]
        if a["low"] is not None:
            ax.plot([show(a["low"]), show(a["high"])], [place, place], color=colour, lw=3, solid_capstyle="butt")
        ax.plot(show(a["mean"]), place, "o" if a["decides"] else "D", color=colour, mfc=colour if a["decides"] else "w")
        ax.plot([show(a["margin"])] * 2, [place - 0.4, place + 0.4], color="black", lw=1, ls=":")
    if unit == "factor":
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.axvline(1.0, color="0.8", lw=0.8, zorder=0)
        ax.set_xlabel("factor; right of the dotted line speaks for the claim")
    else:
        ax.axvline(0.0, color="0.8", lw=0.8, zorder=0)
        ax.set_xlabel("points; right of the dotted line speaks for the claim")
    ax.set_yticks(range(len(answers)), ["\n".join(textwrap.wrap(a["title"], _WIDE)) for a in answers], fontsize=8)
    ax.set_ylim(len(answers) - 0.4, -0.6)
    for verdict, colour in _COLOUR.items():
        if any(a["verdict"] == verdict for a in answers):
            ax.plot([], [], color=colour, lw=3, label=verdict)
    if any(not a["decides"] for a in answers):
        ax.plot([], [], "D", color="0.4", mfc="w", label="does not decide")
    ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
    ax.margins(y=0.2)
    ax.set_ylim(len(answers) - 0.4, -1.2)
    ax.spines[["top", "right"]].set_visible(False)


def _curves(ax: Axes, c: dict[str, Any]) -> None:
    axis, chart = c["curves"]["axis"], c["chart"]
    for i, (label, line) in enumerate(c["curves"]["lines"].items()):
        colour, style = COLOURS[i % len(COLOURS)], ("-", "--")[i >= len(c["curves"]["lines"]) / 2]
        ax.plot(axis, [100 * p["mean"] for p in line], style, marker="o", ms=4, color=colour, label=label)
        if line[0]["low"] is not None:
            low, high = ([100 * max(0.0, min(1.0, p[end])) for p in line] for end in ("low", "high"))
            ax.fill_between(axis, low, high, color=colour, alpha=0.15, lw=0)
    if chart["log"]:
        ax.set_xscale("log", base=2)
    ax.set_xticks(axis, [f"{x:g}" for x in axis])
    ax.minorticks_off()
    ax.set(xlabel=chart["x"], ylabel=f"{chart['y']} (%), bands: 95 % intervals", title=chart["title"])
    ax.legend(fontsize=8, frameon=False)
    ax.spines[["top", "right"]].set_visible(False)


def _contestants(ax: Axes, c: dict[str, Any]) -> None:
    """Bars of what is a fraction."""
    shown = [m for m in c["measures"] if not m["name"].startswith("energy") and m["mean"] <= 1]
    for place, m in enumerate(shown):
        ax.barh(place, 100 * m["mean"], color=COLOURS[0] if "twin" not in m["title"] else COLOURS[1])
        if m["low"] is not None:
            ax.plot([100 * m["low"], 100 * m["high"]], [place, place], color="black", lw=1.5)
        inside = m["mean"] > _SHORT
        x, colour = (1.0, "white") if inside else (100 * (m["high"] or m["mean"]) + 2.0, "black")
        ax.text(x, place, f"{m['title']}: {100 * m['mean']:.1f} %", va="center", fontsize=8, color=colour)
    ax.set_yticks([])
    ax.set_ylim(max(len(shown), _BARS) - 0.4, -0.6)
    ax.set_xlim(0, 100)
    ax.set_xlabel("accuracy (%), lines: 95 % intervals")
    ax.spines[["top", "right"]].set_visible(False)

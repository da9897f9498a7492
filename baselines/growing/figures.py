"""A life as pictures: the graph at birth, on the way and at death, and how many edges there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Fill, Outcome
from baselines.figures import ANN, CORE, new_figure
from baselines.growing.genome import Body
from baselines.growing.network import Life
from baselines.growing.worlds import habitat_of

_SHOWN = 4  # decisions, evenly spread over the life
_SIDES = (("ann", "network with tanh units"), ("replay", "spiking twin"))


def draw_lives(data: Any, outcomes: Mapping[str, Outcome]) -> Fill:
    """Graphs of the first test life of both sides; blue edges excite, orange ones inhibit."""
    figure, body = new_figure(12.0, 6.0), habitat_of(data).body
    axes = figure.subplots(2, _SHOWN + 1, width_ratios=[*[1.0] * _SHOWN, 1.4])
    for row, (side, title) in zip(axes, _SIDES, strict=True):
        life: Life = outcomes[side].material
        lasted = sum(0 in alive for alive in life.alive)
        for ax, step in zip(row, np.linspace(0, lasted - 1, _SHOWN).astype(int), strict=False):
            _graph(ax, body, body.dense(life.weights[step][:1])[0])
            ax.set_title(f"decision {step + 1}", fontsize=9)
        row[0].set_ylabel(title, labelpad=8)
        row[-1].plot(100 * np.array(life.density), color="0.2")
        row[-1].set_xlabel("decision")
        row[-1].set_ylabel("edges there (%), test lives")
        row[-1].set_ylim(0, 100)
        row[-1].spines[["top", "right"]].set_visible(False)
    return lambda file: figure.savefig(file, dpi=110, format="png")


def _places(body: Body) -> NDArray[np.float64]:
    """Senses on the left, actions on the right, the others between them."""
    columns = [(0.0, len(body.senses)), (1.0, body.hidden), (2.0, len(body.actions))]
    return np.array([(x, 1.5 - (i + 0.5) * 3.0 / n) for x, n in columns for i in range(n)])


def _graph(ax: Any, body: Body, weights: NDArray[np.float64]) -> None:
    at, top = _places(body), max(1e-9, float(np.abs(weights).max()))
    for a, b in np.argwhere(weights):
        w = weights[a, b] / top
        bend = f"arc3,rad={0.25 if at[a, 0] == at[b, 0] else 0.08}"
        style = {"arrowstyle": "-|>", "color": ANN if w > 0 else CORE, "lw": 0.3 + 2.0 * abs(w), "alpha": 0.8}
        ax.annotate("", at[b], at[a], arrowprops={**style, "connectionstyle": bend, "shrinkA": 5, "shrinkB": 5})
    kinds = np.arange(body.nodes)
    first, last = body.sensors.stop, body.motors.start
    for part, colour in ((kinds < first, "0.75"), (kinds >= last, "0.1"), ((kinds >= first) & (kinds < last), "0.45")):
        ax.plot(*at[part].T, "o", ms=9 if body.nodes <= 10 else 6, color=colour)
    for (x, y), name in zip(at[body.sensors], body.senses, strict=True):
        ax.text(x - 0.15, y, name, ha="right", va="center", fontsize=7)
    for (x, y), name in zip(at[body.motors], body.actions, strict=True):
        ax.text(x + 0.15, y, name, ha="left", va="center", fontsize=7)
    ax.set_xlim(-1.3, 2.6)
    ax.set_ylim(-1.7, 1.7)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)

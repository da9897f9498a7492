"""A life as pictures: the graph at birth, on the way and at death, and how many edges there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Fill, Outcome
from baselines.figures import ANN, CORE, new_figure
from baselines.growing.foraging import STEPS
from baselines.growing.genome import MOTORS, NODES, SENSORS
from baselines.growing.network import Life

_SHOWN = (0, STEPS // 3, 2 * STEPS // 3, STEPS - 1)  # decisions
_NAMES = ("left end", "right end", "fed", "on")
_SIDES = (("ann", "network with tanh units"), ("replay", "spiking twin"))


def draw_lives(data: Any, outcomes: Mapping[str, Outcome]) -> Fill:
    """Graphs of the first test life of both sides; blue edges excite, orange ones inhibit."""
    figure = new_figure(12.0, 6.0)
    axes = figure.subplots(2, len(_SHOWN) + 1, width_ratios=[*[1.0] * len(_SHOWN), 1.4])
    for row, (side, title) in zip(axes, _SIDES, strict=True):
        life: Life = outcomes[side].material
        for ax, step in zip(row, _SHOWN, strict=False):
            _graph(ax, life.weights[step][0])
            ax.set_title(f"decision {step + 1}", fontsize=9)
        row[0].set_ylabel(title)
        row[-1].plot(100 * np.array(life.density), color="0.2")
        row[-1].set_xlabel("decision")
        row[-1].set_ylabel("edges there (%), all test lives")
        row[-1].set_ylim(0, 100)
        row[-1].spines[["top", "right"]].set_visible(False)
    return lambda file: figure.savefig(file, dpi=110, format="png")


def _places() -> NDArray[np.float64]:
    """Senses on the left, actions on the right, the others between them."""
    own = NODES - SENSORS.stop - (NODES - MOTORS.start)
    columns = [(0.0, SENSORS.stop), (1.0, own), (2.0, NODES - MOTORS.start)]
    return np.array([(x, 1.5 - (i + 0.5) * 3.0 / n) for x, n in columns for i in range(n)])


def _graph(ax: Any, weights: NDArray[np.float64]) -> None:
    at = _places()
    top = max(1e-9, float(np.abs(weights).max()))
    for a, b in np.argwhere(weights):
        w = weights[a, b] / top
        bend = f"arc3,rad={0.25 if at[a, 0] == at[b, 0] else 0.08}"
        style = {"arrowstyle": "-|>", "color": ANN if w > 0 else CORE, "lw": 0.3 + 2.0 * abs(w), "alpha": 0.8}
        ax.annotate("", at[b], at[a], arrowprops={**style, "connectionstyle": bend, "shrinkA": 5, "shrinkB": 5})
    kinds = np.arange(NODES)
    for part, colour in ((kinds < SENSORS.stop, "0.75"), (kinds >= MOTORS.start, "0.1")):
        ax.plot(*at[part].T, "o", ms=9, color=colour)
    ax.plot(*at[(kinds >= SENSORS.stop) & (kinds < MOTORS.start)].T, "o", ms=9, color="0.45")
    for (x, y), name in zip(at[: SENSORS.stop], _NAMES, strict=True):
        ax.text(x - 0.15, y, name, ha="right", va="center", fontsize=7)
    for (x, y), name in zip(at[MOTORS], ("left", "right"), strict=True):
        ax.text(x + 0.15, y, name, ha="left", va="center", fontsize=7)
    ax.set_xlim(-0.9, 2.6)
    ax.set_ylim(-1.7, 1.7)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)

"""How many random patterns a tempotron can tell apart, against the perceptron's limit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binom

from spikesim.learning.tempotron import Tempotron
from spikesim.parameters import count, number
from spikesim.progress import ProgressOption, track
from spikesim.spikes import Spikes
from spikesim.studies._model import Outcome, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 0.06  # times 1 / n: learning rate, found on tasks of other seeds


@dataclass(frozen=True)
class TempotronCapacity(Study):
    """Share of random tasks learnt without error at each load (patterns per afferent), and the load of one half.

    Every afferent fires once per pattern, at a time uniform in the pattern; classes are drawn by a coin. A perceptron
    with as many weights separates P random patterns with the probability that Cover's theorem gives, one half at 2.
    """

    name = "tempotron-capacity"
    title = "Load that a tempotron can learn, beside the perceptron's"
    citation = "Gütig & Sompolinsky 2006, doi:10.1038/nn1643; Cover 1965, doi:10.1109/PGEC.1965.264137"

    n: int = count(60, "afferents", 2)
    trials: int = count(6, "tasks per load")
    epochs: int = count(100_000, "most epochs per task")
    first: float = number(1.6, "patterns per afferent", "> 0", "smallest load")
    last: float = number(3.6, "patterns per afferent", "> 0", "largest load")
    step: float = number(0.4, "patterns per afferent", "> 0", "between two loads")
    duration: float = number(500.0, "ms", "> 0", "length of a pattern")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """All loads, easiest first."""
        loads = np.arange(self.first, self.last + 1e-9, self.step)
        rows: list[dict[str, Any]] = []
        learner, stopped = None, False
        with track(progress, len(loads) * self.trials, self.name, "tasks") as report:
            try:
                for k, load in enumerate(loads.tolist()):
                    solved, spent = 0, 0
                    for trial in range(self.trials):
                        learner = self.task(load, (seed, k, trial))
                        solved, spent = solved + (learner.history["errors"][-1] == 0), spent + learner.epochs
                        report(k * self.trials + trial + 1, f"{self.name}, load {load:.2f}")
                    rows.append(self.row(load, solved, spent))
            except KeyboardInterrupt:
                stopped = True
        found = {"capacity": crossing(rows), "perceptron_capacity": 2.0, "loads": rows}
        return Outcome(found, lambda: draw(rows, self.n), learner, stopped)

    def task(self, load: float, seed: tuple[int, ...]) -> Tempotron:
        """A tempotron after learning one random task."""
        rng = np.random.default_rng(seed)
        patterns, ids = max(1, round(load * self.n)), np.arange(self.n)
        times = rng.uniform(0.0, self.duration, (patterns, self.n))
        inputs = [Spikes(t, ids, self.n, self.duration) for t in times]
        learner = Tempotron(self.n, rate=RATE / self.n, seed=int(rng.integers(2**31)))
        return learner.fit(inputs, rng.integers(0, 2, patterns), self.epochs, progress=False)

    def row(self, load: float, solved: int, spent: int) -> dict[str, Any]:
        """One line of the table."""
        patterns = max(1, round(load * self.n))
        return {
            "load": patterns / self.n,
            "patterns": patterns,
            "learnt": solved / self.trials,
            "mean_epochs": spent / self.trials,
            "perceptron": float(binom.cdf(self.n - 1, patterns - 1, 0.5)),
        }


def crossing(rows: list[dict[str, Any]]) -> float | None:
    """Load at which the share of learnt tasks falls through one half, None if it does not."""
    for a, b in pairwise(rows):
        if a["learnt"] >= 0.5 > b["learnt"]:
            return float(a["load"] + (a["learnt"] - 0.5) / (a["learnt"] - b["learnt"]) * (b["load"] - a["load"]))
    return None


def draw(rows: list[dict[str, Any]], n: int) -> Figure:
    """Share of learnt tasks over the load."""
    import matplotlib.pyplot as plt

    from spikesim.plotting import COLOURS

    figure, ax = plt.subplots(figsize=(6.0, 4.0), layout="constrained")
    load = [r["load"] for r in rows]
    ax.axhline(0.5, color="0.8", lw=0.8)
    ax.plot(load, [r["learnt"] for r in rows], "o-", color=COLOURS[0], label=f"tempotron, {n} afferents")
    ax.plot(load, [r["perceptron"] for r in rows], "s--", color=COLOURS[1], label="perceptron (Cover's theorem)")
    ax.set(xlabel="load (patterns per afferent)", ylabel="share of tasks learnt without error", ylim=(-0.03, 1.03))
    ax.legend(frameon=False)
    return figure


STUDY = TempotronCapacity

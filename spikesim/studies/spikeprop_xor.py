"""SpikeProp learns exclusive or in spike times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim.learning.spikeprop import SpikeProp
from spikesim.parameters import count, number
from spikesim.progress import ProgressOption, track
from spikesim.spikes import Spikes
from spikesim.studies._model import Outcome, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LATE, DURATION = 6.0, 40.0  # ms: input spike of a 1; length of a pattern
WANTED = {False: 16.0, True: 10.0}  # ms: output spike where the inputs are equal, and where they differ


@dataclass(frozen=True)
class SpikePropXor(Study):
    """Three inputs (two bits and a reference at 0 ms), hidden neurons of which one is inhibitory, one output.

    Learnt means that the summed squared error of the four patterns is at most 1 ms², as in the paper, which reports
    250 cycles.
    """

    name = "spikeprop-xor"
    title = "Exclusive or in spike times"
    citation = "Bohte, Kok & La Poutré 2002, doi:10.1016/S0925-2312(01)00658-0, section 4.1"

    hidden: int = count(5, "hidden neurons, the last one inhibitory", 2)
    trials: int = count(20, "networks with other initial weights")
    epochs: int = count(250, "most epochs per network")
    rate: float = number(0.001, "", "> 0", "learning rate, for a threshold of 1")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """All networks, one after the other."""
        inputs, wanted = patterns()
        rows: list[dict[str, Any]] = []
        learners: list[SpikeProp] = []
        stopped = False
        with track(progress, self.trials, self.name, "networks") as report:
            try:
                for k in range(self.trials):
                    start = int(np.random.default_rng((seed, k)).integers(2**31))
                    learner = SpikeProp((3, self.hidden, 1), inhibitory=1, rate=self.rate, seed=start)
                    learner.fit(inputs, wanted, self.epochs, tolerance=1.0, progress=False)
                    errors = learner.history["error"]
                    rows.append(
                        {"network": k, "epochs": len(errors), "error_ms2": errors[-1], "learnt": errors[-1] <= 1}
                    )
                    learners.append(learner)
                    report(k + 1)
            except KeyboardInterrupt:
                stopped = True
        learnt = [r["epochs"] for r in rows if r["learnt"]]
        found = {
            "learnt": f"{len(learnt)} of {len(rows)}",
            "share_learnt": len(learnt) / len(rows) if rows else None,
            "mean_epochs": float(np.mean(learnt)) if learnt else None,
            "max_epochs": max(learnt, default=None),
            "reported_epochs": 250,
            "networks": rows,
        }
        return Outcome(found, lambda: draw(learners), learners[0] if learners else None, stopped)


def patterns() -> tuple[list[Spikes], np.ndarray]:
    """The four inputs and the wanted output times (4, 1)."""
    bits = [(a, b) for a in (False, True) for b in (False, True)]
    inputs = [Spikes([0.0, LATE * a, LATE * b], range(3), 3, DURATION) for a, b in bits]
    return inputs, np.array([[WANTED[a != b]] for a, b in bits])


def draw(learners: list[SpikeProp]) -> Figure:
    """Errors of all networks over epochs."""
    import matplotlib.pyplot as plt

    from spikesim.plotting import COLOURS

    figure, ax = plt.subplots(figsize=(6.0, 4.0), layout="constrained")
    for learner in learners:
        error = learner.history["error"]
        ax.plot(np.arange(1, len(error) + 1), error, lw=0.9, color=COLOURS[0], alpha=0.7)
    ax.axhline(1.0, color=COLOURS[1], lw=1.0, ls="--", label="learnt")
    ax.set(xlabel="epoch", ylabel="summed squared error (ms²)", yscale="log")
    ax.legend(frameon=False)
    return figure


STUDY = SpikePropXor

"""The task of chronotron and ReSuMe: answer random input with given spike times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim.analysis import van_rossum
from spikesim.errors import ParameterError
from spikesim.learning.spike_trains import SpikeTrainLearner
from spikesim.parameters import count, number
from spikesim.progress import ProgressOption, track
from spikesim.spikes import Spikes
from spikesim.studies._model import Outcome, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EARLIEST, APART = 20.0, 10.0  # ms: first wanted spike, least distance of two


@dataclass(frozen=True)
class SpikeTrainStudy(Study):
    """Several tasks, each one random pattern and one random wanted train, learnt until the distance is small."""

    n: int = count(200, "afferents")
    tasks: int = count(10, "tasks, each with weights of its own")
    spikes: int = count(4, "wanted spikes")
    input_rate: float = number(10.0, "Hz", "> 0", "rate of each afferent")
    duration: float = number(200.0, "ms", "> 0", "length of a pattern")
    epochs: int = count(3000, "most epochs per task")
    tolerance: float = number(0.02, "", ">= 0", "van Rossum distance (10 ms) at which a task is learnt")

    def learner(self, seed: int) -> SpikeTrainLearner:
        """A fresh learner."""
        raise NotImplementedError

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """All tasks, one after the other."""
        if self.duration < EARLIEST + (self.spikes + 1) * 2 * APART:
            least = EARLIEST + (self.spikes + 1) * 2 * APART
            what = f"must be >= {least:g} ms for {self.spikes} spikes"
            raise ParameterError(f"{self.name}: duration: {what}, got {self.duration:g}")
        rows: list[dict[str, Any]] = []
        curves: list[list[float]] = []
        shown: Any = None
        stopped = False
        with track(progress, self.tasks, self.name, "tasks") as report:
            try:
                for k in range(self.tasks):
                    pattern, wanted = self.task(np.random.default_rng((seed, k)))
                    learner = self.learner(int(np.random.default_rng((seed, k, 1)).integers(2**31)))
                    learner.fit([pattern], [wanted], self.epochs, tolerance=self.tolerance, progress=False)
                    rows.append(row(learner, learner.predict([pattern])[0], wanted, k, self.tolerance))
                    curves.append(learner.history["distance"])
                    shown = shown or (learner, pattern, wanted)
                    report(k + 1)
            except KeyboardInterrupt:
                stopped = True
        learnt = [r["learnt"] for r in rows]
        found = {
            "learnt": f"{sum(learnt)} of {len(rows)}",
            "share_learnt": float(np.mean(learnt)) if rows else None,
            "median_epochs": float(np.median([r["epochs"] for r in rows])) if rows else None,
            "median_distance": float(np.median([r["distance"] for r in rows])) if rows else None,
            "tasks": rows,
        }
        return Outcome(found, lambda: draw(curves, shown), shown[0] if shown else None, stopped)

    def task(self, rng: np.random.Generator) -> tuple[Spikes, Spikes]:
        """Poisson input, and wanted times at least `APART` from each other."""
        k = max(1, rng.poisson(self.n * self.input_rate * self.duration / 1e3))
        times = np.append(rng.uniform(0.0, self.duration, k), 0.0)  # something arrives at once
        pattern = Spikes(times, rng.integers(0, self.n, k + 1), self.n, self.duration)
        free = self.duration - EARLIEST - self.spikes * APART
        wanted = EARLIEST + np.sort(rng.uniform(0.0, free, self.spikes)) + APART * np.arange(self.spikes)
        return pattern, Spikes(wanted, np.zeros(self.spikes, np.int64), 1, self.duration)


def row(learner: SpikeTrainLearner, answer: Spikes, wanted: Spikes, task: int, tolerance: float) -> dict[str, Any]:
    """One line of the table."""
    distance = float(van_rossum(answer.times, wanted.times, learner.tau_r))
    same = len(answer) == len(wanted)
    return {
        "task": task,
        "epochs": learner.epochs,
        "distance_at_first": learner.history["distance"][0],
        "distance": distance,
        "largest_error_ms": float(np.abs(answer.times - wanted.times).max(initial=0.0)) if same else None,
        "learnt": learner.history["distance"][-1] <= tolerance,
    }


def draw(curves: list[list[float]], shown: Any) -> Figure:
    """Distances over epochs; the potential of the first task with own and wanted spikes."""
    import matplotlib.pyplot as plt

    from spikesim.plotting import COLOURS
    from spikesim.recording import Record
    from spikesim.simulation import simulate

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
    for curve in curves:
        left.plot(np.arange(1, len(curve) + 1), np.maximum(curve, 1e-4), lw=0.8, color=COLOURS[0], alpha=0.7)
    left.set(xlabel="epoch", ylabel="van Rossum distance (10 ms)", xscale="log", yscale="log")
    if shown is None:
        return figure
    learner, pattern, wanted = shown
    record = Record(states={"layer1": ("v",)}, interval=0.25)
    result = simulate(learner.network([pattern]), pattern.duration, record=record, progress=False)
    right.plot(result.state_times, result.states["layer1"]["v"][:, 0], lw=0.9, color=COLOURS[0])
    right.axhline(learner.v_th, color="0.7", lw=0.8)
    top = 1.25 * learner.v_th
    right.plot(result.spikes["layer1"].times, np.full(len(result.spikes["layer1"]), top), "|", ms=12, color=COLOURS[0])
    right.plot(wanted.times, np.full(len(wanted), 1.15 * top), "v", ms=6, color=COLOURS[1])
    right.set(xlabel="time (ms)", ylabel="potential (mV)", title="event engine; triangles: wanted spikes")
    return figure

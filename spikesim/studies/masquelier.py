"""A neuron finds a pattern that repeats in its input, and comes to answer at its start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim.parameters import count, number
from spikesim.progress import ProgressOption, track
from spikesim.recording import Record
from spikesim.simulation import Simulation
from spikesim.studies._model import Outcome, Study
from spikesim.zoo.masquelier import Masquelier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = 20


@dataclass(frozen=True)
class MasquelierStudy(Study):
    """Trials with patterns and noise of their own; a hit is a spike while the pattern is shown.

    Hits, false alarms and latencies are counted in each twentieth of the time; a trial has found the pattern if in the
    last one it answers to more than 95 % of the patterns and to nothing else more than once a second.
    """

    name = "masquelier"
    title = "A repeating pattern found by STDP"
    citation = "Masquelier, Guyonneau & Thorpe 2008, doi:10.1371/journal.pone.0001377"

    scale: float = number(1.0, "", "> 0", "number of afferents, relative to 2000")
    duration: float = number(100.0, "s", "> 0", "time of learning")
    trials: int = count(1, "patterns, each with a neuron")
    jitter: float = number(1.0, "ms", ">= 0", "deviation of each spike of the pattern")
    share: float = number(0.25, "", "> 0, <= 0.5", "share of the time in which the pattern is shown")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """One trial after the other."""
        rows: list[dict[str, Any]] = []
        courses: list[dict[str, NDArray[Any]]] = []
        stopped = False
        with track(progress, self.trials * self.duration * 1e3, self.name) as report:
            try:
                for trial in range(self.trials):
                    courses.append(
                        self.trial(seed * 1000 + trial, lambda done: report(len(rows) * 1e3 * self.duration + done))
                    )
                    rows.append({"trial": trial, **row(courses[-1])})
            except KeyboardInterrupt:
                stopped = True
        found = {"found": sum(r["found"] for r in rows), "trials": rows}
        return Outcome(found, partial(draw, courses), None, stopped)

    def trial(self, seed: int, report: Any) -> dict[str, NDArray[Any]]:
        """Answers over time, and weights at the end."""
        model = Masquelier(length=self.duration * 1e3, jitter=self.jitter, share=self.share, seed=seed)
        hidden = model.hidden(self.scale)
        simulation = Simulation(model.around(hidden.spikes), seed=seed, record=Record(spikes={"cell": True}))
        simulation.run(hidden.spikes.t_stop, progress=lambda done, _: report(done))
        rule = simulation.network.projections[0].plasticity
        assert rule is not None
        weights = simulation.weights("afferents->cell")[2] / rule.bounds[1]
        times = simulation.result().spikes["cell"].times
        members = round(model.part * hidden.spikes.n)
        return {**answers(times, hidden.onsets, model.pattern, hidden.spikes.t_stop), "weights": weights,
                "members": np.arange(len(weights)) < members}  # fmt: skip


def answers(
    times: NDArray[np.float64], onsets: NDArray[np.float64], pattern: float, stop: float
) -> dict[str, NDArray[Any]]:
    """Hit rate, false alarms per second and mean latency (ms) in equal parts of the time; latency of each answer."""
    k = np.searchsorted(onsets, times, "right") - 1
    since = np.where(k >= 0, times - onsets[np.maximum(k, 0)] if len(onsets) else np.inf, np.inf)
    hit = since < pattern
    answered, first = np.unique(k[hit], return_index=True)
    latency = since[hit][first]
    edges = np.linspace(0.0, stop, PARTS + 1)
    shown = np.histogram(onsets, edges)[0]
    hits, _ = np.histogram(onsets[answered], edges)
    total, _ = np.histogram(onsets[answered], edges, weights=latency)
    quiet = stop / PARTS - shown * pattern
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "time": 0.5 * (edges[1:] + edges[:-1]) / 1e3,
            "hit_rate": hits / shown,
            "false_hz": np.histogram(times[~hit], edges)[0] / quiet * 1e3,
            "latency": total / hits,
            "answered": onsets[answered] / 1e3,
            "latencies": latency,
        }


def row(course: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """One line of the table."""
    hit, false = float(course["hit_rate"][-1]), float(course["false_hz"][-1])
    good = np.flatnonzero((course["hit_rate"] > 0.95) & (course["false_hz"] < 1.0))
    strong = course["weights"] > 0.5
    return {
        "found": bool(hit > 0.95 and false < 1.0),
        "hit_rate": hit if np.isfinite(hit) else None,
        "false_hz": false,
        "first_latency_ms": float(course["latency"][good[0]]) if len(good) else None,
        "latency_ms": float(course["latency"][-1]) if np.isfinite(course["latency"][-1]) else None,
        "strong": int(strong.sum()),
        "strong_in_pattern": float(course["members"][strong].mean()) if strong.any() else None,
    }


def draw(courses: list[dict[str, NDArray[Any]]]) -> Figure:
    """Latency of every answer, hits and false alarms over time, weights at the end."""
    import matplotlib.pyplot as plt

    from spikesim.plotting import COLOURS

    figure, (latency, rates, weights) = plt.subplots(1, 3, figsize=(11.0, 3.4), layout="constrained")
    for k, course in enumerate(courses):
        latency.plot(course["answered"], course["latencies"], ".", ms=2.0, color=COLOURS[k % len(COLOURS)])
        rates.plot(course["time"], course["hit_rate"], color=COLOURS[0], label=None if k else "patterns answered")
        rates.plot(
            course["time"], course["false_hz"] / 10.0, color=COLOURS[1], label=None if k else "false alarms / 10 Hz"
        )
    if courses:
        bins = np.linspace(0.0, 1.0, 21)
        inside, outside = courses[0]["weights"][courses[0]["members"]], courses[0]["weights"][~courses[0]["members"]]
        weights.hist([inside, outside], bins, color=COLOURS[:2], label=["in the pattern", "not"])
        weights.legend()
        rates.legend()
    latency.set(xlabel="time (s)", ylabel="first spike after onset (ms)", title="latency")
    rates.set(xlabel="time (s)", title="answers", ylim=(0.0, 1.5))
    weights.set(xlabel="weight / largest", ylabel="afferents", title="weights at the end")
    return figure


STUDY = MasquelierStudy

"""Additive STDP sorts the inputs of a neuron and holds it where it fires irregularly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis import cv_isi
from spikesim.parameters import number
from spikesim.progress import ProgressOption, track
from spikesim.recording import Record
from spikesim.simulation import Simulation
from spikesim.studies._model import Outcome, Study
from spikesim.zoo.song_stdp import SongStdp

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES = (10.0, 20.0, 30.0, 40.0)  # Hz, of the excitatory inputs, as in the paper's figure 2
PARTS = 50  # weights are looked at this often


@dataclass(frozen=True)
class SongStudy(Study):
    """One neuron per input rate, run for `duration`; rate and irregularity are those of the last quarter."""

    name = "song-stdp"
    title = "Competition of inputs by additive STDP"
    citation = "Song, Miller & Abbott 2000, doi:10.1038/78829"

    scale: float = number(1.0, "", "> 0", "number of inputs, relative to 1000 excitatory and 200 inhibitory ones")
    duration: float = number(1000.0, "s", "> 0", "time of learning")
    a_plus: float = number(0.005, "", ">= 0", "growth by a pair, relative to the largest weight")
    ratio: float = number(1.05, "", ">= 0", "decline relative to growth")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """One rate after the other."""
        rows: list[dict[str, Any]] = []
        courses: list[NDArray[np.float64]] = []
        last, stopped = None, False
        total = len(RATES) * self.duration * 1e3
        with track(progress, total, self.name) as report:
            try:
                for rate in RATES:
                    last, course = self.learnt(rate, seed, lambda done: report(len(rows) * self.duration * 1e3 + done))
                    rows.append(self.row(rate, last))
                    courses.append(course)
            except KeyboardInterrupt:
                stopped = True
        irregular = [r["cv"] for r in rows if r["cv"] is not None]
        found = {
            "bimodal": all(r["weak"] + r["strong"] > 0.5 for r in rows) if rows else None,
            "mean_cv": float(np.mean(irregular)) if irregular else None,
            "rates": rows,
        }
        return Outcome(found, partial(draw, rows, courses, self.duration), last, stopped)

    def learnt(self, rate: float, seed: int, report: Any) -> tuple[Simulation, NDArray[np.float64]]:
        """The simulation at its end, and weights (times, synapses) relative to the largest."""
        model = SongStdp(rate=rate, a_plus=self.a_plus, ratio=self.ratio)
        simulation = Simulation(model.build(self.scale), seed=seed, record=Record(spikes={"cell": True}))
        course = [relative(simulation)]
        for _ in range(PARTS):
            simulation.run(self.duration * 1e3 / PARTS, progress=lambda done, _: report(simulation.time))
            course.append(relative(simulation))
        return simulation, np.array(course)

    def row(self, rate: float, simulation: Simulation) -> dict[str, Any]:
        """One line of the table."""
        spikes, weights = simulation.result().spikes["cell"], relative(simulation)
        late = spikes.window(0.75 * spikes.t_stop, spikes.t_stop)
        early = spikes.window(0.0, 0.02 * spikes.t_stop)
        cv = float(cv_isi(late)[0])
        return {
            "input_hz": rate,
            "first_hz": len(early) / early.duration * 1e3,
            "output_hz": len(late) / late.duration * 1e3,
            "cv": cv if np.isfinite(cv) else None,
            "mean_weight": float(weights.mean()),
            "weak": float(np.mean(weights < 0.2)),
            "strong": float(np.mean(weights > 0.8)),
        }


def relative(simulation: Simulation) -> NDArray[np.float64]:
    """Excitatory weights relative to the largest possible one."""
    rule = simulation.network.projections[0].plasticity
    assert rule is not None
    return simulation.weights("exc->cell")[2] / rule.bounds[1]


def draw(rows: list[dict[str, Any]], courses: list[NDArray[np.float64]], duration: float) -> Figure:
    """Weights at the end, some of them over time, output over input."""
    import matplotlib.pyplot as plt

    from spikesim.plotting import COLOURS

    figure, (ends, course, output) = plt.subplots(1, 3, figsize=(11.0, 3.4), layout="constrained")
    for k, (row, weights) in enumerate(zip(rows, courses, strict=True)):
        label = f"{row['input_hz']:g} Hz"
        ends.hist(weights[-1], bins=np.linspace(0.0, 1.0, 21), histtype="step", color=COLOURS[k], label=label)
    ends.set(xlabel="weight / largest", ylabel="inputs", title="weights at the end")
    if rows:
        ends.legend(title="inputs at")
        times = np.linspace(0.0, duration, len(courses[0]))
        course.plot(times, courses[0][:, :: max(1, courses[0].shape[1] // 25)], color="0.6", lw=0.6)
        course.set(title=f"25 inputs at {rows[0]['input_hz']:g} Hz")
        rates = [r["input_hz"] for r in rows]
        output.plot(rates, [r["first_hz"] for r in rows], "o--", color="0.6", label="rate at first")
        output.plot(rates, [r["output_hz"] for r in rows], "o-", color=COLOURS[0], label="rate at the end")
        output.set_ylim(0.0, 1.4 * max(1.0, *(max(r["first_hz"], r["output_hz"]) for r in rows)))
        irregular = output.twinx()
        irregular.plot(rates, [np.nan if r["cv"] is None else r["cv"] for r in rows], "s:", color=COLOURS[1])
        irregular.set(ylabel="CV of the intervals (squares)", ylim=(0.0, 1.4))
        output.legend(loc="upper left")
    course.set(xlabel="time (s)", ylabel="weight / largest")
    output.set(xlabel="rate of the inputs (Hz)", ylabel="output (Hz)", title="output")
    return figure


STUDY = SongStudy

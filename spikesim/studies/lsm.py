"""A liquid state machine: what a linear readout gets from a recurrent network that it cannot get from the input."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim.learning.liquid import Liquid
from spikesim.learning.readout import DeltaReadout, Readout, RidgeReadout
from spikesim.parameters import count, number
from spikesim.progress import ProgressOption
from spikesim.spikes import Spikes
from spikesim.studies._model import Outcome, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEGMENTS, CHANNELS, RATE = 4, 20, 40.0  # of a stream; Hz of a channel in a template


@dataclass(frozen=True)
class LiquidStateMachine(Study):
    """Streams of four segments, each a jittered copy of one of two templates: are the last two the same or not.

    The answer is no linear function of the input at any time: a readout of the input's own traces can only guess.
    Only readouts learn; the penalty and rates are fixed beforehand.
    """

    name = "lsm"
    title = "Liquid state machine: exclusive or of the last two segments"
    citation = "Maass, Natschläger & Markram 2002, doi:10.1162/089976602760407955 (task varied)"

    size: int = count(400, "neurons of the liquid", 5)
    train: int = count(600, "training streams", 2)
    test: int = count(300, "test streams", 1)
    jitter: float = number(4.0, "ms", ">= 0", "deviation of each spike from its template")
    segment: float = number(40.0, "ms", "> 0", "length of a segment")
    epochs: int = count(100, "epochs of the delta rule")
    threads: int = count(1, "threads of the simulation")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """Make streams, run the liquid, train and test each readout on the liquid and on the input."""
        rng = np.random.default_rng((seed, 0))
        templates = [[rng.uniform(0.0, self.segment, rng.poisson(RATE * self.segment / 1e3)) for _ in range(CHANNELS)]
                     for _ in range(2)]  # fmt: skip
        which = rng.integers(0, 2, (self.train + self.test, SEGMENTS))
        labels = (which[:, -1] != which[:, -2]).astype(np.int64)
        inputs = [self.stream(row, templates, rng) for row in which]
        liquid = Liquid(CHANNELS, self.size, seed=seed)
        found: dict[str, Any] = {"chance": float(max(np.mean(labels), 1 - np.mean(labels)))}
        rows: list[dict[str, Any]] = []
        states: list[Spikes] = []
        learners: list[Readout] = []
        stopped = False
        try:
            states = liquid.respond(inputs, self.threads, progress)
            for source, data in (("liquid", states), ("input", inputs)):
                for readout in (RidgeReadout(data[0].n), DeltaReadout(data[0].n, seed=seed)):
                    given = data[: self.train], labels[: self.train]
                    if isinstance(readout, DeltaReadout):
                        readout.fit(*given, self.epochs, progress=progress)
                    else:
                        readout.fit(*given)
                    rows.append(self.row(source, readout, data, labels))
                    learners.append(readout)
        except KeyboardInterrupt:
            stopped = True
        if states:
            found["liquid_rate_hz"] = float(np.mean([len(s) for s in states]) / self.size / inputs[0].duration * 1e3)
        found |= {"test_accuracy": rows[0]["test_accuracy"] if rows else None, "readouts": rows}
        picture = partial(draw, inputs[0], states[0] if states else None, rows)
        return Outcome(found, picture, learners[0] if learners else None, stopped)

    def stream(self, which: NDArray[np.int64], templates: list[Any], rng: np.random.Generator) -> Spikes:
        """Jittered templates one after the other."""
        trains = []
        for channel in range(CHANNELS):
            times = np.concatenate([templates[w][channel] + k * self.segment for k, w in enumerate(which)])
            moved = times + rng.normal(0.0, self.jitter, times.size)
            trains.append(np.clip(moved, 0.0, SEGMENTS * self.segment))
        return Spikes.from_trains(trains, SEGMENTS * self.segment)

    def row(self, source: str, readout: Readout, data: list[Spikes], labels: NDArray[np.int64]) -> dict[str, Any]:
        """One line of the table."""
        right = readout.predict(data[self.train :]) == labels[self.train :]
        return {
            "reads": source,
            "readout": "ridge" if isinstance(readout, RidgeReadout) else "delta rule",
            "train_accuracy": readout.history["accuracy"][-1],
            "test_accuracy": float(np.mean(right)),
        }


def draw(stream: Spikes, state: Spikes | None, rows: list[dict[str, Any]]) -> Figure:
    """Raster of one stream and of the liquid, and the accuracies."""
    import matplotlib.pyplot as plt

    from spikesim.plotting import COLOURS, raster

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.0), layout="constrained", width_ratios=(3, 2))
    raster({"input": stream, **({"liquid": state} if state else {})}, left)
    names = [f"{r['reads']}, {r['readout']}" for r in rows]
    colours = [COLOURS[r["reads"] == "input"] for r in rows]
    right.barh(names, [100 * r["test_accuracy"] for r in rows], color=colours)
    right.axvline(50.0, color="0.5", lw=0.8, ls="--")
    right.set(xlabel="test accuracy (%)", xlim=(0, 100))
    right.invert_yaxis()
    return figure


STUDY = LiquidStateMachine

"""EventProp on the Yin-Yang data, and the trained network run again by the event engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim import datasets
from spikesim.datasets.yin_yang import RADIUS
from spikesim.learning.eventprop import EventProp
from spikesim.learning.optimisers import Adam
from spikesim.parameters import count, number
from spikesim.progress import ProgressOption
from spikesim.simulation import simulate
from spikesim.spikes import Spikes
from spikesim.studies._model import Outcome, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DURATION, LATEST, BIAS = 60.0, 30.0, 20.0  # ms: of a pattern; spike of the value 1; spike of the fifth input


@dataclass(frozen=True)
class EventPropYinYang(Study):
    """A temporal-coded classifier trained by the exact gradient of its spike times.

    Each value of a point fires one input at a latency proportional to it, a fifth input at a fixed time; the output
    neuron that fires first names the class. Nothing is chosen on the test set.
    """

    name = "eventprop-yinyang"
    title = "Yin-Yang with exact gradients of spike times"
    citation = (
        "Wunderlich & Pehle 2021, doi:10.1038/s41598-021-91786-z; Kriener et al. 2022, doi:10.1145/3517343.3517380"
    )

    hidden: int = count(150, "hidden neurons")
    epochs: int = count(60, "passes over the 5,000 training points")
    batch: int = count(50, "points per step")
    rate: float = number(5e-3, "", "> 0", "learning rate of Adam at the start")
    decay: float = number(0.97, "", "> 0, <= 1", "factor of the learning rate per epoch")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """Train, test, and run the test points in the event engine."""
        data = datasets.load("yin-yang")
        learner = EventProp((5, self.hidden, 3), seed=seed)
        inputs = [encode(split.values) for split in data]
        stopped = False
        try:
            learner.fit(
                inputs[0], data.train.labels, self.epochs, batch=self.batch, optimiser=Adam(self.rate),
                decay=self.decay, validation=(inputs[1], data.validation.labels), progress=progress,
            )  # fmt: skip
        except KeyboardInterrupt:
            stopped = True
        named = learner.predict(inputs[2])
        found = {
            "epochs": learner.epochs,
            "train_accuracy": learner.history["accuracy"][-1],
            "validation_accuracy": learner.history["validation"][-1],
            "test_accuracy": float(np.mean(named == data.test.labels)),
            **replay(learner, inputs[2], named),
        }
        return Outcome(found, lambda: draw(learner, data.test.values, data.test.labels, named), learner, stopped)


def encode(values: NDArray[np.float64]) -> list[Spikes]:
    """Latency code of points (k, 4) in [0, 1]: earlier is smaller, with the bias as the fifth element."""
    times = np.column_stack((values * LATEST, np.full(len(values), BIAS)))
    return [Spikes(t, range(times.shape[1]), times.shape[1], DURATION) for t in times]


def replay(learner: EventProp, inputs: list[Spikes], named: NDArray[np.int64]) -> dict[str, Any]:
    """Run the network in the event engine: largest difference of a spike time, and whether the classes are the same."""
    own = learner.respond(inputs)
    result = simulate(learner.network(inputs), DURATION, batch=len(inputs), progress=False)
    worst, spikes, classes = 0.0, 0, []
    for k, layer in enumerate(own, start=1):
        for a, b in zip(layer, result.spikes[f"layer{k}"], strict=True):
            same = len(a) == len(b) and np.array_equal(a.ids, b.ids)
            worst = max(worst, float(np.abs(a.times - b.times).max(initial=0.0)) if same else np.inf)
            spikes += len(b)
    for b in result.spikes[f"layer{len(own)}"]:
        classes.append(int(b.ids[0]) if len(b) else -1)
    return {
        "engine_largest_difference_ms": worst,
        "engine_same_classes": bool(np.array_equal(classes, named)),
        "spikes_per_point": spikes / len(inputs),
    }


def draw(
    learner: EventProp, values: NDArray[np.float64], labels: NDArray[np.int64], named: NDArray[np.int64]
) -> Figure:
    """Learning curves, and the test points with the errors marked."""
    import matplotlib.pyplot as plt

    from spikesim.plotting import COLOURS

    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2), layout="constrained")
    epochs = np.arange(1, learner.epochs + 1)
    for key, label, colour in (("accuracy", "training", COLOURS[0]), ("validation", "validation", COLOURS[1])):
        left.plot(epochs, 100 * (1 - np.array(learner.history[key])), color=colour, label=label)
    left.set(xlabel="epoch", ylabel="errors (%)", yscale="log")
    left.legend(frameon=False)
    for c, name in enumerate(("yin", "yang", "dot")):
        mine = named == c
        right.plot(*values[mine, :2].T, ".", ms=4, color=COLOURS[c], label=name)
    wrong = named != labels
    right.plot(*values[wrong, :2].T, "o", ms=8, mfc="none", color=COLOURS[6], label="wrong")
    right.add_patch(plt.Circle((RADIUS, RADIUS), RADIUS, fill=False, color="0.8"))
    right.set(aspect="equal", xlabel="x", ylabel="y", title=f"test points as classified, {np.mean(~wrong):.1%} right")
    right.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


STUDY = EventPropYinYang

"""One synapse of a network is rewarded seconds after its neurons fire in order; it is the one that grows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim.parameters import number
from spikesim.progress import ProgressOption, track
from spikesim.recording import Record
from spikesim.simulation import Simulation
from spikesim.spikes import Spikes
from spikesim.studies._model import Outcome, Study
from spikesim.zoo.izhikevich_reward import IzhikevichReward

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEGMENT = 1000.0  # ms; rewards come later than that
NAME = "exc->exc"


@dataclass(frozen=True)
class IzhikevichRewardStudy(Study):
    """The first synapse is to be found out: when its target fires soon after its source, a reward is on its way.

    A second network of another seed gets the rewards of the first at the same times: what grows there, grows by chance.
    """

    name = "izhikevich-reward"
    title = "Distal reward: eligibility traces and a modulator"
    citation = "Izhikevich 2007, doi:10.1093/cercor/bhl152"

    scale: float = number(1.0, "", "> 0", "number of neurons, relative to 150")
    duration: float = number(1000.0, "s", ">= 1", "time of learning")
    amount: float = number(1.0, "", "", "size of a reward")
    earliest: float = number(1000.0, "ms", ">= 1000", "shortest delay of a reward")
    latest: float = number(3000.0, "ms", ">= 1000", "longest delay of a reward")
    within: float = number(20.0, "ms", "> 0", "longest distance of the two spikes")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """The network that is rewarded, then the one that gets its rewards."""
        rows: list[dict[str, Any]] = []
        courses: list[NDArray[np.float64]] = []
        rewards: list[float] = []
        last, stopped, total = None, False, 2 * self.duration * 1e3
        with track(progress, total, self.name) as report:
            try:
                for yoked in (False, True):
                    start = len(rows) * self.duration * 1e3
                    last, course = self.learnt(seed + yoked * 1000, yoked, rewards, lambda t, s=start: report(s + t))
                    courses.append(course)
                    rows.append({"rewards": "of another network" if yoked else "its own", **row(course)})
            except KeyboardInterrupt:
                stopped = True
        found = {"rewards": len(rewards), "networks": rows}
        return Outcome(found, partial(draw, courses, rewards, self.duration), last, stopped)

    def learnt(
        self, seed: int, yoked: bool, rewards: list[float], report: Any
    ) -> tuple[Simulation, NDArray[np.float64]]:
        """The simulation at its end, and weights (times, synapses)."""
        network = IzhikevichReward().build(self.scale)
        first = Simulation(network, seed=seed)
        pre, post, start = first.weights(NAME)
        first.close()
        record = Record(spikes={"exc": [int(pre[0]), int(post[0])]})
        simulation = Simulation(network, seed=seed, record=record)
        rng = np.random.default_rng((seed, 3))
        if yoked:
            for at in rewards:
                simulation.reward(self.amount, at=at)
        course = [start]
        for k in range(round(self.duration)):
            simulation.run(SEGMENT, progress=False)
            if not yoked:
                for pair in pairs(simulation.result().spikes["exc"], self.within, k * SEGMENT):
                    rewards.append(pair + rng.uniform(self.earliest, max(self.earliest, self.latest)))
                    simulation.reward(self.amount, at=rewards[-1])
            course.append(simulation.weights(NAME)[2])
            report(simulation.time)
        return simulation, np.array(course)


def pairs(spikes: Spikes, within: float, after: float) -> list[float]:
    """Times after `after` at which element 1 fires no later than `within` after element 0."""
    source, target = (spikes.times[spikes.ids == k] for k in (0, 1))
    target = target[target > after]
    k = np.searchsorted(source, target, "left") - 1
    close = (k >= 0) & (target - source[np.maximum(k, 0)] <= within) if len(source) else np.zeros(len(target), bool)
    return [float(t) for t in target[close]]


def row(course: NDArray[np.float64]) -> dict[str, Any]:
    """One line of the table."""
    return {
        "start": float(course[0, 0]),
        "synapse": float(course[-1, 0]),
        "mean_of_others": float(course[-1, 1:].mean()),
        "largest_other": float(course[-1, 1:].max()),
        "rank": int(np.sum(course[-1, 1:] >= course[-1, 0])) + 1,
        "synapses": course.shape[1],
    }


def draw(courses: list[NDArray[np.float64]], rewards: list[float], duration: float) -> Figure:
    """The synapse and the others over time, with and without rewards of its own; weights at the end."""
    import matplotlib.pyplot as plt

    from spikesim.plotting import COLOURS

    figure, panels = plt.subplots(1, 3, figsize=(11.0, 3.4), layout="constrained")
    for panel, course, title in zip(panels, courses, ("rewarded", "rewards of another network"), strict=False):
        times = np.linspace(0.0, duration, len(course))
        spread = np.quantile(course[:, 1:], (0.0, 0.5, 1.0), axis=1)
        panel.fill_between(times, spread[0], spread[2], color="0.85", label="all others")
        panel.plot(times, spread[1], color="0.5", label="their median")
        panel.plot(times, course[:, 0], color=COLOURS[0], label="the synapse")
        panel.set(xlabel="time (s)", ylabel="weight (mV)", title=title)
        panel.legend()
    if courses:
        panels[2].hist(courses[0][-1, 1:], bins=40, color="0.7")
        panels[2].axvline(courses[0][-1, 0], color=COLOURS[0])
    panels[2].set(xlabel="weight (mV)", ylabel="synapses", title=f"after {len(rewards)} rewards")
    return figure


STUDY = IzhikevichRewardStudy

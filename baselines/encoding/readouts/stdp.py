"""A layer of neurons that learn by themselves: trace STDP and winner takes all, classes assigned afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.encoding.contract import Counts, Fitted, Problem, Readout
from baselines.encoding.readouts._stdp_kernel import learn, respond
from baselines.encoding.readouts.linear import binned

NEURONS = 100
_BINS = 128  # time steps at most; steps of the code are joined
_EPOCHS, _RATE = 3, 0.05
_THETA = 0.02  # growth of a winner's threshold, relative to the threshold
_LOW, _HIGH = 0.2, 0.6  # weights at the start


class Setting(NamedTuple):
    """What differs from code to code and is chosen on validation data.

    Parameters
    ----------
    leak : float
        Length of a sample over the time constant of potentials and traces.
    once : bool
        Whether the first spike of the layer ends the sample.
    drive : float
        Threshold, as a share of the potential a sample of average size reaches with weights of average size.
    """

    leak: float
    once: bool
    drive: float


SETTINGS = [Setting(*values) for values in product((0.0, 2.0), (False, True), (0.3, 0.7))]


class StdpFitted:
    """Unsupervised features, then the class a neuron fired most for in training decides for it.

    Each step adds the weights of the inputs that fired to leaky potentials; the neuron furthest above its threshold
    fires, all potentials are reset, its weights move towards the recent activity of the inputs (``w += rate (trace -
    w)``, traces in 0 … 1, so that inputs that were silent lose; the sum of its weights is kept), and its threshold
    grows, so that others get their turn. Scores are spike counts by class, each neuron voting as it fired in training.

    References
    ----------
    Diehl & Cook 2015, doi:10.3389/fncom.2015.00099; Querlioz et al. 2013, doi:10.1109/TNANO.2013.2250995.
    """

    def __init__(self, problem: Problem, seed: int, setting: Setting) -> None:
        self.bins, self.setting = min(_BINS, problem.train.shape[1]), setting
        train = binned(problem.train, self.bins)
        rng = np.random.default_rng((seed, 5))
        leak = setting.leak
        self.weights = rng.uniform(_LOW, _HIGH, (train.shape[2], NEURONS))
        self.theta = np.zeros(NEURONS)
        self.decay = float(np.exp(-leak / self.bins))
        size = float(train.sum()) / len(train) * (-np.expm1(-leak) / leak if leak else 1.0)
        self.threshold = max(setting.drive * (_LOW + _HIGH) / 2 * size, 1e-6)
        for epoch in range(_EPOCHS):
            rate = _RATE * (1 - epoch / _EPOCHS)
            growth = _THETA * self.threshold
            learn(
                train, rng.permutation(len(train)), self.weights, self.theta, self.threshold, self.decay,
                setting.once, rate, growth,
            )  # fmt: skip
        share = np.zeros((problem.classes, NEURONS))
        np.add.at(share, problem.y, self._counts(train)[-1])
        share /= np.maximum(np.bincount(problem.y, minlength=problem.classes), 1)[:, None]
        self.votes = (share / np.maximum(share.sum(axis=0), 1e-12)).T

    def _counts(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Spikes so far (bins, samples, neurons)."""
        out = np.zeros((self.bins, len(x), NEURONS))
        respond(x, self.weights, self.theta, self.threshold, self.decay, self.setting.once, out)
        return np.cumsum(out, axis=0)

    def scores(self, spikes: Counts) -> NDArray[np.float64]:
        """Scores (bins, samples, classes)."""
        return self._counts(binned(spikes, self.bins)) @ self.votes


def train(problems: Sequence[Problem], seeds: Sequence[int]) -> list[Fitted]:
    """One network a seed; the first seed tries all settings, the others take the one best on validation data."""

    def score(fitted: StdpFitted) -> float:
        answers = fitted.scores(problems[0].validation)[-1].argmax(axis=1)
        return float(np.mean(answers == problems[0].y_validation))

    best = max((StdpFitted(problems[0], seeds[0], setting) for setting in SETTINGS), key=score)
    others = zip(problems[1:], seeds[1:], strict=True)
    return [best, *(StdpFitted(problem, seed, best.setting) for problem, seed in others)]


READOUT = Readout(f"{NEURONS} neurons that learn by STDP, unsupervised", train)

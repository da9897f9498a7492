"""Linear readout of spikes in time: ridge regression onto the classes, one weight per neuron and time bin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.encoding.contract import Counts, Problem, Readout, fit_each
from baselines.encoding.readouts._ridge import Ridge

_FEATURES = 16_384  # at most; steps are joined into bins, as few as needed to stay below


def _bins(steps: int, neurons: int) -> int:
    return max(1, min(steps, _FEATURES // neurons))


def binned(spikes: Counts, bins: int) -> NDArray[np.float32]:
    """Counts (samples, bins, neurons) in bins of as equal length as there can be."""
    steps = spikes.shape[1]
    if bins == steps:
        return spikes.astype(np.float32)
    edges = np.arange(bins) * steps // bins
    return np.add.reduceat(spikes, edges, axis=1, dtype=np.float32)


class LinearFitted:
    """Scores add up over time; what has not come yet counts as the mean of the training data."""

    def __init__(self, problem: Problem) -> None:
        steps, neurons = problem.train.shape[1:]
        self.bins = _bins(steps, neurons)
        self.ridge = Ridge(
            self._features(problem.train), problem.y, self._features(problem.validation), problem.y_validation,
            problem.classes,
        )  # fmt: skip

    def _features(self, spikes: Counts) -> NDArray[np.float32]:
        return binned(spikes, self.bins).reshape(len(spikes), -1)

    def scores(self, spikes: Counts) -> NDArray[np.float64]:
        """Scores (bins, samples, classes)."""
        x = (self._features(spikes) - self.ridge.mean).reshape(len(spikes), self.bins, -1)
        weights = self.ridge.weights.reshape(self.bins, x.shape[2], -1).astype(np.float32)
        parts = x.transpose(1, 0, 2) @ weights
        return self.ridge.base + np.cumsum(parts, axis=0, dtype=np.float64)


READOUT = Readout("linear, a weight per neuron and time bin", lambda problems, seeds: fit_each(LinearFitted, problems))

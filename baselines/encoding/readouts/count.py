"""The rate-only control: ridge regression of spike counts, blind to time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.encoding.contract import Counts, Problem, Readout, fit_each
from baselines.encoding.readouts._ridge import Ridge


class CountFitted:
    """Scores from the number of spikes of each neuron in the whole sample."""

    def __init__(self, problem: Problem) -> None:
        self.ridge = Ridge(
            _counts(problem.train), problem.y, _counts(problem.validation), problem.y_validation, problem.classes
        )

    def scores(self, spikes: Counts) -> NDArray[np.float64]:
        """Scores (1, samples, classes)."""
        return (self.ridge.base + (_counts(spikes) - self.ridge.mean) @ self.ridge.weights)[None]


def _counts(spikes: Counts) -> NDArray[np.float32]:
    return spikes.sum(axis=1, dtype=np.float32)


READOUT = Readout("linear, spike counts only", lambda problems, seeds: fit_each(CountFitted, problems))

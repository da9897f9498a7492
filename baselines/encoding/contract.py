"""What readouts get and give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[Any]  # spikes (samples, steps, neurons), bytes or 32-bit floats


class Problem(NamedTuple):
    """Encoded training and validation data of one seed."""

    train: Counts
    y: NDArray[np.int64]
    validation: Counts
    y_validation: NDArray[np.int64]
    classes: int


class Fitted(Protocol):
    """A readout that has learned."""

    def scores(self, spikes: Counts) -> NDArray[np.float64]:
        """Scores (moments, samples, classes) from the spikes up to each moment; the last is the answer.

        The number of moments is the readout's own; they are evenly spaced and the last is the end of the sample.
        """


class Readout(NamedTuple):
    """A way to learn from spikes.

    Parameters
    ----------
    title : str
        What it is, in a few words.
    fit : callable
        ``fit(problems, seeds)`` gives one `Fitted` per seed. Problems with the same spikes are the same object.
    """

    title: str
    fit: Callable[[Sequence[Problem], Sequence[int]], list[Fitted]]


def fit_each(fit: Callable[[Problem], Fitted], problems: Sequence[Problem]) -> list[Fitted]:
    """One `Fitted` per problem, made once for problems that are the same object."""
    done: dict[int, Fitted] = {}
    for problem in problems:
        if id(problem) not in done:
            done[id(problem)] = fit(problem)
    return [done[id(problem)] for problem in problems]

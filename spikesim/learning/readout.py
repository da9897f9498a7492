"""Readouts: linear classifiers of what a network's spikes have left behind, the only part that learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve

from spikesim.errors import ParameterError
from spikesim.learning.learner import Learner, check_labels, pack
from spikesim.parameters import REQUIRED, count, number
from spikesim.progress import ProgressOption
from spikesim.spikes import Spikes

Matrix = NDArray[np.float64]


@dataclass(eq=False, repr=False)
class Readout(Learner):
    """Base of linear readouts of exponential traces at the end of each pattern.

    ``x_i = sum_k exp(-(t_stop - t_i^k) / tau)``; the class is the greatest of ``x @ weights + offset``, where x is
    first brought to mean 0 and deviation 1 as on the training patterns.
    """

    n: int = count(REQUIRED, "elements read")
    classes: int = count(2, "classes", 2)
    tau: float = number(30.0, "ms", "> 0", "time constant of the traces")
    weights: Matrix = field(init=False)
    offset: Matrix = field(init=False)
    arrays = ("weights", "offset")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.weights, self.offset = np.zeros((self.n, self.classes)), np.zeros(self.classes)

    def traces(self, inputs: Sequence[Spikes]) -> Matrix:
        """Traces at the end of each pattern, shape (patterns, n)."""
        trains = pack(inputs, self.n, f"{type(self).__name__}: inputs")
        row = np.repeat(np.arange(len(inputs)), np.diff(trains.start))
        left = np.exp((trains.times - trains.stop[row]) / self.tau)
        flat: NDArray[Any] = np.bincount(row * self.n + trains.ids, left, len(inputs) * self.n)
        return flat.reshape(len(inputs), self.n)

    def predict(self, inputs: Sequence[Spikes]) -> NDArray[np.int64]:
        """Class of each pattern, shape (patterns,)."""
        return np.argmax(self.traces(inputs) @ self.weights + self.offset, axis=1)

    def _prepare(self, inputs: Sequence[Spikes], labels: ArrayLike) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Standardised traces, targets of ± 1, and mean and deviation of the traces."""
        owner = f"{type(self).__name__}.fit"
        x = self.traces(inputs)
        wanted = check_labels(labels, len(inputs), self.classes, f"{owner}: labels")
        if not x.any():
            raise ParameterError(f"{owner}: no pattern has any spikes; there is nothing to learn from")
        mean, std = x.mean(axis=0), x.std(axis=0)
        std[std < 1e-12 * std.max()] = np.inf  # what never changes tells nothing
        std[~(std > 0)] = np.inf
        return (x - mean) / std, np.where(np.arange(self.classes) == wanted[:, None], 1.0, -1.0), mean, std

    def _set(self, weights: Matrix, offset: Matrix, mean: Matrix, std: Matrix) -> None:
        """Weights for the traces themselves from those for the standardised ones."""
        self.weights = weights / std[:, None]
        self.offset = offset - mean @ self.weights


@dataclass(eq=False, repr=False)
class RidgeReadout(Readout):
    """Least squares with a penalty on the weights, in closed form: ``w = (X' X + penalty P 1)^-1 X' Y``, P patterns.

    Parameters
    ----------
    n : int
        Elements read.
    classes : int
    tau : float, ms
        Time constant of the traces.
    penalty : float
        Relative to the variance of a trace.

    Attributes
    ----------
    weights, offset : arrays (n, classes), (classes,)

    Raises
    ------
    ParameterError
        If a setting is out of bounds.

    References
    ----------
    Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634, equation 2.1.
    """

    penalty: float = number(0.1, "", "> 0", "penalty relative to the variance of a trace")

    def fit(self, inputs: Sequence[Spikes], labels: ArrayLike) -> Self:
        """Learn from all patterns at once; adds ``accuracy``, the share classified rightly, to the history.

        Raises
        ------
        ParameterError
            If patterns and labels do not fit, or there are no spikes at all.
        """
        x, y, mean, std = self._prepare(inputs, labels)
        offset = y.mean(axis=0)
        if len(x) >= self.n:
            weights = cho_solve(cho_factor(x.T @ x + self.penalty * len(x) * np.eye(self.n)), x.T @ (y - offset))
        else:  # the same with as many unknowns as patterns
            weights = x.T @ cho_solve(cho_factor(x @ x.T + self.penalty * len(x) * np.eye(len(x))), y - offset)
        self._set(weights, offset, mean, std)
        self.note(accuracy=float(np.mean((x @ weights + offset).argmax(axis=1) == y.argmax(axis=1))))
        return self


@dataclass(eq=False, repr=False)
class DeltaReadout(Readout):
    """The delta rule of Widrow and Hoff, pattern by pattern: ``w += rate / n (y - w x) x'``.

    Parameters
    ----------
    n : int
        Elements read.
    classes : int
    tau : float, ms
        Time constant of the traces.
    rate : float
        Learning rate, < 2 for it to converge.
    seed : int
        Decides the order of the patterns.

    Attributes
    ----------
    weights, offset : arrays (n, classes), (classes,)

    Raises
    ------
    ParameterError
        If a setting is out of bounds.

    References
    ----------
    Widrow & Hoff 1960, "Adaptive switching circuits", IRE WESCON Convention Record 4:96-104.
    """

    rate: float = number(0.1, "", "> 0, < 2", "learning rate")
    seed: int = count(0, "decides the order of the patterns", 0)

    def fit(
        self, inputs: Sequence[Spikes], labels: ArrayLike, epochs: int = 50, *, progress: ProgressOption = None
    ) -> Self:
        """Learn from scratch; each epoch adds ``accuracy`` and ``error``, the mean square before each change.

        Raises
        ------
        ParameterError
            If patterns and labels do not fit, or there are no spikes at all.
        KeyboardInterrupt
            On Ctrl-C, between two epochs.
        """
        x, y, mean, std = self._prepare(inputs, labels)
        weights, offset = np.zeros((self.n, self.classes)), y.mean(axis=0)

        def epoch() -> bool:
            error, step = 0.0, self.rate / self.n
            for k in np.random.default_rng((self.seed, self.epochs)).permutation(len(x)):
                off = y[k] - offset - x[k] @ weights
                weights[...] += step * np.outer(x[k], off)
                offset[...] += step * off
                error += float(off @ off)
            self._set(weights, offset, mean, std)
            right = np.mean((x @ weights + offset).argmax(axis=1) == y.argmax(axis=1))
            self.note(error=error / len(x), accuracy=float(right))
            return False

        return self.run_epochs(epochs, epoch, progress, "delta rule")

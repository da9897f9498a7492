"""Ridge regression onto one-hot labels, the penalty chosen on validation data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

_PENALTIES = 10.0 ** np.arange(-3, 5)  # relative to the mean variance of a feature, times the number of features


class Ridge:
    """Linear scores ``mean_y + (x - mean_x) W``.

    Parameters
    ----------
    x, x_validation : array (samples, features)
    y, y_validation : labels
    classes : int
    """

    def __init__(
        self,
        x: NDArray[np.float32],
        y: NDArray[np.int64],
        x_validation: NDArray[np.float32],
        y_validation: NDArray[np.int64],
        classes: int,
    ) -> None:
        self.mean = x.mean(axis=0)
        self.base = np.eye(classes)[y].mean(axis=0)
        centred, target = x - self.mean, np.eye(classes)[y] - self.base
        held_out = x_validation - self.mean
        dual = x.shape[0] <= x.shape[1]  # as many equations as the smaller of samples and features
        gram = (centred @ centred.T if dual else centred.T @ centred).astype(np.float64)
        right = target if dual else centred.T @ target
        seen = (held_out @ centred.T if dual else held_out).astype(np.float64)
        scale = float(np.trace(gram)) / len(gram) or 1.0
        best = -1.0
        for penalty in _PENALTIES[::-1]:  # of equally good ones the strongest
            damped = gram.copy()
            damped.flat[:: len(gram) + 1] += penalty * scale
            factor = cho_factor(damped, lower=True, overwrite_a=True, check_finite=False)
            inner = cho_solve(factor, right, check_finite=False)
            score = float(np.mean((seen @ inner + self.base).argmax(axis=1) == y_validation))
            if score > best:
                best, chosen, self.penalty = score, inner, float(penalty)
        self.weights = centred.T @ chosen if dual else chosen

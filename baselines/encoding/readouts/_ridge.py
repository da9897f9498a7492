"""Ridge regression onto one-hot labels, the penalty chosen on validation data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
        dual = x.shape[0] <= x.shape[1]
        gram = (centred @ centred.T if dual else centred.T @ centred).astype(np.float64)
        values, vectors = np.linalg.eigh(gram)
        values = np.maximum(values, 0.0)
        scale = values.sum() / max(1, len(values)) or 1.0
        left = vectors.T @ (target if dual else centred.T @ target)
        best = -1.0
        for penalty in _PENALTIES[::-1]:  # of equally good ones the strongest
            inner = vectors @ (left / (values + penalty * scale)[:, None])
            weights = centred.T @ inner if dual else inner
            score = float(np.mean((held_out @ weights + self.base).argmax(axis=1) == y_validation))
            if score > best:
                best, self.weights, self.penalty = score, weights, float(penalty)

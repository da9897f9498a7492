"""Optimisers: how gradients become changes of weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikesim.parameters import check_settings, number


@dataclass(eq=False)
class Adam:
    """Steps of about equal size for every weight, whatever the size of its gradient.

    ``m <- beta1 m + (1 - beta1) g``, ``s <- beta2 s + (1 - beta2) g²``,
    ``w <- w - rate (m / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + eps)``.

    Parameters
    ----------
    rate : float
        Learning rate; may be changed between steps.
    beta1, beta2 : float
        Decay of the averages of gradient and squared gradient.
    eps : float
        Added to the denominator.

    References
    ----------
    Kingma & Ba 2015, arXiv:1412.6980, algorithm 1.
    """

    rate: float = number(5e-3, "", "> 0", "learning rate")
    beta1: float = number(0.9, "", ">= 0, < 1", "decay of the mean gradient")
    beta2: float = number(0.999, "", ">= 0, < 1", "decay of the mean squared gradient")
    eps: float = number(1e-8, "", "> 0", "added to the denominator")
    steps: int = field(default=0, init=False)
    moments: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        check_settings(self, "Adam.")

    def step(self, weights: Sequence[NDArray[np.float64]], gradients: Sequence[NDArray[np.float64]]) -> None:
        """Change `weights` in place, downhill."""
        if not self.moments:
            self.moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
        self.steps += 1
        scale_m, scale_s = 1.0 - self.beta1**self.steps, 1.0 - self.beta2**self.steps
        for w, g, (m, s) in zip(weights, gradients, self.moments, strict=True):
            m += (1.0 - self.beta1) * (g - m)
            s += (1.0 - self.beta2) * (g * g - s)
            w -= self.rate * (m / scale_m) / (np.sqrt(s / scale_s) + self.eps)

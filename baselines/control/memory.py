"""What an agent has lived through, to be drawn from at random."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Batch(NamedTuple):
    """Transitions: observations (k, n), actions (k,), rewards (k,), next observations (k, n), 1 where it went on."""

    seen: Tensor
    action: Tensor
    reward: Tensor
    next: Tensor
    goes_on: Tensor


class Memory:
    """The last transitions, the oldest forgotten first.

    Parameters
    ----------
    size, n : int
        Transitions kept, length of an observation.
    seed : sequence of int
        Of the draws.
    """

    def __init__(self, size: int, n: int, seed: tuple[int, ...]) -> None:
        self.seen, self.next = np.zeros((size, n), np.float32), np.zeros((size, n), np.float32)
        self.action, self.reward = np.zeros(size, np.int64), np.zeros(size, np.float32)
        self.goes_on = np.zeros(size, np.float32)
        self._rng, self._added = np.random.default_rng(seed), 0

    def __len__(self) -> int:
        return min(self._added, len(self.action))

    def add(
        self, seen: NDArray[np.float32], action: int, reward: float, then: NDArray[np.float32], ended: bool
    ) -> None:
        """Keep one transition; `ended` is whether the state after it was final, not whether time was up."""
        at = self._added % len(self.action)
        self.seen[at], self.action[at], self.reward[at], self.next[at] = seen, action, reward, then
        self.goes_on[at] = 0.0 if ended else 1.0
        self._added += 1

    def draw(self, k: int) -> Batch:
        """Transitions drawn uniformly, with replacement."""
        at = self._rng.integers(len(self), size=k)
        parts = (self.seen, self.action, self.reward, self.next, self.goes_on)
        return Batch(*(torch.from_numpy(part[at]) for part in parts))

"""What every connection rule offers."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class Pairs(NamedTuple):
    """Synapses of one projection onto a range of targets, sorted by target.

    `pre` and `post` are int32 numbers in the connected ranges; `draw` (int32) numbers the synapses of each target
    0, 1, … in an order that depends only on seed and rule: random weights and delays are functions of (post, draw).
    `index` (int64) is the position of each synapse in arrays of weights or delays given by the user, None where
    such arrays make no sense; `weight` (float64) is set by rules that carry weights of their own.
    """

    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    draw: NDArray[np.int32]
    index: NDArray[np.int64] | None = None  # type: ignore[assignment]  # hides tuple.index
    weight: NDArray[np.float64] | None = None


@runtime_checkable
class Rule(Protocol):
    """A connection rule: a frozen description that produces the same synapses for any split into target ranges."""

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless the rule fits `n_pre` sources and `n_post` targets.

        `same` says that both sides are the same population (so that pre == post is a self-connection).
        """

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact where the rule fixes it, else its mean."""

    def given(self, n_pre: int, n_post: int) -> int | None:
        """Length of per-synapse arrays of weights or delays a user may give, None if they make no sense."""

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``."""

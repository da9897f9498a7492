"""Rules without chance: one-to-one, all-to-all, and what the rules share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.connectivity.rule import Pairs, Rule
from spikesim.errors import ParameterError


def as_flag(value: object, owner: str) -> None:
    """Raise unless `value` is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ParameterError(f"{owner}: must be True or False, got {value!r}")


@kernel
def _number(starts, lo, post, draw):
    """Target and draw number of synapses sorted by target, those of target lo + i from starts[i] - starts[0] on."""
    for t in range(len(starts) - 1):
        for i in range(starts[t] - starts[0], starts[t + 1] - starts[0]):
            post[i] = lo + t
            draw[i] = i - (starts[t] - starts[0])


def numbered(
    pre: NDArray[np.int32],
    starts: NDArray[np.int64],
    lo: int,
    index: NDArray[np.int64] | None = None,
    weight: NDArray[np.float64] | None = None,
) -> Pairs:
    """Pairs of sources sorted by target, those of target lo + i from starts[i] - starts[0] on."""
    post, draw = np.empty(len(pre), np.int32), np.empty(len(pre), np.int32)
    _number(starts, lo, post, draw)
    return Pairs(pre, post, draw, index, weight)


@dataclass(frozen=True)
class OneToOne(Rule):
    """Source i to target i.

    Arrays of weights or delays hold one value per target.
    """

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless there are as many sources as targets."""
        if n_pre != n_post:
            raise ParameterError(
                f"{owner}: OneToOne needs as many sources as targets, got {n_pre} sources and {n_post} targets; "
                "connect slices of equal length or use another rule"
            )

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        return float(n_post)

    def given(self, n_pre: int, n_post: int) -> int | None:
        """One value per target."""
        return n_post

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``."""
        post = np.arange(lo, hi, dtype=np.int32)
        return Pairs(post.copy(), post, np.zeros_like(post), post.astype(np.int64))


@dataclass(frozen=True)
class AllToAll(Rule):
    """Every source to every target.

    Arrays of weights or delays have shape (n_pre, n_post); their diagonal is ignored where self-connections are
    forbidden.

    Parameters
    ----------
    allow_self : bool
        Whether an element connects to itself when sources and targets are the same elements.
    """

    allow_self: bool = True

    def __post_init__(self) -> None:
        as_flag(self.allow_self, "AllToAll.allow_self")

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Fits any numbers."""

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        return float((n_pre - (same and not self.allow_self)) * n_post)

    def given(self, n_pre: int, n_post: int) -> int | None:
        """One value per pair, self-connections included."""
        return n_pre * n_post

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``, sources ascending."""
        skip = same and not self.allow_self
        m = n_pre - skip
        post = np.repeat(np.arange(lo, hi, dtype=np.int32), m)
        draw = np.tile(np.arange(m, dtype=np.int32), hi - lo)
        pre = draw + (draw >= post) if skip else draw.copy()
        return Pairs(pre, post, draw, pre * np.int64(n_post) + post)

"""Rules that draw their pairs: fixed probability, indegree and total number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.connectivity.counts import binomial_counts, shared_counts
from spikesim.connectivity.rule import Pairs, Rule
from spikesim.connectivity.rules import as_flag
from spikesim.errors import ParameterError
from spikesim.parameters import as_count, as_values
from spikesim.rng import below, bits, make_key


@kernel
def _draw_multiple(key, counts, lo, m, skip_self, pre, post, draw):
    """Sources drawn independently and uniformly from m candidates, counts[i] of them for target lo + i."""
    i = 0
    for t in range(len(counts)):
        target = lo + t
        for j in range(counts[t]):
            source = below(bits(key, target, j), m)
            if skip_self and source >= target:
                source += 1
            pre[i], post[i], draw[i] = source, target, j
            i += 1


@kernel
def _draw_distinct(key, counts, lo, m, skip_self, pre, post, draw):
    """Uniform subset of m candidates, counts[i] of them for target lo + i.

    Floyd's algorithm: Bentley & Floyd 1987, doi:10.1145/30401.315746.
    """
    taken = np.zeros(m, np.uint8)
    i = 0
    for t in range(len(counts)):
        target = lo + t
        k = counts[t]
        for j in range(k):
            last = m - k + j
            source = below(bits(key, target, j), last + 1)
            if taken[source]:
                source = last
            taken[source] = 1
            pre[i + j], post[i + j], draw[i + j] = source, target, j
        for j in range(i, i + k):
            source = pre[j]
            taken[source] = 0
            if skip_self and source >= target:
                pre[j] = source + 1
        i += k


def _draw_sources(key: np.uint64, counts: NDArray[np.int64], lo: int, m: int, skip: bool, multiple: bool) -> Pairs:
    """Draw counts[i] of m candidate sources for target lo + i."""
    n = int(counts.sum())
    pre, post, draw = (np.empty(n, np.int32) for _ in range(3))
    fill = _draw_multiple if multiple else _draw_distinct
    with np.errstate(over="ignore"):
        fill(key, counts, lo, m, skip, pre, post, draw)
    return Pairs(pre, post, draw)


@dataclass(frozen=True)
class FixedProbability(Rule):
    """Each pair is connected with probability p, independently of all others, and at most once.

    Indegrees are drawn from Binomial(m, p), with m candidate sources, and then filled with a uniform subset of the
    candidates, which gives the same distribution as a decision per pair.

    Parameters
    ----------
    p : float
        Probability, 0 <= p <= 1.
    allow_self : bool
        Whether an element may connect to itself when sources and targets are the same elements.

    Raises
    ------
    ParameterError
        If p is not a probability or the flag is not True or False.
    """

    p: float
    allow_self: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", as_values(self.p, "FixedProbability.p", bounds=">= 0", scalar=True))
        if self.p > 1:
            raise ParameterError(f"FixedProbability.p: must be <= 1, got {self.p}")
        as_flag(self.allow_self, "FixedProbability.allow_self")

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Fits any numbers."""

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Mean number of synapses."""
        return self.p * (n_pre - (same and not self.allow_self)) * n_post

    def given(self, n_pre: int, n_post: int) -> int | None:
        """No arrays: the pairs are drawn."""
        return None

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``."""
        skip = same and not self.allow_self
        counts = binomial_counts(make_key(int(key), "indegree"), n_pre - skip, self.p, lo, hi)
        return _draw_sources(key, counts, lo, n_pre - skip, skip, multiple=False)


@dataclass(frozen=True)
class Counted(Rule):
    """What the rules with a number of synapses share."""

    k: int
    allow_self: bool = True
    allow_multiple: bool = True

    def __post_init__(self) -> None:
        name = type(self).__name__
        object.__setattr__(self, "k", as_count(self.k, f"{name}.k", minimum=0))
        as_flag(self.allow_self, f"{name}.allow_self")
        as_flag(self.allow_multiple, f"{name}.allow_multiple")

    def given(self, n_pre: int, n_post: int) -> int | None:
        """No arrays: the pairs are drawn."""
        return None

    def _check(self, candidates: int, what: str, same: bool, owner: str) -> None:
        """Raise unless k synapses find a place among the candidates."""
        limit = None if self.allow_multiple and candidates else candidates
        if limit is None or self.k <= limit:
            return
        forbidden = ["self-connections"] if same and not self.allow_self else []
        forbidden += [] if self.allow_multiple else ["multiple connections"]
        remedy = "lower k" if limit == 0 or self.allow_multiple else "lower k or set allow_multiple=True"
        raise ParameterError(
            f"{owner}: {type(self).__name__}.k must be <= {limit} ({what}, {' and '.join(forbidden)} forbidden), "
            f"got {self.k}; {remedy}"
        )


@dataclass(frozen=True)
class FixedIndegree(Counted):
    """Every target gets exactly k synapses, their sources drawn uniformly.

    Parameters
    ----------
    k : int
        Synapses per target, >= 0.
    allow_self : bool
        Whether an element may connect to itself when sources and targets are the same elements.
    allow_multiple : bool
        Whether a pair may be connected more than once; if not, the sources are a uniform subset.

    Raises
    ------
    ParameterError
        If a field is of the wrong kind.
    """

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless there are enough sources."""
        self._check(n_pre - (same and not self.allow_self), f"{n_pre} sources", same, owner)

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        return float(self.k * n_post)

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``."""
        skip = same and not self.allow_self
        counts = np.full(hi - lo, self.k, np.int64)
        return _draw_sources(key, counts, lo, n_pre - skip, skip, self.allow_multiple)


@dataclass(frozen=True)
class FixedTotalNumber(Counted):
    """Exactly k synapses in total, each between a source and a target drawn uniformly.

    Indegrees are drawn first, by splitting k over halves of the targets (binomial, or hypergeometric without multiple
    connections), and then filled with sources, which gives the same distribution as k draws of pairs.

    Parameters
    ----------
    k : int
        Number of synapses, >= 0.
    allow_self : bool
        Whether an element may connect to itself when sources and targets are the same elements.
    allow_multiple : bool
        Whether a pair may be connected more than once; if not, the pairs are a uniform subset of all pairs.

    Raises
    ------
    ParameterError
        If a field is of the wrong kind.
    """

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless there are enough pairs."""
        m = n_pre - (same and not self.allow_self)
        self._check(m * n_post, f"{n_pre} sources and {n_post} targets", same, owner)

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        return float(self.k)

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``."""
        skip = same and not self.allow_self
        m = n_pre - skip
        counts = shared_counts(make_key(int(key), "indegree"), self.k, m, n_post, self.allow_multiple, lo, hi)
        return _draw_sources(key, counts, lo, m, skip, self.allow_multiple)

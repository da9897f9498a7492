"""The rule of fixed outdegree: every source draws its targets, yet a range of targets costs little more than itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikesim._jit import kernel
from spikesim.connectivity.counts import good_balls
from spikesim.connectivity.random_rules import Counted
from spikesim.connectivity.rule import Pairs
from spikesim.connectivity.rules import numbered
from spikesim.rng import below, bits, uniform

_LEAF = 32  # synapses a source draws at once, on average; fewer make ranges cheaper, more make wholes cheaper


class _Fan(NamedTuple):
    """Outdegree, number of candidate targets, candidates drawn at once, and the flags."""

    k: int
    m: int
    leaf: int
    skip_self: bool
    multiple: bool


class _Work(NamedTuple):
    """Scratch space: ranges of candidates still to split (first, last, draws), marks (all 0), drawn targets."""

    stack: np.ndarray
    taken: np.ndarray
    drawn: np.ndarray


@kernel
def _draw_leaf(key, first, last, n, multiple, work, found):
    """n candidates of ``first … last-1``, distinct unless `multiple`, into work.drawn from place `found` on."""
    size = last - first
    for j in range(n):
        top = size - 1 if multiple else size - n + j
        candidate = below(bits(key, first, j), top + 1)
        if not multiple:
            if work.taken[candidate]:
                candidate = top
            work.taken[candidate] = 1
        work.drawn[found + j] = first + candidate
    if not multiple:
        for j in range(found, found + n):
            work.taken[work.drawn[j] - first] = 0


@kernel
def _draw_targets(key, source, fan, lo, hi, work):
    """Write the targets of one source within ``lo … hi-1`` to work.drawn and return their number.

    The k draws are shared out over halves of the candidates (binomial or hypergeometric) until few are left, each
    share a function of the key, the source and the half.
    """
    split_key, leaf_key = bits(key, source, 0), bits(key, source, 1)
    work.stack[0] = (0, fan.m, fan.k)
    waiting, found = 1, 0
    while waiting > 0:
        waiting -= 1
        first, last, n = work.stack[waiting]
        if n == 0 or last + fan.skip_self <= lo or first >= hi:
            continue
        if last - first > fan.leaf:
            middle = (first + last) // 2
            good, bad = np.float64(middle - first), np.float64(last - middle)
            share = good_balls(uniform(split_key, first, last), good, bad, np.float64(n), fan.multiple)
            work.stack[waiting] = (first, middle, share)
            work.stack[waiting + 1] = (middle, last, n - share)
            waiting += 2
            continue
        _draw_leaf(leaf_key, first, last, n, fan.multiple, work, found)
        for j in range(found, found + n):
            target = work.drawn[j]
            if fan.skip_self and target >= source:
                target += 1
            if lo <= target < hi:
                work.drawn[found] = target
                found += 1
    return found


@kernel
def _count_targets(key, n_pre, fan, lo, hi, work, starts):
    """starts[i + 1] += number of synapses onto target lo + i."""
    for source in range(n_pre):
        for j in range(_draw_targets(key, source, fan, lo, hi, work)):
            starts[work.drawn[j] - lo + 1] += 1


@kernel
def _place_sources(key, n_pre, fan, lo, hi, work, places, pre):
    """Write each source to the next free place of its targets; places[i] belongs to target lo + i."""
    for source in range(n_pre):
        for j in range(_draw_targets(key, source, fan, lo, hi, work)):
            t = work.drawn[j] - lo
            pre[places[t]] = source
            places[t] += 1


@dataclass(frozen=True)
class FixedOutdegree(Counted):
    """Every source gets exactly k synapses, their targets drawn uniformly.

    Parameters
    ----------
    k : int
        Synapses per source, >= 0.
    allow_self : bool
        Whether an element may connect to itself when sources and targets are the same elements.
    allow_multiple : bool
        Whether a pair may be connected more than once; if not, the targets are a uniform subset.

    Raises
    ------
    ParameterError
        If a field is of the wrong kind.
    """

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless there are enough targets."""
        self._check(n_post - (same and not self.allow_self), f"{n_post} targets", same, owner)

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        return float(self.k * n_pre)

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``, sources ascending."""
        skip = same and not self.allow_self
        m = n_post - skip
        fan = _Fan(self.k, m, max(1, _LEAF * m // max(self.k, 1)), skip, self.allow_multiple)
        work = _Work(np.zeros((64, 3), np.int64), np.zeros(m, np.uint8), np.zeros(self.k, np.int64))
        starts = np.zeros(hi - lo + 1, np.int64)
        with np.errstate(over="ignore"):
            _count_targets(key, n_pre, fan, lo, hi, work, starts)
            starts = np.cumsum(starts)
            pre = np.empty(starts[-1], np.int32)
            _place_sources(key, n_pre, fan, lo, hi, work, starts[:-1].copy(), pre)
        return numbered(pre, starts, lo)

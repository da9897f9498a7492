"""Kernels of the grid engine for IF and LIF neurons with exponential currents, which need not be moved at all.

In step k of a window (`grid_watch`), ``v = exp(-leak h k) (u + sum of y F[k]) + level (1 - exp(-leak h k))``, where F
is the response to a decaying current (Rotter & Diesmann 1999, doi:10.1007/s004220050570), so that a step is the
question whether that reaches the threshold. It is asked of the few neurons that can get there before the window ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim._jit import at, fma, kernel, load, twin
from spikesim.engines.grid_kernels import advance_all
from spikesim.engines.grid_watch import FEWER, PIECE, draw, fires, receive, shrink, watch
from spikesim.rng import U64

ROUNDED = 1.0001  # `left` is of single precision
SAFE = 1e-9  # relative distance from the threshold at which rounding cannot matter


class ClosedParts(NamedTuple):
    """Neurons with currents alone; tables have a row for each k from 0 to K."""

    threshold: Any
    reset: Any
    hold: Any
    level: Any  # where the potential goes without spikes (mV), or, without leak, its slope
    response: Any  # F over exp(-leak h k), an array (K + 1,) for each receptor
    swell: Any  # (K + 1, receptors) exp(rate h k)
    grow: Any  # (K + 1,) exp(leak h k)
    lift: Any  # (K + 1,) share of `level`, times `grow`
    near: Any
    shift: Any  # (stimuli,) from local numbers to elements
    queue: Any  # refractory neurons, in the order in which they return
    ends: Any  # (2,) first and end of these


def gathered(ys: Any, response: Any, i: int, u: float) -> float:
    """``u + sum of y F`` of neuron i."""
    for y, f in zip(ys, response, strict=True):
        u = fma(y[0][i], f, u)
    return u


@twin(gathered)
def _gathered(ys: Any, response: Any, i: Any, u: Any) -> Any:
    if len(ys) == 1:
        return lambda ys, response, i, u: fma(ys[0][0][i], response[0], u)
    return lambda ys, response, i, u: gathered(ys[1:], response[1:], i, fma(ys[0][0][i], response[0], u))


def _most(ys: Any, response: Any, i: int, u: float) -> float:
    """Upper bound of ``u + sum of y F`` as long as nothing arrives, if F grows up to `response`."""
    for y, f in zip(ys, response, strict=True):
        u = fma(max(y[0][i], 0.0), f, u)
    return u


@twin(_most)
def _most_twin(ys: Any, response: Any, i: Any, u: Any) -> Any:
    if len(ys) == 1:
        return lambda ys, response, i, u: fma(max(ys[0][0][i], 0.0), response[0], u)
    return lambda ys, response, i, u: _most(ys[1:], response[1:], i, fma(max(ys[0][0][i], 0.0), response[0], u))


@kernel(inline=True)
def _bound(parts, k, i):
    """What ``u + sum of y F`` has to reach in step k."""
    return at(parts.threshold.v_th, i) * parts.grow[k] - at(parts.level, i) * parts.lift[k]


@kernel(inner=True)
def _any_reaches(parts, near, response, k, lo, hi):
    """Whether any of the watched neurons lo … hi-1 reaches the threshold in step k."""
    u, ys, who, some = near.u, near.ys, near.who, False
    grow, lift = parts.grow[k], parts.lift[k]
    for p in range(U64(lo), U64(hi)):
        bound = at(parts.threshold.v_th, who[p]) * grow - at(parts.level, who[p]) * lift
        some |= gathered(ys, response, p, u[p]) >= bound
    return some


@kernel(inner=True)
def _close(parts, state, response, k, step, lo, hi, width, plastic, out, n):
    """Spikes of the watched neurons lo … hi-1 in step k of the window."""
    near, u = parts.near, state.x[1]
    for a in range(lo, hi, FEWER):
        b = min(a + FEWER, hi)
        for p in range(U64(a), U64(b if _any_reaches(parts, near, response, k, a, b) else a)):
            i, sum_ = near.who[p], gathered(near.ys, response, p, near.u[p])
            if sum_ < _bound(parts, k, i) or near.u[p] == -np.inf:
                continue
            v = (sum_ + at(parts.level, i) * parts.lift[k]) / parts.grow[k]
            n = fires(parts, state, i, v, step, parts.shift[i // width], plastic, out, n)
            u[U64(i)] = near.u[p] = -np.inf
    return n


@kernel(inner=True)
def _sort(out, lo, hi):
    """Put elements in order; nearly all are."""
    for m in range(lo + 1, hi):
        element, p = out[m], m
        while p > lo and out[p - 1] > element:
            out[p] = out[p - 1]
            p -= 1
        out[p] = element


@kernel(inner=True)
def _choose(parts, u, ys, marks, k):
    """Watch the neurons that may fire in the steps from k to the end of the window."""
    near, last = parts.near, len(parts.grow) - 1
    near.size[0], near.size[1] = 0, last
    response, left, fired = load(parts.response, last), near.left, marks.fired
    for i in range(U64(len(u))):
        first, then = _bound(parts, k, i), _bound(parts, last, i)  # what is between is between them
        bound: Any = min(first, then)
        may = _most(ys, response, i, u[i]) + ROUNDED * near.room >= bound - SAFE * (1.0 + abs(bound))
        left[i] = near.room
        fired[i] = may
    for w in range(U64((len(u) + 7) >> 3)):
        if marks.words[w] != U64(0):
            for i in range(U64(8) * w, min(U64(8) * w + U64(8), U64(len(u)))):
                if fired[i] > 0:
                    watch(near, u, ys, np.int64(i))


@advance_all.register(ClosedParts)
def _advance_closed(parts, state, marks, views, current, lagged, synapses, rows, drive, chunks, k, s, place, out, n):
    window, near = len(parts.grow) - 1, parts.near
    w = (s - 1) % window + 1 if s > 0 else 0
    response, u = load(parts.response, w), state.x[1]
    for c in range(len(chunks)):
        draw(rows, drive, k, chunks, c, s)
    if s > 0:
        if near.size[1] < w:
            _choose(parts, u, state.ys, marks, w)
        before = n
        for a in range(0, near.size[0], PIECE):
            b = min(a + PIECE, near.size[0])
            if _any_reaches(parts, near, response, w, a, b):
                n = _close(parts, state, response, w, s, a, b, place[2], synapses.plastic, out, n)
        _sort(out, before, n)
    for r in range(len(state.ys)):
        y = state.ys[r][0]
        grown = parts.response[r][max(0, near.size[1])]
        receive(synapses, rows, near, y, u, state.ys, parts.swell[w, r], response[r], grown, r, k, place)
    while parts.ends[0] != parts.ends[1]:
        i = parts.queue[parts.ends[0]]
        if state.until[i] > s:
            break
        parts.ends[0] = parts.ends[0] + 1 if parts.ends[0] + 1 < len(parts.queue) else 0
        rest = state.x[0][i] * parts.grow[w] - at(parts.level, i) * parts.lift[w]
        u[i] = rest - gathered(state.ys, response, i, 0.0)
        if near.left[i] < 0.0:
            near.u[near.place[i]] = u[i]
        else:
            watch(near, u, state.ys, i)
    if w == window:
        _rebase(parts, u, state.ys, response, w)
        near.size[1] = -1
    return n


@kernel(inner=True)
def _rebase(parts, u, ys, response, k):
    """The next window begins here."""
    lift, share = parts.lift[k], 1.0 / parts.grow[k]
    for i in range(U64(len(u))):
        u[i] = (gathered(ys, response, i, u[i]) + at(parts.level, i) * lift) * share
    shrink(parts, ys, k)

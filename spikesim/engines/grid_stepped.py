"""Kernels of the grid engine for IF and LIF neurons with conductances in a moving frame (`grid_watch`).

The potential takes the step of `neurons/conductances.py`, from sums over receptors whose factors are worked out for
each step of a window beforehand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim._jit import at, fma, kernel, load, twin
from spikesim.engines.grid_kernels import advance_all
from spikesim.engines.grid_watch import FEWER, PIECE, draw, fires, receive, shrink
from spikesim.rng import U64


class SteppedParts(NamedTuple):
    """Neurons with conductances; potentials count from the reversal potential of the first of these."""

    threshold: Any
    reset: Any
    hold: Any
    level: Any  # what leak and injected current drive in a step (mV)
    leak: Any  # leak rate times h
    zero: Any  # where potentials count from (mV)
    pull: Any  # g0, g1 / 4, g2, (b0 + b2) / 6, b1, b2 per unit of y, arrays (K + 1,), for each receptor; g alone: no b
    swell: Any  # (K + 1, receptors)
    queue: Any
    ends: Any


def rows_of(table: Any, k: int) -> Any:
    """Numbers of step k from a tuple of tuples of arrays."""
    return tuple(load(arrays, k) for arrays in table)


@twin(rows_of)
def _rows_of(table: Any, k: Any) -> Any:
    if len(table) == 1:
        return lambda table, k: (load(table[0], k),)
    return lambda table, k: (load(table[0], k),) + rows_of(table[1:], k)  # noqa: RUF005


def pulled(ys: Any, pull: Any, i: int, sums: Any) -> Any:
    """The sums of `SteppedParts.pull` over receptors, added to `sums`."""
    for y, p in zip(ys, pull, strict=True):
        sums = tuple(fma(c, y[0][i], s) for c, s in zip(p, sums, strict=False)) + sums[len(p) :]
    return sums


@twin(pulled)
def _pulled(ys: Any, pull: Any, i: Any, sums: Any) -> Any:
    def three(ys, pull, i, s):
        y, p = ys[0][0][i], pull[0]
        return (fma(p[0], y, s[0]), fma(p[1], y, s[1]), fma(p[2], y, s[2]), s[3], s[4], s[5])

    def six(ys, pull, i, s):
        y, p = ys[0][0][i], pull[0]
        return (
            fma(p[0], y, s[0]), fma(p[1], y, s[1]), fma(p[2], y, s[2]),
            fma(p[3], y, s[3]), fma(p[4], y, s[4]), fma(p[5], y, s[5]),
        )  # fmt: skip

    def more(ys, pull, i, sums):
        return pulled(ys[1:], pull[1:], i, pulled(ys[:1], pull[:1], i, sums))

    if len(ys) > 1:
        return more
    return three if len(pull[0]) == 3 else six


@kernel(inner=True)
def _step(parts, u, ys, pull, lo, hi):
    """Potentials of neurons lo … hi-1 one step later; whether any reaches the threshold."""
    some = False
    for i in range(U64(lo), U64(hi)):
        level = at(parts.level, i)
        start = (parts.leak, 0.25 * parts.leak, parts.leak, fma(level, 1 / 3, u[i]), level, level)
        g0, q, g2, s, b1, b2 = pulled(ys, pull, i, start)
        given = fma(fma(1 / 6, g0, 2 / 3), fma(q, b2, b1), fma(-q, s, s))
        new = given / fma(g0 + g2, fma(0.5, q, 1 / 6), fma(q, fma(g0 * (1 / 6), g2, 5 / 3), 1.0))
        u[i] = new
        some |= new >= at(parts.threshold.v_th, i) - parts.zero
    return some


@kernel(inner=True)
def _passed(parts, state, step, lo, hi, shift, plastic, out, n):
    """Spikes of neurons lo … hi-1, whose potentials have been moved."""
    u = state.x[1]
    for a in range(lo, hi, FEWER):
        b, some = min(a + FEWER, hi), False
        for i in range(U64(a), U64(b)):
            some |= u[i] >= at(parts.threshold.v_th, i) - parts.zero
        for i in range(a, b if some else a):
            if u[i] >= at(parts.threshold.v_th, i) - parts.zero:
                n = fires(parts, state, i, u[i] + parts.zero, step, shift, plastic, out, n)
                u[i] = np.nan
    return n


@advance_all.register(SteppedParts)
def _advance_stepped(parts, state, marks, views, current, lagged, synapses, rows, drive, chunks, k, s, place, out, n):
    window = len(parts.swell) - 1
    w = (s - 1) % window + 1 if s > 0 else 0
    pull, u = rows_of(parts.pull, w), state.x[1]
    for c in range(len(chunks)):
        lo, hi = chunks[c, 0], chunks[c, 1]
        draw(rows, drive, k, chunks, c, s)
        for a in range(lo, hi if s > 0 else lo, PIECE):
            b = min(a + PIECE, hi)
            if _step(parts, u, state.ys, pull, a, b):
                n = _passed(parts, state, s, a, b, chunks[c, 6], synapses.plastic, out, n)
    for r in range(len(state.ys)):
        receive(synapses, rows, None, state.ys[r][0], u, state.ys, parts.swell[w, r], 0.0, 0.0, r, k, place)
    while parts.ends[0] != parts.ends[1]:
        i = parts.queue[parts.ends[0]]
        if state.until[i] > s:
            break
        parts.ends[0] = parts.ends[0] + 1 if parts.ends[0] + 1 < len(parts.queue) else 0
        u[i] = state.x[0][i] - parts.zero
    if w == window:
        shrink(parts, state.ys, w)
    return n

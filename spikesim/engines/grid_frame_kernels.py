"""Kernels of the grid engine for linear neurons in a moving frame: decays are in the frame, so that most of it is read.

Time is cut into windows of K steps of fixed place. The current or conductance of a receptor is kept as what it was,
or would have been, at the start of the window: in step k it is ``y exp(-rate h k)``, an arrival adds
``w exp(rate h k)``, and nothing has to be decayed. Neurons whose synapses are all currents need not be moved either:
``v = exp(-leak h k) (u + sum of y F[k]) + level (1 - exp(-leak h k))``, where F is the response to a decaying current
(Rotter & Diesmann 1999, doi:10.1007/s004220050570), and a step is the question whether that reaches the threshold. With
conductances the potential takes the step of `neurons/conductances.py`. Who is refractory has a `u` that never fires,
and what it returns to in `x`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at, fma, is_none, kernel, load, twin
from spikesim.engines.grid_deliver import FEW, SPILLED, count_waiting, flush, is_few, place_of
from spikesim.engines.grid_kernels import _add_poisson, advance_all
from spikesim.engines.learning import note
from spikesim.rng import U64

PIECE, FEWER = 256, 32  # neurons that are asked together whether any of them fires, then again if one does
ROUNDED = 1.0001  # `left` is of single precision
SAFE = 1e-9  # relative distance from the threshold at which rounding cannot matter


class Near(NamedTuple):
    """The neurons that may fire in the next steps, with copies of what they hold, side by side.

    Others cannot, as long as arrivals do not lift the potential by more than `room`; where they do, the neuron is
    watched from then on.
    """

    who: Any  # which neurons
    place: Any  # where each of them is
    left: Any  # what arrivals may still lift each neuron by (mV times `grow`), negative where it is watched
    u: Any
    ys: Any  # a tuple as in `State`
    room: Any
    size: Any  # (2,) how many are watched, and the last step of the window for which they were chosen


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


@kernel(inline=True)
def _fires(parts, state, i, v, step, shift, plastic, out, n):
    """Neuron i fires at potential v: what it returns to, when, and its place in the queue and in `out`."""
    state.x[0][i] = verbs.reset(parts.reset, v, i)
    state.until[i] = step + parts.hold
    end = parts.ends[1]
    parts.queue[end] = i
    parts.ends[1] = end + 1 if end + 1 < len(parts.queue) else 0
    note(plastic, i, np.float64(step))
    out[n] = i + shift
    return n + 1


# ---------------------------------------------------------------- neurons with currents


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
            n = _fires(parts, state, i, v, step, parts.shift[i // width], plastic, out, n)
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
def _watch(near, u, ys, i):
    """From now on neuron i is asked in every step whether it fires."""
    p, j = U64(near.size[0]), U64(i)
    near.who[p], near.place[j], near.u[p], near.left[j] = i, p, u[j], -1.0
    for r in range(len(ys)):
        near.ys[r][0][p] = ys[r][0][j]
    near.size[0] += 1


@kernel(inner=True)
def _choose(parts, u, ys, marks, k):
    """Watch the neurons that may fire in the steps from k to the end of the window."""
    near, last = parts.near, len(parts.grow) - 1
    near.size[0], near.size[1] = 0, last
    response, left, fired = load(parts.response, last), near.left, marks.fired
    for i in range(U64(len(u))):
        first, then = _bound(parts, k, i), _bound(parts, last, i)  # what is between is between them
        bound = min(first, then)
        may = _most(ys, response, i, u[i]) + ROUNDED * near.room >= bound - SAFE * (1.0 + abs(bound))
        left[i] = near.room
        fired[i] = may
    for w in range(U64((len(u) + 7) >> 3)):
        if marks.words[w] != U64(0):
            for i in range(U64(8) * w, U64(min(8 * np.int64(w) + 8, len(u)))):
                if fired[i] > 0:
                    _watch(near, u, ys, np.int64(i))


@advance_all.register(ClosedParts)
def _advance_closed(parts, state, marks, views, current, lagged, synapses, rows, drive, chunks, k, s, place, out, n):
    window, near = len(parts.grow) - 1, parts.near
    w = (s - 1) % window + 1 if s > 0 else 0
    response, u = load(parts.response, w), state.x[1]
    for c in range(len(chunks)):
        _draw(rows, drive, k, chunks, c, s)
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
        _receive(synapses, rows, near, y, u, state.ys, parts.swell[w, r], response[r], grown, r, k, place)
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
            _watch(near, u, state.ys, i)
    if w == window:
        _rebase(parts, u, state.ys, response, w)
        near.size[1] = -1
    return n


@kernel(inner=True)
def _rebase(parts, u, ys, response, k):
    """The next window begins here."""
    lift, shrink = parts.lift[k], 1.0 / parts.grow[k]
    for i in range(U64(len(u))):
        u[i] = (gathered(ys, response, i, u[i]) + at(parts.level, i) * lift) * shrink
    _shrink(parts, ys, k)


@kernel(inner=True)
def _shrink(parts, ys, k):
    for r in range(len(ys)):
        y, share = ys[r][0], 1.0 / parts.swell[k, r]
        for i in range(U64(len(y))):
            y[i] *= share


# ---------------------------------------------------------------- neurons with conductances


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
                n = _fires(parts, state, i, u[i] + parts.zero, step, shift, plastic, out, n)
                u[i] = np.nan
    return n


@advance_all.register(SteppedParts)
def _advance_stepped(
    parts, state, marks, views, current, lagged, synapses, rows, drive, chunks, k, s, place, out, n
):
    window = len(parts.swell) - 1
    w = (s - 1) % window + 1 if s > 0 else 0
    pull, u = rows_of(parts.pull, w), state.x[1]
    for c in range(len(chunks)):
        lo, hi = chunks[c, 0], chunks[c, 1]
        _draw(rows, drive, k, chunks, c, s)
        for a in range(lo, hi if s > 0 else lo, PIECE):
            b = min(a + PIECE, hi)
            if _step(parts, u, state.ys, pull, a, b):
                n = _passed(parts, state, s, a, b, chunks[c, 6], synapses.plastic, out, n)
    for r in range(len(state.ys)):
        _receive(synapses, rows, None, state.ys[r][0], u, state.ys, parts.swell[w, r], 0.0, 0.0, r, k, place)
    while parts.ends[0] != parts.ends[1]:
        i = parts.queue[parts.ends[0]]
        if state.until[i] > s:
            break
        parts.ends[0] = parts.ends[0] + 1 if parts.ends[0] + 1 < len(parts.queue) else 0
        u[i] = state.x[0][i] - parts.zero
    if w == window:
        _shrink(parts, state.ys, w)
    return n


# ---------------------------------------------------------------- what arrives


@kernel(inner=True)
def _draw(rows, drive, k, chunks, c, step):
    """Add counted spikes of receptors that come in rows, and Poisson input, to row k for one chunk."""
    lo, hi, population, stimulus = chunks[c, 0], chunks[c, 1], chunks[c, 2], chunks[c, 3]
    for j in range(len(rows.receptor)):
        if rows.pending[j, stimulus] > 0 and rows.direct[j] == 0:
            flush(rows, j, k, lo, hi, population)
    for d in range(len(drive.population)):
        if drive.population[d] == population:
            _add_poisson(drive, d, rows.rows[drive.receptor[d], k], lo, hi, chunks[c, 4], chunks[c, 5], step)


@kernel(inner=True)
def _receive(synapses, rows, near, y, u, ys, swell, response, grown, r, k, place):
    """Hand what arrives at receptor r in this step over to the neurons; all counts of its channels begin anew."""
    if rows.dense[r] > 0:
        row = rows.rows[r, k]
        for i in range(U64(len(row))):
            given = row[i] * swell
            y[i] += given
            u[i] -= given * response
            row[i] = 0.0
        forget(near)
    for c in range(len(rows.receptor)):
        if rows.receptor[c] != r:
            continue
        for b in range(rows.pending.shape[1]):
            if rows.direct[c] > 0 and rows.pending[c, b] > 0:
                if rows.direct[c] != SPILLED and is_few(rows, c, b, place[2]):
                    _receive_few(synapses, rows, near, y, u, ys, swell, response, grown, r, c, b, place[2])
                else:
                    if rows.pending[c, b] <= FEW:
                        count_waiting(synapses, rows, c, b)
                    _receive_all(rows, y, u, swell, response, c, k, b, place[2])
                    forget(near)
            rows.pending[c, b], rows.load[c, b] = 0, 0
        if rows.direct[c] == SPILLED:
            rows.direct[c] = 1


def forget(near: Any) -> None:
    """Whom to watch is to be chosen anew."""
    if near is not None:
        near.size[1] = -1


@twin(forget)
def _forget(near: Any) -> Any:
    def some(near):
        near.size[1] = -1

    return (lambda near: None) if is_none(near) else some


@kernel(inline=True)
def _follow(near, y, u, ys, i, given, response, gain, r):
    """A neuron has received something: its potential stays as it is, and the copy follows."""
    u[i] -= given * response
    had = near.left[i]
    near.left[i] = had - gain
    if had - gain >= 0.0:
        return
    if had >= 0.0:
        _watch(near, u, ys, np.int64(i))
    else:
        p = U64(near.place[i])
        near.ys[r][0][p], near.u[p] = y[i], u[i]


def arrive_at(near: Any, y: Any, u: Any, ys: Any, i: int, given: float, response: float, gain: float, r: int) -> None:
    """Add to what receptor r of neuron i holds."""
    y[i] += given
    if near is not None:
        _follow(near, y, u, ys, i, given, response, gain, r)


@twin(arrive_at)
def _arrive_at(near: Any, y: Any, u: Any, ys: Any, i: Any, given: Any, response: Any, gain: Any, r: Any) -> Any:
    def stepped(near, y, u, ys, i, given, response, gain, r):
        y[i] += given

    def closed(near, y, u, ys, i, given, response, gain, r):
        y[i] += given
        _follow(near, y, u, ys, i, given, response, gain, r)

    return stepped if is_none(near) else closed


@kernel(inner=True)
def _receive_few(synapses, rows, near, y, u, ys, swell, response, grown, r, c, b, width):
    factor, one = rows.factor[c], True
    for p in range(len(factor)):
        one &= factor[p] == factor[0]
    for m in range(rows.pending[c, b]):
        base, target = rows.waiting[c, b, m, 2], synapses.counted
        first, end = U64(rows.waiting[c, b, m, 0]), U64(rows.waiting[c, b, m, 1])
        if one:
            given = factor[0] * swell
            gain = max(given, 0.0) * grown
            for s in range(first, end):
                arrive_at(near, y, u, ys, U64(base + np.int64(target[s])), given, response, gain, r)
        else:
            for s in range(first, end):
                i = base + np.int64(target[s])
                given = factor[place_of(rows, i - b * width)] * swell
                arrive_at(near, y, u, ys, U64(i), given, response, max(given, 0.0) * grown, r)


@kernel(inner=True)
def _receive_all(rows, y, u, swell, response, c, k, b, width):
    count, row = rows.counters[c], rows.rows[rows.receptor[c], k]
    for p in range(len(rows.bounds)):
        factor = rows.factor[c, p]
        for i in range(U64(b * width + rows.bounds[p, 0]), U64(b * width + rows.bounds[p, 1])):
            given = (row[i] + factor * count[i]) * swell
            y[i] += given
            u[i] -= given * response
            row[i] = 0.0
            count[i] = 0

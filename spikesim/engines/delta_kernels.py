"""Kernels for neurons whose synapses all move the membrane at once: sum what arrives in a window, walk only if needed.

Between arrivals such a neuron only relaxes, so the potential at the end of a window is a sum over arrivals in any
order. Where even the positive ones together, undecayed, cannot reach the threshold, that sum is all there is to
know. The others, a tenth in Brunel's network, are walked from arrival to arrival.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at, kernel
from spikesim.engines.crossing import next_crossing
from spikesim.engines.event_kernels import (
    BLOCK,
    arrival_after,
    carry_neuron,
    item_receptor,
    item_time,
    item_weight,
    next_own,
    next_private,
    set_wake,
    sort_items,
    take_private,
)
from spikesim.engines.store import weight_of
from spikesim.mathkernels import exp_neg, exp_small
from spikesim.rng import exponential

U64 = np.uint64
GOES = np.uint8(255)
CHUNK = 1024  # neurons whose sums stay in the cache
SMALL = 0.03  # arguments up to which `exp_small` is exact to the last bit or two


class Sums(NamedTuple):
    """What arrives at each neuron of a shard in the cells of a window, decayed to their ends; zero between windows."""

    start: Any  # (1,) start of the window in ms, a multiple of its length
    cell: Any  # length of a cell
    ends: Any  # (cells,) where the cells end
    train: Any  # (cells,) one private train's sums
    dv: Any  # (cells, 2 n) by neuron: sum of positive, sum of negative changes of v
    stopped: Any  # (n,) uint8: first cell the neuron has to be walked through, else `GOES`
    ahead: Any  # (K, n) next private arrival after the window
    drawn: Any  # (K, n) number of intervals drawn by then


@kernel(inline=True, inner=True)
def cell_of(sums, t):
    """Cell of time t; cells include their end."""
    return np.int64(np.ceil((t - sums.start[0]) / sums.cell)) - 1


@kernel(inline=True, inner=True)
def _add_spike(store, q, lo, hi, base, factor, dv):
    """Add the synapses lo … hi-1 to the sums of their targets."""
    for s in range(U64(lo), U64(hi)):
        w = weight_of(store, q, s) * factor
        side = U64(w < 0.0)
        dv[U64(2) * (U64(base) + U64(store.target[s])) + side] += w


@kernel(lean=True)
def add_spikes(store, entries, first, end, leak, sums):
    """Add the spikes first … end-1 of `entries` to their cells; returns the number of synapses."""
    q_, t_, lo_, hi_, base_ = entries
    total = 0
    for m in range(first, end):
        store.events[q_[m]] += hi_[m] - lo_[m]
        total += hi_[m] - lo_[m]
        h = cell_of(sums, t_[m])
        factor = exp_neg(leak * (sums.ends[h] - t_[m]))
        _add_spike(store, q_[m], lo_[m], hi_[m], base_[m], factor, sums.dv[h])
    return total


@kernel(lean=True)
def list_targets(store, entries, first, end, seen, touched, n):
    """List targets not seen yet; returns the length of the list."""
    q_, t_, lo_, hi_, base_ = entries
    for m in range(first, end):
        for s in range(lo_[m], hi_[m]):
            j = base_[m] + store.target[s]
            touched[n] = j
            n += 1 - seen[j]
            seen[j] = 1
    return n


@kernel(lean=True)
def list_due(state, until, seen, touched, n):
    """Add the neurons that wake up by themselves until then to the list, and forget who was seen."""
    for b in range(len(state.block_wake)):
        if state.block_wake[b] > until:
            continue
        state.block_wake[b] = np.inf
        for j in range(b * BLOCK, min((b + 1) * BLOCK, len(state.wake))):
            if state.wake[j] > until:
                state.block_wake[b] = min(state.block_wake[b], state.wake[j])
            elif seen[j] == 0:
                touched[n] = j
                n += 1
    for m in range(n):
        seen[touched[m]] = 0
    return n


@kernel(inner=True)
def _add_private(private, k, listed, first, last, sums, leak, t1):
    """Add the arrivals of private train k up to t1 to their cells, and note where each train stands then."""
    row = private.start[k]
    time, draws, start, mean = private.time[k], private.draw[k], private.stream[k], private.mean[row]
    ahead, drawn, dv, ends, w0, train = sums.ahead[k], sums.drawn[k], sums.dv, sums.ends, sums.start[0], sums.train
    per_ms, per_cell = 1.0 / sums.cell, leak * sums.cell
    usual = private.start[k + 1] == row + 1 and per_cell < SMALL and t1 == w0 + len(ends) * sums.cell
    for m in range(first, last):
        j = listed[m]
        t, draw = time[j], draws[j]
        if t > t1:
            continue
        for h in range(U64(len(train))):
            train[h] = 0.0
        if usual:
            first_word, interval = start[j], mean[j]
            while t <= t1:
                place = (t - w0) * per_ms
                end = np.ceil(place)
                train[U64(np.int64(end) - 1)] += exp_small(per_cell * (end - place))
                t += exponential(first_word, draw) * interval
                draw += 1
        else:
            while t <= t1:
                cell = U64(np.int64(np.ceil((t - w0) * per_ms)) - 1)
                train[cell] += exp_neg(leak * (ends[cell] - t))
                t = arrival_after(private, k, j, t, draw)
                draw += 1
        ahead[j], drawn[j] = t, draw
        w = private.weight[k, j]
        i = U64(2 * j + (w < 0.0))
        for h in range(U64(len(train))):
            dv[h, i] += w * train[h]


@kernel(inline=True, inner=True)
def _accept(private, sums, j, t1):
    """Move the private trains of neuron j beyond t1; returns the next arrival."""
    soonest = np.inf
    for k in range(len(private.receptor)):
        if private.time[k, j] <= t1:
            private.time[k, j], private.draw[k, j] = sums.ahead[k, j], sums.drawn[k, j]
        soonest = min(soonest, private.time[k, j])
    return soonest


@kernel(inline=True, inner=True)
def _below(parts, state, j, v, current, dt, push):
    """Whether v stays below the threshold for `dt` even with `push` (mV) more."""
    top = max(v, verbs.e_limit(parts.membrane, v, j, current))
    top = min(top, v + max(verbs.e_rate(parts.membrane, v, j, current), 0.0) * dt) + push
    low = min(verbs.theta(parts.threshold, state.a, j), verbs.e_theta(parts.threshold, state.a, j, dt))
    return top + 1e-9 * (abs(top) + push) < low


@kernel(inline=True, inner=True)
def _idle(parts, state, j, v, current, work):
    """Time span in which neuron j certainly does not fire without input."""
    if v >= verbs.e_theta_floor(parts.threshold, state.a, j):
        return 0.0
    u, _ = next_crossing(parts, state, j, v, current, 0.0, True, work)
    return u


@kernel(inline=True, inner=True)
def _sum(parts, state, j, current, sums, h, frame):
    """Move neuron j from cell h on while it cannot fire; returns (whether anything came, the cell where it stopped)."""
    leak, whole, grow = frame
    v, last, ref, came, lost = state.v[j], state.last[j], state.ref[j], False, 0
    while h < len(sums.ends):
        up, down = sums.dv[h, 2 * j], sums.dv[h, 2 * j + 1]
        if up != 0.0 or down != 0.0:
            came, end = True, sums.ends[h]
            dt = end - last
            if ref >= end:  # all that came is lost
                lost += 1
            elif ref > last or not _below(parts, state, j, v, current, dt, up * grow):
                break
            else:
                em = whole if dt == sums.cell else exp_neg(leak * dt)
                v = verbs.e_relax(parts.membrane, v, j, current, dt, em) + (up + down)
                verbs.e_theta_advance(parts.threshold, state.a, j, dt)
                last = end
                state.updates[j] += 1
            sums.dv[h, 2 * j], sums.dv[h, 2 * j + 1] = 0.0, 0.0
        h += 1
    state.v[j], state.last[j] = v, last
    state.updates[j] += lost
    return came, h


@kernel(inline=True, inner=True)
def _rest(parts, state, j, current, sums, private, t1, work):
    """Whether neuron j cannot fire after its last cell either; then it is done up to t1 and its wake-up is set."""
    v, last, ref = state.v[j], state.last[j], state.ref[j]
    if ref > last:
        if ref < t1:
            return False
    elif last < t1 and not _below(parts, state, j, v, current, t1 - last, 0.0):
        return False
    own = _accept(private, sums, j, t1)
    soonest = ref if ref > last else last + _idle(parts, state, j, v, current, work)
    set_wake(state, j, min(own, soonest))
    return True


@kernel(inline=True, inner=True)
def _frame(parts, sums):
    """Leak, decay over a cell, and its inverse."""
    leak = verbs.e_leak(parts.membrane, 0)
    return leak, exp_neg(leak * sums.cell), np.exp(leak * sums.cell)


@kernel(inline=True, inner=True)
def _plain(parts, state, j):
    """Whether no reset is still to come, and neuron j is not above threshold, to be tested at the next arrival."""
    return state.late[j] == np.inf and state.v[j] < verbs.theta(parts.threshold, state.a, j)


@kernel(lean=True)
def sum_all(parts, state, listed, current, sums, private, t1, work, walking):
    """Move the listed neurons through the window as long as they cannot fire; mark and list those that may.

    A neuron that nothing reaches stays where it is.
    """
    n = np.int64(0)
    frame = _frame(parts, sums)
    leak, cells = frame[0], len(sums.ends)
    for first in range(0, len(listed), CHUNK):
        end = min(first + CHUNK, len(listed))
        for k in range(len(private.receptor)):
            _add_private(private, k, listed, first, end, sums, leak, t1)
        for m in range(first, end):
            j = listed[m]
            came, h = False, np.int64(0)
            if _plain(parts, state, j):
                came, h = _sum(parts, state, j, at(current, j), sums, h, frame)
                if not came and state.wake[j] > t1:
                    continue
                if h == cells and _rest(parts, state, j, at(current, j), sums, private, t1, work):
                    continue
            elif state.wake[j] > t1 and not _comes(sums, j):
                continue
            walking[n] = j
            n += 1
            sums.stopped[j] = min(h, cells - 1)
            if not came:  # inputs of weight 0 count as arrivals
                sums.stopped[j] = 0
    return n


@kernel(inline=True, inner=True)
def _comes(sums, j):
    """Whether anything reaches neuron j in the window."""
    comes = False
    for h in range(len(sums.ends)):
        comes = comes or sums.dv[h, 2 * j] != 0.0 or sums.dv[h, 2 * j + 1] != 0.0
    return comes


@kernel(inline=True, inner=True)
def _flat(parts, state, j, v, current):
    """Whether the threshold cannot come down to v, nor v rise to it, without input."""
    rate = verbs.e_theta_rate(parts.threshold, state.a, j, 0.0)
    return rate >= 0.0 and verbs.e_limit(parts.membrane, v, j, current) < verbs.theta(parts.threshold, state.a, j)


@kernel(inline=True, inner=True)
def _skip(inbox, private, j, t):
    """Leave out what has been summed up to t; returns the first item beyond."""
    e = inbox.first[j]
    stop = e + inbox.count[j]
    while e < stop and item_time(inbox, e) <= t:
        e += 1
    for k in range(len(private.receptor)):
        while private.time[k, j] <= t:
            private.time[k, j] = next_private(private, k, j, private.time[k, j])
    return e


@kernel(inline=True, inner=True)
def walk_neuron(parts, state, j, current, lag, t_ref, inbox, private, until, work, out_t, out_i, n):
    """As `carry_neuron`, for neurons that only arrivals can lift over the threshold; the rest is left to that."""
    t, v, ref = state.last[j], state.v[j], state.ref[j]
    stop = inbox.first[j] + inbox.count[j]
    sort_items(inbox, inbox.first[j], stop)
    e = _skip(inbox, private, j, t)
    arrival = item_time(inbox, e) if e < stop else np.inf
    own = next_own(private, j)
    leak = verbs.e_leak(parts.membrane, j)
    easy, flat = state.late[j] == np.inf, _flat(parts, state, j, v, current)
    wake = np.inf
    while easy:
        to = min(arrival, own)
        if ref > t:  # held at the reset
            if ref <= min(to, until):
                easy = v < verbs.e_theta(parts.threshold, state.a, j, ref - t)
                if easy:
                    verbs.e_theta_advance(parts.threshold, state.a, j, ref - t)
                    t = ref
                continue
            if to > until:
                wake = min(to, ref)
                break
            verbs.e_theta_advance(parts.threshold, state.a, j, to - t)
        else:
            end = min(to, until)
            easy = (flat and v < verbs.theta(parts.threshold, state.a, j)) or _below(
                parts, state, j, v, current, end - t, 0.0
            )
            if not easy:
                break
            v = verbs.e_relax(parts.membrane, v, j, current, end - t, exp_neg(leak * (end - t)))
            verbs.e_theta_advance(parts.threshold, state.a, j, end - t)
            if to > until:
                t = until
                wake = min(to, t + _idle(parts, state, j, v, current, work))
                break
        t = to
        state.updates[j] += 1
        dv = 0.0
        while arrival == t:
            dv += verbs.e_receive_at(parts.synapses, state.ys, j, item_receptor(inbox, e), item_weight(inbox, e))
            e += 1
            arrival = item_time(inbox, e) if e < stop else np.inf
        if own == t:
            dv += take_private(parts, state, j, t, private)
            own = next_own(private, j)
        if ref >= t:
            continue
        v += dv
        if v >= verbs.theta(parts.threshold, state.a, j):
            out_t[n], out_i[n] = t, j
            n += 1
            verbs.theta_spike(parts.threshold, state.a, j)
            if lag > 0.0:
                state.late[j] = t + lag
                easy = False
            else:
                v = verbs.reset(parts.reset, v, j)
                ref = t + t_ref if t_ref > 0.0 else -np.inf
                easy = ref > t or v < verbs.theta(parts.threshold, state.a, j)
                flat = _flat(parts, state, j, v, current)
            if n == len(out_t):
                wake = t
                break
    state.last[j], state.v[j], state.ref[j] = t, v, ref
    inbox.first[j], inbox.count[j] = e, stop - e
    if not easy and n < len(out_t):
        return carry_neuron(parts, state, j, current, lag, t_ref, inbox, private, until, work, out_t, out_i, n)
    set_wake(state, j, wake)
    return n


@kernel(lean=True)
def walk_all(parts, state, walking, m, current, lag, inbox, private, sums, t1, work, out_t, out_i):
    """Take the listed neurons, from position m on, through the rest of the window, walking where they may fire.

    Stops when the output is full; returns position and number of spikes.
    """
    n = np.int64(0)
    frame = _frame(parts, sums)
    cells = len(sums.ends)
    while m < len(walking):
        j = walking[m]
        i, t_ref = at(current, j), at(parts.t_ref, j)
        h = int(sums.stopped[j])
        while h < cells:
            sums.stopped[j], until = h, sums.ends[h]
            n = walk_neuron(parts, state, j, i, lag, t_ref, inbox, private, until, work, out_t, out_i, n)
            if n == len(out_t):
                return m, n
            sums.dv[h, 2 * j], sums.dv[h, 2 * j + 1] = 0.0, 0.0
            h += 1
            if h < cells and _plain(parts, state, j):
                _, h = _sum(parts, state, j, i, sums, h, frame)
                if h == cells and not _rest(parts, state, j, i, sums, private, t1, work):
                    h = cells - 1
        if not _plain(parts, state, j):
            set_wake(state, j, t1)
        inbox.count[j], sums.stopped[j] = 0, GOES
        m += 1
    return m, n

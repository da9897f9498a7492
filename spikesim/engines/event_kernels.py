"""Kernels of the event engine: sort arrivals by target, then carry each touched neuron from event to event."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at, kernel, verb
from spikesim.engines.crossing import next_crossing, potential
from spikesim.mathkernels import exp_neg
from spikesim.rng import exponential

BLOCK = 512  # neurons whose earliest wake-up is kept as one number


class Parts(NamedTuple):
    """Lowered parts of the neurons of one shard."""

    membrane: Any
    synapses: Any
    threshold: Any
    reset: Any
    t_ref: Any


class State(NamedTuple):
    """State of the neurons of one shard, each at its own last event."""

    v: Any  # potential at time `last`
    ys: Any  # synaptic variables, a tuple of tuples of arrays
    a: Any  # threshold variables
    last: Any  # time of the last event
    ref: Any  # end of refractoriness
    late: Any  # time of a reset that is still to come, else inf
    wake: Any  # no spike and no private input before this time unless something arrives
    block_wake: Any  # minimum of `wake` over blocks of neurons
    updates: Any  # number of state updates


class Private(NamedTuple):
    """Poisson trains private to each neuron: K inputs; rates are piecewise constant in time."""

    time: Any  # (K, n) next arrival
    draw: Any  # (K, n) number of intervals drawn
    key: Any  # (K,) uint64
    element: Any  # (K, n) identity of the neuron for random numbers, -1 where the input does not apply
    weight: Any  # (K, n)
    receptor: Any  # (K,)
    start: Any  # (K,) first row of each input in `times` and `rates`, and (K + 1) the end
    times: Any  # (pieces,)
    rates: Any  # (pieces, n) per ms
    arrivals: Any  # (K, n) count


class Compact(NamedTuple):
    """Inbox where all synapses of an arriving spike share weight and delay: items point at spikes."""

    first: Any  # (n,) first item of a neuron
    count: Any  # (n,) number of items; 0 outside a slice
    item: Any  # spike number of each item
    time: Any  # arrival time of each spike
    weight: Any
    receptor: Any


class Full(NamedTuple):
    """Inbox where each item carries its own time and weight."""

    first: Any
    count: Any
    time: Any
    weight: Any
    receptor: Any


@verb()
def item_time(inbox, k):
    """Arrival time of item k."""


@verb()
def item_weight(inbox, k):
    """Weight of item k."""


@verb()
def item_receptor(inbox, k):
    """Receptor of item k."""


@verb()
def sort_items(inbox, lo, hi):
    """Order items lo … hi-1 by time, keeping the order of equal times."""


@item_time.register(Compact)
def _compact_time(inbox, k):
    return inbox.time[inbox.item[k]]


@item_weight.register(Compact)
def _compact_weight(inbox, k):
    return inbox.weight[inbox.item[k]]


@item_receptor.register(Compact)
def _compact_receptor(inbox, k):
    return inbox.receptor[inbox.item[k]]


@sort_items.register(Compact)
def _compact_sort(inbox, lo, hi):
    pass


@item_time.register(Full)
def _full_time(inbox, k):
    return inbox.time[k]


@item_weight.register(Full)
def _full_weight(inbox, k):
    return inbox.weight[k]


@item_receptor.register(Full)
def _full_receptor(inbox, k):
    return inbox.receptor[k]


@sort_items.register(Full)
def _full_sort(inbox, lo, hi):
    for k in range(lo + 1, hi):
        t = inbox.time[k]
        if inbox.time[k - 1] <= t:
            continue
        w, r = inbox.weight[k], inbox.receptor[k]
        m = k
        while m > lo and inbox.time[m - 1] > t:
            inbox.time[m], inbox.weight[m], inbox.receptor[m] = (
                inbox.time[m - 1],
                inbox.weight[m - 1],
                inbox.receptor[m - 1],
            )
            m -= 1
        inbox.time[m], inbox.weight[m], inbox.receptor[m] = t, w, r


@kernel
def next_private(private, k, j, t):
    """Arrival after `t` of input k at neuron j: one exponential number spent at the rates that hold."""
    need = exponential(private.key[k], private.element[k, j], private.draw[k, j])
    private.draw[k, j] += 1
    piece, end = private.start[k], private.start[k + 1]
    while piece + 1 < end and private.times[piece + 1] <= t:
        piece += 1
    now = max(t, private.times[piece])
    while True:
        rate = private.rates[piece, j]
        last = piece + 1 == end
        room = np.inf if last else (private.times[piece + 1] - now) * rate
        if need < room:
            return now + need / rate if rate > 0.0 else np.inf
        if last:
            return np.inf
        need -= room
        piece += 1
        now = private.times[piece]


@kernel
def _set_wake(state, j, wake):
    state.wake[j] = wake
    if wake < state.block_wake[j // BLOCK]:
        state.block_wake[j // BLOCK] = wake


@kernel
def _emit(out_t, out_i, n, t, j):
    """Append a spike, growing the arrays when full."""
    if n == len(out_t):
        more_t, more_i = np.empty(2 * n + 64), np.empty(2 * n + 64, np.int64)
        more_t[:n], more_i[:n] = out_t, out_i
        out_t, out_i = more_t, more_i
    out_t[n], out_i[n] = t, j
    return out_t, out_i, n + 1


@kernel
def _carry(parts, state, j, v, current, t, to):
    """State of neuron j moved from t to `to` without events between; returns v."""
    dt = to - t
    if state.ref[j] <= t:
        v = potential(parts, state, j, v, current, dt)
    verbs.e_decay_all(parts.synapses, state.ys, j, dt)
    verbs.e_theta_advance(parts.threshold, state.a, j, dt)
    state.updates[j] += 1
    return v


@kernel
def _arrivals(parts, state, j, v, t, inbox, e, stop, private):
    """Take up everything that arrives at neuron j at time t, a late reset first; returns v and the next item."""
    open_ = state.ref[j] < t
    if state.late[j] == t:
        v = verbs.reset(parts.reset, v, j)
        state.late[j] = np.inf
    while e < stop and item_time(inbox, e) == t:
        dv = verbs.e_receive_at(parts.synapses, state.ys, j, item_receptor(inbox, e), item_weight(inbox, e))
        v += dv if open_ else 0.0
        e += 1
    for k in range(len(private.key)):
        if private.time[k, j] == t:
            dv = verbs.e_receive_at(parts.synapses, state.ys, j, private.receptor[k], private.weight[k, j])
            v += dv if open_ else 0.0
            private.arrivals[k, j] += 1
            private.time[k, j] = next_private(private, k, j, t)
    return v, e


@kernel
def _spike(parts, state, j, v, t, lag, t_ref):
    """What a spike of neuron j at time t leaves; returns v."""
    verbs.theta_spike(parts.threshold, state.a, j, True)
    if lag > 0.0:
        state.late[j] = t + lag
        return v
    state.ref[j] = t + t_ref if t_ref > 0.0 else -np.inf
    return verbs.reset(parts.reset, v, j)


@kernel
def carry_neuron(parts, state, j, current, lag, t_ref, inbox, private, until, work, out_t, out_i, n):
    """Neuron j from its last event through all its events up to `until` (inclusive)."""
    e = inbox.first[j]
    stop = e + inbox.count[j]
    sort_items(inbox, e, stop)
    t, v = state.last[j], state.v[j]
    while True:
        # the next thing that comes from outside or was set by an earlier spike
        to = item_time(inbox, e) if e < stop else np.inf
        for k in range(len(private.key)):
            to = min(to, private.time[k, j])
        to = min(to, state.late[j])
        if state.ref[j] > t and state.ref[j] < to:  # refractoriness ends first
            if state.ref[j] > until:
                wake = state.ref[j]
                break
            end = state.ref[j]
            v = _carry(parts, state, j, v, current, t, end)
            t = end
            if v >= verbs.theta(parts.threshold, state.a, j):
                out_t, out_i, n = _emit(out_t, out_i, n, t, j)
                v = _spike(parts, state, j, v, t, lag, t_ref)
            continue
        if state.ref[j] <= t and state.late[j] == np.inf:
            last = to > until
            u, exact = next_crossing(parts, state, j, v, current, (until if last else to) - t, last, work)
            if last and not (exact and t + u <= until):
                wake = min(to, t + u)
                break
            if exact and t + u < to:
                v = _carry(parts, state, j, v, current, t, t + u)
                t += u
                out_t, out_i, n = _emit(out_t, out_i, n, t, j)
                v = _spike(parts, state, j, v, t, lag, t_ref)
                continue
        if to > until:
            wake = to
            break
        v = _carry(parts, state, j, v, current, t, to)
        t = to
        v, e = _arrivals(parts, state, j, v, t, inbox, e, stop, private)
        if state.ref[j] <= t and state.late[j] == np.inf and v >= verbs.theta(parts.threshold, state.a, j):
            out_t, out_i, n = _emit(out_t, out_i, n, t, j)
            v = _spike(parts, state, j, v, t, lag, t_ref)
    state.last[j], state.v[j] = t, v
    _set_wake(state, j, wake)
    return out_t, out_i, n


@kernel
def carry_touched(parts, state, touched, current, lag, inbox, private, until, work, out_t, out_i):
    """Carry all neurons listed in `touched`, then all that wake up by themselves; returns their spikes."""
    n = 0
    for m in range(len(touched)):
        j = touched[m]
        out_t, out_i, n = carry_neuron(
            parts, state, j, at(current, j), lag, at(parts.t_ref, j), inbox, private, until, work, out_t, out_i, n
        )
        inbox.count[j] = 0
    for b in range(len(state.block_wake)):
        if state.block_wake[b] > until:
            continue
        state.block_wake[b] = np.inf
        for j in range(b * BLOCK, min((b + 1) * BLOCK, len(state.wake))):
            if state.wake[j] <= until:
                out_t, out_i, n = carry_neuron(
                    parts, state, j, at(current, j), lag, at(parts.t_ref, j), inbox, private, until, work, out_t, out_i, n
                )
            state.block_wake[b] = min(state.block_wake[b], state.wake[j])
    return out_t, out_i, n


@kernel
def settle(parts, state, current, time):
    """Move every neuron to `time`, up to which all its events have been handled, and wake it."""
    for j in range(len(state.last)):
        if state.last[j] < time:
            v = _carry(parts, state, j, state.v[j], at(current, j), state.last[j], time)
            state.v[j], state.last[j] = v, time
        state.wake[j] = 0.0
    state.block_wake[:] = 0.0


@kernel
def start_private(private):
    """Draw the first arrival of every private train."""
    for k in range(len(private.key)):
        for j in range(private.time.shape[1]):
            if private.element[k, j] >= 0:
                private.time[k, j] = next_private(private, k, j, 0.0)

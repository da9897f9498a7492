"""Kernels of the event engine: sort arrivals by target, then carry each touched neuron from event to event."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at, kernel, verb
from spikesim.engines.crossing import next_crossing, potential
from spikesim.rng import exponential, stream

TAG = 16  # items of a full inbox carry receptor | bundle << TAG
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

    time: Any  # (K, n) next arrival, inf where there is no input
    draw: Any  # (K, n) number of intervals drawn
    stream: Any  # (K, n) uint64: start of the random numbers of this input and neuron
    weight: Any  # (K, n)
    receptor: Any  # (K,)
    start: Any  # (K,) first row of each input in `times` and `mean`, and (K + 1) the end
    times: Any  # (pieces,)
    mean: Any  # (pieces, n) mean interval in ms, inf where the rate is 0


class Compact(NamedTuple):
    """Inbox where all synapses of an arriving spike share weight and delay: items point at spikes."""

    first: Any  # (n,) first item of a neuron
    count: Any  # (n,) number of items; 0 outside a slice
    sorted: Any  # whether items already come in the order of time
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


@verb(default=True)
def fired(inbox, j, t):
    """Told that neuron j fires at t; by default nothing happens."""


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
    if inbox.sorted:
        return
    for k in range(lo + 1, hi):
        item = inbox.item[k]
        m = k
        while m > lo and inbox.time[inbox.item[m - 1]] > inbox.time[item]:
            inbox.item[m] = inbox.item[m - 1]
            m -= 1
        inbox.item[m] = item


@item_time.register(Full)
def _full_time(inbox, k):
    return inbox.time[k]


@item_weight.register(Full)
def _full_weight(inbox, k):
    return inbox.weight[k]


@item_receptor.register(Full)
def _full_receptor(inbox, k):
    return inbox.receptor[k] & ((1 << TAG) - 1)


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


@kernel(inline=True, inner=True)
def arrival_after(private, k, j, t, draw):
    """Arrival of input k at neuron j that follows the one at `t` by interval number `draw`."""
    need = exponential(private.stream[k, j], draw)
    first = private.start[k]
    if private.start[k + 1] == first + 1:
        return t + need * private.mean[first, j]
    return _spend(private, k, j, t, need)


@kernel(inline=True, inner=True)
def next_private(private, k, j, t):
    """Arrival after `t` of input k at neuron j."""
    private.draw[k, j] += 1
    return arrival_after(private, k, j, t, private.draw[k, j] - 1)


@kernel(inner=True)
def _spend(private, k, j, t, need):
    """Time by which `need` mean intervals have passed since `t`, at the rates that hold on the way."""
    piece, end = private.start[k], private.start[k + 1]
    while piece + 1 < end and private.times[piece + 1] <= t:
        piece += 1
    now = max(t, private.times[piece])
    while piece + 1 < end:
        room = (private.times[piece + 1] - now) / private.mean[piece, j]
        if need < room:
            break
        need -= room
        piece += 1
        now = private.times[piece]
    return now + need * private.mean[piece, j]


@kernel(inline=True, inner=True)
def set_wake(state, j, wake):
    """Next time neuron j has to be looked at."""
    state.wake[j] = wake
    if wake < state.block_wake[j // BLOCK]:
        state.block_wake[j // BLOCK] = wake


@kernel(inline=True, inner=True)
def _carry(parts, state, j, v, current, t, to):
    """State of neuron j moved from t to `to` without events between; returns v."""
    dt = to - t
    if state.ref[j] <= t:
        v = potential(parts, state, j, v, current, dt)
    verbs.e_decay_all(parts.synapses, state.ys, j, dt)
    verbs.e_theta_advance(parts.threshold, state.a, j, dt)
    return v


@kernel(inline=True, inner=True)
def next_own(private, j):
    """Next arrival at neuron j from its private trains."""
    soonest = np.inf
    for k in range(len(private.receptor)):
        soonest = min(soonest, private.time[k, j])
    return soonest


@kernel(inline=True, inner=True)
def take_private(parts, state, j, t, private):
    """Take up the private arrivals of time t and draw the next; returns the change of v."""
    total = 0.0
    for k in range(len(private.receptor)):
        if private.time[k, j] == t:
            total += verbs.e_receive_at(parts.synapses, state.ys, j, private.receptor[k], private.weight[k, j])
            private.time[k, j] = next_private(private, k, j, t)
    return total


@kernel(inner=True)
def carry_neuron(parts, state, j, current, lag, t_ref, inbox, private, until, work, out_t, out_i, n):
    """Neuron j from its last event through all its events up to `until` (inclusive); returns the number of spikes.

    Where the spikes fill the output, the neuron stops after the last of them, ready to go on.

    `to` is the next thing that comes from outside or was set by an earlier spike; before it, refractoriness may end
    or the threshold be crossed. `ref` and `late` are the end of refractoriness and the time of a late reset.
    """
    e = inbox.first[j]
    stop = e + inbox.count[j]
    sort_items(inbox, e, stop)
    t, v, ref, late = state.last[j], state.v[j], state.ref[j], state.late[j]
    arrival = item_time(inbox, e) if e < stop else np.inf
    own = next_own(private, j)
    updates = 0
    while True:
        to = min(min(arrival, own), late) if t >= 0.0 else 0.0  # above threshold from the start: tested at 0
        if ref > t and ref < to:
            if ref > until:
                wake = ref
                break
            fires, to = True, ref
        else:
            fires = False
            if ref <= t and late == np.inf:
                last = to > until
                u, exact = next_crossing(parts, state, j, v, current, (until if last else to) - t, last, work)
                if last and not (exact and t + u <= until):
                    wake = min(to, t + u)
                    break
                if exact and t + u < to:
                    fires, to = True, t + u
            elif to > until:
                wake = to
                break
        held = ref > t
        state.ref[j] = ref
        v = _carry(parts, state, j, v, current, t, to)
        t = to
        updates += 1
        if fires:  # by itself: a crossing, or above threshold at the end of refractoriness
            fires = not held or v >= verbs.theta(parts.threshold, state.a, j)
        else:
            if late == t:
                v, late = verbs.reset(parts.reset, v, j), np.inf
            dv = 0.0
            while arrival == t:
                dv += verbs.e_receive_at(parts.synapses, state.ys, j, item_receptor(inbox, e), item_weight(inbox, e))
                e += 1
                arrival = item_time(inbox, e) if e < stop else np.inf
            if own == t:
                dv += take_private(parts, state, j, t, private)
                own = next_own(private, j)
            if ref < t:
                v += dv
            fires = ref <= t and late == np.inf and v >= verbs.theta(parts.threshold, state.a, j)
        if fires:
            out_t[n], out_i[n] = t, j
            n += 1
            fired(inbox, j, t)
            verbs.theta_spike(parts.threshold, state.a, j)
            if lag > 0.0:
                late = t + lag
            else:
                v = verbs.reset(parts.reset, v, j)
                ref = t + t_ref if t_ref > 0.0 else -np.inf
            if n == len(out_t):
                inbox.first[j], inbox.count[j] = e, stop - e
                wake = t
                break
    state.last[j], state.v[j], state.ref[j], state.late[j] = t, v, ref, late
    state.updates[j] += updates
    set_wake(state, j, wake)
    return n


@kernel(inner=True)
def _due(state, touched, until, listed):
    """List the neurons that something reaches, then those that wake up by themselves; returns their number."""
    n = len(touched)
    for m in range(n):
        listed[m] = touched[m]
        state.wake[touched[m]] = np.inf  # looked at in any case
    for b in range(len(state.block_wake)):
        if state.block_wake[b] > until:
            continue
        state.block_wake[b] = np.inf
        for j in range(b * BLOCK, min((b + 1) * BLOCK, len(state.wake))):
            if state.wake[j] <= until:
                listed[n] = j
                n += 1
            else:
                state.block_wake[b] = min(state.block_wake[b], state.wake[j])
    return n


@kernel(inner=True)
def _carry_listed(parts, state, listed, m, current, lag, inbox, private, until, work, out_t, out_i):
    """Carry the neurons listed from position m on until the output is full; returns position and number of spikes."""
    n = np.int64(0)
    while m < len(listed):
        j = listed[m]
        n = carry_neuron(
            parts, state, j, at(current, j), lag, at(parts.t_ref, j), inbox, private, until, work, out_t, out_i, n
        )
        if n == len(out_t):
            break
        inbox.count[j] = 0
        m += 1
    return m, n


@kernel(lean=True)
def list_due(state, touched, until, listed):
    """List the neurons that something reaches and those that wake up by themselves; returns their number."""
    return _due(state, touched, until, listed)


@kernel(lean=True)
def carry_all(parts, state, listed, m, current, lag, inbox, private, until, work, out_t, out_i):
    """Carry all neurons listed up to `until`; returns the position reached and the number of spikes."""
    return _carry_listed(parts, state, listed, m, current, lag, inbox, private, until, work, out_t, out_i)


@kernel(lean=True)
def settle(parts, state, current, time):
    """Move every neuron to `time`, up to which all its events have been handled, and wake it."""
    for j in range(len(state.last)):
        if state.last[j] < time:
            v = _carry(parts, state, j, state.v[j], at(current, j), state.last[j], time)
            state.v[j], state.last[j] = v, time
        state.wake[j] = 0.0
    state.block_wake[:] = 0.0


@kernel(lean=True)
def start_private(private):
    """Draw the first arrival of every private train."""
    for k in range(len(private.receptor)):
        for j in range(private.time.shape[1]):
            if private.time[k, j] < np.inf:
                private.time[k, j] = next_private(private, k, j, 0.0)


@kernel(lean=True)
def start_streams(key, element, out):
    """Start of the random numbers of each element."""
    for i in range(len(element)):
        out[i] = stream(key, element[i])

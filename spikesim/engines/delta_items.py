"""Arrivals of those delta neurons that have to be walked, by neuron."""

from __future__ import annotations

import numpy as np

from spikesim._jit import kernel
from spikesim.engines.delta_kernels import cell_of
from spikesim.engines.store import weight_of

U64 = np.uint64


@kernel(lean=True)
def select(store, entries, first, end, sums, chosen, ends, n):
    """List the synapses of the spikes first … end-1 onto neurons to be walked; ends[m]: end of those of spike m."""
    q_, t_, lo_, hi_, base_ = entries
    stopped = sums.stopped
    for m in range(first, end):
        base, cell = U64(base_[m]), np.uint8(cell_of(sums, t_[m]))
        for s in range(U64(lo_[m]), U64(hi_[m])):
            chosen[n] = s
            n += stopped[base + U64(store.target[s])] <= cell
        ends[m] = n
    return n


@kernel(lean=True)
def count_selected(store, entries, first, end, chosen, ends, start, count):
    """Count the chosen synapses by target."""
    base_ = entries[4]
    for m in range(first, end):
        for k in range(start if m == first else ends[m - 1], ends[m]):
            count[base_[m] + store.target[chosen[k]]] += 1


@kernel(lean=True)
def give_room(walking, first, count):
    """Give each neuron to be walked its range of items; `count` restarts as a fill level."""
    total = 0
    for m in range(len(walking)):
        j = walking[m]
        first[j] = total
        total += count[j]
        count[j] = 0


@kernel(lean=True)
def place_selected(inbox, store, entries, first, end, chosen, ends, start):
    """Place the chosen synapses as items of their targets."""
    q_, t_, lo_, hi_, base_ = entries
    first_, count_, time, weight = inbox.first, inbox.count, inbox.time, inbox.weight
    for m in range(first, end):
        q, t = q_[m], t_[m]
        for k in range(start if m == first else ends[m - 1], ends[m]):
            s = chosen[k]
            j = U64(base_[m]) + U64(store.target[s])
            i = U64(first_[j] + count_[j])
            count_[j] += 1
            time[i], weight[i] = t, weight_of(store, q, s)

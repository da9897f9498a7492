"""Plastic synapses of the event engine: weights are worked out when a spike is taken up by its target.

By then all that can have changed the weight is known, also the spikes that the target itself fired a moment ago.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim._jit import kernel, twin
from spikesim.engines.event_kernels import (
    TAG,
    fired,
    item_receptor,
    item_time,
    item_weight,
    sort_items,
)
from spikesim.engines.inbox import Inbox
from spikesim.engines.layout import Shard
from spikesim.engines.learning import PlasticStore, Sweeper, learning, note, plastic_store, update
from spikesim.engines.store import Bundle, OwnStore, weight_of
from spikesim.plasticity.learn import after_spike, decayed


class Lazy(NamedTuple):
    """Inbox whose items may be spikes at plastic synapses: `synapse` >= 0, weight unknown until they are taken up."""

    first: Any
    count: Any
    time: Any
    weight: Any
    receptor: Any
    synapse: Any
    spike: Any
    since: Any  # by spike: when the source's spike before came to the synapses, traces right after it
    x1: Any
    x2: Any
    come: Any  # by spike: when it came to the synapses
    neuron: Any  # by spike: first local neuron of its stimulus
    stores: Any  # the plastic stores of the shard


@weight_of.register(PlasticStore)
def _weight(store, q, s):
    return store.weight[q] * store.own[s]


@item_time.register(Lazy)
def _time(inbox, k):
    return inbox.time[k]


@item_receptor.register(Lazy)
def _receptor(inbox, k):
    return inbox.receptor[k] & ((1 << TAG) - 1)


@item_weight.register(Lazy)
def _item_weight(inbox, k):
    return inbox.weight[k] if inbox.synapse[k] < 0 else weigh(inbox.stores, inbox, k, inbox.receptor[k] >> TAG)


@sort_items.register(Lazy)
def _sort(inbox, lo, hi):
    for k in range(lo + 1, hi):
        t = inbox.time[k]
        if inbox.time[k - 1] <= t:
            continue
        w, r, s, i = inbox.weight[k], inbox.receptor[k], inbox.synapse[k], inbox.spike[k]
        m = k
        while m > lo and inbox.time[m - 1] > t:
            inbox.time[m], inbox.weight[m], inbox.receptor[m] = (
                inbox.time[m - 1],
                inbox.weight[m - 1],
                inbox.receptor[m - 1],
            )
            inbox.synapse[m], inbox.spike[m] = inbox.synapse[m - 1], inbox.spike[m - 1]
            m -= 1
        inbox.time[m], inbox.weight[m], inbox.receptor[m], inbox.synapse[m], inbox.spike[m] = t, w, r, s, i


@kernel(inner=True)
def _weigh(store, inbox, k):
    s, m = inbox.synapse[k], inbox.spike[k]
    j = inbox.neuron[m] + store.target[s]
    if learning(store):
        update(store, s, j, inbox.since[m], store.done[0], inbox.x1[m], inbox.x2[m], inbox.come[m], True)
    return store.weight[0] * store.own[s]


def weigh(stores, inbox, k, number):
    """Weight of item k, which belongs to bundle `number`."""
    if len(stores) == 1 or stores[0].number == number:
        return _weigh(stores[0], inbox, k)
    return weigh(stores[1:], inbox, k, number)


@twin(weigh)
def _weigh_twin(stores, inbox, k, number):
    if len(stores) == 1:
        return lambda stores, inbox, k, number: _weigh(stores[0], inbox, k)

    def more(stores, inbox, k, number):
        if stores[0].number == number:
            return _weigh(stores[0], inbox, k)
        return weigh(stores[1:], inbox, k, number)

    return more


@fired.register(Lazy)
def _fired(inbox, j, t):
    note(inbox.stores, j, t)


@kernel(lean=True)
def set_out(store, entries, rows, since, x1, x2, come, neuron, offset):
    """Note for each arriving spike what its source left before, and move the source's traces on."""
    _, t_, _, _, base_ = entries
    posts, nearest = store.posts, store.posts.nearest
    for m in range(len(rows)):
        r, k = rows[m], offset + m
        t = t_[m] - store.dendritic
        since[k], x1[k], x2[k], come[k], neuron[k] = store.since[r], store.x1[r], store.x2[r], t, base_[m]
        dt = t - store.since[r]
        store.x1[r] = after_spike(decayed(store.x1[r], posts, 0, dt), nearest)
        store.x2[r] = after_spike(decayed(store.x2[r], posts, 1, dt), nearest)
        store.since[r] = t


@kernel(lean=True)
def place_plastic(inbox, store, entries, number, offset):
    """Place the synapses of arriving spikes, their weights still unknown."""
    q_, t_, lo_, hi_, base_ = entries
    for m in range(len(q_)):
        tag = store.receptor[q_[m]] | (number << TAG)
        for s in range(lo_[m], hi_[m]):
            j = base_[m] + store.target[s]
            k = inbox.first[j] + inbox.count[j]
            inbox.time[k], inbox.weight[k], inbox.receptor[k] = t_[m], 0.0, tag
            inbox.synapse[k], inbox.spike[k] = s, offset + m
            inbox.count[j] += 1


def attach(bundle: Bundle, shard: Shard, number: int) -> Bundle:
    """Make the synapses of a bundle with one plastic projection learn."""
    assert isinstance(bundle.store, OwnStore)
    bundle.store = plastic_store(bundle.store._asdict(), bundle.projections[0], shard.n, number)
    bundle.base[0] = bundle.store.weight[0]
    return bundle


class LazyInbox(Inbox):
    """Inbox of a shard with plastic synapses."""

    def __init__(self, shard: Shard, bundles: list[Bundle]) -> None:
        super().__init__(shard, bundles)
        self.compact, self.items = False, (np.empty(0), np.empty(0), np.empty(0, np.int64))
        self.which = (np.empty(0, np.int64), np.empty(0, np.int64))
        self.sweepers = [Sweeper(b) for b in bundles if isinstance(b.store, PlasticStore)]

    def _room(self, total: int, entries: int) -> Lazy:
        full = super()._room(total, entries)
        if len(self.which[0]) < len(full.time):
            self.which = (np.empty(len(full.time), np.int64), np.empty(len(full.time), np.int64))
        self.which[0][:total] = -1
        since, x1, x2, come = (np.empty(entries) for _ in range(4))
        stores = tuple(s.bundle.store for s in self.sweepers)
        synapse, spike = self.which
        return Lazy(
            full.first, full.count, full.time, full.weight, full.receptor, synapse, spike, since, x1, x2, come,
            np.empty(entries, np.int64), stores,
        )  # fmt: skip

    def _place(self, inbox: Lazy, k: int, entries: Any, due: Any, offset: int) -> None:
        store = self.bundles[k].store
        if not isinstance(store, PlasticStore):
            super()._place(inbox, k, entries, due, offset)
            return
        rows = np.searchsorted(store.start, entries[2], "right") - 1
        set_out(store, entries, rows, *inbox[7:12], offset)
        place_plastic(inbox, store, entries, k, offset)

    def end_of_slice(self, now: float) -> None:
        """Make room for the target spikes of another slice."""
        for sweeper in self.sweepers:
            sweeper.check(now)

"""Plastic synapses of the event engine: weights are worked out when a spike is taken up by its target.

By then all that can have changed the weight is known, also the spikes that the target itself fired a moment ago.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
from spikesim.engines.store import Bundle, OwnStore, weight_of
from spikesim.errors import SimulationError
from spikesim.plasticity.learn import Posts, add_post, after_spike, decayed, last_event, learn, posts
from spikesim.plasticity.modulator import opened, switched, with_reward
from spikesim.plasticity.rule import meanwhile

ROOM = 32  # spikes of a target that are kept at first


class PlasticStore(NamedTuple):
    """Synapses that learn; `weight` is the sign per projection (only one), `own` the size of each weight."""

    source: Any
    row: Any
    start: Any
    target: Any
    weight: Any
    receptor: Any
    active: Any
    events: Any
    own: Any
    extra: Any  # second number of each synapse, empty where the rule has none
    number: int  # of the bundle in its shard
    rule: Any
    dendritic: float
    posts: Any
    since: Any  # by row: when the last source spike came to the synapses
    x1: Any  # by row: traces right after it
    x2: Any
    done: Any  # (1,) up to when target spikes have been taken up by all synapses
    frozen: Any  # (1,) uint8
    modulator: Any  # rows of the modulator, none where the rule has no use for it


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
def update(store, s, j, since, x1, x2, t, spike):
    """Bring the weight of synapse s onto target j up to time t; returns it with its sign."""
    if store.frozen[0] == 0 or store.modulator.shape[0] > 0:  # eligibilities go on
        e = store.extra[s] if len(store.extra) > 0 else 0.0
        w, e = learn(
            store.rule, store.posts, store.own[s], e, j, since, store.done[0], x1, x2, store.dendritic, t, spike,
            store.modulator,
        )  # fmt: skip
        store.own[s] = w
        if len(store.extra) > 0:
            store.extra[s] = e
    return store.weight[0] * store.own[s]


@kernel(inner=True)
def _weigh(store, inbox, k):
    s, m = inbox.synapse[k], inbox.spike[k]
    j = inbox.neuron[m] + store.target[s]
    return update(store, s, j, inbox.since[m], inbox.x1[m], inbox.x2[m], inbox.come[m], True)


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


def note(stores, j, t):
    """Neuron j fires at t."""
    for store in stores:
        add_post(store.posts, j, t)


@twin(note)
def _note_twin(stores, j, t):
    def one(stores, j, t):
        add_post(stores[0].posts, j, t)

    def more(stores, j, t):
        add_post(stores[0].posts, j, t)
        note(stores[1:], j, t)

    return one if len(stores) == 1 else more


@fired.register(Lazy)
def _fired(inbox, j, t):
    note(inbox.stores, j, t)


@kernel(lean=True)
def set_out(store, entries, rows, since, x1, x2, come, neuron, offset):
    """Note for each arriving spike what its source left before, and move the source's traces on."""
    _, t_, _, _, base_ = entries
    rate, nearest = store.posts.rate, store.posts.nearest[0] > 0
    for m in range(len(rows)):
        r, k = rows[m], offset + m
        t = t_[m] - store.dendritic
        since[k], x1[k], x2[k], come[k], neuron[k] = store.since[r], store.x1[r], store.x2[r], t, base_[m]
        dt = t - store.since[r]
        store.x1[r] = after_spike(decayed(store.x1[r], rate[0], dt), nearest)
        store.x2[r] = after_spike(decayed(store.x2[r], rate[1], dt), nearest)
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


@kernel(lean=True)
def take_up(store, t):
    """Bring all weights up to t, when no source spike is on its way that comes before."""
    for r in range(len(store.start) - 1):
        for s in range(store.start[r], store.start[r + 1]):
            update(store, s, np.int64(store.target[s]), store.since[r], store.x1[r], store.x2[r], t, False)


@kernel(lean=True)
def weights_at(store, t, out):
    """Size of each weight at time t, all spikes up to then having been taken up."""
    for r in range(len(store.start) - 1):
        for s in range(store.start[r], store.start[r + 1]):
            e = store.extra[s] if len(store.extra) > 0 else 0.0
            now = last_event(store.posts, np.int64(store.target[s]), store.since[r], store.dendritic, t)
            out[s], _ = meanwhile(store.rule, store.own[s], e, now, t, store.modulator)


def attach(bundle: Bundle, shard: Shard, number: int) -> Bundle:
    """Make the synapses of a bundle with one plastic projection learn."""
    projection, store = bundle.projections[0], bundle.store
    rule = projection.plasticity
    assert rule is not None and isinstance(store, OwnStore)
    rule.check_weights(store.own, f"Projection {projection.name!r}")
    sign = -1.0 if store.own.min(initial=0.0) < 0.0 else 1.0
    np.abs(store.own, out=store.own)
    store.weight[0] = bundle.base[0] = sign
    rows = len(store.start)
    fields = store._asdict()
    bundle.store = PlasticStore(
        **fields,
        extra=np.zeros(len(store.own) if rule.extra else 0),
        number=number,
        rule=rule.lower(None),
        dendritic=float(projection.dendritic or 0.0),
        posts=posts(shard.n, ROOM, rule.traces()),
        since=np.full(rows, -np.inf),
        x1=np.zeros(rows),
        x2=np.zeros(rows),
        done=np.full(1, -np.inf),
        frozen=np.zeros(1, np.uint8),
        modulator=opened(rule),
    )
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


class Sweeper:
    """Takes target spikes up before there is no room for more."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.taken = bundle.store.posts.count.copy()

    def check(self, now: float) -> None:
        """After a slice that ends at `now`: make room for another one."""
        table: Posts = self.bundle.store.posts
        room = table.time.shape[1]
        most = int((table.count - self.taken).max(initial=0))
        if most >= room:  # the last spike taken up must stay in sight
            name = self.bundle.names[0]
            raise SimulationError(
                f"Projection {name!r}: a target fired {most} times within one slice, too often to learn"
            )
        if most >= room // 2:
            self.sweep(now)

    def reward(self, amount: Any, at: Any, now: float) -> None:
        """Add a reward at a time not before `now`."""
        store: PlasticStore = self.bundle.store
        rule = self.bundle.projections[0].plasticity
        assert rule is not None
        rows = with_reward(rule, store.modulator, amount, at, now, "reward")
        self.bundle.store = store._replace(modulator=rows)

    def freeze(self, now: float, frozen: bool) -> None:
        """From `now` on, keep weights as they are, or let them learn."""
        self.sweep(now)
        store: PlasticStore = self.bundle.store
        rule = self.bundle.projections[0].plasticity
        store.frozen[0] = frozen
        if rule is not None and rule.modulated:
            rows = switched(rule, store.modulator, not frozen, now - store.dendritic)
            self.bundle.store = store._replace(modulator=rows)

    def weights(self, now: float) -> NDArray[np.float64]:
        """Signed weights that spikes meet which arrive at `now`."""
        self.sweep(now)
        store: PlasticStore = self.bundle.store
        found = store.own.copy()
        weights_at(store, max(now - store.dendritic, 0.0), found)
        return store.weight[0] * found

    def sweep(self, now: float) -> None:
        """Bring all weights up to date, all spikes having been taken up that arrive up to `now`."""
        store: PlasticStore = self.bundle.store
        up_to = now - store.dendritic
        if store.frozen[0] == 0 or len(store.modulator):
            take_up(store, up_to)
        store.done[0] = max(store.done[0], up_to)
        recent = _later(store.posts, up_to - store.dendritic)
        self.taken[:] = store.posts.count - recent
        if int(recent.max(initial=0)) >= store.posts.time.shape[1] // 4:
            self.bundle.store = store._replace(posts=with_room(store.posts, 2 * store.posts.time.shape[1]))


def _later(table: Posts, t: float) -> NDArray[np.int64]:
    """Number of kept spikes of each target after t."""
    room = table.time.shape[1]
    held = np.arange(room) < np.minimum(table.count, room)[:, None]
    return ((table.time > t) & held).sum(axis=1)


def with_room(table: Posts, room: int) -> Posts:
    """The same spikes with as much room as asked for or more."""
    if room <= table.time.shape[1]:
        return table
    new, old = [np.zeros((len(table.count), room)) for _ in range(3)], table.time.shape[1]
    for j, count in enumerate(table.count.tolist()):
        for k in range(max(0, count - old), count):
            for array, before in zip(new, table[:3], strict=True):
                array[j, k % room] = before[j, k % old]
    return table._replace(time=new[0], y1=new[1], y2=new[2])

"""Synapses that learn, as both engines keep them, and what keeps their weights up to date."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel, twin
from spikesim.engines import additive
from spikesim.errors import SimulationError
from spikesim.network import Projection
from spikesim.plasticity.learn import Posts, add_post, forgotten, last_event, learn, posts
from spikesim.plasticity.modulator import opened, settled, switched, with_reward
from spikesim.plasticity.rule import meanwhile
from spikesim.rng import U64

ROOM = 32  # spikes of a target that are kept at first


class PlasticStore(NamedTuple):
    """Synapses that learn; `weight` is the sign per projection (only one), `own` the size of each weight.

    Times are those of the engine: ms, or whole steps.
    """

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
    unit: float  # ms in a unit of the times above
    lasting: float  # how long after a target's last spike source spikes may change something; infinite: always
    sums: Any  # what target spikes come to, for rules that need no more; `extra` is then what synapses have taken up


@kernel(inline=True, inner=True)
def learning(store):
    """Whether spikes change anything in the synapses of a store: eligibilities go on while weights are frozen."""
    return store.frozen[0] == 0 or store.modulator.shape[0] > 0


@kernel(inline=True, inner=True)
def update(store, s, j, since, done, x1, x2, t, spike):
    """Bring the weight of synapse s onto target j up to time t; returns its size. `done` is that of the store."""
    if len(store.extra) == 0:
        w, _ = learn(
            store.rule, store.posts, store.own[s], 0.0, j, since, done, x1, x2, store.dendritic, t, spike,
            store.modulator, store.unit,
        )  # fmt: skip
    else:
        w, store.extra[s] = learn(
            store.rule, store.posts, store.own[s], store.extra[s], j, since, done, x1, x2, store.dendritic, t, spike,
            store.modulator, store.unit,
        )  # fmt: skip
    store.own[s] = w
    return w


@kernel(inner=True)
def _note(store, j, t):
    add_post(store.posts, j, t)
    additive.fired(store, j, t)


def note(stores, j, t):
    """Neuron j fires at t."""
    for store in stores:
        _note(store, j, t)


@twin(note)
def _note_twin(stores, j, t):
    if len(stores) == 0:
        return lambda stores, j, t: None

    def one(stores, j, t):
        _note(stores[0], j, t)

    def more(stores, j, t):
        _note(stores[0], j, t)
        note(stores[1:], j, t)

    return one if len(stores) == 1 else more


@kernel(lean=True)
def take_up(store, t, waiting):
    """Bring all weights up to t, when no source spike is on its way that comes before.

    Nothing has to be done for targets none of whose spikes are `waiting`.
    """
    done = store.done[0]
    for r in range(len(store.start) - 1):
        since, x1, x2 = store.since[r], store.x1[r], store.x2[r]
        for s in range(U64(store.start[r]), U64(store.start[r + 1])):
            if waiting[U64(store.target[s])] > 0:
                update(store, s, np.int64(store.target[s]), since, done, x1, x2, t, False)


@kernel
def later(table, t):
    """Number of kept spikes of each target after t."""
    found = np.zeros(len(table.count), np.int64)
    room = table.time.shape[1]
    for j in range(len(found)):
        k = table.count[j]
        while k > max(0, table.count[j] - room) and table.time[j, (k - 1) % room] > t:
            k -= 1
        found[j] = table.count[j] - k
    return found


@kernel(lean=True)
def scale_rows(target, own, total, sums):
    """Scale the weights of each target so that they add up to `total`."""
    for s in range(len(own)):
        sums[target[s]] += own[s]
    for j in range(len(sums)):
        sums[j] = total / sums[j] if sums[j] > 0.0 else 1.0
    for s in range(len(own)):
        own[s] *= sums[target[s]]


@kernel(lean=True)
def weights_at(store, t, out):
    """Size of each weight at time t, all spikes up to then having been taken up."""
    for r in range(len(store.start) - 1):
        for s in range(store.start[r], store.start[r + 1]):
            e = store.extra[s] if len(store.extra) > 0 else 0.0
            now = last_event(store.posts, np.int64(store.target[s]), store.since[r], store.dendritic, t)
            out[s], _ = meanwhile(store.rule, store.own[s], e, now * store.unit, t * store.unit, store.modulator)


def moves_alone(store: PlasticStore) -> bool:
    """Whether weights change between spikes."""
    return (type(store.rule),) in meanwhile.table


def plastic_store(
    fields: dict[str, Any], projection: Projection, n: int, number: int, room: int = ROOM, h: float | None = None
) -> PlasticStore:
    """The store of a plastic projection onto `n` neurons, from its synapses and signed weights; `h`: ms of a step."""
    rule, own, rows = projection.plasticity, fields["own"], len(fields["start"])
    assert rule is not None
    rule.check_weights(own, f"Projection {projection.name!r}")
    fields["weight"][0] = -1.0 if own.min(initial=0.0) < 0.0 else 1.0
    np.abs(own, out=own)
    dendritic = float(projection.dendritic or 0.0)
    back = dendritic if h is None else float(np.rint(dendritic / h))
    sums = additive.sums_of(rule, n, back, h)
    while sums is not None and room < len(sums.count):
        room *= 2
    table = posts(n, room, rule.traces(), h)
    return PlasticStore(  # type: ignore[call-arg]
        **fields,
        extra=np.zeros(len(own) if rule.extra or sums is not None else 0),
        number=number,
        rule=rule.lower(None),
        dendritic=back,
        posts=table,
        since=np.full(rows, -np.inf),
        x1=np.zeros(rows),
        x2=np.zeros(rows),
        done=np.full(1, -np.inf),
        frozen=np.zeros(1, np.uint8),
        modulator=opened(rule),
        unit=1.0 if h is None else h,
        lasting=forgotten(table) if rule.idle else np.inf,
        sums=sums,
    )


class Sweeper:
    """Takes target spikes up before there is no room for more."""

    def __init__(self, bundle: Any) -> None:
        self.bundle = bundle
        self.taken = bundle.store.posts.count.copy()
        self.before = zlib.crc32(bundle.store.own.tobytes())
        self.rewired = False  # whether there are other synapses than were described

    def _own(self, now: float) -> float:
        """A time in ms as the store counts it."""
        unit = self.bundle.store.unit
        return now if unit == 1.0 else float(np.rint(now / unit))

    def check(self, now: float) -> None:
        """After a slice that ends at `now`, in units of the store: make room for another one."""
        if self.bundle.store.sums is not None:
            return
        table: Posts = self.bundle.store.posts
        room = table.time.shape[1]
        most = int((table.count - self.taken).max(initial=0))
        if most >= room:  # the last spike taken up must stay in sight
            name = self.bundle.names[0]
            raise SimulationError(
                f"Projection {name!r}: a target fired {most} times within one slice, too often to learn"
            )
        if most >= room // 2:
            self._sweep(now)

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
        if store.sums is not None and bool(store.frozen[0]) != frozen:
            additive.settle(store, int(self._own(now)))
        rule = self.bundle.projections[0].plasticity
        store.frozen[0] = frozen
        if rule is not None and rule.modulated:
            rows = switched(rule, store.modulator, not frozen, now - store.dendritic * store.unit)
            self.bundle.store = store._replace(modulator=rows)

    def weights(self, now: float) -> NDArray[np.float64]:
        """Signed weights that spikes meet which arrive at `now`."""
        self.sweep(now)
        store: PlasticStore = self.bundle.store
        if store.sums is not None:
            return store.weight[0] * additive.weights(store, int(self._own(now)))
        found = store.own.copy()
        if moves_alone(store):
            weights_at(store, max(self._own(now) - store.dendritic, 0.0), found)
        return store.weight[0] * found

    def moved(self, now: float) -> bool:
        """Whether any weight differs from what was described."""
        return zlib.crc32(np.abs(self.weights(now)).astype(self.bundle.store.own.dtype).tobytes()) != self.before

    def settle(self, now: float) -> None:
        """Have the store hold the weights that spikes meet which arrive at `now`, so that they can be overwritten."""
        if not moves_alone(self.bundle.store):
            self.sweep(now)
            if self.bundle.store.sums is not None:
                additive.settle(self.bundle.store, int(self._own(now)))
            return
        weights = np.abs(self.weights(now))
        store: PlasticStore = self.bundle.store
        rule = self.bundle.projections[0].plasticity
        store.own[:] = weights
        if rule is not None and rule.modulated:
            rows = settled(rule, store.modulator, max(now - store.dendritic * store.unit, 0.0))
            self.bundle.store = store._replace(modulator=rows)

    def normalise(self, now: float, total: float) -> None:
        """Scale the weights onto each target to a common sum."""
        self.settle(now)
        store: PlasticStore = self.bundle.store
        scale_rows(store.target, store.own, total, np.zeros(len(store.posts.count)))

    def recount(self) -> NDArray[np.int64]:
        """Note how many spikes of each target all synapses have taken up; returns how many have come since."""
        store: PlasticStore = self.bundle.store
        recent: NDArray[np.int64] = later(store.posts, store.done[0] - store.dendritic)
        self.taken = store.posts.count - recent
        return recent

    def sweep(self, now: float) -> None:
        """Bring all weights up to date, all spikes having been taken up that arrive up to `now` ms."""
        self._sweep(self._own(now))

    def _sweep(self, now: float) -> None:
        store: PlasticStore = self.bundle.store
        up_to = now - store.dendritic
        if store.sums is not None:
            return
        if store.frozen[0] == 0 or len(store.modulator):
            take_up(store, up_to, later(store.posts, store.done[0] - store.dendritic))
        store.done[0] = max(store.done[0], up_to)
        recent = self.recount()
        if int(recent.max(initial=0)) >= store.posts.time.shape[1] // 4:
            self.bundle.store = store._replace(posts=with_room(store.posts, 2 * store.posts.time.shape[1]))


def with_room(table: Posts, room: int) -> Posts:
    """The same spikes with as much room as asked for or more."""
    if room <= table.time.shape[1]:
        return table
    block, old = np.zeros((len(table.count), room, 4)), table.time.shape[1]
    for j, count in enumerate(table.count.tolist()):
        k = np.arange(max(0, count - old), count)
        for c, before in enumerate(table[:3]):
            block[j, k % room, c] = before[j, k % old]
    return table._replace(time=block[:, :, 0], y1=block[:, :, 1], y2=block[:, :, 2], block=block.ravel())

"""Plastic synapses of the grid engine: weights are worked out when a spike arrives, in order of its source's synapses.

Target spikes up to the step before are known by then, and no later one can have come back to the synapse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import is_none, kernel, twin
from spikesim.engines.additive import arrive_additive
from spikesim.engines.learning import ROOM, PlasticStore, Sweeper, learning, plastic_store, update
from spikesim.network import Projection
from spikesim.plasticity.learn import after_spike, decayed, fetch
from spikesim.rng import U64

AHEAD = 8  # synapses whose targets are fetched early


@kernel(inner=True)
def _arrive(store, row, r, t, active):
    """Source number r has a spike at the synapses at t: weights follow, and arrive in `row`."""
    since, x1, x2 = store.since[r], store.x1[r], store.x2[r]
    posts, end, done, sign = store.posts, store.start[r + 1], store.done[0], store.weight[0] if active else 0.0
    learns = learning(store)
    idle = min(max(since, done), t - store.lasting) - store.dendritic if learns else np.inf
    for s in range(U64(store.start[r]), U64(end)):
        j = np.int64(store.target[s])
        if posts.latest[U64(j)] < idle:  # nothing has happened there since the last visit, nor does now
            row[U64(j)] += sign * store.own[s]
            continue
        if s + U64(2 * AHEAD) < U64(end):
            fetch(posts, np.int64(store.target[s + U64(AHEAD)]), np.int64(store.target[s + U64(2 * AHEAD)]))
        row[U64(j)] += sign * update(store, s, j, since, done, x1, x2, t, True)
    dt, nearest = t - since, posts.nearest
    store.x1[r] = after_spike(decayed(x1, posts, 0, dt), nearest)
    store.x2[r] = after_spike(decayed(x2, posts, 1, dt), nearest)
    store.since[r] = t


def arrive(stores: Any, number: int, row: Any, r: int, step: int, active: bool) -> None:
    """A spike of source r arrives through plastic table `number` at `step`."""
    for store in stores:
        if store.number == number:
            change = _arrive if store.sums is None else arrive_additive
            change(store, row, r, step - store.dendritic, active)


@twin(arrive)
def _arrive_twin(stores: Any, number: Any, row: Any, r: Any, step: Any, active: Any) -> Any:
    if len(stores) == 0:
        return lambda stores, number, row, r, step, active: None
    change = _arrive if is_none(stores[0].types[stores[0].fields.index("sums")]) else arrive_additive

    def more(stores, number, row, r, step, active):
        if stores[0].number == number:
            change(stores[0], row, r, step - stores[0].dendritic, active)
        else:
            arrive(stores[1:], number, row, r, step, active)

    return more


class Learner:
    """The synapses of a plastic projection onto one shard, as those who look at weights see them."""

    def __init__(
        self, projection: Projection, number: int, start: NDArray[np.int64], record: Any, n: int, dt: float
    ) -> None:
        self.projections, self.names = [projection], [projection.name]
        synapses = record[start[0] : start[-1]]
        one = np.zeros(1, np.int64)
        fields = {
            "source": one,
            "row": one,
            "start": start - start[0],
            "target": synapses["target"].copy(),
            "weight": np.ones(1),
            "receptor": one,
            "active": np.ones(1, np.uint8),
            "events": one,
            "own": synapses["weight"].copy(),
        }
        self.store: PlasticStore = plastic_store(fields, projection, n, number, ROOM, dt)
        self.sign = float(self.store.weight[0])
        self.sweeper = Sweeper(self)

    @property
    def negative(self) -> bool:
        """Whether weights are negative."""
        return self.sign < 0.0

    def turn(self) -> None:
        """Give the weights the other sign."""
        self.sign *= -1.0
        self.store.weight[0] *= -1.0

    @property
    def nbytes(self) -> int:
        """Memory of the synapses."""
        s = self.store
        held = [s.start, s.target, s.own, s.extra, s.since, s.x1, s.x2, s.posts.block]
        return sum(a.nbytes for a in held + ([] if s.sums is None else [*s.sums[1:3], s.sums.waiting]))


def longest_call(hold: int) -> int:
    """Steps in which no neuron that rests `hold` steps after a spike fires more often than there is room for."""
    return (ROOM // 2) * (hold + 1)

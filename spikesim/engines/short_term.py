"""Short-term plasticity in the event engine: a factor for each spike that arrives, from the spikes of its source."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.engines.event_kernels import TAG
from spikesim.engines.store import Bundle, weight_of
from spikesim.plasticity.short_term import release


class Used(NamedTuple):
    """What the synapses of each source are, by stimulus of the shard and row; and the numbers of the rule."""

    rule: Any
    u: Any
    x: Any
    last: Any  # when the last spike arrived


def rested(bundle: Bundle, stimuli: int) -> Used | None:
    """Synapses that have not been used; None where a bundle has no short-term plasticity."""
    rule = bundle.projections[0].short_term
    if rule is None:
        return None
    shape = (stimuli, len(bundle.store.start))
    return Used(rule.lower(), np.zeros(shape), np.ones(shape), np.full(shape, -np.inf))


@kernel(lean=True)
def place_used(inbox, store, used, entries, rows, width, number):
    """Place the synapses of arriving spikes, their weights as their sources' use has left them."""
    q_, t_, lo_, hi_, base_ = entries
    for m in range(len(q_)):
        b, r, t = base_[m] // width, rows[m], t_[m]
        u, x = release(used.rule, used.u[b, r], used.x[b, r], t - used.last[b, r])
        used.u[b, r], used.x[b, r], used.last[b, r] = u, x, t
        tag = store.receptor[q_[m]] | (number << TAG)
        for s in range(lo_[m], hi_[m]):
            j = base_[m] + store.target[s]
            k = inbox.first[j] + inbox.count[j]
            inbox.time[k], inbox.weight[k], inbox.receptor[k] = t, weight_of(store, q_[m], s) * (u * x), tag
            inbox.count[j] += 1


def save(places: list[tuple[Any, int]], sources: int, batch: int) -> NDArray[np.float64]:
    """u, x and time of the last arrival as a table (3, batch, sources), from the shards that hold them."""
    table = np.full((3, batch, sources), -np.inf)
    for shard, k in places:
        mine, used = table[:, shard.shard.b0 : shard.shard.b1], shard.inbox.used[k]
        later = (used.last[:, :sources] > mine[2]) | (mine[1] < 0.0)  # a source may have no target in a shard
        for name, part in zip(("u", "x", "last"), mine, strict=True):
            part[later] = getattr(used, name)[:, :sources][later]
    return table


def restore(shard: Any, k: int, table: NDArray[np.float64]) -> None:
    """Put the part of a table back that a shard needs."""
    place, used = shard.shard, shard.inbox.used[k]
    for name, part in zip(("u", "x", "last"), table, strict=True):
        getattr(used, name)[:, : part.shape[1]] = part[place.b0 : place.b1]

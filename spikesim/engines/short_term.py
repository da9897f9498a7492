"""Short-term plasticity in the event engine: a factor for each spike that arrives, from the spikes of its source.

And, for files, what moves of it in either engine.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.engines.event_kernels import TAG
from spikesim.engines.layout import Shard
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
    shape = (stimuli, len(bundle.store.start) - 1)
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


def states(shard: Any, k: int, q: int) -> list[tuple[NDArray[np.float64], ...]]:
    """u, x and time of the last arrival, by stimulus of a shard of either engine and source; of bundle k, number q."""
    if not hasattr(shard, "inbox"):
        return shard.bundles[k].used(q)  # type: ignore[no-any-return]
    used = shard.inbox.used[k]
    return [] if used is None else [used[1:]]


def save(found: list[tuple[Shard, tuple[NDArray[np.float64], ...]]], batch: int) -> NDArray[np.float64]:
    """u, x and time of the last arrival as a table (3, batch, sources), from the shards that hold them."""
    table = np.full((3, batch, found[0][1][0].shape[1]), -np.inf)
    for shard, state in found:
        mine = table[:, shard.b0 : shard.b1]
        later = (state[2] > mine[2]) | (mine[1] < 0.0)  # a source may have no target in a shard
        for part, values in zip(mine, state, strict=True):
            part[later] = values[later]
    return table


def restore(shard: Shard, state: tuple[NDArray[np.float64], ...], table: NDArray[np.float64]) -> None:
    """Put the part of a table back that a shard needs."""
    for values, part in zip(state, table, strict=True):
        values[...] = part[shard.b0 : shard.b1]

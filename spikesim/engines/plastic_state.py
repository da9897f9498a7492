"""Synapses of a projection as a table, and what moves of plastic ones for files: neither knows of shards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines.grid_bundle import GridBundle
from spikesim.engines.learning import Sweeper, with_room
from spikesim.engines.store import Bundle, OwnStore
from spikesim.network import Projection

_TABLE = ("time", "y1", "y2")


def _places(run: Any, projection: Projection) -> Iterator[tuple[Any, Any, int]]:
    """Shards that a projection reaches, the bundle there and the number of the projection in it."""
    for shards in run.shards.values():
        for shard in shards:
            learning = [s.bundle for s in _sweepers(shard)] if projection.plasticity is not None else shard.bundles
            for bundle in learning:
                if projection.name in bundle.names:
                    yield shard, bundle, bundle.names.index(projection.name)


def _sweepers(shard: Any) -> list[Sweeper]:
    """All sweepers of a shard of either engine."""
    owner = shard if hasattr(shard, "sweepers") else shard.inbox
    return getattr(owner, "sweepers", [])


def sweepers(run: Any, projection: Projection) -> Iterator[Sweeper]:
    """What keeps the weights of a plastic projection up to date, by shard."""
    for shard, bundle, _ in _places(run, projection):
        yield from (s for s in _sweepers(shard) if s.bundle is bundle)


def _ends(shard: Any, bundle: Bundle, q: int) -> tuple[NDArray[np.int64], NDArray[np.int64], slice]:
    """Source and target within their populations of each synapse, and where the synapses are in the store."""
    store, projection = bundle.store, bundle.projections[q]
    first, length = store.row[q], len(projection.pre)  # type: ignore[arg-type]
    start = store.start[first : first + length + 1]
    source = np.repeat(np.arange(length), np.diff(start)) + projection.pre.lo  # type: ignore[union-attr]
    where = slice(int(start[0]), int(start[-1]))
    _, _, shift = shard.shard.overlap(projection.post.population)  # type: ignore[union-attr]
    return source, store.target[where].astype(np.int64) - shift, where


def synapses(run: Any, projection: Projection) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Source, target and present weight of every synapse, by source, then target."""
    learnt = {id(s.bundle): s.weights(run.now * run.scale) for s in sweepers(run, projection)}
    columns: list[tuple[Any, Any, Any]] = []
    seen: set[tuple[int, int]] = set()
    for shard, bundle, q in _places(run, projection):
        if (shard.shard.lo, shard.shard.hi) in seen:  # the same neurons, other stimuli
            continue
        seen.add((shard.shard.lo, shard.shard.hi))
        if isinstance(bundle, GridBundle):
            source, target, weight = bundle.table(q)
            _, _, shift = shard.shard.overlap(projection.post.population)  # type: ignore[union-attr]
            columns.append((source + projection.pre.lo, target - shift, weight))  # type: ignore[union-attr]
            continue
        source, target, where = _ends(shard, bundle, q)
        weight = bundle.store.weight[q] * (bundle.store.own[where] if isinstance(bundle.store, OwnStore) else 1.0)
        if id(bundle) in learnt:
            weight = learnt[id(bundle)][where]
        columns.append((source, target, np.broadcast_to(weight, source.shape)))
    pre, post, weight = (np.concatenate(c) for c in zip(*columns, strict=True))
    order = np.lexsort((post, pre))
    return pre[order], post[order], weight[order].astype(np.float64)


def save(run: Any, projection: Projection) -> dict[str, Any]:
    """Weights, traces and recent target spikes of a plastic projection."""
    parts: list[Any] = []
    size = projection.post.population.size  # type: ignore[union-attr]
    room = max(s.bundle.store.posts.time.shape[1] for s in sweepers(run, projection))
    table = {name: np.zeros((size, room)) for name in _TABLE} | {"count": np.zeros(size, np.int64)}
    for sweeper in sweepers(run, projection):
        sweeper.sweep(run.now * run.scale)
    for shard, bundle, q in _places(run, projection):
        store = bundle.store
        source, target, where = _ends(shard, bundle, q)
        extra = store.extra[where] if len(store.extra) else np.zeros(len(source))
        parts.append((source, target, store.own[where], extra))
        posts, (a, b, shift) = with_room(store.posts, room), shard.shard.overlap(projection.post.population)  # type: ignore[union-attr]
        for name, array in table.items():
            array[a:b] = getattr(posts, name)[a + shift : b + shift]
        traces = {name: getattr(store, name) for name in ("since", "x1", "x2", "done", "frozen")}
    source, target, own, extra = (np.concatenate(c) for c in zip(*parts, strict=True))
    order = np.lexsort((source, target))  # stable: synapses of one pair stay in the order in which they were drawn
    traces["modulator"] = store.modulator
    return {"own": own[order], "extra": extra[order], **table, **traces}


def restore(run: Any, projection: Projection, saved: dict[str, Any]) -> None:
    """Put back what `save` took, with any number of shards."""
    parts = [(*_ends(shard, bundle, q), shard, bundle) for shard, bundle, q in _places(run, projection)]
    target = np.concatenate([p[1] for p in parts])
    order = np.lexsort((np.concatenate([p[0] for p in parts]), target))
    own, extra = np.empty(len(order)), np.empty(len(order))
    own[order], extra[order] = saved["own"], saved["extra"]
    at = 0
    for _, mine, where, shard, bundle in parts:
        store = bundle.store
        store.own[where] = own[at : at + len(mine)]
        if len(store.extra):
            store.extra[where] = extra[at : at + len(mine)]
        at += len(mine)
        a, b, shift = shard.shard.overlap(projection.post.population)  # type: ignore[union-attr]
        posts = with_room(store.posts, saved["time"].shape[1])
        for name in (*_TABLE, "count"):
            getattr(posts, name)[a + shift : b + shift] = saved[name][a:b]
        bundle.store = store._replace(posts=posts, modulator=saved["modulator"])
        for name in ("since", "x1", "x2", "done", "frozen"):
            getattr(store, name)[...] = saved[name]

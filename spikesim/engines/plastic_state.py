"""Synapses of a projection as a table, and what moves of plastic ones for files: neither knows of shards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines import additive
from spikesim.engines.grid_bundle import GridBundle
from spikesim.engines.learning import Sweeper, with_room
from spikesim.engines.store import Bundle, OwnStore
from spikesim.network import Projection
from spikesim.plasticity.learn import last_spikes

_TABLE = ("time", "y1", "y2")
_TRACES = ("since", "x1", "x2")


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


def sign(run: Any, projection: Projection) -> float:
    """-1 where weights are negative, 1 where they are not, 0 where there is no synapse to tell."""
    stores = [s.bundle.store for s in sweepers(run, projection)]
    return min((float(store.weight[0]) for store in stores if len(store.own)), default=0.0)


def turn(run: Any, projection: Projection, negative: bool) -> None:
    """Give the weights of a plastic projection a sign in all shards, those without synapses too."""
    for _, bundle, _ in _places(run, projection):
        if bundle.negative != negative:
            bundle.turn()


def changed(run: Any, projection: Projection) -> bool:
    """Whether any weight differs from what was described."""
    return any(s.moved(run.now * run.scale) for s in sweepers(run, projection))


def overwrite(run: Any, projection: Projection, weights: NDArray[np.float64]) -> None:
    """Set the weights of all synapses of a plastic projection, in the order of `synapses`, without their sign."""
    parts = _present(run, projection)
    order, own = _order(parts), np.empty(len(weights))
    own[order] = weights
    at = 0
    for bundle, source, _, where in parts:
        bundle.store.own[where] = own[at : at + len(source)]
        at += len(source)


def restructure(
    run: Any, projection: Projection, keep: NDArray[np.bool_], pre: NDArray[Any], post: NDArray[Any], weight: Any,
    negative: bool,
) -> None:  # fmt: skip
    """Keep some synapses of a plastic projection, in the order of `synapses`, and add others of the same sign.

    Where none stays, `negative` says which sign that is.
    """
    if keep.any():
        negative = any(b.negative for _, b, _ in _places(run, projection) if len(b.store.own))
    turn(run, projection, negative)
    parts = _present(run, projection)
    chosen = _order(parts)[keep]
    own = np.concatenate([bundle.store.own[where] for bundle, _, _, where in parts])[chosen]
    extras = [b.store.extra[w] if len(b.store.extra) else np.zeros(len(s)) for b, s, _, w in parts]
    columns = [np.concatenate([part[k] for part in parts])[chosen] for k in (1, 2)]
    kept = [*columns, own, np.concatenate(extras)[chosen]]
    new = (pre, post, np.broadcast_to(np.asarray(weight, np.float64), pre.shape), np.zeros(len(pre)))
    a, b, sizes, extra = (np.concatenate(pair) for pair in zip(kept, new, strict=True))
    _rebuild(run, projection, a, b, sizes, extra)


def _present(run: Any, projection: Projection) -> list[tuple[Any, NDArray[Any], NDArray[Any], slice]]:
    """Bundle, sources, targets and place in the store of the synapses of each shard; weights hold all until now."""
    for sweeper in sweepers(run, projection):
        sweeper.settle(run.now * run.scale)
    return [(bundle, *_ends(shard, bundle, q)) for shard, bundle, q in _places(run, projection)]


def _order(parts: list[tuple[Any, NDArray[Any], NDArray[Any], slice]]) -> NDArray[np.int64]:
    """Synapses of all shards by source, then target."""
    return np.lexsort((np.concatenate([p[2] for p in parts]), np.concatenate([p[1] for p in parts])))


def _merged(run: Any, projection: Projection) -> dict[str, NDArray[Any]]:
    """Traces of the sources: a shard knows those of a source only if it has targets there."""
    stores = [bundle.store for _, bundle, _ in _places(run, projection)]
    found = {name: getattr(stores[0], name).copy() for name in _TRACES}
    for store in stores[1:]:
        later = store.since > found["since"]
        for name in _TRACES:
            found[name][later] = getattr(store, name)[later]
    return found


def _rebuild(run: Any, projection: Projection, pre: Any, post: Any, own: Any, extra: Any) -> None:
    """Give the shards of a plastic projection the synapses of a table."""
    view, traces = projection.pre, _merged(run, projection)
    places = {id(bundle): shard for shard, bundle, _ in _places(run, projection)}
    for sweeper in sweepers(run, projection):
        bundle = sweeper.bundle
        store, (a, b, shift) = bundle.store, places[id(bundle)].shard.overlap(projection.post.population)  # type: ignore[union-attr]
        mine = np.flatnonzero((post >= a) & (post < b))
        mine = mine[np.argsort(pre[mine], kind="stable")]
        ends = np.searchsorted(pre[mine], view.lo + np.arange(len(view) + 1))  # type: ignore[arg-type, union-attr]
        bundle.store = store._replace(
            start=ends.astype(np.int64),
            target=(post[mine] + shift).astype(store.target.dtype),
            own=own[mine].astype(store.own.dtype),
            extra=np.array(extra[mine] if store.sums is not None or projection.plasticity.extra else (), np.float64),  # type: ignore[union-attr]
        )
        for name in _TRACES:
            getattr(store, name)[...] = traces[name]
        if store.sums is not None:
            additive.begin(bundle.store, int(run.now))
        for whole in places[id(bundle)].bundles:
            if isinstance(whole, GridBundle):
                whole.redrawn(str(projection.name), np.diff(ends).astype(np.int32))
        sweeper.rewired = True


def save(run: Any, projection: Projection) -> dict[str, Any]:
    """Weights, traces and recent target spikes of a plastic projection."""
    parts: list[Any] = []
    sums: dict[str, Any] = {}
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
        if store.sums is not None:
            for name, array in additive.held(store.sums).items():
                sums.setdefault(name, np.zeros((len(array), size)))[:, a:b] = array[:, a + shift : b + shift]
            sums["sum_frame"] = store.sums.frame
    source, target, own, extra = (np.concatenate(c) for c in zip(*parts, strict=True))
    order = np.lexsort((source, target))  # stable: synapses of one pair stay in the order in which they were drawn
    negative = np.full(1, next(_places(run, projection))[1].negative)
    traces = _merged(run, projection) | {
        "negative": negative,
        "done": store.done,
        "frozen": store.frozen,
        "modulator": store.modulator,
    }
    if any(s.rewired for s in sweepers(run, projection)):
        traces |= {"pre": source[order], "post": target[order]}
    return {"own": own[order], "extra": extra[order], **table, **sums, **traces}


def restore(run: Any, projection: Projection, saved: dict[str, Any]) -> None:
    """Put back what `save` took, with any number of shards."""
    if "pre" in saved:
        _rebuild(run, projection, *(saved[name] for name in ("pre", "post", "own", "extra")))
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
        posts.latest[:] = last_spikes(posts)
        bundle.store = store._replace(posts=posts, modulator=saved["modulator"])
        for name in (*_TRACES, "done", "frozen"):
            getattr(store, name)[...] = saved[name]
        if store.sums is not None:
            for name, array in additive.held(store.sums).items():
                array[:, a + shift : b + shift] = saved[name][:, a:b]
            store.sums.frame[:] = saved["sum_frame"]
            additive.wait_again(store.sums, run.now, posts)
    for sweeper in sweepers(run, projection):
        sweeper.recount()

"""Synapses as flat arrays: per shard and source block, sorted by source, then by delay where delays differ.

A constant weight or delay is stored once per projection, never per synapse. Weights drawn from distributions are
float32 values; weights given as arrays are float32 only where that changes no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel, verb
from spikesim.connectivity.distributions import Distribution
from spikesim.connectivity.rule import Pairs
from spikesim.network import Projection
from spikesim.rng import make_key

CHUNK = 1_000_000  # synapses drawn at a time while building
KEEP = 20_000_000  # up to this many, drawn pairs are kept between the two passes


class SharedStore(NamedTuple):
    """Synapses whose weight is one number per projection."""

    source: Any  # (P, 2) int64: first source of the projection within its block, number of sources
    row: Any  # (P,) int64: position of its first source in `start`
    start: Any  # int64: first synapse of each source
    target: Any  # local target of each synapse, uint16 or int32
    weight: Any  # (P,) weight
    receptor: Any  # (P,) int64
    active: Any  # (P,) uint8, 0 while paused
    events: Any  # (P,) int64: deliveries


class OwnStore(NamedTuple):
    """Synapses with a weight each; `weight` is a factor per projection."""

    source: Any
    row: Any
    start: Any
    target: Any
    weight: Any
    receptor: Any
    active: Any
    events: Any
    own: Any  # weight of each synapse, float32 or float64


@verb()
def weight_of(store, q, s):
    """Weight of synapse s of projection q."""


@weight_of.register(SharedStore)
def _shared_weight(store, q, s):
    return store.weight[q]


@weight_of.register(OwnStore)
def _own_weight(store, q, s):
    return store.weight[q] * store.own[s]


class Bundle:
    """Store of the projections from one source block to one shard that share their storage mode.

    `delay` is the common delay (engine units) or None; then `delays` holds one per synapse, ascending per source.
    `sender_size` is the number of elements per stimulus of the source block.
    """

    def __init__(
        self, block: int, projections: Sequence[Projection], store: Any, delay: Any, delays: Any, sender_size: int
    ) -> None:
        self.block, self.projections, self.store = block, tuple(projections), store
        self.delay, self.delays, self.sender_size = delay, delays, sender_size
        self.names = [p.name for p in projections]
        self.base = store.weight.copy()
        self.rewired = False  # whether it holds other synapses than were described

    def deliveries(self) -> list[int]:
        """Synaptic events of each projection so far."""
        return [int(n) for n in self.store.events]

    @property
    def weight(self) -> NDArray[np.float64]:
        """Weight, or factor of the weights, of each projection."""
        return self.store.weight  # type: ignore[no-any-return]

    @property
    def negative(self) -> bool:
        """Whether the weights of a plastic projection, which is alone in its bundle, are negative."""
        return bool(self.base[0] < 0.0)

    def turn(self) -> None:
        """Give the weights of a plastic projection the other sign."""
        self.base[0] *= -1.0
        self.store.weight[0] *= -1.0

    @property
    def active(self) -> NDArray[np.uint8]:
        """0 where a projection is paused."""
        return self.store.active  # type: ignore[no-any-return]

    def restore(self, q: int, weight: float, active: int, events: int) -> None:
        """Set what moves of projection number q."""
        self.store.weight[q], self.store.active[q], self.store.events[q] = weight, active, events

    def change(self, q: int, factor: float | None = None, active: bool | None = None) -> None:
        """Scale the weights of projection number q, relative to how it was described; pause or resume it."""
        if factor is not None:
            self.store.weight[q] = self.base[q] * factor
        if active is not None:
            self.store.active[q] = active

    @property
    def nbytes(self) -> int:
        """Memory of the synapses."""
        arrays = [self.store.start, self.store.target, getattr(self.store, "own", None), self.delays]
        return sum(a.nbytes for a in arrays if a is not None)


def is_plain(value: Any) -> bool:
    """Whether a weight or delay is one number."""
    return isinstance(value, float)


def mode(projection: Projection, convert: Callable[[Any], Any]) -> tuple[Any, ...]:
    """What decides which projections share a bundle: delay if common, and the type of stored weights."""
    delay = convert(projection.delay) if is_plain(projection.delay) else None
    if projection.plasticity is not None:
        return (delay, "float64", projection.name)
    kind = "shared" if _one_weight(projection) else np.dtype(_weight_type(projection)).name
    return (delay, kind) if projection.short_term is None else (delay, kind, projection.name)


def weight_bytes(projection: Projection) -> int:
    """Bytes of weight per synapse: 0 where the projection has one weight for all."""
    if projection.plasticity is not None:
        return 16 if projection.plasticity.extra else 8
    return 0 if _one_weight(projection) else np.dtype(_weight_type(projection)).itemsize


def _one_weight(projection: Projection) -> bool:
    return is_plain(projection.weight) and projection.rule.weights is None


def _weight_type(projection: Projection) -> Any:
    weight = projection.weight
    if isinstance(weight, Distribution):
        return np.float32
    for values in (weight, projection.rule.weights):
        if isinstance(values, np.ndarray) and not np.array_equal(values.astype(np.float32), values):
            return np.float64
    return np.float32


def chunks(projection: Projection, seed: int, lo: int, hi: int) -> Iterator[Pairs]:
    """All synapses of a projection onto targets lo … hi-1 of its post side, in pieces."""
    key = make_key(seed, "connectivity", projection.name)  # type: ignore[arg-type]
    mean = max(1.0, projection.synapses / len(projection.post))  # type: ignore[arg-type]
    step = max(1, int(CHUNK / mean))
    for a in range(lo, hi, step):
        yield projection.pairs(key, a, min(a + step, hi))


def values(value: Any, pairs: Pairs, key: Any) -> NDArray[np.float64]:
    """Weights or delays of pairs as described by a number, a distribution or an array."""
    if isinstance(value, Distribution):
        return value.sample(key, pairs.post, pairs.draw)
    if isinstance(value, np.ndarray):
        return value[pairs.index]
    return np.full(len(pairs.pre), value)


@kernel(lean=True)
def _count(start, row, pre):
    for k in range(len(pre)):
        start[row + pre[k] + 1] += 1


@kernel(lean=True)
def _place(cursor, row, pre, post, shift, target, slot):
    for k in range(len(pre)):
        s = cursor[row + pre[k]]
        cursor[row + pre[k]] = s + 1
        target[s] = post[k] + shift
        slot[k] = s


@kernel
def _sort_rows(start, delays, target, own, has_own):
    """Order the synapses of each source by delay, keeping the order of equal delays."""
    for r in range(len(start) - 1):
        lo, hi = start[r], start[r + 1]
        ordered = True
        for s in range(lo + 1, hi):
            if delays[s] < delays[s - 1]:
                ordered = False
                break
        if not ordered:
            order = np.argsort(delays[lo:hi], kind="mergesort")
            delays[lo:hi] = delays[lo:hi][order]
            target[lo:hi] = target[lo:hi][order]
            if has_own:
                own[lo:hi] = own[lo:hi][order]


def build(
    projections: Sequence[Projection],
    block: int,
    sender_size: int,
    sources: Sequence[int],
    targets: Sequence[tuple[int, int, int]],
    receptors: Sequence[int],
    n_local: int,
    seed: int,
    convert: Callable[[Any], Any],
) -> Bundle:
    """Draw and sort the synapses of one bundle.

    Parameters
    ----------
    projections : the projections of one mode
    block, sender_size : number and size of their source block
    sources : first source of each projection within the block
    targets : per projection (lo, hi, shift): its targets lo … hi-1 live in this shard, at local number target + shift
    receptors : receptor number of each projection
    n_local : neurons per stimulus in the shard
    seed : seed of the network
    convert : delays in ms to the engine's unit (scalars and arrays)
    """
    lengths = np.array([len(p.pre) for p in projections], dtype=np.int64)  # type: ignore[arg-type]
    row = np.concatenate([[0], np.cumsum(lengths + 1)])[:-1]  # one spare entry per projection: rows end there
    start = np.zeros(int((lengths + 1).sum()), dtype=np.int64)
    delay, kind = mode(projections[0], convert)[:2]
    kept: dict[int, list[Pairs]] = {}
    for q, p in enumerate(projections):
        pieces = chunks(p, seed, *targets[q][:2])
        if p.synapses <= KEEP:
            pieces = iter(kept.setdefault(q, list(pieces)))
        for pairs in pieces:
            _count(start, row[q], pairs.pre)
    np.cumsum(start, out=start)
    total = int(start[-1])
    target = np.empty(total, dtype=np.uint16 if n_local <= 65536 else np.int32)
    own = np.empty(total, dtype=kind) if kind != "shared" else np.empty(0, np.float32)
    delays = np.empty(total, dtype=convert(np.empty(0)).dtype) if delay is None else None
    cursor = start.copy()
    for q, p in enumerate(projections):
        for pairs in kept.pop(q, None) or chunks(p, seed, *targets[q][:2]):
            slot = np.empty(len(pairs.pre), dtype=np.int64)
            _place(cursor, row[q], pairs.pre, pairs.post, targets[q][2], target, slot)
            if kind != "shared":
                drawn = values(p.weight, pairs, make_key(seed, "weight", p.name))  # type: ignore[arg-type]
                own[slot] = drawn if pairs.weight is None else drawn * pairs.weight
            if delays is not None:
                drawn = values(p.delay, pairs, make_key(seed, "delay", p.name))  # type: ignore[arg-type]
                delays[slot] = convert(drawn)
    if delays is not None:
        if delays.dtype.kind == "i":
            top = int(delays.max()) if total else 0
            delays = delays.astype(np.uint8 if top < 256 else np.uint16 if top < 65536 else np.int32)
        _sort_rows(start, delays, target, own, kind != "shared")
    weight = np.array([p.weight if kind == "shared" else 1.0 for p in projections], dtype=np.float64)
    fields = (
        np.array([[s, n] for s, n in zip(sources, lengths, strict=True)], dtype=np.int64).reshape(-1, 2),
        row.astype(np.int64),
        start,
        target,
        weight,
        np.array(receptors, dtype=np.int64),
        np.ones(len(projections), dtype=np.uint8),
        np.zeros(len(projections), dtype=np.int64),
    )
    store = SharedStore(*fields) if kind == "shared" else OwnStore(*fields, own)
    return Bundle(block, projections, store, delay, delays, sender_size)

"""Synapses as the grid engine keeps them: per shard one store of rows, one a source as far as its synapses are alike.

A row joins all projections that leave the same elements for the same receptor and are stored in the same way:

- counted: weight and delay are common; 2 bytes a synapse, the target. Spikes of a step are counted per target, and
  counts are multiplied by the weight of the projection.
- bare: own delay, common weight; 4 bytes: target, delay, code of the projection within the row.
- narrow: own float32 weight, delays up to 255 steps; 8 bytes.
- wide: anything else; 16 bytes, float64 weights.
- plastic: weights that learn, one projection, one delay; see `grid_plastic`.

Projections with short-term plasticity have rows of their own, counted, narrow or wide; see `grid_short_term`. Rows
whose synapses have several delays are sorted by delay. Rows, but for plastic ones, reach 65,536 targets; where a shard
has more, a source has several rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.connectivity.distributions import Distribution
from spikesim.connectivity.rule import Pairs
from spikesim.engines.layout import Block, Layout, Shard
from spikesim.engines.store import chunks, is_plain, values, weight_bytes
from spikesim.network import Projection
from spikesim.plasticity.short_term import ShortTerm
from spikesim.rng import make_key

COUNTED, BARE, NARROW, WIDE, PLASTIC = range(5)
TIMED = (COUNTED, PLASTIC)  # whose synapses have one delay
ROAMING = (BARE, NARROW, WIDE)  # whose spikes stay under way while one synapse after the other is due
REACH = 1 << 16  # targets a row can tell apart
RECORDS = (
    np.dtype([("target", "u2")]),
    np.dtype([("target", "u2"), ("delay", "u1"), ("code", "u1")]),
    np.dtype([("target", "u2"), ("delay", "u1"), ("code", "u1"), ("weight", "f4")]),
    np.dtype([("target", "u2"), ("code", "u2"), ("delay", "u4"), ("weight", "f8")]),
    np.dtype([("target", "u4"), ("weight", "f8")], align=True),
)
FIELDS = ("target", "delay", "code", "weight")
CODES = (1 << 16, 1 << 8, 1 << 8, 1 << 16, 1)  # projections a row can tell apart


class Synapses(NamedTuple):
    """Synapses onto one shard; tables of rows, T in all, stand group by group, and so do their rows."""

    group: Any  # (G, 4): number of the source block, lag until its spikes are taken up, first table, end of tables
    first: Any  # (T,) first source within its block
    size: Any  # (T,) number of sources
    kind: Any  # (T,) COUNTED, BARE, NARROW, WIDE or PLASTIC
    row: Any  # (T,) row of the first source
    base: Any  # (T,) first local target
    receptor: Any  # (T,)
    channel: Any  # (T,) counters that the spikes of a counted table go to; number of a plastic one
    scaled: Any  # (T,) uint8, 1 where a factor differs from 1
    factor: Any  # (T, codes) weight of a projection, 0 while it is paused
    start: Any  # first synapse of each row
    uptake: Any  # spikes each row has taken up
    counted: Any  # targets of counted rows, uint16
    bare_target: Any
    bare_delay: Any
    bare_code: Any
    narrow_target: Any
    narrow_delay: Any
    narrow_code: Any
    narrow_weight: Any
    wide_target: Any
    wide_delay: Any
    wide_code: Any
    wide_weight: Any
    plastic: Any  # tuple of the stores of plastic tables
    used: Any  # what moves of tables with short-term plasticity, () where there are none


@dataclass(eq=False)
class Part:
    """The synapses of one projection in one table: onto its targets lo … hi-1, at `base` + target + shift."""

    number: int  # of the projection within the network
    projection: Projection
    lo: int
    hi: int
    shift: int
    population: int  # of the targets, within their block


@dataclass(eq=False)
class Table:
    """Rows of all sources from one range, as far as they are stored alike."""

    block: Block
    first: int
    size: int
    kind: int
    timed: bool  # whether spikes are taken up when they arrive
    delay: int  # of timed tables
    receptor: int
    base: int
    short_term: ShortTerm | None
    parts: list[Part] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        """Whether spikes of a step are counted."""
        return self.kind == COUNTED and self.short_term is None

    def takes(self, part: Part) -> bool:
        """Whether a projection can join."""
        if self.short_term is not None:
            return False
        if self.kind == COUNTED:
            return all(part.population != p.population for p in self.parts)
        return len(self.parts) < CODES[self.kind]


def kind_of(projection: Projection, ticks: Callable[[Any], Any]) -> int:
    """How the synapses of a projection are stored: a matter of its description alone."""
    if projection.plasticity is not None:
        return PLASTIC
    bytes_each = weight_bytes(projection)
    if is_plain(projection.delay) and not bytes_each:
        return COUNTED
    if longest(projection, ticks) > 255 or bytes_each > 4:
        return WIDE
    return NARROW if bytes_each else BARE


def is_timed(projection: Projection, ticks: Callable[[Any], Any]) -> bool:
    """Whether the spikes of a projection are taken up when they arrive."""
    return projection.short_term is not None or kind_of(projection, ticks) in TIMED


def longest(projection: Projection, ticks: Callable[[Any], Any]) -> int:
    """No delay of a projection is longer than this, in steps."""
    delay = projection.delay
    return int(ticks(delay.largest if isinstance(delay, Distribution) else float(np.max(delay))))


def _tables(shard: Shard, layout: Layout, ticks: Callable[[Any], Any]) -> list[Table]:
    """Tables of a shard, by group."""
    found: dict[Any, list[Table]] = {}
    width = max(s.width for s in layout.shards if s.block is shard.block)
    for number, p in enumerate(layout.network.projections):
        pre, post = p.pre, p.post
        if layout.block_of(post.population) is not shard.block:  # type: ignore[union-attr]
            continue
        sender, kind = layout.block_of(pre.population), kind_of(p, ticks)  # type: ignore[union-attr]
        a, b, shift = shard.overlap(post.population)  # type: ignore[union-attr]
        a, b = max(a, post.lo), min(b, post.hi)  # type: ignore[union-attr]
        receptor = list(post.population.model.receptors).index(p.receptor)  # type: ignore[union-attr]
        timed = is_timed(p, ticks)
        delay = ticks(p.delay) if timed else 0
        first = sender.offset(pre.population) + pre.lo  # type: ignore[union-attr]
        population = [q is post.population for q in shard.block.populations].index(True)  # type: ignore[union-attr]
        reach = width if kind == PLASTIC else REACH
        for base in range(0, width, reach):  # targets base … base + reach - 1 of the shard
            lo, hi = max(a, base - shift) - post.lo, min(b, base + reach - shift) - post.lo  # type: ignore[union-attr]
            lo, hi = (lo, hi) if lo < hi else (0, 0)  # tables are the same in all shards, some parts empty
            part = Part(number, p, lo, hi, post.lo + shift - base, population)  # type: ignore[union-attr]
            table = Table(sender, first, len(pre), kind, timed, delay, receptor, base, p.short_term)  # type: ignore[arg-type]
            key = (sender.number, timed, delay)
            alike = (t for t in found.setdefault(key, []) if _alike(t, table) and t.takes(part))
            home = next(alike, None)
            if home is None:
                found[key].append(home := table)
            home.parts.append(part)
    return [table for tables in found.values() for table in tables]


def _alike(a: Table, b: Table) -> bool:
    names = ("first", "size", "kind", "receptor", "base", "short_term")
    return all(getattr(a, name) == getattr(b, name) for name in names)


@kernel(lean=True)
def _count(count, pre):
    for k in range(len(pre)):
        count[pre[k]] += 1


@kernel(lean=True)
def _place(cursor, pre, post, shift, target, slot):
    for k in range(len(pre)):
        s = cursor[pre[k]]
        cursor[pre[k]] = s + 1
        target[s] = post[k] + shift
        slot[k] = s


@kernel(lean=True)
def _fill(slot, ms, dt, code, delay, codes):
    """Delays as whole steps, at least one where they are > 0, and the code of the projection."""
    for k in range(len(slot)):
        delay[slot[k]] = max(np.rint(ms[k] / dt), 1.0) if ms[k] > 0.0 else 0.0
        codes[slot[k]] = code


@kernel(lean=True)
def _scatter(slot, value, out):
    for k in range(len(slot)):
        out[slot[k]] = value[k]


@kernel
def _sort(start, word, delay):
    """Order the synapses of each row by delay, keeping the order of equal delays (counting sort)."""
    top = np.max(start[1:] - start[:-1])
    copy, key, count = np.empty(top, word.dtype), np.empty(top, np.uint8), np.zeros(257, np.int64)
    for r in range(len(start) - 1):
        a, n = start[r], start[r + 1] - start[r]
        low, high = 255, 0
        for s in range(n):
            copy[s], key[s] = word[a + s], delay[a + s]
            count[key[s]] += 1
            low, high = min(low, np.int64(key[s])), max(high, np.int64(key[s]))  # type: ignore[assignment]
        total = a
        for d in range(low, high + 1):
            count[d], total = total, total + count[d]
        for s in range(n):
            word[count[key[s]]] = copy[s]
            count[key[s]] += 1
        for d in range(low, high + 1):
            count[d] = 0


@kernel(lean=True)
def _longest_run(start, target):
    """Most synapses of one source onto one target."""
    longest = 1
    for r in range(len(start) - 1):
        run = 1
        for s in range(start[r] + 1, start[r + 1]):
            run = run + 1 if target[s] == target[s - 1] else 1
            longest = max(longest, run)
    return longest


class Drawn(NamedTuple):
    """What `draw` found: the synapses, their tables, and how many each source has of each part of each table."""

    synapses: Synapses
    tables: list[Table]
    degrees: list[list[NDArray[np.int32]]]
    runs: list[int]  # of counted tables: most synapses between one pair
    nbytes: int
    learning: NDArray[Any]  # records of plastic tables


def draw(shard: Shard, layout: Layout, seed: int, ticks: Callable[[Any], Any], dt: float) -> Drawn:
    """Draw and sort all synapses onto a shard, in two passes: how many each source has, then each in its place."""
    tables = _tables(shard, layout, ticks)
    degrees = [[_degrees(part, table.size, seed) for part in table.parts] for table in tables]
    row = np.concatenate([[0], np.cumsum([t.size + 1 for t in tables])]).astype(np.int64)
    start, total = np.zeros(int(row[-1]), np.int64), [0] * len(RECORDS)
    for table, degree, (a, b) in zip(tables, degrees, pairwise(row.tolist()), strict=True):
        start[a] = total[table.kind]
        start[a + 1 : b] = start[a] + np.cumsum(np.sum(degree, axis=0))
        total[table.kind] = int(start[b - 1])
    records = [np.empty(n, kind) for n, kind in zip(total, RECORDS, strict=True)]
    runs = [
        _fill_table(table, start[a:b], records[table.kind], seed, dt)
        for table, (a, b) in zip(tables, pairwise(row.tolist()), strict=True)
    ]
    synapses = Synapses(  # type: ignore[call-arg]
        _groups(shard, layout, tables, ticks),
        *(np.array([getattr(t, name) for t in tables], np.int64) for name in ("first", "size", "kind")),
        row[:-1].copy(),
        *(np.array([getattr(t, name) for t in tables], np.int64) for name in ("base", "receptor")),
        np.zeros(len(tables), np.int64),
        np.zeros(len(tables), np.uint8),
        np.ones((len(tables), max((len(t.parts) for t in tables), default=1))),
        start,
        np.zeros_like(start),
        *(records[k][name] for k in range(4) for name in FIELDS if name in (RECORDS[k].names or ())),
        (),
        (),
    )
    learning = records.pop()
    return Drawn(synapses, tables, degrees, runs, start.nbytes + sum(r.nbytes for r in records), learning)


def _pairs(part: Part, seed: int) -> Iterator[Pairs]:
    return chunks(part.projection, seed, part.lo, part.hi)


def _degrees(part: Part, size: int, seed: int) -> NDArray[np.int32]:
    """Synapses of each source."""
    degree = np.zeros(size, np.int32)
    for pairs in _pairs(part, seed):
        _count(degree, pairs.pre)
    return degree


def _fill_table(table: Table, start: NDArray[np.int64], record: NDArray[Any], seed: int, dt: float) -> int:
    """Put the synapses of a table into its rows; returns the most between one pair (of counted tables)."""
    cursor = start[:-1].copy()
    for code, part in enumerate(table.parts):
        p = part.projection
        for pairs in _pairs(part, seed):
            slot = np.empty(len(pairs.pre), np.int64)
            _place(cursor, pairs.pre, pairs.post, part.shift, record["target"], slot)
            if table.kind == PLASTIC:
                _scatter(slot, _weights(p, pairs, seed), record["weight"])
            if table.kind in TIMED:
                continue
            delay = values(p.delay, pairs, make_key(seed, "delay", p.name))  # type: ignore[arg-type]
            _fill(slot, delay, dt, code, record["delay"], record["code"])
            if table.kind != BARE:
                _scatter(slot, _weights(p, pairs, seed), record["weight"])
    if table.kind == COUNTED:
        return int(_longest_run(start, record["target"]))
    if table.kind == PLASTIC:
        return 1
    if table.kind == WIDE:
        part_of = record[start[0] : start[-1]]
        order = np.lexsort((part_of["delay"], np.repeat(np.arange(table.size), np.diff(start))))
        part_of[:] = part_of[order]
    else:
        _sort(start, record.view(f"u{record.itemsize}"), record["delay"])
    return 1


def _weights(projection: Projection, pairs: Pairs, seed: int) -> NDArray[np.float64]:
    if not weight_bytes(projection):  # one for all: the factor
        return np.ones(len(pairs.pre))
    drawn = values(projection.weight, pairs, make_key(seed, "weight", projection.name))  # type: ignore[arg-type]
    return drawn if pairs.weight is None else drawn * pairs.weight


def _groups(shard: Shard, layout: Layout, tables: Sequence[Table], ticks: Callable[[Any], Any]) -> NDArray[np.int64]:
    """Tables that take up the spikes of a block together, and how many steps after they were emitted.

    That is the delay of timed tables. Others take spikes up as early as the description lets any of them
    arrive, which does not depend on the shard, so that neither do the sums of what arrives together.
    """
    soonest: dict[int, int] = {}
    for p in layout.network.projections:
        if layout.block_of(p.post.population) is shard.block and not is_timed(p, ticks):  # type: ignore[union-attr]
            number = layout.block_of(p.pre.population).number  # type: ignore[union-attr]
            soonest[number] = min(soonest.get(number, 1 << 40), ticks(p.min_delay))
    rows: list[list[int]] = []
    for k, t in enumerate(tables):
        same = k and tables[k - 1].block is t.block and tables[k - 1].delay == t.delay
        if same and tables[k - 1].timed == t.timed:
            rows[-1][3] = k + 1
        else:
            rows.append([t.block.number, t.delay if t.timed else soonest[t.block.number], k, k + 1])
    return np.array(rows, np.int64).reshape(-1, 4)

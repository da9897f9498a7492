"""Kernels of the grid engine: many steps in one call, all shards of a block in step with each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at, kernel, load, peek, store, verb
from spikesim.engines.additive import follow
from spikesim.engines.grid_deliver import admit, flush, flush_few, gather, land, meet, under_way, visit
from spikesim.engines.learning import note
from spikesim.rng import GOLDEN, U64, mix, unit


class Parts(NamedTuple):
    """Lowered parts of the neurons of one shard; `h` is the time step, `hold` the refractory steps."""

    membrane: Any
    synapses: Any
    threshold: Any
    reset: Any
    hold: Any
    h: Any


class State(NamedTuple):
    """State of the neurons of one shard."""

    x: Any  # membrane variables, a tuple of arrays, the potential first
    ys: Any  # synaptic variables, a tuple of tuples of arrays
    a: Any  # threshold variables
    until: Any  # last step of refractoriness
    late: Any  # 1 where a reset of the step before is still to be applied


class Marks(NamedTuple):
    """Who fired in the step, and the same eight at a time."""

    fired: Any  # uint8
    words: Any  # uint64


class Drive(NamedTuple):
    """Private Poisson input: D items, each one input of one population, with tables of classes of equal rates."""

    population: Any  # (D,)
    receptor: Any  # (D,)
    key: Any  # (D,) uint64
    klass: Any  # (D,) class of all neurons, -1 where silent, -2 where each has its own
    weight: Any  # (D,) weight of all neurons, nan where each has its own
    offset: Any  # (D,) where the item begins in `klasses` and `weights`
    klasses: Any  # class of each neuron, -1 where silent
    weights: Any  # weight of each neuron
    guide: Any  # (classes, 4096) int16
    cdf: Any  # (classes, K)
    arrivals: Any  # (D,)
    words: Any  # working memory
    lanes: Any  # the same as uint16


class Counts(NamedTuple):
    """Poisson counts by inverse table with a guide: `guide[u >> 52]` is the count, or ~count to compare on from."""

    guide: Any  # (classes, 4096) int16
    cdf: Any  # (classes, K)


@kernel(inline=True)
def _count_of(table, c, word):
    """Poisson count of class c for 64 random bits."""
    count = np.int64(table.guide[c, word >> U64(52)])
    if count < 0:
        count = ~count
        u = unit(word)
        while u >= table.cdf[c, count]:
            count += 1
    return count


LANE = 2.0**-16


@kernel(inner=True)
def _undecided(drive, c, count, lane, key, element):
    """Poisson count of class c, at least ~count, where the 16 bits of `lane` do not decide: the element has more."""
    count = ~count
    u = (np.float64(lane) + unit(mix(mix(key ^ GOLDEN) + U64(element + 1) * GOLDEN))) * LANE
    while u >= drive.cdf[c, count]:
        count += 1
    return count


@kernel(inner=True)
def add_poisson(drive, d, row, lo, hi, element, place, step):
    """Add weight * Poisson count of `step` to neurons lo … hi-1, the elements from `element` on of input d."""
    klass, weight = drive.klass[d], drive.weight[d]
    if klass == -1:
        return
    key = mix(drive.key[d] + U64(step + 1) * GOLDEN)
    first, n = element >> 2, hi - lo
    for w in range(((element + n + 3) >> 2) - first):  # kept apart from the look-up: this loop is vectorised
        drive.words[w] = mix(key + U64(first + w + 1) * GOLDEN)
    total, skip, base = 0, U64(element - 4 * first), U64(lo)
    if klass >= 0 and weight == weight:
        guide = drive.guide[klass]
        for i in range(U64(0), U64(n)):
            lane = drive.lanes[i + skip]
            count: Any = np.int64(guide[lane >> np.uint16(4)])
            if count < 0:
                count = _undecided(drive, klass, count, lane, key, element + np.int64(i))
            row[base + i] += weight * count
            total += count
    else:
        at_item = U64(drive.offset[d] + place)
        for i in range(U64(0), U64(n)):
            c = np.int64(drive.klasses[at_item + i])
            if c >= 0:
                lane = drive.lanes[i + skip]
                count = np.int64(drive.guide[c, lane >> np.uint16(4)])
                if count < 0:
                    count = _undecided(drive, c, count, lane, key, element + np.int64(i))
                row[base + i] += drive.weights[at_item + i] * count
                total += count
    drive.arrivals[d] += total


@kernel(inner=True)
def _collect(rows, drive, k, lo, hi, population, stimulus, element, place, step):
    """Add counted spikes and Poisson input to what arrives at neurons lo … hi-1 in row k."""
    for c in range(len(rows.receptor)):
        if rows.pending[c, stimulus] > 0 and rows.direct[c] == 0:
            flush(rows, c, k, lo, hi, population)
    for d in range(len(drive.population)):
        if drive.population[d] == population:
            add_poisson(drive, d, rows.rows[drive.receptor[d], k], lo, hi, element, place, step)


@kernel(inline=True, inner=True)
def _move(parts, state, marks, views, current, lagged, k, step, lo, hi):
    """Advance neurons lo … hi-1 one step and mark who fires; views[r][k] is what arrives at receptor r at its end.

    All neurons do the same here, so that the loop is vectorised; what a spike does follows in `_fire`.
    """
    some = False
    for i in range(U64(lo), U64(hi)):  # unsigned: signed ones may count from the end, which costs
        x = load(state.x, i)
        held = state.until[i] >= step
        new = verbs.advance(parts.membrane, x, i, parts.synapses, state.ys, at(current, i), parts.h)
        dv = verbs.settle_all(parts.synapses, state.ys, views, k, i)
        verbs.theta_decay(parts.threshold, state.a, i)
        v = new[0]
        if lagged and state.late[i] > 0:
            v = verbs.reset(parts.reset, v, i)
        v = x[0] if held else v + dv
        fires = v >= verbs.theta(parts.threshold, state.a, i) and not held
        store(state.x, i, (v,) + new[1:])  # noqa: RUF005
        if lagged:
            state.late[i] = fires
        marks.fired[i] = fires
        some |= fires
    return some


@kernel(inner=True)
def _fire(parts, state, marks, lagged, plastic, step, lo, hi, shift, out, n):
    """Reset the neurons among lo … hi-1 that fired and append their elements to out; returns its new length."""
    for w in range(lo >> 3, (hi + 7) >> 3):
        if marks.words[U64(w)] == U64(0):
            continue
        for i in range(max(lo, 8 * w), min(hi, 8 * w + 8)):
            if marks.fired[i] == 0:
                continue
            verbs.theta_spike(parts.threshold, state.a, i)
            x = load(state.x, i)
            v = x[0] if lagged else verbs.reset(parts.reset, x[0], i)
            store(state.x, i, verbs.on_spike(parts.membrane, (v,) + x[1:], i))  # noqa: RUF005
            state.until[i] = step + at(parts.hold, i)
            note(plastic, i, np.float64(step))
            out[n] = i + shift
            n += 1
    return n


@verb(inline=True)
def advance_all(parts, state, marks, views, current, lagged, synapses, rows, drive, chunks, k, step, place, out, n):
    """Move all neurons to `step`, where row k arrives; append who fires to `out`, whose new length is returned."""


@advance_all.register(Parts)
def _advance_all(parts, state, marks, views, current, lagged, synapses, rows, drive, chunks, k, step, place, out, n):
    for c in range(len(chunks)):
        lo, hi = chunks[c, 0], chunks[c, 1]
        _collect(rows, drive, k, lo, hi, chunks[c, 2], chunks[c, 3], chunks[c, 4], chunks[c, 5], step)
        if _move(parts, state, marks, views, current, lagged, k, step, lo, hi):
            n = _fire(parts, state, marks, lagged, synapses.plastic, step, lo, hi, chunks[c, 6], out, n)
    land(parts.synapses, state.ys, synapses, rows, k, place[2])
    return n


@kernel(lean=True)
def march(
    parts, state, marks, views, current, lagged, synapses, rows, travel, drive, chunks, past, fresh, link, place,
    limits, first, last,
):  # fmt: skip
    """Steps first … last, or as many as there is room for; returns the last one done.

    In every step, spikes that are due are added to rows of input, then the neurons advance chunk by chunk. Shards
    meet after each hop, no longer than the shortest delay between them.
    """
    me, hop, depth, room = place[3], limits[0], limits[1], limits[2]
    step, epoch, last_row = first, peek(link.epoch, 8 * place[3]), first
    while step <= last:
        if step > first and fresh.size[0] + hop * place[4] > len(fresh.time):
            break
        if step > first and limits[3] > 0 and under_way(past, fresh, step) * limits[3] > room:
            break
        parity, stop = epoch & 1, min(step + hop - 1, last)
        n = 0
        for s in range(step, stop + 1):
            if s == first or s - last_row == depth:
                last_row = s
                visit(synapses, rows, travel, s, min(s + depth - 1, last))
            k = s - last_row
            follow(synapses.plastic, s)
            admit(synapses, rows, travel, past, fresh, place, s, last_row, min(last_row + depth - 1, last), False)
            flush_few(synapses, rows, k, place[2])
            out = link.element[parity, me]
            n = advance_all(
                parts, state, marks, views, current, lagged, synapses, rows, drive, chunks, k, s, place, out, n
            )
            link.ends[parity, me, s - step] = n
        epoch += 1
        meet(link, me, epoch)
        gather(link, parity, step, stop - step + 1, fresh)
        step = stop + 1
    return step - 1


@kernel(lean=True)
def source_spikes(table, klass, key, first, last, out_k, out_e):
    """Poisson spikes of a source in the steps first … last: (step, element), several where more than one was drawn.

    Returns the last step for which there was room, and the number of spikes.
    """
    n = 0
    for step in range(first, last + 1):
        step_key, before = mix(key + (U64(step) + U64(1)) * GOLDEN), n
        for e in range(len(klass)):
            if klass[e] < 0:
                continue
            count = _count_of(table, klass[e], mix(step_key + (U64(e) + U64(1)) * GOLDEN))
            if n + count > len(out_k):
                return step - 1, before
            for m in range(n, n + count):
                out_k[m], out_e[m] = step, e
            n += count
    return last, n

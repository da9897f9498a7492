"""Kernels of the grid engine that carry spikes to their targets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import kernel, peek, prefetch, publish, rest
from spikesim.engines.grid_plastic import arrive
from spikesim.engines.grid_short_term import transmits
from spikesim.engines.grid_store import BARE, COUNTED, NARROW, PLASTIC
from spikesim.rng import U64

AHEAD = 3  # spikes under way whose synapses are fetched early
FETCHED, FETCHED_NARROW = 2048, 128  # how many synapses, counted and other
FEW = 64  # spikes of a step whose targets are remembered
SPARSE = 5  # targets that one target among many costs as much as
SPILLED = 2  # a direct channel some of whose counts are in the row already
PATIENCE = 2000  # looks at the others before the processor is handed on


class Rows(NamedTuple):
    """What arrives at the neurons of a shard."""

    rows: Any  # (receptors, steps of a window, neurons) float64, summed weights
    counters: Any  # (channels, neurons) uint8, spikes of the step
    pending: Any  # (channels, stimuli) int64, spikes in the counters
    load: Any  # (channels, stimuli) int64, their synapses
    waiting: Any  # (channels, stimuli, FEW, 3) the first of these spikes: first synapse, end, first target
    direct: Any  # (channels,) 1 where counts go into synapses at the end of the step, not into rows
    late: Any  # (channels,) 1 where the first FEW spikes of a step are not counted before they are handed over
    dense: Any  # (receptors,) 1 where what arrives is in rows
    receptor: Any  # (channels,)
    factor: Any  # (channels, populations) weight of a count
    limit: Any  # (channels,) spikes that the counters can hold
    bounds: Any  # (populations, 2) local neurons of the populations within a stimulus


class Travel(NamedTuple):
    """Spikes under way, in the order in which they were taken up."""

    table: Any
    born: Any
    cursor: Any  # next synapse
    end: Any
    base: Any  # first target
    size: Any  # (1,) number of spikes


class Past(NamedTuple):
    """Spikes known when a call begins: those of block j from entry[j] on, up to stop[j]."""

    time: Any
    element: Any
    stop: Any
    sender_size: Any
    entry: Any  # (G,) next spike of each group; for the own block it may go on into `Fresh`
    alive: Any  # (J,) first spike that may still be under way
    longest: Any  # (J,) longest delay
    own: Any  # number of the own block


class Fresh(NamedTuple):
    """Spikes of the own block during a call, in order."""

    time: Any
    element: Any
    size: Any  # (1,)


class Link(NamedTuple):
    """What the shards of a block share: their spikes of the present hop and of the one before, and how far they are."""

    element: Any  # (2, shards, room)
    ends: Any  # (2, shards, hop) number of spikes up to each step
    epoch: Any  # (8 shards,) int64, far apart so that they do not share cache lines


@kernel(inline=True)
def _add_bare(s, stop, limit, shift, base, delay, target, code, factor, t, row):
    while s < stop and delay[s] <= limit:
        row[U64(shift + np.int64(delay[s])), base + U64(target[s])] += factor[t, code[s]]
        s += U64(1)
    return s


@kernel(inline=True)
def _add_plain(s, stop, limit, shift, base, delay, target, weight, row):
    while s < stop and delay[s] <= limit:
        d = delay[s]
        arriving = row[U64(shift + np.int64(d))]
        while s < stop and delay[s] == d:
            arriving[base + U64(target[s])] += weight[s]
            s += U64(1)
    return s


@kernel(inline=True)
def _add_scaled(s, stop, limit, shift, base, delay, target, code, weight, factor, t, row):
    while s < stop and delay[s] <= limit:
        row[U64(shift + np.int64(delay[s])), base + U64(target[s])] += factor[t, code[s]] * weight[s]
        s += U64(1)
    return s


@kernel(inline=True)
def _add_due(synapses, rows, t, cursor, end, base, limit, shift):
    """Add the synapses of a spike with delays up to `limit`, at row shift + delay; returns the next synapse."""
    y, s, stop, at = synapses, U64(cursor), U64(end), U64(base)
    row = rows.rows[synapses.receptor[t]]
    kind = synapses.kind[t]
    if kind == NARROW and synapses.scaled[t] == 0:
        s = _add_plain(s, stop, limit, shift, at, y.narrow_delay, y.narrow_target, y.narrow_weight, row)
    elif kind == BARE:
        s = _add_bare(s, stop, limit, shift, at, y.bare_delay, y.bare_target, y.bare_code, y.factor, t, row)
    elif kind == NARROW:
        s = _add_scaled(
            s, stop, limit, shift, at, y.narrow_delay, y.narrow_target, y.narrow_code, y.narrow_weight, y.factor, t, row
        )
    else:
        s = _add_scaled(
            s, stop, limit, shift, at, y.wide_delay, y.wide_target, y.wide_code, y.wide_weight, y.factor, t, row
        )
    return np.int64(s)


@kernel(inner=True)
def visit(synapses, rows, travel, first, last):
    """Deliver what spikes under way have due in the steps first … last, the window that the rows stand for."""
    kept = 0
    n = travel.size[0]
    for m in range(n):
        if m + AHEAD < n:
            for s in range(0, FETCHED_NARROW, 8):
                prefetch(synapses.narrow_weight, travel.cursor[m + AHEAD] + s)
        t, born, end, base = travel.table[m], travel.born[m], travel.end[m], travel.base[m]
        s = _add_due(synapses, rows, t, travel.cursor[m], end, base, last - born, born - first)
        if s < end:
            travel.table[kept], travel.born[kept], travel.cursor[kept] = t, born, s
            travel.end[kept], travel.base[kept] = end, base
            kept += 1
    travel.size[0] = kept


@kernel(inline=True)
def flush(rows, channel, k, lo, hi, population):
    """Turn counts of neurons lo … hi-1 into weights in row k."""
    row, count = rows.rows[rows.receptor[channel], k], rows.counters[channel]
    factor = rows.factor[channel, population]
    for i in range(U64(lo), U64(hi)):
        row[i] += factor * count[i]
        count[i] = 0


@kernel(inner=True)
def _flush_stimulus(rows, channel, k, stimulus, width):
    for p in range(len(rows.bounds)):
        base = stimulus * width
        flush(rows, channel, k, base + rows.bounds[p, 0], base + rows.bounds[p, 1], p)
    rows.pending[channel, stimulus], rows.load[channel, stimulus] = 0, 0


@kernel(inline=True)
def is_few(rows, channel, stimulus, width):
    """Whether to go through targets of spikes instead of through all neurons; the sums are the same."""
    return rows.pending[channel, stimulus] <= FEW and rows.load[channel, stimulus] * SPARSE < width


@kernel(inline=True)
def place_of(rows, i):
    """Population of local neuron i within a stimulus."""
    p = U64(0)
    while not (rows.bounds[p, 0] <= i < rows.bounds[p, 1]):
        p += U64(1)
    return p


@kernel(inner=True)
def flush_few(synapses, rows, k, width):
    """Turn counts into weights in row k where few neurons have any; the others are left to `flush`."""
    for c in range(len(rows.receptor)):
        row, count, factor = rows.rows[rows.receptor[c], k], rows.counters[c], rows.factor[c]
        for b in range(rows.pending.shape[1]):
            if rows.pending[c, b] == 0 or rows.direct[c] > 0 or not is_few(rows, c, b, width):
                continue
            for m in range(rows.pending[c, b]):
                base = rows.waiting[c, b, m, 2]
                for s in range(U64(rows.waiting[c, b, m, 0]), U64(rows.waiting[c, b, m, 1])):
                    i = base + np.int64(synapses.counted[s])
                    if count[U64(i)] > 0:
                        row[U64(i)] += factor[place_of(rows, i - b * width)] * count[U64(i)]
                        count[U64(i)] = 0
            rows.pending[c, b], rows.load[c, b] = 0, 0


@kernel(inner=True)
def _land_few(parts, ys, synapses, rows, c, b, width):
    """Hand counts over to the synapses of the targets of spikes of channel c."""
    r, count, factor = rows.receptor[c], rows.counters[c], rows.factor[c]
    for m in range(rows.pending[c, b]):
        base = rows.waiting[c, b, m, 2]
        for s in range(U64(rows.waiting[c, b, m, 0]), U64(rows.waiting[c, b, m, 1])):
            i = base + np.int64(synapses.counted[s])
            n = count[U64(i)]
            if n > 0:
                verbs.receive_at(parts, ys, U64(i), r, factor[place_of(rows, i - b * width)] * n)
                count[U64(i)] = 0


@kernel(inner=True)
def _land_all(parts, ys, rows, c, k, b, width):
    """Hand counts over to the synapses of all neurons, with what is in row k already."""
    r, count, row = rows.receptor[c], rows.counters[c], rows.rows[rows.receptor[c], k]
    for p in range(len(rows.bounds)):
        factor = rows.factor[c, p]
        for i in range(U64(b * width + rows.bounds[p, 0]), U64(b * width + rows.bounds[p, 1])):
            verbs.receive_at(parts, ys, i, r, row[i] + factor * count[i])
            row[i] = 0.0
            count[i] = 0


@kernel(inner=True)
def land(parts, ys, synapses, rows, k, width):
    """End of a step: direct channels hand over their counts, and all begin anew."""
    for c in range(len(rows.receptor)):
        for b in range(rows.pending.shape[1]):
            if rows.direct[c] > 0 and rows.pending[c, b] > 0:
                if rows.direct[c] != SPILLED and is_few(rows, c, b, width):
                    _land_few(parts, ys, synapses, rows, c, b, width)
                else:
                    _land_all(parts, ys, rows, c, k, b, width)
            rows.pending[c, b], rows.load[c, b] = 0, 0
        if rows.direct[c] == SPILLED:
            rows.direct[c] = 1


@kernel(inner=True)
def _add_counted(synapses, rows, channel, lo, hi, base, first, k):
    """Add the weights of counted synapses one by one: for pairs with more synapses than a counter can hold."""
    row = rows.rows[rows.receptor[channel], k]
    for s in range(lo, hi):
        i = base + synapses.counted[s]
        row[i] += rows.factor[channel, place_of(rows, i - first)]


@kernel(inline=True)
def _count(synapses, rows, channel, lo, hi, base):
    counter, target, at = rows.counters[channel], synapses.counted, U64(base)
    for s in range(U64(lo), U64(hi)):
        counter[at + U64(target[s])] += np.uint8(1)


@kernel(inner=True)
def count_waiting(synapses, rows, channel, stimulus):
    """Count the spikes of a late channel that are only remembered so far."""
    for m in range(min(FEW, rows.pending[channel, stimulus])):
        waiting = rows.waiting[channel, stimulus, m]
        _count(synapses, rows, channel, waiting[0], waiting[1], waiting[2])


@kernel(inner=True)
def _fetch(synapses, past, fresh, g, p):
    """Start to fetch the synapses of the spike that group g takes up next, if it is known."""
    j = synapses.group[g, 0]
    q = p - past.stop[j]
    if q >= (fresh.size[0] if j == past.own else 0):
        return
    element = past.element[p] if q < 0 else fresh.element[q]
    e = element % past.sender_size[j]
    for t in range(synapses.group[g, 2], synapses.group[g, 3]):
        x = e - synapses.first[t]
        if x >= 0 and x < synapses.size[t]:
            s, end = synapses.start[synapses.row[t] + x], synapses.start[synapses.row[t] + x + 1]
            if synapses.kind[t] == COUNTED:
                for line in range(s, min(end, s + FETCHED), 32):
                    prefetch(synapses.counted, line)
            else:
                prefetch(synapses.narrow_target, s)


@kernel(inline=True)
def _take(synapses, rows, travel, t, r, stimulus, width, born, first, last, k, dry):
    """Row r of table t takes up a spike."""
    synapses.uptake[r] += 1
    lo, hi = synapses.start[r], synapses.start[r + 1]
    base = stimulus * width + synapses.base[t]
    if transmits(synapses.used, synapses, rows, t, r, stimulus, base, first, k, dry):
        return
    if synapses.kind[t] == COUNTED:
        if dry:
            return
        c = synapses.channel[t]
        if rows.limit[c] == 0:
            _add_counted(synapses, rows, c, lo, hi, base, stimulus * width, k)
            return
        if rows.pending[c, stimulus] == rows.limit[c]:
            _flush_stimulus(rows, c, k, stimulus, width)
            rows.direct[c] = SPILLED if rows.direct[c] > 0 else 0
        m = rows.pending[c, stimulus]
        if m < FEW:
            waiting = rows.waiting[c, stimulus, m]
            waiting[0], waiting[1], waiting[2] = lo, hi, base
        rows.pending[c, stimulus], rows.load[c, stimulus] = m + 1, rows.load[c, stimulus] + hi - lo
        if rows.late[c] > 0:
            if m < FEW:
                return
            if m == FEW:
                count_waiting(synapses, rows, c, stimulus)
        _count(synapses, rows, c, lo, hi, base)
        return
    if synapses.kind[t] == PLASTIC:
        if not dry:
            row = rows.rows[synapses.receptor[t], k]
            arrive(
                synapses.plastic, synapses.channel[t], row, r - synapses.row[t], first + k, synapses.factor[t, 0] != 0.0
            )
        return
    if dry:
        while lo < hi and born + _delay(synapses, t, lo) <= last:
            lo += 1
    else:
        lo = _add_due(synapses, rows, t, lo, hi, base, last - born, born - first)
    if lo < hi:
        m = travel.size[0]
        travel.table[m], travel.born[m], travel.cursor[m], travel.end[m], travel.base[m] = t, born, lo, hi, base
        travel.size[0] = m + 1


@kernel(inner=True)
def _delay(synapses, t, s):
    if synapses.kind[t] == BARE:
        return np.int64(synapses.bare_delay[s])
    if synapses.kind[t] == NARROW:
        return np.int64(synapses.narrow_delay[s])
    return np.int64(synapses.wide_delay[s])


@kernel(inline=True)
def admit(synapses, rows, travel, past, fresh, place, step, first, last, dry):
    """Take up the spikes whose lag ends at `step`, in a window first … last; `dry` ones have delivered up to `last`."""
    b0, b1, width = place[0], place[1], place[2]
    for g in range(len(synapses.group)):
        j, lag = synapses.group[g, 0], synapses.group[g, 1]
        while True:
            p = past.entry[g]
            q = p - past.stop[j]
            if q < 0:
                born, element = past.time[p], past.element[p]
            elif j == past.own and q < fresh.size[0]:
                born, element = fresh.time[q], fresh.element[q]
            else:
                break
            if born + lag > step:
                break
            past.entry[g] = p + 1
            _fetch(synapses, past, fresh, g, p + 1)
            b = element // past.sender_size[j]
            if b < b0 or b >= b1:
                continue
            e = element - b * past.sender_size[j]
            for t in range(synapses.group[g, 2], synapses.group[g, 3]):
                x = e - synapses.first[t]
                if x >= 0 and x < synapses.size[t]:
                    r = synapses.row[t] + x
                    _take(synapses, rows, travel, t, r, b - b0, width, born, first, last, step - first, dry)


@kernel(lean=True)
def replay(synapses, rows, travel, past, fresh, place, first, last):
    """Take up the spikes of the steps first … last without delivering what was due by `last`."""
    for step in range(first, last + 1):
        admit(synapses, rows, travel, past, fresh, place, step, last, last, True)


@kernel(inner=True)
def under_way(past, fresh, step):
    """Spikes that may still have synapses before them at `step`: the same number in all shards."""
    n = 0
    for j in range(len(past.stop)):
        end = past.stop[j] + (fresh.size[0] if j == past.own else 0)
        while past.alive[j] < end:
            q = past.alive[j] - past.stop[j]
            born = past.time[past.alive[j]] if q < 0 else fresh.time[q]
            if born + past.longest[j] >= step:
                break
            past.alive[j] += 1
        n += end - past.alive[j]
    return n


@kernel(inner=True)
def meet(link, me, epoch):
    """Wait until all shards have come to `epoch`."""
    publish(link.epoch, 8 * me, epoch)
    for other in range(link.element.shape[1]):
        looks = 0
        while peek(link.epoch, 8 * other) < epoch:
            looks += 1
            if looks > PATIENCE:
                rest()


@kernel(inner=True)
def gather(link, parity, step, steps, fresh):
    """Append the spikes of the steps step … step + steps - 1 of all shards, by step, then shard."""
    m = fresh.size[0]
    for k in range(steps):
        for other in range(link.element.shape[1]):
            lo = link.ends[parity, other, k - 1] if k > 0 else 0
            for x in range(lo, link.ends[parity, other, k]):
                fresh.time[m], fresh.element[m] = step + k, link.element[parity, other, x]
                m += 1
    fresh.size[0] = m

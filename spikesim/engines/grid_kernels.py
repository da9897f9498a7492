"""Kernels of the grid engine: deliver spikes into rows of input, add Poisson counts, advance neurons step by step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at, kernel, load, store
from spikesim.engines.store import weight_of
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
    ref: Any  # refractory steps left
    late: Any  # 1 where a reset of the step before is still to be applied
    fired: Any  # 1 where a spike happened in the step


@kernel(lean=True)
def update(parts, state, rows, current, lagged, first, steps, out_k, out_i):
    """Advance all neurons `steps` steps; rows[r][k] holds what arrives at receptor r at the end of step k.

    Spikes are written to out_k (step label, the first is `first`) and out_i; returns their number.
    """
    count = 0
    n = len(state.ref)
    for k in range(steps):
        for i in range(n):
            x = load(state.x, i)
            held = state.ref[i] > 0
            new = verbs.advance(parts.membrane, x, i, parts.synapses, state.ys, at(current, i), parts.h)
            dv = verbs.settle_all(parts.synapses, state.ys, rows, k, i)
            verbs.theta_decay(parts.threshold, state.a, i)
            v = new[0]
            if lagged and state.late[i] > 0:
                v = verbs.reset(parts.reset, v, i)
            v = x[0] if held else v + dv
            fires = v >= verbs.theta(parts.threshold, state.a, i) and not held
            verbs.theta_spike(parts.threshold, state.a, i, fires)
            after = verbs.reset(parts.reset, v, i)
            new = verbs.settle_membrane(parts.membrane, new, after if fires and not lagged else v, fires, i)
            store(state.x, i, new)
            state.ref[i] = at(parts.hold, i) if fires else max(state.ref[i] - 1, 0)
            state.late[i] = fires
            state.fired[i] = fires
        for lo in range(0, n, 64):  # most groups are silent
            some = np.uint8(0)
            for i in range(lo, min(lo + 64, n)):
                some |= state.fired[i]
            if some > 0:
                for i in range(lo, min(lo + 64, n)):
                    if state.fired[i] > 0:
                        out_k[count] = first + k
                        out_i[count] = i
                        count += 1
    return count


@kernel(lean=True)
def deliver(rows, store, steps, elements, block_size, b0, b1, width, delay, first, last):
    """Deliver spikes with a common delay that arrive up to step `last` into rows; returns how many spikes were used."""
    n_projections = len(store.row)
    used = 0
    for m in range(len(steps)):
        arrival = steps[m] + delay
        if arrival > last:
            break
        used += 1
        b = elements[m] // block_size
        if b < b0 or b >= b1:
            continue
        e = elements[m] - b * block_size
        base = (b - b0) * width
        for q in range(n_projections):
            source = e - store.source[q, 0]
            if source < 0 or source >= store.source[q, 1] or store.active[q] == 0:
                continue
            row = rows[store.receptor[q], arrival - first, base : base + width]
            lo, hi = store.start[store.row[q] + source], store.start[store.row[q] + source + 1]
            for s in range(lo, hi):
                row[store.target[s]] += weight_of(store, q, s)
            store.events[q] += hi - lo
    return used


@kernel
def admit(store, steps, elements, block_size, b0, b1, width, trip):
    """Add spikes whose synapses have delays of their own to the travelling list, in order; returns its arrays."""
    n_projections = len(store.row)
    q_, born, cursor, end, base = trip
    n = len(q_)
    need = n + len(steps) * n_projections
    big = (
        np.empty(need, np.int64),
        np.empty(need, np.int64),
        np.empty(need, np.int64),
        np.empty(need, np.int64),
        np.empty(need, np.int64),
    )
    for k in range(5):
        big[k][:n] = trip[k]
    for m in range(len(steps)):
        b = elements[m] // block_size
        if b < b0 or b >= b1:
            continue
        e = elements[m] - b * block_size
        for q in range(n_projections):
            source = e - store.source[q, 0]
            if source < 0 or source >= store.source[q, 1]:
                continue
            lo, hi = store.start[store.row[q] + source], store.start[store.row[q] + source + 1]
            if lo < hi:
                big[0][n], big[1][n], big[2][n], big[3][n], big[4][n] = q, steps[m], lo, hi, (b - b0) * width
                n += 1
    return big[0][:n], big[1][:n], big[2][:n], big[3][:n], big[4][:n]


@kernel(lean=True)
def carry(rows, store, delays, trip, width, first, last):
    """Deliver what travelling spikes have due up to step `last`; returns how many stay under way (moved up front)."""
    q_, born, cursor, end, base = trip
    kept = 0
    for m in range(len(q_)):
        q, s, stop = q_[m], cursor[m], end[m]
        shift = born[m] - first
        low = s
        while s < stop and shift + delays[s] <= last - first:
            if store.active[q] > 0:
                rows[store.receptor[q], shift + delays[s], base[m] + store.target[s]] += weight_of(store, q, s)
            s += 1
        if store.active[q] > 0:
            store.events[q] += s - low
        if s < stop:
            q_[kept], born[kept], cursor[kept], end[kept], base[kept] = q, born[m], s, stop, base[m]
            kept += 1
    return kept


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


@kernel(lean=True)
def add_poisson(row, table, klass, weight, key, first, step, words):
    """Add weight * Poisson count of `step` to the neurons with elements first, first + 1, …; returns the sum of counts.

    `klass` is the class of rates of each neuron, negative where there is no input; `words` is working memory.
    """
    total = 0
    step_key = mix(key + (U64(step) + U64(1)) * GOLDEN)
    for lo in range(0, len(row), len(words)):
        n = min(len(words), len(row) - lo)
        for i in range(n):  # kept apart from the look-up: this loop is vectorised
            words[i] = mix(step_key + U64(first + lo + i + 1) * GOLDEN)
        for i in range(n):
            c = at(klass, lo + i)
            if c >= 0:
                count = _count_of(table, c, words[i])
                row[lo + i] += at(weight, lo + i) * count
                total += count
    return total


@kernel(lean=True)
def source_counts(table, klass, key, element, step, out):
    """Poisson counts of `step` for each element of a source."""
    step_key = mix(key + (U64(step) + U64(1)) * GOLDEN)
    total = 0
    for i in range(len(element)):
        word = mix(step_key + (U64(element[i]) + U64(1)) * GOLDEN)
        count = _count_of(table, klass[i], word)
        out[i] = count
        total += count
    return total

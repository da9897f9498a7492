"""Arrivals of a slice, sorted by target neuron and then by time (event engine)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.engines.event_kernels import TAG, Compact, Full
from spikesim.engines.layout import Shard
from spikesim.engines.short_term import place_used, rested
from spikesim.engines.store import Bundle, SharedStore, weight_of


@kernel
def _expand(store, time, element, block_size, b0, b1, width, delay, until):
    """Split spikes that arrive up to `until` by projection.

    Returns (projection, time, first, end, base) of each, and how many spikes were used; `delay` < 0 takes them all
    and keeps their time of origin.
    """
    P = len(store.row)
    q_, t_ = np.empty(len(time) * P, np.int64), np.empty(len(time) * P)
    lo_, hi_ = np.empty(len(time) * P, np.int64), np.empty(len(time) * P, np.int64)
    base_ = np.empty(len(time) * P, np.int64)
    used, n = 0, 0
    for m in range(len(time)):
        arrival = time[m] if delay < 0.0 else time[m] + delay
        if delay >= 0.0 and arrival > until:
            break
        used += 1
        b = element[m] // block_size
        if b < b0 or b >= b1:
            continue
        e = element[m] - b * block_size
        for q in range(P):
            source = e - store.source[q, 0]
            if source < 0 or source >= store.source[q, 1]:
                continue
            if delay >= 0.0 and store.active[q] == 0:
                continue
            lo, hi = store.start[store.row[q] + source], store.start[store.row[q] + source + 1]
            if lo < hi:
                q_[n], t_[n], lo_[n], hi_[n], base_[n] = q, arrival, lo, hi, (b - b0) * width
                n += 1
    return q_[:n], t_[:n], lo_[:n], hi_[:n], base_[:n], used


@kernel(lean=True)
def _count(store, entries, count, touched, n):
    q_, t_, lo_, hi_, base_ = entries
    for m in range(len(q_)):
        store.events[q_[m]] += hi_[m] - lo_[m]
        base = base_[m]
        for s in range(lo_[m], hi_[m]):
            j = base + store.target[s]
            if count[j] == 0:
                touched[n] = j
                n += 1
            count[j] += 1
    return n


@kernel(lean=True)
def _count_due(store, delays, trip, until, due, count, touched, n):
    """As `_count` for travelling spikes; due[m] becomes the end of what spike m delivers now."""
    q_, born, cursor, end, base_ = trip
    for m in range(len(q_)):
        s = cursor[m]
        while s < end[m] and born[m] + delays[s] <= until:
            if store.active[q_[m]] > 0:
                j = base_[m] + store.target[s]
                if count[j] == 0:
                    touched[n] = j
                    n += 1
                count[j] += 1
            s += 1
        due[m] = s
        if store.active[q_[m]] > 0:
            store.events[q_[m]] += s - cursor[m]
    return n


@kernel(lean=True)
def _assign(touched, first, count):
    """Give each touched neuron its range of items; `count` restarts as a fill level. Returns the number of items."""
    total = 0
    for m in range(len(touched)):
        j = touched[m]
        first[j] = total
        total += count[j]
        count[j] = 0
    return total


@kernel(lean=True)
def _place_compact(inbox, store, entries, offset):
    q_, t_, lo_, hi_, base_ = entries
    for m in range(len(q_)):
        q, base = q_[m], base_[m]
        inbox.time[offset + m] = t_[m]
        inbox.weight[offset + m] = store.weight[q]
        inbox.receptor[offset + m] = store.receptor[q]
        for s in range(lo_[m], hi_[m]):
            j = base + store.target[s]
            k = inbox.first[j] + inbox.count[j]
            inbox.item[k] = offset + m
            inbox.count[j] += 1


@kernel(lean=True)
def _place_full(inbox, store, entries, number):
    """Place the synapses of arriving spikes; those of one bundle that reach a neuron at the same instant become one."""
    q_, t_, lo_, hi_, base_ = entries
    for m in range(len(q_)):
        q, t = q_[m], t_[m]
        tag = store.receptor[q] | (number << TAG)
        for s in range(lo_[m], hi_[m]):
            j = base_[m] + store.target[s]
            k = inbox.first[j] + inbox.count[j]
            if inbox.count[j] > 0 and inbox.time[k - 1] == t and inbox.receptor[k - 1] == tag:
                inbox.weight[k - 1] += weight_of(store, q, s)
            else:
                inbox.time[k], inbox.weight[k], inbox.receptor[k] = t, weight_of(store, q, s), tag
                inbox.count[j] += 1


@kernel(lean=True)
def _place_due(inbox, store, delays, trip, due):
    """Deliver what is due and move travelling spikes on; returns how many are still under way (moved up front)."""
    q_, born, cursor, end, base_ = trip
    kept = 0
    for m in range(len(q_)):
        q = q_[m]
        if store.active[q] > 0:
            for s in range(cursor[m], due[m]):
                j = base_[m] + store.target[s]
                k = inbox.first[j] + inbox.count[j]
                inbox.time[k], inbox.weight[k] = born[m] + delays[s], weight_of(store, q, s)
                inbox.receptor[k] = store.receptor[q]
                inbox.count[j] += 1
        if due[m] < end[m]:
            q_[kept], born[kept], cursor[kept], end[kept], base_[kept] = q, born[m], due[m], end[m], base_[m]
            kept += 1
    return kept


class Inbox:
    """Collects what arrives at one shard, slice by slice."""

    def __init__(self, shard: Shard, bundles: list[Bundle]) -> None:
        self.shard, self.bundles = shard, bundles
        n = shard.n
        self.first, self.count = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.touched = np.empty(n, np.int64)
        self.size = 0  # bytes of the items of the last slice
        self.positions = [0] * len(bundles)
        ints = (np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
        self.trips: list[tuple[NDArray[Any], ...]] = [ints for _ in bundles]
        self.used = [rested(b, shard.b1 - shard.b0) for b in bundles]
        plain = not any(self.used)
        self.compact = plain and all(b.delay is not None and isinstance(b.store, SharedStore) for b in bundles)
        self.box = Compact if self.compact else Full
        self.items: Any = np.empty(0, np.int32) if self.compact else (np.empty(0), np.empty(0), np.empty(0, np.int64))

    def collect(self, until: float, histories: list[Any]) -> tuple[NDArray[np.int64], Any]:
        """Touched neurons and the inbox with their items."""
        n = 0
        found: list[Any] = []
        for k, bundle in enumerate(self.bundles):
            entries, due = self.arriving(k, histories, until)
            if bundle.delay is not None:
                n = _count(bundle.store, entries, self.count, self.touched, n) if len(entries[0]) else n
            elif len(entries[0]):
                n = _count_due(bundle.store, bundle.delays, entries, until, due, self.count, self.touched, n)
            found.append((entries, due))
        touched = self.touched[:n]
        total = _assign(touched, self.first, self.count) if n else 0
        self.size = total * (4 if self.compact else 24)
        inbox = self._room(total, sum(len(e[0]) for e, _ in found))
        offset = 0
        for k, (entries, due) in enumerate(found):
            if len(entries[0]):
                self._place(inbox, k, entries, due, offset)
                offset += len(entries[0])
        return touched, inbox

    def _place(self, inbox: Any, k: int, entries: Any, due: Any, offset: int) -> None:
        """Give the arrivals of bundle k to their targets; its spikes are numbered from `offset` on."""
        bundle, used = self.bundles[k], self.used[k]
        if used is not None:
            rows = np.searchsorted(bundle.store.start, entries[2], "right") - 1
            place_used(inbox, bundle.store, used, entries, rows, self.shard.width, k)
        elif self.compact:
            _place_compact(inbox, bundle.store, entries, offset)
        elif bundle.delay is not None:
            _place_full(inbox, bundle.store, entries, k)
        else:
            kept = _place_due(inbox, bundle.store, bundle.delays, entries, due)
            self.trips[k] = tuple(a[:kept] for a in entries)

    def end_of_slice(self, now: float) -> None:
        """Called when all arrivals up to `now` have been taken up."""

    def next_time(self, histories: list[Any]) -> float:
        """Time of the next arrival, or a lower bound; inf if nothing is under way."""
        soonest = np.inf
        for k, bundle in enumerate(self.bundles):
            time, _ = histories[bundle.block].view(self.positions[k])
            if len(time):
                soonest = min(soonest, float(time[0]) + (bundle.delay or 0.0))
            born, cursor = self.trips[k][1], self.trips[k][2]
            if len(born):
                soonest = min(soonest, float(np.min(born + bundle.delays[cursor])))
        return soonest

    def arriving(self, k: int, histories: list[Any], until: float) -> tuple[Any, Any]:
        """Spikes of bundle k that arrive up to `until`, split by projection; and room for how far they get, or None."""
        shard, bundle = self.shard, self.bundles[k]
        time, element = histories[bundle.block].view(self.positions[k])
        delay = -1.0 if bundle.delay is None else float(bundle.delay)
        if len(time):
            *entries, used = _expand(
                bundle.store, time, element, bundle.sender_size, shard.b0, shard.b1, shard.width, delay, until
            )
            self.positions[k] += used
        else:
            entries = [a[:0] for a in self.trips[k]]
        if bundle.delay is not None:
            return tuple(entries), None
        old, new = self.trips[k], entries
        trip = tuple(np.concatenate([a, b]) for a, b in zip(old, new, strict=True)) if len(new[0]) else old
        return trip, np.empty(len(trip[0]), np.int64)

    def _room(self, total: int, entries: int) -> Any:
        """An inbox with room for `total` items."""
        if self.compact:
            if len(self.items) < total:
                self.items = np.empty(int(1.5 * total), np.int32)
            spikes = (np.empty(entries), np.empty(entries), np.empty(entries, np.int64))
            return Compact(self.first, self.count, len(self.bundles) < 2, self.items, *spikes)
        if len(self.items[0]) < total:
            size = int(1.5 * total)
            self.items = (np.empty(size), np.empty(size), np.empty(size, np.int64))
        return Full(self.first, self.count, *self.items)

"""Event engine for neurons whose synapses are all delta synapses: sums over short windows of fixed place in time.

Windows end at multiples of a power of two of a millisecond, whatever slices the run is cut into, so that sums are
always made of the same terms. When a run stops inside a window, the rest of it is worked off for the time being:
what was there at its start is kept, and the window is done anew, and as a whole, when the run goes on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.engines import delta_items
from spikesim.engines import delta_kernels as kernels
from spikesim.engines.event import EventShard
from spikesim.engines.event_kernels import Full
from spikesim.engines.layout import Block, Shard
from spikesim.engines.store import Bundle, is_plain
from spikesim.network import Network
from spikesim.synapses import Delta

LONGEST = 1.0  # ms, of a window
CELL = 0.125  # ms: the shorter, the fewer neurons have to be walked
DENSE = 4  # a window is dense if more than one in so many neurons could have been reached
Spikes = tuple[NDArray[np.float64], NDArray[np.int64]]


def fits(block: Block, network: Network) -> bool:
    """Whether the neurons of a block can be summed: delta synapses, one leak for all, one delay per projection."""
    neuron = block.neuron
    if neuron is None or any(type(s) is not Delta for s in neuron.receptors.values()):
        return False
    leaks = {np.unique(p.model.membrane.leak).tobytes() for p in block.populations}  # type: ignore[union-attr]
    mine = [p for p in network.projections if any(p.post.population is b for b in block.populations)]  # type: ignore[union-attr]
    simple = all(is_plain(p.delay) and p.plasticity is None and p.short_term is None for p in mine)
    return len(leaks) == 1 and is_plain(neuron.membrane.leak) and simple  # type: ignore[attr-defined]


def window(reach: float) -> float:
    """Length of a window (ms): the largest power of two not above `LONGEST` and `reach`."""
    return float(2.0 ** np.floor(np.log2(min(LONGEST, reach))))


class Kept(NamedTuple):
    """What a shard was at the start of the window it is in."""

    state: Any
    private: Any
    positions: list[int]
    events: list[NDArray[np.int64]]


class DeltaShard(EventShard):
    """Neurons of one shard; `base` is the end of the last window that is done for good."""

    def __init__(self, shard: Shard, bundles: list[Bundle], seed: int, batch: int, width: float) -> None:
        super().__init__(shard, bundles, seed, batch)
        n, trains = shard.n, len(self.private.receptor)
        self.width, self.base = width, 0.0
        self.kept: Kept | None = None
        cells = max(1, round(width / CELL))
        self.sums = kernels.Sums(
            np.zeros(1), width / cells, np.zeros(cells), np.zeros(cells), np.zeros((cells, 2 * n)),
            np.full(n, kernels.GOES), np.zeros((trains, n)), np.zeros((trains, n), np.int64),
        )  # fmt: skip
        self.seen = np.zeros(n, np.uint8)
        self.listed, self.everyone = np.empty(n + 1, np.int64), np.arange(n)
        self.walking = np.empty(n, np.int64)
        self.chosen = np.empty(0, np.int64)
        self.items: Any = (np.empty(0), np.empty(0), np.empty(0, np.int64))

    # ------------------------------------------------------------ running

    def run(self, after: float, until: float, histories: list[Any]) -> Spikes:
        """Take up arrivals in (after, until], carry neurons to `until`, return (time, element) of spikes in order."""
        if until <= 0.0:
            return super().run(after, until, histories)
        self.rewind()
        found: list[Spikes] = []
        whole = np.floor(until / self.width) * self.width
        if whole > self.base:
            self._through(whole, histories, found)
            self.base = whole
        if until > self.base:
            self.look_ahead(until, histories, found)
        time, local = (np.concatenate(x) for x in zip(*found, strict=True)) if found else (np.empty(0), self.listed[:0])
        new = time > after
        return self._in_order(time[new], local[new])

    def _through(self, until: float, histories: list[Any], found: list[Spikes]) -> None:
        """All windows, or parts of one, from `base` up to `until`."""
        arrivals = [self.inbox.arriving(k, histories, until)[0] for k in range(len(self.bundles))]
        cursors = [0] * len(arrivals)
        now = self.base
        while True:
            soonest = float(self.state.block_wake.min())
            for (_, time, *_), cursor in zip(arrivals, cursors, strict=True):
                soonest = min(soonest, time[cursor] if cursor < len(time) else np.inf)
            if now >= until or soonest > until:
                return
            start = np.floor(max(now, soonest) / self.width) * self.width
            if start == soonest and start > now:
                start -= self.width
            t1 = min(until, start + self.width)
            self.sums.start[0] = start
            self.sums.ends[:] = np.minimum(start + self.sums.cell * np.arange(1, len(self.sums.ends) + 1), t1)
            ends = [int(np.searchsorted(time, t1, "right")) for _, time, *_ in arrivals]
            self._window(t1, arrivals, list(zip(cursors, ends, strict=True)), found)
            cursors, now = ends, t1

    def _window(self, t1: float, arrivals: Any, parts: list[tuple[int, int]], found: list[Spikes]) -> None:
        """One window."""
        leak = float(np.max(self.neuron.membrane.leak))  # type: ignore[attr-defined]
        total = 0
        for bundle, entries, (a, b) in zip(self.bundles, arrivals, parts, strict=True):
            if a < b:
                total += kernels.add_spikes(bundle.store, entries, a, b, leak, self.sums)
        listed = self.everyone if DENSE * total > self.shard.n else self._reached(t1, arrivals, parts)
        n = kernels.sum_all(
            self.parts, self.state, listed, self.current, self.sums, self.private, t1, self.work, self.walking
        )
        if n:
            self._walk(self.walking[:n], t1, self._inbox(n, total, arrivals, parts), found)

    def _reached(self, t1: float, arrivals: Any, parts: list[tuple[int, int]]) -> NDArray[np.int64]:
        n = 0
        for bundle, entries, (a, b) in zip(self.bundles, arrivals, parts, strict=True):
            if a < b:
                n = kernels.list_targets(bundle.store, entries, a, b, self.seen, self.listed, n)
        return self.listed[: kernels.list_due(self.state, t1, self.seen, self.listed, n)]

    def _inbox(self, walking: int, total: int, arrivals: Any, parts: list[tuple[int, int]]) -> Full:
        """What arrives at the neurons to be walked."""
        if len(self.chosen) <= total:
            self.chosen = np.empty(total + total // 2 + 1, np.int64)
        first, count = self.inbox.first, self.inbox.count
        stores = [(b.store, e, *p) for b, e, p in zip(self.bundles, arrivals, parts, strict=True) if p[0] < p[1]]
        ends = [np.empty(len(e[0]), np.int64) for _, e, _, _ in stores]
        starts = [0]
        for (store, entries, a, b), end in zip(stores, ends, strict=True):
            n = delta_items.select(store, entries, a, b, self.sums, self.chosen, end, starts[-1])
            delta_items.count_selected(store, entries, a, b, self.chosen, end, starts[-1], count)
            starts.append(n)
        if len(self.items[0]) < starts[-1]:
            size = 2 * starts[-1]
            self.items = (np.empty(size), np.empty(size), np.zeros(size, np.int64))  # delta synapses are all alike
        delta_items.give_room(self.walking[:walking], first, count)
        inbox = Full(first, count, *self.items)
        for (store, entries, a, b), end, start in zip(stores, ends, starts, strict=False):
            delta_items.place_selected(inbox, store, entries, a, b, self.chosen, end, start)
        return inbox

    def _walk(self, walking: NDArray[np.int64], t1: float, inbox: Full, found: list[Spikes]) -> None:
        m = 0
        while m < len(walking):  # once, unless there are more spikes than fit the output
            m, count = kernels.walk_all(
                self.parts, self.state, walking, m, self.current, self.lag, inbox, self.private, self.sums, t1,
                self.work, *self.out,
            )  # fmt: skip
            found.append((self.out[0][:count].copy(), self.out[1][:count].copy()))
            if m < len(walking):
                self.out = (np.empty(2 * count), np.empty(2 * count, np.int64))

    # ------------------------------------------------------------ stopping inside a window

    def look_ahead(self, until: float, histories: list[Any], found: list[Spikes]) -> None:
        """Work off the window up to `until` for the time being."""
        if until <= self.base:
            return
        events = [b.store.events.copy() for b in self.bundles]
        self.kept = Kept(_copied(self.state), _copied(self.private), list(self.inbox.positions), events)
        self._through(until, histories, found)

    def rewind(self) -> None:
        """Back to the start of the window."""
        if self.kept is None:
            return
        _restore(self.state, self.kept.state)
        _restore(self.private, self.kept.private)
        self.inbox.positions[:] = self.kept.positions
        for bundle, events in zip(self.bundles, self.kept.events, strict=True):
            bundle.store.events[:] = events
        self.kept = None

    def commit(self, time: float) -> None:
        """What was worked off up to `time` holds for good: something changes from outside."""
        self.kept, self.base = None, max(self.base, time)

    def inject(self, time: float) -> None:
        """Set injected currents to what holds from `time` (ms) on; every neuron is moved there first."""
        self.commit(time)
        super().inject(time)

    @property
    def positions(self) -> list[int]:
        """How far the histories have been read for good, per bundle."""
        return self.inbox.positions if self.kept is None else self.kept.positions


def _copied(value: Any) -> Any:
    """A copy of a nest of tuples of arrays."""
    if not isinstance(value, tuple):
        return value.copy()
    items = [_copied(x) for x in value]
    return type(value)(*items) if hasattr(value, "_fields") else tuple(items)


def _restore(target: Any, value: Any) -> None:
    """Write a copy back into the arrays it was made from."""
    if isinstance(target, tuple):
        for one, other in zip(target, value, strict=True):
            _restore(one, other)
    else:
        target[...] = value

"""The loop over slices, the same for both engines: sources emit, shards receive and advance, spikes are merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines import delta, event, grid, plastic
from spikesim.engines.currents import next_change
from spikesim.engines.delta import DeltaShard
from spikesim.engines.event import EventShard
from spikesim.engines.grid import GridShard, Meeting
from spikesim.engines.history import History
from spikesim.engines.layout import Block, Layout, Shard, change_times
from spikesim.engines.sources import EventPoisson, Given, GridPoisson, Regular
from spikesim.engines.store import Bundle, build, mode
from spikesim.inputs import PoissonSource, SpikeSource
from spikesim.network import Network, Projection

ENGINES: dict[str, ModuleType] = {"event": event, "grid": grid}
MANY = 300_000
SLICE = 0.1  # seconds a slice of the grid engine should not take
Receiver = Callable[[Block, NDArray[Any], NDArray[np.int64]], None]


class Run:
    """A network laid out for one engine, and how far it has come.

    `now` is the last tick (ms or step) whose events have been handled; -1 before the instant 0.
    """

    def __init__(self, network: Network, engine: str, dt: float, seed: int, threads: int, batch: int) -> None:
        self.network, self.engine, self.dt, self.seed, self.batch = network, ENGINES[engine], dt, seed, batch
        self.layout = Layout(network, threads, batch)
        self.tick = self.engine.TICK
        self.scale = 1.0 if engine == "event" else dt  # ms per tick
        self.histories = [History(self.tick) for _ in self.layout.blocks]
        self.changes = change_times(network, rates=self.engine is grid)
        self.reach = self._reach()
        self.window = delta.window(self.reach) if engine == "event" else 0.0  # ms, of delta shards
        # length of slices in use: any up to `reach` gives the same spikes; the event engine adapts it to its arrivals
        self.span = min(self.reach, 1.0) if engine == "event" else self.reach
        self.sources = {b.number: self._source(b) for b in self.layout.blocks if b.neuron is None}
        self.shards: dict[int, list[Any]] = {b.number: [] for b in self.layout.blocks}
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._lay_out()
        self.now: Any = -1 if engine == "grid" else -1.0
        self.next_change = 0.0

    # ------------------------------------------------------------ building

    def _ticks(self, value: Any) -> Any:
        return self.engine.to_ticks(value, self.dt)

    def _reach(self) -> Any:
        """Longest slice: nothing emitted in it may arrive in it along a loop."""
        delays = [p.min_delay for p in self.layout.recurrent if p.min_delay > 0]
        if self.engine is event:
            return 0.999 * min([event.LONGEST, *delays])
        apart = [p for p in self.layout.recurrent if not self._within(p)]  # a block keeps its own loops in step
        return min([10_000, *(self._ticks(p.min_delay) for p in apart if p.min_delay > 0)])

    def _within(self, projection: Projection) -> bool:
        """Whether a projection leads from a block to itself."""
        pre, post = (self.layout.block_of(view.population) for view in (projection.pre, projection.post))  # type: ignore[union-attr]
        return pre is post

    def _source(self, block: Block) -> Any:
        population = block.populations[0]
        if isinstance(population.model, SpikeSource):
            return Given(population, self.batch, self._round)
        if isinstance(population.model, PoissonSource):
            if self.engine is event:
                return EventPoisson(population, self.batch, self.seed)
            return GridPoisson(population, self.batch, self.seed, self.dt)
        return Regular(population, self.batch, self._round)

    def _round(self, times: NDArray[np.float64]) -> NDArray[Any]:
        """Times of given spikes as ticks."""
        return times if self.engine is event else np.rint(times / self.dt).astype(np.int64)

    def _lay_out(self) -> None:
        """Make the shards, in threads."""
        meetings = {}
        if self.engine is grid:
            meetings = {b.number: Meeting(b, self.layout, self.dt) for b in self.layout.blocks if b.neuron}

        def make(shard: Shard) -> Any:
            with np.errstate(over="ignore"):
                if self.engine is grid:
                    return GridShard(shard, self.layout, meetings[shard.block.number], self.seed, self.dt)
                return self._event_shard(shard)

        made = map(make, self.layout.shards) if self.pool is None else self.pool.map(make, self.layout.shards)
        for shard, state in zip(self.layout.shards, made, strict=True):
            self.shards[shard.block.number].append(state)

    def _event_shard(self, shard: Shard) -> EventShard:
        groups: dict[Any, list[Projection]] = {}
        for p in self.network.projections:
            post = p.post.population  # type: ignore[union-attr]
            if self.layout.block_of(post) is shard.block and shard.overlap(post)[0] < shard.overlap(post)[1]:
                sender = self.layout.block_of(p.pre.population)  # type: ignore[union-attr]
                groups.setdefault((sender.number, *mode(p, self._ticks)), []).append(p)
        bundles = [self._bundle(shard, key[0], members) for key, members in groups.items()]
        for number, bundle in enumerate(bundles):
            if bundle.projections[0].plasticity is not None:
                plastic.attach(bundle, shard, number)
        if delta.fits(shard.block, self.network):
            return DeltaShard(shard, bundles, self.seed, self.batch, self.window)
        return EventShard(shard, bundles, self.seed, self.batch)

    def _bundle(self, shard: Shard, sender: int, projections: list[Projection]) -> Bundle:
        block = self.layout.blocks[sender]
        sources, targets, receptors = [], [], []
        for p in projections:
            pre, post = p.pre, p.post
            a, b, shift = shard.overlap(post.population)  # type: ignore[union-attr]
            lo, hi = max(a, post.lo), min(b, post.hi)  # type: ignore[union-attr]
            targets.append((lo - post.lo, max(lo, hi) - post.lo, shift + post.lo))  # type: ignore[union-attr]
            sources.append(block.offset(pre.population) + pre.lo)  # type: ignore[union-attr]
            receptors.append(list(post.population.model.receptors).index(p.receptor))  # type: ignore[union-attr]
        return build(projections, sender, block.size, sources, targets, receptors, shard.width, self.seed, self._ticks)

    # ------------------------------------------------------------ running

    def advance(self, until: Any, receive: Receiver, between: Callable[[], bool]) -> bool:
        """Handle all events up to tick `until`; False if `between` slices asked to stop."""
        while self.now < until:
            if self._change() <= self.now or self.now < 0:
                self._inject()
            end = self._end(until)
            self._slice(end, receive)
            self.now = end
            if not between():
                return False
        return True

    def _inject(self) -> None:
        time = max(0.0, float(self.now) * self.scale)
        if self._change() <= self.now:
            time = max(time, self.next_change)  # on the grid it may have been rounded down
        for shards in self.shards.values():
            for shard in shards:
                shard.inject(time)
        self.next_change = next_change(list(self.network.populations), self.changes, time)

    def _end(self, until: Any) -> Any:
        """End of the next slice."""
        if self.now < 0:
            return self.tick(0)
        end = self.now + self.span
        if self.engine is event:
            end = max(end, self._next_time() + self.span)
            aligned = np.floor(end / self.window) * self.window  # inside a window, delta shards do work twice
            end = aligned if aligned > self.now else end
        return min(end, self._change(), until)

    def _change(self) -> Any:
        """Tick of the next change of injected currents or of rates."""
        if self.engine is event or self.next_change == np.inf:
            return self.next_change
        return round(self.next_change / self.dt)

    def _next_time(self) -> float:
        """Nothing happens before this time."""
        times = [source.next_time(self.now) for source in self.sources.values()]
        for shards in self.shards.values():
            for shard in shards:
                times.append(shard.next_time())
                times.append(shard.inbox.next_time(self.histories))
        return min(times)

    def _slice(self, end: Any, receive: Receiver) -> None:
        began = perf_counter()
        for block in self.layout.blocks:
            now = self.now
            while now < end:
                now, time, element = self._advance(block, now, end)
                if len(time):
                    self.histories[block.number].append(time, element)
                    receive(block, time, element)
        self._trim(end)
        if self.engine is event:
            self.span = self._adapted()
        elif perf_counter() - began > SLICE:
            self.span = max(1, self.span // 2)
        elif self.span < self.reach and perf_counter() - began < SLICE / 4:
            self.span = min(2 * self.span, self.reach)

    def _adapted(self) -> float:
        """Length of slices that keeps the arrivals of one within the processor's caches."""
        size = max((s.inbox.size for shards in self.shards.values() for s in shards), default=0)
        if size > MANY:
            return 0.5 * self.span
        return min(2.0 * self.span, self.reach) if size < MANY // 4 else self.span

    def _advance(self, block: Block, now: Any, end: Any) -> tuple[Any, NDArray[Any], NDArray[np.int64]]:
        """Let a block advance to `end`, or as far as it can at once; the time reached, and its spikes in order."""
        if block.neuron is None:
            return end, *self.sources[block.number].emit(now, end)
        shards = self.shards[block.number]

        def one(shard: Any) -> Any:
            with np.errstate(over="ignore"):  # interpreted kernels wrap on purpose; threads have states of their own
                return shard.run(now, end, self.histories)

        if self.pool is None or len(shards) == 1:
            parts = [one(shard) for shard in shards]
        else:
            parts = list(self.pool.map(one, shards))
        if self.engine is grid:  # every shard knows the spikes of all
            now, time, element = parts[0]
            if len(parts) == 1 or self.batch == 1:
                return now, time, element
        else:
            now, (time, element) = end, (np.concatenate(columns) for columns in zip(*parts, strict=True))
            if len(parts) == 1:
                return now, time, element
        order = np.lexsort((element, time))
        return now, time[order], element[order]

    def _trim(self, end: Any) -> None:
        """Forget spikes that nobody will ask for."""
        needed = [h.end for h in self.histories]
        for shards in self.shards.values():
            for shard in shards:
                for number, position in self._needed(shard, end):
                    needed[number] = min(needed[number], position)
        for history, position in zip(self.histories, needed, strict=True):
            history.trim(position)

    def _needed(self, shard: Any, end: Any) -> Iterable[tuple[int, int]]:
        """Numbers of blocks, and the first of their spikes that a shard has still to take up."""
        if self.engine is grid:
            return shard.needed(end, self.histories)  # type: ignore[no-any-return]
        return zip((bundle.block for bundle in shard.bundles), shard.positions, strict=True)

    # ------------------------------------------------------------ stopping and looking in

    def _deltas(self) -> list[DeltaShard]:
        return [s for shards in self.shards.values() for s in shards if isinstance(s, DeltaShard)]

    def commit(self) -> None:
        """From now on something differs from what was described: windows end here."""
        for shard in self._deltas():
            shard.commit(float(self.now))

    def rewind(self) -> float:
        """Take back what delta shards did in a window that is not over; returns the time (ms) they are at."""
        for shard in self._deltas():
            shard.rewind()
        return max((shard.base for shard in self._deltas()), default=0.0)

    def look_ahead(self, base: float) -> None:
        """Do it again, from `base` on."""
        for shard in self._deltas():
            shard.base = base
            shard.look_ahead(float(self.now), self.histories, [])

    def bundles(self) -> list[Bundle]:
        """All bundles of all shards."""
        return [b for shards in self.shards.values() for shard in shards for b in shard.bundles]

    def close(self) -> None:
        """End the threads."""
        if self.pool is not None:
            self.pool.shutdown()

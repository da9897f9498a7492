"""The loop over slices, the same for both engines: sources emit, shards receive and advance, spikes are merged."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines import delta, event, grid, plastic
from spikesim.engines.currents import next_change
from spikesim.engines.delta import DeltaShard
from spikesim.engines.event import EventShard
from spikesim.engines.grid import GridShard, longest_slice
from spikesim.engines.history import History
from spikesim.engines.layout import Block, Layout, Shard, change_times
from spikesim.engines.sources import EventPoisson, Given, GridPoisson, Regular
from spikesim.engines.store import Bundle, build, mode
from spikesim.inputs import PoissonSource, SpikeSource
from spikesim.network import Network, Projection

ENGINES: dict[str, ModuleType] = {"event": event, "grid": grid}
MANY = 300_000
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
        self.changes = change_times(network)
        self.reach = self._reach()
        self.window = delta.window(self.reach) if engine == "event" else 0.0  # ms, of delta shards
        # length of slices in use: any up to `reach` gives the same spikes; the event engine adapts it to its arrivals
        self.span = min(self.reach, 1.0) if engine == "event" else self.reach
        self.sources = {b.number: self._source(b) for b in self.layout.blocks if b.neuron is None}
        self.shards: dict[int, list[Any]] = {b.number: [] for b in self.layout.blocks}
        for shard in self.layout.shards:
            self.shards[shard.block.number].append(self._shard(shard))
        self.now: Any = -1 if engine == "grid" else -1.0
        self.next_change = 0.0
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None

    # ------------------------------------------------------------ building

    def _ticks(self, value: Any) -> Any:
        return self.engine.to_ticks(value, self.dt)

    def _reach(self) -> Any:
        """Longest slice: nothing emitted in it may arrive in it along a loop."""
        delays = [p.min_delay for p in self.layout.recurrent if p.min_delay > 0]
        if self.engine is event:
            return 0.999 * min([event.LONGEST, *delays])
        steps = min((self._ticks(d) for d in delays), default=1 << 30)
        limits = [longest_slice(s.n, len(s.block.neuron.receptors)) for s in self.layout.shards if s.block.neuron]
        return min([steps, 1000, *limits])

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

    def _shard(self, shard: Shard) -> Any:
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
        if self.engine is event and delta.fits(shard.block, self.network):
            return DeltaShard(shard, bundles, self.seed, self.batch, self.window)
        if self.engine is event:
            return EventShard(shard, bundles, self.seed, self.batch)
        return GridShard(shard, bundles, self.seed, self.batch, self.dt, self.reach)

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
            if self.now * self.scale >= self.next_change or self.now < 0:
                self._inject()
            end = self._end(until)
            self._slice(end, receive)
            self.now = end
            if not between():
                return False
        return True

    def _inject(self) -> None:
        time = max(0.0, float(self.now) * self.scale)
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
        if self.next_change < np.inf:
            change = self.next_change
            if self.engine is grid:
                change = max(round(self.next_change / self.dt), self.now + 1)
            end = min(end, change)
        return min(end, until)

    def _next_time(self) -> float:
        """Nothing happens before this time."""
        times = [source.next_time(self.now) for source in self.sources.values()]
        for shards in self.shards.values():
            for shard in shards:
                times.append(shard.next_time())
                times.append(shard.inbox.next_time(self.histories))
        return min(times)

    def _slice(self, end: Any, receive: Receiver) -> None:
        for block in self.layout.blocks:
            if block.neuron is None:
                time, element = self.sources[block.number].emit(self.now, end)
            else:
                time, element = self._merge(block, end)
            if len(time):
                self.histories[block.number].append(time, element)
                receive(block, time, element)
        self._trim()
        if self.engine is event:
            self.span = self._adapted()

    def _adapted(self) -> float:
        """Length of slices that keeps the arrivals of one within the processor's caches."""
        size = max((s.inbox.size for shards in self.shards.values() for s in shards), default=0)
        if size > MANY:
            return 0.5 * self.span
        return min(2.0 * self.span, self.reach) if size < MANY // 4 else self.span

    def _merge(self, block: Block, end: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Let all shards of a block advance and put their spikes in order."""
        shards = self.shards[block.number]

        def one(shard: Any) -> Any:
            with np.errstate(over="ignore"):  # interpreted kernels wrap on purpose; threads have states of their own
                return shard.run(self.now, end, self.histories)

        if self.pool is None or len(shards) == 1:
            parts = [one(shard) for shard in shards]
        else:
            parts = list(self.pool.map(one, shards))
        if len(parts) == 1:
            return parts[0]
        time, element = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.lexsort((element, time))
        return time[order], element[order]

    def _trim(self) -> None:
        """Forget spikes that everyone has taken up."""
        needed = [h.end for h in self.histories]
        for shards in self.shards.values():
            for shard in shards:
                for bundle, position in zip(shard.bundles, shard.positions, strict=True):
                    needed[bundle.block] = min(needed[bundle.block], position)
        for history, position in zip(self.histories, needed, strict=True):
            history.trim(position)

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

"""Event-driven engine: continuous time, exact for linear membranes with current synapses.

Work is done in slices no longer than the shortest delay on a loop, inside which neurons cannot feel each other.
Arrivals of a slice are sorted by target; each touched neuron is then carried from event to event. Neurons that
nothing reaches and that cannot fire by themselves are not looked at. Morrison et al. 2007,
doi:10.1162/neco.2007.19.1.47, describe the scheme of slices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines import crossing
from spikesim.engines import event_kernels as kernels
from spikesim.engines.currents import total_current
from spikesim.engines.inbox import Inbox
from spikesim.engines.layout import Setting, Shard
from spikesim.engines.plastic import LazyInbox, PlasticStore
from spikesim.engines.poisson import pieces
from spikesim.engines.store import Bundle
from spikesim.engines.support import runs_in
from spikesim.errors import UnsupportedError
from spikesim.inputs import PoissonInput
from spikesim.network import Network, Neuron
from spikesim.rng import make_key

NAME = "event"
TICK = np.float64  # times are ms
LONGEST = 10.0  # ms


def check(network: Network, dt: float) -> None:
    """Raise UnsupportedError where a network has parts that cannot be integrated in closed form."""
    for p in network.populations:
        if p.is_source:
            continue
        for part in p.model.parts:  # type: ignore[union-attr]
            if not runs_in(type(part), NAME):
                raise UnsupportedError(
                    f"Population {p.name!r}: the event engine has no closed form for {type(part).__name__}; "
                    f"use engine='grid'"
                )
        for item in p.inputs:
            if not runs_in(type(item), NAME):
                raise UnsupportedError(f"Population {p.name!r}: {type(item).__name__} needs engine='grid'")


def to_ticks(value: Any, dt: float) -> Any:
    """Times in ms stay as they are."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=np.float64)


class EventShard:
    """Neurons of one shard, each with its state at its own last event."""

    def __init__(self, shard: Shard, bundles: list[Bundle], seed: int, batch: int) -> None:
        neuron = shard.block.neuron
        assert neuron is not None
        self.shard, self.neuron, self.seed, self.batch = shard, neuron, seed, batch
        self.bundles = bundles
        self.parts = self._lower(neuron)
        self.state = self._initial(neuron)
        self.lag = float(neuron.reset.lag)  # type: ignore[attr-defined]
        self.private = _private(shard, seed)
        learning = any(isinstance(b.store, PlasticStore) for b in bundles)
        self.inbox = LazyInbox(shard, bundles) if learning else Inbox(shard, bundles)
        self.work = crossing.scratch()
        self.listed = np.empty(shard.n, np.int64)
        self.current: Any = 0.0
        self.out = (np.empty(256), np.empty(256, np.int64))

    def _lower(self, neuron: Neuron) -> kernels.Parts:
        shard, receptors = self.shard, list(neuron.receptors)
        membrane = shard.part(lambda m: m.membrane)
        setting = Setting(None, True, membrane.leak, membrane.c_m)  # type: ignore[attr-defined]
        return kernels.Parts(
            membrane.lower(setting),
            tuple(shard.part(lambda m, r=r: m.receptors[r]).lower(setting) for r in receptors),
            shard.part(lambda m: m.threshold).lower(setting),
            shard.part(lambda m: m.reset).lower(setting),
            shard.t_ref(),
        )

    def _initial(self, neuron: Neuron) -> kernels.State:
        shard, n = self.shard, self.shard.n

        def start(name: str) -> NDArray[np.float64]:
            return shard.initial(name, self.seed)

        v = start("v")
        ys = tuple(tuple(start(f"{x}_{r}") for x in s.variables) for r, s in neuron.receptors.items())  # type: ignore[attr-defined]
        a = tuple(start(x) for x in neuron.threshold.variables)  # type: ignore[attr-defined]
        threshold = shard.part(lambda m: m.threshold).v_th + (a[0] if a else 0.0)  # type: ignore[attr-defined]
        above = v >= threshold
        last = np.where(above, np.nextafter(0.0, -1.0), 0.0)  # so that its threshold is tested at 0
        blocks = -(-n // kernels.BLOCK)
        return kernels.State(
            v, ys, a, last, np.full(n, -np.inf), np.full(n, np.inf), np.zeros(n), np.zeros(blocks),
            np.zeros(n, np.int64),
        )  # fmt: skip

    def inject(self, time: float) -> None:
        """Set injected currents to what holds from `time` (ms) on; every neuron is moved there first."""
        current = total_current(self.shard, time, self.seed, self.batch)
        if time > 0:
            kernels.settle(self.parts, self.state, self.current, time)
        self.current = current

    def resume_at(self, time: float) -> None:
        """Restore what is derived from the time alone; the state itself is restored from a file."""
        self.current = total_current(self.shard, time, self.seed, self.batch)

    def run(self, after: float, until: float, histories: list[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Take up arrivals in (after, until], carry neurons to `until`, return (time, element) of spikes in order."""
        touched, inbox = self.inbox.collect(until, histories)
        due = self.listed[: kernels.list_due(self.state, touched, until, self.listed)]
        pieces, m = [], 0
        if not len(due):
            return np.empty(0), np.empty(0, np.int64)
        while m < len(due):  # once, unless there are more spikes than fit the output
            m, count = kernels.carry_all(
                self.parts, self.state, due, m, self.current, self.lag, inbox, self.private, until, self.work, *self.out
            )
            pieces.append((self.out[0][:count], self.out[1][:count]))
            if m < len(due):
                self.out = (np.empty(2 * count), np.empty(2 * count, np.int64))
        self.inbox.end_of_slice(until)
        out_t, out_i = pieces[0] if len(pieces) == 1 else tuple(map(np.concatenate, zip(*pieces, strict=True)))
        return self._in_order(out_t, out_i)

    def _in_order(self, time: NDArray[np.float64], local: NDArray[np.int64]) -> tuple[Any, Any]:
        """Spikes by time and element, numbered as in the block."""
        shard = self.shard
        order = np.lexsort((local, time))
        b, i = np.divmod(local[order], shard.width)
        return time[order], (b + shard.b0) * shard.block.size + i + shard.lo

    @property
    def positions(self) -> list[int]:
        """How far the histories have been read, per bundle."""
        return self.inbox.positions

    def next_time(self) -> float:
        """No neuron fires or draws input by itself before this time."""
        return float(self.state.block_wake.min())

    def touch(self) -> None:
        """Have every neuron looked at in the next slice: states, weights or currents were changed from outside."""
        self.state.wake[:] = 0.0
        self.state.block_wake[:] = 0.0

    def overwrite(self, variable: str, change: Callable[[NDArray[np.float64]], None]) -> None:
        """Let `change` write into the array of a variable."""
        change(self.variables()[variable])
        self.touch()

    def settle(self, time: float) -> None:
        """Move every neuron to the present."""
        kernels.settle(self.parts, self.state, self.current, time)

    def updates(self, now: float) -> dict[str, int]:
        """State updates so far, by population."""
        per = self.state.updates.reshape(self.shard.b1 - self.shard.b0, self.shard.width).sum(axis=0)
        cut = {p.name: self.shard.overlap(p) for p in self.shard.block.populations}
        return {name: int(per[a + shift : b + shift].sum()) if a < b else 0 for name, (a, b, shift) in cut.items()}

    def read(self, variable: str, time: float, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values of a variable of some local neurons at `time`: copies of them are moved there."""
        state, scratch = self.state, np.zeros(len(ids), np.int64)
        few = [_take(x, ids) for x in (state.v, state.ys, state.a, state.last, state.ref, state.late, state.wake)]
        copy = kernels.State._make([*few, np.zeros(1), scratch])
        kernels.settle(_take(self.parts, ids), copy, _take(self.current, ids), time)
        return self._named(copy)[variable]

    def counters(self) -> dict[str, NDArray[np.int64]]:
        """Arrivals of private Poisson input per population of the block."""
        return counters_of(self.private, self.shard)

    def variables(self) -> dict[str, NDArray[np.float64]]:
        """State arrays by variable name, each entry at its neuron's last event."""
        return self._named(self.state)

    def _named(self, state: kernels.State) -> dict[str, NDArray[np.float64]]:
        found = {"v": state.v}
        for (r, s), y in zip(self.neuron.receptors.items(), state.ys, strict=True):
            found |= {f"{x}_{r}": array for x, array in zip(s.variables, y, strict=True)}  # type: ignore[attr-defined]
        return found | dict(zip(self.neuron.threshold.variables, state.a, strict=True))  # type: ignore[attr-defined]


def counters_of(private: kernels.Private, shard: Shard) -> dict[str, NDArray[np.int64]]:
    """Arrivals of private Poisson input per population of the block."""
    per_neuron = np.maximum(private.draw - 1, 0).sum(axis=0).reshape(shard.b1 - shard.b0, shard.width)
    found = {}
    for p in shard.block.populations:
        a, b, shift = shard.overlap(p)
        found[p.name] = np.array([per_neuron[:, a + shift : b + shift].sum() if a < b else 0])
    return found


def _take(value: Any, ids: NDArray[np.int64]) -> Any:
    """The entries `ids` of every array in a nest of tuples."""
    if isinstance(value, np.ndarray):
        return value[ids]
    if isinstance(value, tuple):
        taken = [_take(x, ids) for x in value]
        return type(value)(*taken) if hasattr(value, "_fields") else tuple(taken)
    return value


def _private(shard: Shard, seed: int) -> kernels.Private:
    """Poisson inputs of all populations of a shard as one table; a row serves inputs of several populations."""
    rows: dict[Any, dict[int, Any]] = {}
    for k, p in enumerate(shard.block.populations):
        inputs = [(m, item) for m, item in enumerate(p.inputs) if isinstance(item, PoissonInput)]
        for place, (m, item) in enumerate(inputs):
            receptors = list(p.model.receptors)  # type: ignore[union-attr]
            at = receptors.index(item.receptor or receptors[0])
            times, means = pieces(item.rate)
            key = make_key(seed, "poisson input", p.name, m)
            rows.setdefault((place, at, times.tobytes()), {})[k] = (times, means, item.weight, key)
    count, n = len(rows), shard.n
    time, weight = np.full((count, n), np.inf), np.zeros((count, n))
    streams = np.zeros((count, n), np.uint64)
    start, times_of, mean = [0], [np.empty(0)], []
    for row, members in enumerate(rows.values()):
        piece_times = next(iter(members.values()))[0]
        start.append(start[-1] + len(piece_times))
        times_of.append(piece_times)
        weight[row] = shard.gather({k: w for k, (_, _, w, _) in members.items()})
        with np.errstate(divide="ignore"):
            mean += [
                1e3 / shard.gather({k: m[i] for k, (_, m, _, _) in members.items()}) for i in range(len(piece_times))
            ]
        for k, (_, _, _, key) in members.items():
            p = shard.block.populations[k]
            element = shard.gather({k: np.arange(shard.b1)[:, None] * p.size + np.arange(p.size)}, default=-1.0)
            here = np.flatnonzero(element >= 0)
            time[row, here] = 0.0
            found = np.empty(len(here), np.uint64)
            kernels.start_streams(key, element[here].astype(np.int64), found)
            streams[row, here] = found
    private = kernels.Private(
        time,
        np.zeros((count, n), np.int64),
        streams,
        weight,
        np.array([at for _, at, _ in rows], dtype=np.int64),
        np.array(start, dtype=np.int64),
        np.concatenate(times_of),
        np.array(mean).reshape(-1, n),
    )
    kernels.start_private(private)
    return private

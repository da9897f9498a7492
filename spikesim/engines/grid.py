"""Clock-driven engine: fixed step, exact subthreshold propagation where the parts are linear.

Update order of a step (that of NEST): propagate the membrane with the currents of the step's start, propagate the
currents, add what arrives at the step's end, test the threshold. Rotter & Diesmann 1999, doi:10.1007/s004220050570.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel, plain
from spikesim.engines import grid_kernels as kernels
from spikesim.engines.currents import total_current
from spikesim.engines.grid_inputs import poisson_rows
from spikesim.engines.layout import Setting, Shard
from spikesim.engines.store import Bundle
from spikesim.errors import ParameterError, UnsupportedError
from spikesim.network import Network

NAME = "grid"
TICK = np.int64  # times are whole steps
ROW_BYTES = 1 << 21  # rows of input of one shard should stay in the cache


def check(network: Network, dt: float) -> None:
    """Raise UnsupportedError or ParameterError where the grid engine cannot run a network."""
    for q in network.projections:
        if q.plasticity is not None:
            raise UnsupportedError(f"Projection {q.name!r}: plasticity needs engine='event'")
    for p in network.populations:
        if p.is_source:
            continue
        lag = p.model.reset.lag  # type: ignore[union-attr]
        if lag > 0 and abs(lag - dt) > 1e-9 * dt:
            raise ParameterError(
                f"Population {p.name!r}: reset lag must be 0 or one time step ({dt} ms) on the grid, got {lag} ms"
            )


def to_ticks(value: Any, dt: float) -> Any:
    """Times in ms as whole steps: a number, or an int32 array; a time > 0 takes at least one step."""
    steps = np.where(np.asarray(value) > 0, np.maximum(np.rint(np.asarray(value) / dt), 1), 0)
    return int(steps) if steps.ndim == 0 else steps.astype(np.int32)


def report_rounding(network: Network, dt: float) -> None:
    """Warn once about delays and refractory periods that do not fall on the grid."""
    off = [p.name for p in network.projections if _off_grid(p.delay, dt)]
    off += [f"t_ref of {p.name}" for p in network.populations if not p.is_source and _off_grid(p.model.t_ref, dt)]  # type: ignore[union-attr]
    if off:
        names = ", ".join(str(n) for n in off[:5]) + (" …" if len(off) > 5 else "")
        warnings.warn(f"grid engine: times rounded to whole steps of {dt} ms: {names}", stacklevel=4)


def _off_grid(value: Any, dt: float) -> bool:
    if not isinstance(value, (float, np.ndarray)):
        return True  # a distribution
    steps = np.asarray(value) / dt
    return bool(np.any(np.abs(steps - np.rint(steps)) > 1e-6 * np.maximum(1.0, steps)))


def longest_slice(n: int, receptors: int) -> int:
    """Steps that keep the rows of a shard in the cache."""
    return max(1, ROW_BYTES // (8 * max(1, n) * receptors))


class GridShard:
    """Neurons of one shard with their state, inputs and incoming synapses."""

    def __init__(self, shard: Shard, bundles: list[Bundle], seed: int, batch: int, dt: float, steps: int) -> None:
        neuron = shard.block.neuron
        assert neuron is not None
        self.shard, self.neuron, self.bundles = shard, neuron, bundles
        self.dt, self.seed, self.batch = dt, seed, batch
        self.parts = self._lower(dt)
        self.state = self._initial()
        self.lagged = neuron.reset.lag > 0  # type: ignore[attr-defined]
        n, receptors = shard.n, len(neuron.receptors)
        self.rows = np.zeros((receptors, steps, n))
        self.row_views = tuple(self.rows[r] for r in range(receptors))
        self.out = (np.empty(steps * n, np.int64), np.empty(steps * n, np.int64))
        self.positions = [0] * len(bundles)
        self.trips: list[Any] = [tuple(np.empty(0, np.int64) for _ in range(5)) for _ in bundles]
        self.current: Any = 0.0
        self.poisson = poisson_rows(shard, seed, dt)
        house = all(type(part).__module__.startswith("spikesim.") for part in neuron.parts)
        self.update = kernels.update if house else _uncached()

    def _lower(self, h: float) -> kernels.Parts:
        """Kernel constants for a step of `h` ms."""
        shard, model = self.shard, self.neuron
        exact = model.membrane.linear and all(s.linear for s in model.receptors.values())  # type: ignore[attr-defined]
        membrane = shard.part(lambda m: m.membrane)
        setting = Setting(h, exact, getattr(membrane, "leak", 0.0), getattr(membrane, "c_m", 1.0))
        hold = to_ticks(shard.t_ref(), self.dt)
        return kernels.Parts(
            membrane.lower(setting),
            tuple(shard.part(lambda m, r=r: m.receptors[r]).lower(setting) for r in model.receptors),
            shard.part(lambda m: m.threshold).lower(setting),
            shard.part(lambda m: m.reset).lower(setting),
            hold.astype(np.float64) if isinstance(hold, np.ndarray) else float(hold),
            float(h),
        )

    def _initial(self) -> kernels.State:
        shard, model, n = self.shard, self.neuron, self.shard.n

        def start(name: str) -> NDArray[np.float64]:
            return shard.initial(name, self.seed)

        x = tuple(start(v) for v in model.membrane.variables)  # type: ignore[attr-defined]
        ys = tuple(tuple(start(f"{v}_{r}") for v in s.variables) for r, s in model.receptors.items())  # type: ignore[attr-defined]
        a = tuple(start(v) for v in model.threshold.variables)  # type: ignore[attr-defined]
        return kernels.State(x, ys, a, np.zeros(n), np.zeros(n, np.uint8), np.zeros(n, np.uint8))

    def inject(self, time: float) -> None:
        """Set injected currents to what holds from `time` (ms) on."""
        self.current = total_current(self.shard, time, self.seed, self.batch)

    def resume_at(self, time: float) -> None:
        """Restore what is derived from the time alone; the state itself is restored from a file."""
        self.inject(time)

    def run(self, after: int, until: int, histories: list[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Take up arrivals of the steps after + 1 … until, advance, and return (step, element) of spikes in order."""
        shard, first = self.shard, after + 1
        for k, bundle in enumerate(self.bundles):
            self._receive(k, bundle, histories[bundle.block], first, until)
        for item in self.poisson if first > 0 else ():
            item.add(self.rows, first, until)
        parts = self.parts if first > 0 else self._at_start()
        steps, (out_k, out_i) = until - after, self.out
        count = self.update(parts, self.state, self.row_views, self.current, self.lagged, first, steps, out_k, out_i)
        b, i = np.divmod(out_i[:count], shard.width)
        return out_k[:count].copy(), (b + shard.b0) * shard.block.size + i + shard.lo

    def _at_start(self) -> kernels.Parts:
        """Constants for the instant 0: a step of no length that takes up arrivals and leaves the test to the first."""
        parts = self._lower(0.0)
        never = np.full_like(parts.threshold.v_th, np.inf) if np.ndim(parts.threshold.v_th) else np.inf
        return parts._replace(threshold=parts.threshold._replace(v_th=never))

    def _receive(self, k: int, bundle: Bundle, history: Any, first: int, last: int) -> None:
        shard, store = self.shard, bundle.store
        steps, elements = history.view(self.positions[k])
        place = (bundle.sender_size, shard.b0, shard.b1, shard.width)
        if bundle.delay is not None:
            self.positions[k] += kernels.deliver(self.rows, store, steps, elements, *place, bundle.delay, first, last)
            return
        if len(steps):
            self.trips[k] = kernels.admit(store, steps, elements, *place, self.trips[k])
            self.positions[k] += len(steps)
        if len(self.trips[k][0]):
            kept = kernels.carry(self.rows, store, bundle.delays, self.trips[k], shard.width, first, last)
            self.trips[k] = tuple(a[:kept] for a in self.trips[k])

    def next_time(self) -> float:
        """The next step: the grid engine skips none."""
        return -np.inf

    def touch(self) -> None:
        """Every neuron is looked at in every step anyway."""

    def settle(self, time: float) -> None:
        """Every neuron is at the present step anyway."""

    def updates(self, now: int) -> dict[str, int]:
        """State updates so far, by population: neurons times steps."""
        stimuli = self.shard.b1 - self.shard.b0
        cut = {p.name: self.shard.overlap(p) for p in self.shard.block.populations}
        return {name: max(0, b - a) * stimuli * max(0, int(now)) for name, (a, b, _) in cut.items()}

    def read(self, variable: str, time: int, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values of a variable of some local neurons now."""
        return self.variables()[variable][ids]

    def variables(self) -> dict[str, NDArray[np.float64]]:
        """State arrays by variable name."""
        model, state = self.neuron, self.state
        found = dict(zip(model.membrane.variables, state.x, strict=True))  # type: ignore[attr-defined]
        for (r, s), y in zip(model.receptors.items(), state.ys, strict=True):
            found |= {f"{v}_{r}": array for v, array in zip(s.variables, y, strict=True)}  # type: ignore[attr-defined]
        return found | dict(zip(model.threshold.variables, state.a, strict=True))  # type: ignore[attr-defined]

    def counters(self) -> dict[str, NDArray[np.int64]]:
        """Arrivals of private Poisson input per population of the block."""
        found = {p.name: np.zeros(1, np.int64) for p in self.shard.block.populations}
        for item in self.poisson:
            found[item.population.name] += item.arrivals
        return found


_uncached_update: list[Any] = []


def _uncached() -> Any:
    """The update kernel without disk cache, for networks with parts from outside: their edits must be seen."""
    if not _uncached_update:
        _uncached_update.append(kernel(plain(kernels.update), cache=False, lean=True))
    return _uncached_update[0]

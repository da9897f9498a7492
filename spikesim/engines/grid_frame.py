"""Which neurons of the grid engine are kept in a moving frame (`grid_watch`), its tables, and the way back."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from spikesim.engines.grid_closed import ClosedParts
from spikesim.engines.grid_kernels import State
from spikesim.engines.grid_stepped import SteppedParts
from spikesim.engines.grid_watch import Near
from spikesim.engines.layout import Setting, Shard
from spikesim.inputs import NoiseCurrent
from spikesim.mathkernels import filtered, on_values
from spikesim.neurons import IF, LIF, FixedThreshold
from spikesim.synapses import Exponential, ExponentialConductance

LONGEST = 64  # steps of a window
ROOM = 0.1  # of the way from reset to threshold: what arrivals may lift a potential by before it is looked at
GROWTH = 0.7  # most that anything decays within it, as an exponent: numbers in the frame lose no digit that counts


def window(shard: Shard, hold: Any, dt: float) -> int:
    """Steps of a window; 0 where neurons are not of the kind, or differ in more than rest, threshold and reset."""
    model = shard.block.neuron
    assert model is not None
    synapses: list[Any] = [shard.part(lambda m, r=r: m.receptors[r]) for r in model.receptors]
    kinds = [type(s) for s in synapses]
    plain = type(model.membrane) in (LIF, IF) and type(model.threshold) is FixedThreshold and model.reset.lag == 0.0  # type: ignore[attr-defined]
    noisy = any(isinstance(item, NoiseCurrent) for p in shard.block.populations for item in p.inputs)
    if not plain or noisy or not set(kinds) <= {Exponential, ExponentialConductance} or np.ndim(hold):
        return 0
    membrane = cast(Any, shard.part(lambda m: m.membrane))
    constants = [membrane.leak, membrane.c_m, *(s.tau_syn for s in synapses)]
    constants += [s.e_rev for s in synapses if isinstance(s, ExponentialConductance)]
    if any(np.ndim(c) for c in constants):
        return 0
    fastest = max(float(membrane.leak), *(1.0 / float(s.tau_syn) for s in synapses))
    return min(LONGEST, int(GROWTH / (dt * fastest)))


class Frame:
    """The frame of one shard: `u` and the synapses of its state as they are kept, and as they are.

    Parameters
    ----------
    shard : Shard
    state : State
        As it is at first; `state.x` of the frame has a second array, `u`.
    hold, steps : int
        Refractory steps, steps of a window.
    dt : float
        ms.
    """

    def __init__(self, shard: Shard, state: State, hold: int, steps: int, dt: float) -> None:
        self.shard, self.dt, self.steps, self.hold = shard, dt, steps, hold
        model = shard.block.neuron
        assert model is not None
        self.membrane = cast(Any, shard.part(lambda m: m.membrane))
        self.synapses: list[Any] = [shard.part(lambda m, r=r: m.receptors[r]) for r in model.receptors]
        self.closed = all(type(s) is Exponential for s in self.synapses)
        conducting = [s.e_rev for s in self.synapses if not isinstance(s, Exponential)]
        self.zero = float(conducting[0]) if conducting else 0.0
        self.now = 0  # step that the state is at
        k = np.arange(steps + 1)
        rates = np.array([1.0 / s.tau_syn for s in self.synapses])
        self.swell = np.exp(dt * np.outer(k, rates))
        self.grow = np.exp(dt * self.membrane.leak * k)
        leaky = self.membrane.leak > 0.0
        self.lift = np.expm1(dt * self.membrane.leak * k) if leaky else dt * k
        self.table = self._responses(k, rates) if self.closed else self._pulls(k, rates)
        self.level: Any = 0.0
        self.state = state._replace(x=(state.x[0], state.x[0] - self.zero))
        self.queue = np.zeros(shard.n + 1, np.int64)
        setting = Setting(dt, True, self.membrane.leak, self.membrane.c_m)
        self.threshold: Any = shard.part(lambda m: m.threshold).lower(setting)
        self.reset: Any = shard.part(lambda m: m.reset).lower(setting)
        self.near = self._near() if self.closed else None
        stimuli = np.arange(shard.b1 - shard.b0)
        self.shift = (shard.b0 + stimuli) * shard.block.size + shard.lo - stimuli * shard.width

    def _responses(self, k: NDArray[np.int64], rates: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """F[k] exp(leak h k) of each receptor."""
        leak, t = self.membrane.leak, self.dt * k
        return tuple(
            on_values(filtered, leak, rate, t, np.exp(-leak * t), np.exp(-rate * t)) / self.membrane.c_m * self.grow
            for rate in rates
        )

    def _pulls(self, k: NDArray[np.int64], rates: NDArray[np.float64]) -> tuple[Any, ...]:
        """What a unit of y adds to the sums of a step, at its start, middle and end."""
        table: list[Any] = []
        for synapse, rate in zip(self.synapses, rates, strict=True):
            y = [self.dt / self.membrane.c_m * np.exp(-rate * self.dt * (k - 1 + c)) for c in (0.0, 0.5, 1.0)]
            conducts = isinstance(synapse, ExponentialConductance)
            g0, g1, g2 = (value * conducts for value in y)
            b0, b1, b2 = (value * (synapse.e_rev - self.zero if conducts else 1.0) for value in y)
            g = (g0, g1 / 4, g2)
            table.append(g if conducts and synapse.e_rev == self.zero else (*g, (b0 + b2) / 6, b1, b2))
        return tuple(table)

    def _near(self) -> Near:
        """Room for the neurons to watch; arrivals may lift a potential by some of its way before it is looked at."""
        n, way = self.shard.n, np.mean(self.threshold.v_th) - np.mean(getattr(self.reset, "v_reset", 0.0))
        return Near(
            np.zeros(n, np.int64),
            np.zeros(n, np.int32),
            np.zeros(n, np.float32),
            np.zeros(n),
            tuple((np.zeros(n),) for _ in self.synapses),
            max(ROOM * float(way), 0.1),
            np.array([0, -1], np.int64),
        )

    def inject(self, current: Any, step: int) -> None:
        """Injected currents (pA) from `step` on; potentials go on from where they are."""
        membrane, leak = self.membrane, self.membrane.leak
        if not self.closed:
            self.level = self.dt * (leak * (membrane.v_rest - self.zero) + current / membrane.c_m)
            return
        level = membrane.v_rest + current / (leak * membrane.c_m) if leak > 0.0 else current / membrane.c_m
        if np.any(level != self.level):
            self.state.x[1][:] += (self.level - level) * self.lift[step % self.steps]
            self.level = level

    def parts(self, first: int) -> ClosedParts | SteppedParts:
        """What kernels see from step `first` on."""
        held = np.flatnonzero(self.state.until >= max(first, 0))
        self.queue[: len(held)] = held[np.argsort(self.state.until[held], kind="stable")]
        ends = np.array([0, len(held)], np.int64)
        head = (self.threshold, self.reset, self.hold, self.level)
        if self.near is None:
            leak = self.dt * self.membrane.leak
            return SteppedParts(*head, leak, self.zero, self.table, self.swell, self.queue, ends)
        self.near.size[1] = -1
        return ClosedParts(*head, self.table, self.swell, self.grow, self.lift, self.near, self.shift, self.queue, ends)

    def shown(self) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """Potentials, and currents or conductances, as they are now."""
        k, (x, u) = self.now % self.steps, self.state.x
        ys = [y / self.swell[k, r] for r, (y,) in enumerate(self.state.ys)]
        v = (self._sum(k) + u + self.level * self.lift[k]) / self.grow[k] if self.closed else u + self.zero
        return np.where(self._held(), x, v), ys

    def take(self, v: NDArray[np.float64], ys: list[NDArray[np.float64]]) -> None:
        """Set the state to what it is to be now."""
        k, held = self.now % self.steps, self._held()
        for r, (y,) in enumerate(self.state.ys):
            y[:] = ys[r] * self.swell[k, r]
        self.state.x[0][:] = v
        kept = v * self.grow[k] - self.level * self.lift[k] - self._sum(k) if self.closed else v - self.zero
        self.state.x[1][:] = np.where(held, -np.inf if self.closed else np.nan, kept)

    def _held(self) -> NDArray[np.bool_]:
        return self.state.until > self.now  # type: ignore[no-any-return]

    def _sum(self, k: int) -> Any:
        return sum(y * self.table[r][k] for r, (y,) in enumerate(self.state.ys))

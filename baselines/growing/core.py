"""Lives in the core: all networks side by side as one, whose synapses come, go and change between decisions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from baselines.contract import Advance
from baselines.growing.genome import Body
from baselines.growing.network import BELOW, BETA, MOST, Life, sensed
from baselines.lowering import STEP, core_neuron
from baselines.replay import Replayed
from baselines.spiking import Leaky
from spikesim import Network, Population, Projection, Simulation, Sparse, Spikes, SpikeSource
from spikesim.plasticity import PairSTDP

_SIGNS = {"excitatory": 1.0, "inhibitory": -1.0}
Synapses = dict[str, sparse.csr_array]  # weights by projection


def replayed(life: Life, body: Body, steps: int, engine: str, threads: int, advance: Advance) -> Replayed:
    """Actions and counts of all decisions of `life`, which kept its weights."""
    total, chosen, motors = Replayed(np.empty(0, np.int64)), [], len(body.actions)
    with contextlib.closing(Lives(life, body, steps, engine, threads)) as lives:
        membranes = list(lives.membranes(advance))
        result = lives.simulation.result()
    for alive, counts, v in zip(life.alive, lives.counts(result.spikes["nodes"]), membranes, strict=True):
        counts, v = counts[alive, -motors:], v[alive, -motors:]
        below = np.where(v > 1.0, 0.0, v)  # a spike of the last step
        chosen.append((counts / steps + BELOW * np.tanh(below)).argmax(axis=1))
    total.outputs, total.wall_s, total.neuron_updates = np.concatenate(chosen), result.timing["run_s"], lives.updates
    total.input_spikes, total.neuron_spikes = (int(result.counts.spikes[name]) for name in ("input", "nodes"))
    total.synaptic_events = sum(int(k) for k in result.counts.synaptic_events.values())
    return total


def watched(life: Life, body: Body, steps: int, engine: str) -> dict[str, Spikes]:
    """Spikes of the first life's network in a decision in the middle of its life."""
    middle = sum(0 in alive for alive in life.alive) // 2
    seen, weights = life.senses[middle][:1], life.weights[middle][:1]
    one = Life(np.zeros(1), [np.zeros(1, np.int64)], senses=[seen], weights=[weights])
    with contextlib.closing(Lives(one, body, steps, engine, 1)) as lives:
        list(lives.membranes(lambda done: None))
        return {name: lives.simulation.result().spikes[name] for name in ("input", "nodes")}


class Lives:
    """Lives side by side as one `Simulation`, their edges plastic synapses that the rule of the twin rewires.

    Every decision starts from rest: after its steps comes one in which spikes under way are dropped, and membranes are
    set to 0. Between decisions `Simulation.restructure` takes synapses away and adds others, and
    `Simulation.set_weights` sets those that stay; the rule of the projections is frozen, for what learns is the
    program of the genes. Edges of both signs lie in a projection each, so that one that changes its sign moves.

    Parameters
    ----------
    life : Life
        With weights, as `Colony.live` keeps them.
    body : Body
    steps : int
        Time steps of a decision.
    engine : str
    threads : int
    """

    def __init__(self, life: Life, body: Body, steps: int, engine: str, threads: int) -> None:
        self.life, self.body, self.steps = life, body, steps
        self._lives, self._period = len(life.returns), (steps + 1) * STEP
        self._shape = (self._lives, body.nodes - len(body.senses))
        self.updates = 0  # of neurons, in decisions
        self._first = self._synapses(0)
        self.simulation = Simulation(self._network(), engine=engine, dt=STEP, threads=threads)
        for name in self._first:
            self.simulation.freeze(name)

    def membranes(self, advance: Advance) -> Iterator[NDArray[np.float64]]:
        """Run all decisions; membranes (lives, nodes) at the end of each, senses left out."""
        clocked, seen = self.simulation.engine == "grid", self._updated()  # a clock moves the dead too: not counted
        for at, alive in enumerate(self.life.alive):
            if at:
                self._rewire(self._synapses(at))
            self.simulation.run(self.steps * STEP, progress=False)
            yield self.simulation.state("nodes", "v").reshape(self._shape)
            self.updates += (self._updated() - seen) * (len(alive) if clocked else self._lives) // self._lives
            self._rest()
            seen = self._updated()
            advance(len(alive))

    def counts(self, spikes: Spikes) -> Iterator[NDArray[np.int64]]:
        """Spikes (lives, nodes) of every decision."""
        ends = np.searchsorted(spikes.times, self._period * np.arange(len(self.life.alive) + 1), side="right")
        for lo, hi in pairwise(ends):
            yield np.bincount(spikes.ids[lo:hi], minlength=spikes.n).reshape(self._shape)

    def close(self) -> None:
        """End threads."""
        self.simulation.close()

    def _updated(self) -> int:
        return int(self.simulation.counts().neuron_updates["nodes"])

    def _rest(self) -> None:
        """Drop the spikes under way, and set membranes to 0."""
        for name in self._first:
            self.simulation.pause(name)
        self.simulation.run(STEP, progress=False)
        self.simulation.set_state("nodes", "v", 0.0)
        for name in self._first:
            self.simulation.resume(name)

    def _rewire(self, wanted: Synapses) -> None:
        for name, matrix in wanted.items():
            pre, post, _ = self.simulation.weights(name)
            n = matrix.shape[1]
            there, then = pre * n + post, _keys(matrix)
            new = ~np.isin(then, there)
            added = then[new]
            self.simulation.restructure(name, np.isin(there, then), added // n, added % n, matrix.data[new])
            if len(then):
                self.simulation.set_weights(name, matrix.data)

    # ------------------------------------------------------------ what is described

    def _network(self) -> Network:
        body, steps = self.body, self.steps
        first, period = len(body.senses), self._period
        when: list[NDArray[Any]] = []
        who: list[NDArray[Any]] = []
        for at, (alive, seen) in enumerate(zip(self.life.alive, self.life.senses, strict=True)):
            step, life, sense = np.nonzero(sensed(seen, steps))
            when.append(at * period + (step + 1.0) * STEP)
            who.append(alive[life] * first + sense)
        end = len(self.life.alive) * period
        spikes = Spikes(np.concatenate(when), np.concatenate(who), self._lives * first, end)
        source = Population("input", self._lives * first, SpikeSource(spikes))
        nodes = Population("nodes", self._lives * (body.nodes - first), core_neuron(Leaky(BETA, reset="zero")))
        projections = [
            Projection(
                source if name.startswith("senses") else nodes, nodes, Sparse(matrix), 1.0, STEP,
                plasticity=PairSTDP(w_max=MOST), name=name,
            )
            for name, matrix in self._first.items()
        ]  # fmt: skip
        return Network([source, nodes], projections)

    def _synapses(self, at: int) -> Synapses:
        """Weights of all lives in a decision, by projection."""
        first, weights = len(self.body.senses), np.zeros((self._lives, len(self.body.pairs[0])))
        weights[self.life.alive[at]] = self.life.weights[at]
        found: Synapses = {}
        for kind, rows in (("senses", slice(None, first)), ("nodes", slice(first, None))):
            for sign, factor in _SIGNS.items():
                dense = np.where(factor * weights > 0, weights, 0.0)
                blocks = self.body.dense(dense)[:, rows, first:]
                matrix = sparse.block_diag([sparse.csr_array(b) for b in blocks], format="csr")
                found[f"{kind}, {sign}"] = sparse.csr_array(matrix)
        return found


def _keys(matrix: sparse.csr_array) -> NDArray[np.int64]:
    """Row times columns plus column of the elements, ascending."""
    matrix.sort_indices()
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return row * matrix.shape[1] + matrix.indices.astype(np.int64)

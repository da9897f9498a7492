"""Lifelong neural developmental programs: nodes and edges with states of their own, which come and go in a life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from baselines.growing.genome import EDGE, STATE, Body, gated, sigmoid
from baselines.growing.worlds import Habitat

Floats = NDArray[np.float64]
PASSES = 4  # of activity for one decision of the network with tanh units
DEVELOPMENT = 10  # steps of spontaneous activity before birth
BETA = 0.8  # decay of membranes per step
FADE = 0.5  # decay of traces per decision
BELOW = 1e-3  # share of a membrane in an activity
_KEEP, _ADD = 0.4, 0.6
MOST = 2.0  # of a weight


@dataclass
class Life:
    """What happened in lives side by side.

    Parameters
    ----------
    returns : array (lives,)
    alive : list of array (k,)
        For every decision, whose life still went on.
    actions, senses : list of array (k,), (k, senses)
        For every decision, of these lives.
    weights : list of array (k, pairs)
        Weights of every decision, where they were asked for.
    edges, grown, pruned, spikes, sensed, events : float
        Summed over lives and decisions: edges there are, edges that came and went, spikes of nodes and of senses,
        spikes that arrived through an edge with a weight.
    density : list of float
        Share of possible edges, at birth and after every decision.
    nodes : float
        Nodes of a network, mean over lives.
    plastic : bool
        Whether networks changed in it.
    """

    returns: Floats
    alive: list[NDArray[np.int64]] = field(default_factory=list)
    actions: list[NDArray[np.int64]] = field(default_factory=list)
    senses: list[Floats] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)
    edges: float = 0.0
    grown: float = 0.0
    pruned: float = 0.0
    spikes: float = 0.0
    sensed: float = 0.0
    events: float = 0.0
    density: list[float] = field(default_factory=list)
    nodes: float = 0.0
    plastic: bool = True

    @property
    def decisions(self) -> int:
        """Decisions of all lives."""
        return sum(len(a) for a in self.actions)

    @property
    def chosen(self) -> NDArray[np.int64]:
        """All actions, decision after decision."""
        return np.concatenate(self.actions)


class Colony:
    """Networks side by side, each with its genome.

    Parameters
    ----------
    habitat : Habitat
        Where they live.
    genomes : array (k, size)
    seeds : sequence of int
        One per network: where edges are at birth, spontaneous activity, and how its world begins.
    spiking : bool
        Leaky neurons that spike instead of tanh units.
    plastic, spontaneous, developed : bool
        Whether development goes on after birth; whether senses are active before it; whether there is any before it.
    steps : int
        Time steps of a decision (spiking).

    References
    ----------
    Plantec et al. 2024, arXiv:2406.09787 (LNDP). Najarro, Sudhakaran & Risi 2023, arXiv:2307.08197 (NDP).
    """

    def __init__(
        self,
        habitat: Habitat,
        genomes: Floats,
        seeds: Sequence[int],
        spiking: bool,
        plastic: bool = True,
        spontaneous: bool = True,
        developed: bool = True,
        steps: int = 4,
    ) -> None:
        self.habitat, self.body, self.seeds, self.steps = habitat, habitat.body, seeds, steps
        self.genes, self.spiking = self.body.express(genomes), spiking
        self.plastic, self.spontaneous, self.k = plastic, spontaneous, len(genomes)
        self.unborn = DEVELOPMENT if developed else 0
        n, self._pairs = self.body.nodes, self.body.pairs
        rng = [np.random.default_rng((seed, 1)) for seed in seeds]
        self._noise = np.stack([r.standard_normal((DEVELOPMENT, len(self.body.senses))) for r in rng])
        chance = np.stack([r.random((n, n))[self._pairs] for r in rng])
        first = np.stack([r.uniform(-1, 1, (n, n, EDGE))[self._pairs] for r in rng])
        self.there = chance < _density(self.body, self.genes["density"])
        self.edge = first * self.there[..., None]
        self.node = np.stack([r.uniform(-1, 1, (n, STATE)) for r in rng])
        self.node[:, self.body.known] = self.genes["birth"]
        self.trace = np.zeros((self.k, n))
        self.grown = self.pruned = self.spikes = self.sensed = self.events = 0.0

    # ------------------------------------------------------------ a life

    def live(self, keep: bool = False) -> Life:
        """Develop, then act until every life has ended."""
        self.grow_up()
        world, life = self.habitat.start(self.seeds), Life(np.zeros(self.k))
        alive = np.arange(self.k)
        life.density.append(self.density())
        life.nodes, life.plastic = self.size(), self.plastic
        while len(alive):
            seen = world.senses()
            active = self.activity(seen)
            chosen = active[:, self.body.motors].argmax(axis=1)
            if keep:
                life.weights.append(self.weights())
            life.edges += float(self.there.sum())
            rewards, over = world.act(chosen)
            life.returns[alive] += rewards
            life.alive.append(alive)
            life.actions.append(chosen)
            life.senses.append(seen)
            if self.plastic and not over.all():
                self.develop(active, rewards / self.habitat.unit)
            if over.any():
                world.keep(~over)
                self._keep(~over)
                alive = alive[~over]
            if len(alive):
                life.density.append(self.density())
        life.grown, life.pruned, life.spikes, life.sensed = self.grown, self.pruned, self.spikes, self.sensed
        life.events = self.events
        return life

    def grow_up(self) -> None:
        """Steps of development before birth, senses driven by a random walk towards a mean."""
        drift, pull, noise = np.moveaxis(self.genes["spontaneous"], 1, 0)
        sense = np.zeros((self.k, len(self.body.senses)))
        for t in range(self.unborn):
            if self.spontaneous:
                sense = sense + sigmoid(pull) * (drift - sense) + noise * self._noise[:, t]
            self.develop(self.activity(np.clip(sense, 0.0, 1.0)), np.zeros(self.k))
        self.grown = self.pruned = self.spikes = self.sensed = self.events = 0.0

    def _keep(self, these: NDArray[np.bool_]) -> None:
        """Go on with these networks alone."""
        self.genes = {name: gene[these] for name, gene in self.genes.items()}
        self.there, self.edge = self.there[these], self.edge[these]
        self.node, self.trace = self.node[these], self.trace[these]
        self.k = len(self.node)

    def weights(self) -> Floats:
        """Weights (k, pairs): the first number of every edge, at most 1, times `MOST`."""
        return MOST * self.edge[..., 0] * self.there

    def size(self) -> float:
        """Nodes of a network, mean."""
        return float(self.body.nodes)

    def density(self) -> float:
        """Share of possible edges that are there, mean."""
        return float(self.there.mean())

    # ------------------------------------------------------------ activity

    def activity(self, seen: Floats) -> Floats:
        """Activities (k, nodes) of a decision, from rest: last values, or spikes per step and what is left below."""
        weights = self.body.dense(self.weights())
        if self.spiking:
            return self._spiking(seen, weights)
        a = np.zeros((self.k, self.body.nodes))
        for _ in range(PASSES):
            a[:, self.body.sensors] = seen
            a = np.tanh((a[:, None] @ weights)[:, 0])
        a[:, self.body.sensors] = seen
        return a

    def _spiking(self, seen: Floats, weights: Floats) -> Floats:
        """Leaky neurons, one step of delay on every edge; a spike sets the membrane back to 0 a step later."""
        v, fired = np.zeros((self.k, self.body.nodes)), np.zeros((self.k, self.body.nodes))
        counts, first = np.zeros((self.k, self.body.nodes)), len(self.body.senses)
        trains, reached = sensed(seen, self.steps), (weights != 0).sum(axis=2)
        for train in trains:
            v = BETA * v * (1.0 - fired) + (fired[:, None] @ weights)[:, 0]
            self.events += float((fired * reached).sum())
            fired = (v > 1.0).astype(np.float64)
            fired[:, self.body.sensors] = train
            counts += fired
        self.spikes += float(counts[:, first:].sum())
        self.sensed += float(trains.sum())
        active = counts / self.steps
        active[:, first:] += BELOW * np.tanh(v * (1.0 - fired))[:, first:]  # decides between equal counts
        return active

    # ------------------------------------------------------------ development

    def develop(self, active: Floats, reward: Floats) -> None:
        """Nodes attend to those that drive them, then edges change, then some go and some come."""
        g, body, (before, after) = self.genes, self.body, self._pairs
        there = body.dense(self.there.astype(np.float64))
        query, key, value = (self.node @ g[name] for name in ("query", "key", "value"))
        score = key @ query.transpose(0, 2, 1) / np.sqrt(query.shape[2])  # from, to
        attention = there * np.exp(np.clip(score, -20, 20))
        attention /= np.maximum(attention.sum(axis=1, keepdims=True), 1e-12)
        about = np.zeros((self.k, body.nodes, 5))
        about[..., 0], about[..., 1] = there.sum(axis=1) / body.nodes, there.sum(axis=2) / body.nodes
        about[:, body.sensors, 2] = about[:, body.motors, 3] = 1.0
        about[..., 4] = active
        message = attention.transpose(0, 2, 1) @ value
        self.node = gated(np.concatenate([about, message], axis=2), self.node, g["node"])
        self.trace = FADE * self.trace + (1.0 - FADE) * active
        told = self.trace if self.spiking else active
        states = np.concatenate([self.node[:, before], self.node[:, after]], axis=2)
        ends = np.stack([told[:, before], told[:, after]], axis=2)
        given = np.repeat(reward[:, None, None], len(before), axis=1)
        edge = gated(np.concatenate([states, ends, given], axis=2), self.edge, g["edge"])
        self._rewire(edge * self.there[..., None], states)

    def _rewire(self, edge: Floats, states: Floats) -> None:
        one = np.ones((*self.there.shape, 1))
        gone = self.there & (sigmoid(np.concatenate([edge, one], axis=2) @ self.genes["prune"])[..., 0] < _KEEP)
        come = ~self.there & (sigmoid(np.concatenate([states, one], axis=2) @ self.genes["grow"])[..., 0] > _ADD)
        self.pruned += float(gone.sum())
        self.grown += float(come.sum())
        edge[gone] = 0.0
        self.edge, self.there = edge, (self.there & ~gone) | come


def sensed(seen: Floats, steps: int) -> Floats:
    """Spikes (steps, k, senses) of numbers in 0 … 1: evenly spaced, ``floor(steps x + 1/2)`` of them."""
    at = np.arange(steps + 1)[:, None, None]
    return np.diff(np.floor(at * seen[None] + 0.5), axis=0)


def _density(body: Body, genes: Floats) -> Floats:
    """Probability of an edge at birth (k, pairs): from senses, between hidden nodes, to actions."""
    before, after = body.pairs
    kind = np.where(after >= body.motors.start, 2, np.where(before < body.sensors.stop, 0, 1))
    return sigmoid(genes)[:, kind]

"""Lifelong neural developmental programs: nodes and edges with states of their own, which come and go in a life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from baselines.growing.foraging import SENSES, STEPS, Foraging
from baselines.growing.genome import EDGE, MOTORS, NODES, SENSORS, allowed, express, gated, sigmoid

Floats = NDArray[np.float64]
ITERATIONS = 4  # of activity for one decision: steps of the spiking network, passes of the other
DEVELOPMENT = 10  # steps of spontaneous activity before birth
_KEEP, _ADD = 0.4, 0.6
_GAIN = 2.0
BETA = 0.8  # decay of membranes per step


@dataclass
class Life:
    """What happened in lives side by side.

    Parameters
    ----------
    meals : array (lives,)
    actions : array (steps, lives)
    senses : array (steps, lives, 4)
    weights : list of array (lives, nodes, nodes)
        Weights of every decision, where they were asked for.
    edges, grown, pruned, spikes, sensed, events : float
        Summed over lives and decisions: edges there are, edges that came and went, spikes of nodes and of senses,
        spikes that arrived through an edge with a weight.
    density : list of float
        Share of possible edges, at birth and after every decision.
    """

    meals: Floats
    actions: NDArray[np.int64]
    senses: Floats
    weights: list[Floats] = field(default_factory=list)
    edges: float = 0.0
    grown: float = 0.0
    pruned: float = 0.0
    spikes: float = 0.0
    sensed: float = 0.0
    events: float = 0.0
    density: list[float] = field(default_factory=list)


class Colony:
    """Networks side by side, each with its genome.

    Parameters
    ----------
    genomes : array (k, SIZE)
    seeds : sequence of int
        One per network: where edges are at birth, spontaneous activity, and where the food is.
    spiking, plastic, spontaneous : bool
        Leaky neurons that spike instead of tanh units; whether development goes on after birth; whether senses are
        active before it.

    References
    ----------
    Plantec et al. 2024, arXiv:2406.09787 (LNDP). Najarro, Sudhakaran & Risi 2023, arXiv:2307.08197 (NDP).
    """

    def __init__(
        self, genomes: Floats, seeds: Sequence[int], spiking: bool, plastic: bool = True, spontaneous: bool = True
    ) -> None:
        self.genes, self.spiking, self.plastic, self.spontaneous = express(genomes), spiking, plastic, spontaneous
        self.seeds, self.k = seeds, len(genomes)
        rng = [np.random.default_rng((seed, 1)) for seed in seeds]
        self._noise = np.stack([r.standard_normal((DEVELOPMENT, SENSES)) for r in rng])
        chance = np.stack([r.random((NODES, NODES)) for r in rng])
        first = np.stack([r.uniform(-1, 1, (NODES, NODES, EDGE)) for r in rng])
        self.mask = allowed()
        self.there = self.mask & (chance < self._density())
        self.edge = first * self.there[..., None]
        self.node = self.genes["birth"].copy()
        self.grown = self.pruned = self.spikes = self.sensed = self.events = 0.0

    def live(self, keep: bool = False) -> Life:
        """Develop, then forage."""
        drift, pull, noise = (self.genes["spontaneous"][:, i : i + 1] for i in range(3))
        sense = np.zeros((self.k, SENSES))
        for t in range(DEVELOPMENT):
            if self.spontaneous:
                sense = sense + sigmoid(pull) * (drift - sense) + noise * self._noise[:, t]
            seen = (sense > 0.5).astype(np.float64) if self.spiking else np.clip(sense, 0.0, 1.0)
            self.develop(self.activity(seen), np.zeros(self.k))
        self.grown = self.pruned = self.spikes = self.sensed = self.events = 0.0
        world, life = Foraging(self.seeds), Life(np.zeros(self.k), np.empty(0, np.int64), np.empty(0))
        actions, senses = [], []
        life.density.append(self.density())
        for _ in range(STEPS):
            seen = world.senses()
            active = self.activity(seen)
            chosen = active[:, MOTORS].argmax(axis=1)
            if keep:
                life.weights.append(self.weights())
            life.edges += float(self.there.sum())
            reward = world.act(chosen)
            if self.plastic:
                self.develop(active, reward)
            actions.append(chosen)
            senses.append(seen)
            life.density.append(self.density())
        life.meals, life.actions, life.senses = world.meals, np.stack(actions), np.stack(senses)
        life.grown, life.pruned, life.spikes, life.sensed = self.grown, self.pruned, self.spikes, self.sensed
        life.events = self.events
        return life

    def weights(self) -> Floats:
        """Weights (k, from, to): the first number of every edge, at most 1, times the gain."""
        return _GAIN * self.edge[..., 0] * self.there

    def density(self) -> float:
        """Share of possible edges that are there, mean."""
        return float(self.there.sum() / self.mask.sum() / self.k)

    def activity(self, seen: Floats) -> Floats:
        """Activities (k, nodes) of a decision, from rest: last values, or spikes per step and what is left below."""
        weights = self.weights()
        if self.spiking:
            return self._spiking(seen, weights)
        a = np.zeros((self.k, NODES))
        for _ in range(ITERATIONS):
            a[:, SENSORS] = seen
            a = np.tanh(np.einsum("ki,kij->kj", a, weights))
        a[:, SENSORS] = seen
        return a

    def _spiking(self, seen: Floats, weights: Floats) -> Floats:
        """Leaky neurons, one step of delay on every edge; a spike sets the membrane back to 0 a step later."""
        v, fired = np.zeros((self.k, NODES)), np.zeros((self.k, NODES))
        counts = np.zeros((self.k, NODES))
        for _ in range(ITERATIONS):
            v = BETA * v * (1.0 - fired) + np.einsum("ki,kij->kj", fired, weights)
            self.events += float(((fired > 0)[:, :, None] & (weights != 0)).sum())
            fired = (v > 1.0).astype(np.float64)
            fired[:, SENSORS] = seen
            counts += fired
            self.spikes += float(fired[:, SENSES:].sum())
        self.sensed += float(seen.sum()) * ITERATIONS
        active = counts / ITERATIONS
        active[:, SENSES:] += BELOW * np.tanh(v * (1.0 - fired))[:, SENSES:]  # decides between equal counts
        return active

    def develop(self, active: Floats, reward: Floats) -> None:
        """Nodes attend to those that drive them, then edges change, then some go and some come."""
        g, there = self.genes, self.there.astype(np.float64)
        query, key, value = (self.node @ g[name] for name in ("query", "key", "value"))
        score = np.einsum("kjd,kid->kij", query, key) / np.sqrt(query.shape[2])
        attention = np.where(self.there, np.exp(np.clip(score, -20, 20)), 0.0)
        attention /= np.maximum(attention.sum(axis=1, keepdims=True), 1e-12)
        message = np.einsum("kij,kid->kjd", attention, value)
        about = np.zeros((self.k, NODES, 5))
        about[..., 0], about[..., 1] = there.sum(axis=1) / NODES, there.sum(axis=2) / NODES
        about[:, SENSORS, 2] = about[:, MOTORS, 3] = 1.0
        about[..., 4] = active
        self.node = gated(np.concatenate([about, message], axis=2), self.node, g["node"])
        before, after = (np.repeat(self.node, NODES, 1), np.tile(self.node, (1, NODES, 1)))
        ends = np.stack([np.repeat(active, NODES, 1), np.tile(active, (1, NODES))], axis=2)
        given = np.repeat(reward[:, None, None], NODES * NODES, axis=1)
        flat = self.edge.reshape(self.k, NODES * NODES, EDGE)
        flat = gated(np.concatenate([before, after, ends, given], axis=2), flat, g["edge"])
        flat = flat * there.reshape(self.k, -1, 1)
        self._rewire(flat, np.concatenate([before, after], axis=2))

    def _rewire(self, flat: Floats, pairs: Floats) -> None:
        one = np.ones((*flat.shape[:2], 1))
        was = self.there.reshape(self.k, -1)
        gone = was & (sigmoid(np.concatenate([flat, one], axis=2) @ self.genes["prune"])[..., 0] < _KEEP)
        come = (
            ~was
            & self.mask.reshape(-1)
            & (sigmoid(np.concatenate([pairs, one], axis=2) @ self.genes["grow"])[..., 0] > _ADD)
        )
        self.pruned += float(gone.sum())
        self.grown += float(come.sum())
        flat[gone] = 0.0
        self.edge = flat.reshape(self.k, NODES, NODES, EDGE)
        self.there = ((was & ~gone) | come).reshape(self.k, NODES, NODES)

    def _density(self) -> Floats:
        """Probability of an edge at birth: from senses, between hidden nodes, to actions."""
        given = sigmoid(self.genes["density"])
        found = np.broadcast_to(given[:, 1, None, None], (self.k, NODES, NODES)).copy()
        found[:, SENSORS, :] = given[:, 0, None, None]
        found[:, :, MOTORS] = given[:, 2, None, None]
        return found


BELOW = 1e-3  # share of a membrane in an activity

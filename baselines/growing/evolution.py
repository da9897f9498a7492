"""Genomes that evolve (CMA-ES), as learners: a pass is a generation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from baselines.contract import Advance, Example, Outcome, Settings
from baselines.errors import TrainingError
from baselines.growing.core import replayed, watched
from baselines.growing.genome import EDGE, KEYS, STATE, Body
from baselines.growing.network import PASSES, Colony, Life
from baselines.growing.worlds import Habitat
from spikesim.energy import Operations

TESTED = 100  # lives
TRAIN, VALIDATE, TEST = 1_000_000, 2_000_000, 3_000_000  # first seeds of lives
RANGE = 10_000  # seeds of lives between two seeds of evolution
ENOUGH = 3  # validations in a row without fault


@dataclass(frozen=True)
class EvolutionSettings(Settings):
    """Settings of evolution; `epochs` is the number of generations.

    Parameters
    ----------
    population, lives : int
        Genomes in a generation, lives of each; an even number puts the food on either side equally often.
    validated : int
        Lives after each generation that decide which genome is kept.
    sigma : float
        Standard deviation of genes at the start.
    """

    population: int = 32
    lives: int = 2
    validated: int = 40
    sigma: float = 0.5


class Evolved:
    """Learner: separable CMA-ES on the genes of networks that develop; validation and test take the mean genome.

    Parameters
    ----------
    habitat : Habitat
    settings : EvolutionSettings
    seed : int
    colony : class
        How networks develop.
    spiking : bool
        Whether they are leaky neurons that spike.
    **how
        What else the colony is told.

    References
    ----------
    Ros & Hansen 2008, doi:10.1007/978-3-540-87700-4_30 (separable CMA-ES).
    """

    updates = 1

    def __init__(
        self,
        habitat: Habitat,
        settings: EvolutionSettings,
        seed: int,
        colony: Callable[..., Colony] = Colony,
        spiking: bool = False,
        **how: bool,
    ) -> None:
        import cma

        self.habitat, self.settings, self.seed = habitat, settings, seed
        self._colony = partial(colony, habitat, spiking=spiking, steps=settings.steps, **how)
        self._spiking = spiking
        options = {"popsize": settings.population, "seed": seed + 1, "verbose": -9, "CMA_diagonal": True}
        self._strategy = cma.CMAEvolutionStrategy(np.zeros(habitat.body.size), settings.sigma, options)
        self.genome, self._lived = np.zeros(habitat.body.size), 0
        self.finished, self._perfect = False, 0

    def epoch(self) -> Iterator[float]:
        """One generation; yields how far the mean return is from the best."""
        s = self.settings
        genomes = np.array(self._strategy.ask())
        seeds = [TRAIN + self.seed * RANGE + self._lived + i for i in range(s.lives)]
        self._lived += s.lives
        life = self._colony(np.repeat(genomes, s.lives, axis=0), seeds * len(genomes)).live()
        returns = life.returns.reshape(len(genomes), s.lives).mean(axis=1)
        if not np.isfinite(returns).all():
            raise TrainingError("evolution diverged: a life has a return that is no number; lower sigma")
        self._strategy.tell(list(genomes), list(-returns))
        self.genome = np.array(self._strategy.mean)
        yield 1.0 - self.habitat.score(returns)

    def validate(self) -> float:
        """Score of the mean genome in lives of its own; the best there is, thrice in a row, is enough."""
        score = self.habitat.score(self._live(VALIDATE, self.settings.validated).returns)
        self._perfect = self._perfect + 1 if score >= 1.0 else 0
        self.finished = self._perfect >= ENOUGH
        return score

    def snapshot(self) -> Any:
        """Copy of the genome."""
        return self.genome.copy()

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self.genome = snapshot.copy()

    def test(self) -> Outcome:
        """A hundred lives."""
        started = time.perf_counter()
        life = self._live(TEST, TESTED, keep=True)
        return self._outcome(life, time.perf_counter() - started)

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The lives of the test with every decision in spikesim: the weights of the moment, the same senses."""
        life = self._live(TEST, TESTED, keep=True)
        body, steps = self.habitat.body, self.settings.steps
        found = replayed(life, body, steps, engine, threads, advance)
        outcome = self._outcome(life, found.wall_s)
        counted = replace(
            outcome.operations,
            synaptic_events=found.synaptic_events / outcome.inferences,
            updates=found.neuron_updates / outcome.inferences,
            spikes=found.neuron_spikes / outcome.inferences,
            state_accesses=2 * found.neuron_updates / outcome.inferences,
        )
        layers = watched(life, body, steps, engine)
        return replace(
            outcome,
            predictions=found.outputs,
            operations=counted,
            spikes=found.neuron_spikes,
            input_spikes=found.input_spikes,
            skipping=None,
            example=Example("a decision in the middle of a life", None, layers),
        )

    def _live(self, first: int, lives: int, keep: bool = False) -> Life:
        seeds = [first + self.seed * RANGE + i for i in range(lives)]
        return self._colony(np.repeat(self.genome[None], lives, axis=0), seeds).live(keep)

    def _outcome(self, life: Life, wall_s: float) -> Outcome:
        n, body = life.decisions, self.habitat.body
        return Outcome(
            score=self.habitat.score(life.returns),
            operations=self._operations(life, n),
            neurons=round(life.nodes) - len(body.senses),
            synapses=max(1, round(life.edges / n)),
            inferences=n,
            wall_s=wall_s,
            spikes=round(life.spikes),
            input_spikes=round(life.sensed),
            predictions=life.chosen,
            material=life,
            notes={
                "mean_return": float(life.returns.mean()),
                "nodes": life.nodes,
                "development_macs": self._development(life),
                "density_at_birth": life.density[0],
                "density_at_death": life.density[-1],
                "edges_grown_per_life": life.grown / life.returns.size,
                "edges_pruned_per_life": life.pruned / life.returns.size,
            },
        )

    def _development(self, life: Life) -> float:
        """Multiply-accumulates of what changes a network after a decision."""
        return development(life.edges / life.decisions, self.habitat.body) if life.plastic else 0.0

    def _operations(self, life: Life, n: int) -> Operations:
        """Per decision: activity along the edges there are, and what development after it costs."""
        edges, body, steps = life.edges / n, self.habitat.body, self.settings.steps
        growth = self._development(life)
        words = life.nodes * STATE + len(body.pairs[0]) * EDGE
        rewired = (life.grown + life.pruned) / n
        if self._spiking:
            events, updates = life.events / n, float(steps * (body.nodes - len(body.senses)))
            return Operations(
                macs=growth,
                synaptic_events=events,
                updates=updates,
                spikes=life.spikes / n,
                decodes=float(len(body.actions)),
                weight_reads=events + growth,
                state_accesses=2 * updates,
                spike_accesses=2 * (life.spikes + life.sensed) / n,
                activation_accesses=growth + 2 * rewired,
                weights=edges + body.size,
                states=float(body.nodes),
                activation_words=words,
                steps=float(steps),
            )
        macs = PASSES * edges + growth
        return Operations(
            macs=macs,
            activations=PASSES * life.nodes,
            decodes=float(len(body.actions)),
            weight_reads=macs,
            activation_accesses=macs + 2 * rewired,
            weights=edges + body.size,
            activation_words=words,
        )


def development(edges: float, body: Body) -> float:
    """Multiply-accumulates of one step of development with so many edges: attention, nodes, edges, coming and going."""
    node = body.nodes * (2 * STATE * KEYS + STATE * STATE + (5 + 2 * STATE + 1) * 3 * STATE)
    attention = edges * (KEYS + STATE)
    edge = edges * ((2 * STATE + 3 + EDGE + 1) * 3 * EDGE + EDGE + 1)
    missing = max(0.0, len(body.pairs[0]) - edges)
    return node + attention + edge + missing * (2 * STATE + 1)

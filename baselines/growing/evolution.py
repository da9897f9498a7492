"""Genomes that evolve (CMA-ES), as learners: a pass is a generation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from baselines.contract import Advance, Example, Outcome, Settings
from baselines.growing.core import replayed, watched
from baselines.growing.foraging import ACTIONS, BEST, SENSES
from baselines.growing.genome import EDGE, KEYS, NODES, SIZE, STATE
from baselines.growing.network import ITERATIONS, Colony, Life
from spikesim.energy import Operations

TESTED, VALIDATED = 100, 40  # lives
TRAIN, VALIDATE, TEST = 1_000_000, 2_000_000, 3_000_000  # first seeds of lives
RANGE = 10_000  # seeds of lives between two seeds of evolution


@dataclass(frozen=True)
class EvolutionSettings(Settings):
    """Settings of evolution; `epochs` is the number of generations.

    Parameters
    ----------
    population, lives : int
        Genomes in a generation, lives of each; an even number puts the food on either side equally often.
    sigma_ann, sigma_snn : float
        Standard deviation of genes at the start.
    """

    population: int = 32
    lives: int = 2
    sigma_ann: float = 0.5
    sigma_snn: float = 1.0


class Evolved:
    """Learner: separable CMA-ES on the genes of networks that develop; validation and test take the mean genome.

    Parameters
    ----------
    settings : EvolutionSettings
    seed : int
    spiking, plastic, spontaneous : bool
        As in `Colony`.

    References
    ----------
    Ros & Hansen 2008, doi:10.1007/978-3-540-87700-4_30 (separable CMA-ES).
    """

    updates = 1

    def __init__(
        self,
        settings: EvolutionSettings,
        seed: int,
        spiking: bool = False,
        plastic: bool = True,
        spontaneous: bool = True,
    ) -> None:
        import cma

        self.settings, self.seed = settings, seed
        self._how: dict[str, bool] = {"spiking": spiking, "plastic": plastic, "spontaneous": spontaneous}
        options = {"popsize": settings.population, "seed": seed + 1, "verbose": -9, "CMA_diagonal": True}
        sigma = settings.sigma_snn if spiking else settings.sigma_ann
        self._strategy = cma.CMAEvolutionStrategy(np.zeros(SIZE), sigma, options)
        self.genome, self._lived = np.zeros(SIZE), 0

    def epoch(self) -> Iterator[float]:
        """One generation; yields the share of food that was missed."""
        s = self.settings
        genomes = np.array(self._strategy.ask())
        seeds = [TRAIN + self.seed * RANGE + self._lived + i for i in range(s.lives)]
        self._lived += s.lives
        life = Colony(np.repeat(genomes, s.lives, axis=0), seeds * len(genomes), **self._how).live()
        meals = life.meals.reshape(len(genomes), s.lives).mean(axis=1)
        self._strategy.tell(list(genomes), list(-meals))
        self.genome = np.array(self._strategy.mean)
        yield float(1.0 - meals.mean() / BEST)

    def validate(self) -> float:
        """Share of the food that the mean genome finds in lives of its own."""
        return float(self._live(VALIDATE, VALIDATED).meals.mean()) / BEST

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
        found = replayed(life, engine, threads, advance)
        outcome = self._outcome(life, found.wall_s)
        counted = replace(
            outcome.operations,
            synaptic_events=found.synaptic_events / outcome.inferences,
            updates=found.neuron_updates / outcome.inferences,
            spikes=found.neuron_spikes / outcome.inferences,
            state_accesses=2 * found.neuron_updates / outcome.inferences,
        )
        layers = watched(life, engine)
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
        return Colony(np.repeat(self.genome[None], lives, axis=0), seeds, **self._how).live(keep)

    def _outcome(self, life: Life, wall_s: float) -> Outcome:
        n = life.actions.size
        return Outcome(
            score=float(life.meals.mean()) / BEST,
            operations=self._operations(life, n),
            neurons=NODES - SENSES,
            synapses=max(1, round(life.edges / n)),
            inferences=n,
            wall_s=wall_s,
            spikes=round(life.spikes),
            input_spikes=round(life.sensed),
            predictions=life.actions.T.reshape(-1),
            material=life,
            notes={
                "mean_meals": float(life.meals.mean()),
                "density_at_birth": life.density[0],
                "density_at_death": life.density[-1],
                "edges_grown_per_life": life.grown / life.meals.size,
                "edges_pruned_per_life": life.pruned / life.meals.size,
            },
        )

    def _operations(self, life: Life, n: int) -> Operations:
        """Per decision: activity along the edges there are, and what development after it costs."""
        edges = life.edges / n
        growth = development(edges) if self._how["plastic"] else 0.0
        rewired = (life.grown + life.pruned) / n
        if self._how["spiking"]:
            events, updates = life.events / n, float(ITERATIONS * (NODES - SENSES))
            return Operations(
                macs=growth,
                synaptic_events=events,
                updates=updates,
                spikes=life.spikes / n,
                decodes=float(ACTIONS),
                weight_reads=events + growth,
                state_accesses=2 * updates,
                spike_accesses=2 * (life.spikes + life.sensed) / n,
                activation_accesses=growth + 2 * rewired,
                weights=edges + SIZE,
                states=float(NODES),
                activation_words=float(NODES * STATE + NODES * NODES * EDGE),
                steps=float(ITERATIONS),
            )
        macs = ITERATIONS * edges + growth
        return Operations(
            macs=macs,
            activations=float(ITERATIONS * NODES),
            decodes=float(ACTIONS),
            weight_reads=macs,
            activation_accesses=macs + 2 * rewired,
            weights=edges + SIZE,
            activation_words=float(NODES * STATE + NODES * NODES * EDGE),
        )


def development(edges: float) -> float:
    """Multiply-accumulates of one step of development with so many edges: attention, nodes, edges, coming and going."""
    node = NODES * (2 * STATE * KEYS + STATE * STATE + (5 + 2 * STATE + 1) * 3 * STATE)
    attention = edges * (KEYS + STATE)
    edge = edges * ((2 * STATE + 3 + EDGE + 1) * 3 * EDGE + EDGE + 1)
    missing = max(0.0, NODES * (NODES - SENSES) - edges)
    return node + attention + edge + missing * (2 * STATE + 1)

"""NEAT beside the networks that develop: nodes and edges evolve, nothing changes in a life but activity."""

from __future__ import annotations

import configparser
import copy
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from baselines.contract import Outcome
from baselines.growing.evolution import ENOUGH, RANGE, TEST, TESTED, TRAIN, VALIDATE, EvolutionSettings
from baselines.growing.genome import Body
from baselines.growing.worlds import Habitat
from spikesim.energy import Operations

_VALUE = {"init_type": "gaussian", "max_value": 30.0, "min_value": -30.0, "mutate_power": 0.5, "replace_rate": 0.1}
_GENOME: dict[str, Any] = {
    "num_hidden": 0, "feed_forward": False,
    "initial_connection": "full_direct", "compatibility_disjoint_coefficient": 1.0,
    "compatibility_weight_coefficient": 0.5, "conn_add_prob": 0.4, "conn_delete_prob": 0.2, "node_add_prob": 0.2,
    "node_delete_prob": 0.1, "activation_default": "tanh", "activation_options": "tanh",
    "activation_mutate_rate": 0.0, "aggregation_default": "sum", "aggregation_options": "sum",
    "aggregation_mutate_rate": 0.0, "enabled_default": True, "enabled_mutate_rate": 0.01,
    **{f"bias_{k}": v for k, v in _VALUE.items()}, "bias_init_mean": 0.0, "bias_init_stdev": 1.0,
    "bias_mutate_rate": 0.7,
    **{f"weight_{k}": v for k, v in _VALUE.items()}, "weight_init_mean": 0.0, "weight_init_stdev": 1.0,
    "weight_mutate_rate": 0.8,
    **{f"response_{k}": v for k, v in _VALUE.items()}, "response_init_mean": 1.0, "response_init_stdev": 0.0,
    "response_mutate_rate": 0.0,
}  # fmt: skip
_REST: dict[str, dict[str, Any]] = {
    "DefaultSpeciesSet": {"compatibility_threshold": 3.0},
    "DefaultStagnation": {"species_fitness_func": "max", "max_stagnation": 20, "species_elitism": 2},
    "DefaultReproduction": {"elitism": 2, "survival_threshold": 0.2, "min_species_size": 2},
}


class Neat:
    """Learner: recurrent networks by NEAT, as many lives a generation as the others; a pass is a generation.

    Parameters
    ----------
    habitat : Habitat
    settings : EvolutionSettings
    seed : int

    References
    ----------
    Stanley & Miikkulainen 2002, doi:10.1162/106365602320169811.
    """

    updates = 1

    def __init__(self, habitat: Habitat, settings: EvolutionSettings, seed: int) -> None:
        import neat

        self.habitat, self.settings, self.seed, self._lived = habitat, settings, seed, 0
        self._random = random.Random(seed)
        with _seeded(self._random):
            self._config = configured(settings.population, habitat.body)
            self._population = neat.Population(self._config)
        self.best: Any = None
        self.finished, self._perfect = False, 0

    def epoch(self) -> Iterator[float]:
        """One generation; yields how far the mean return is from the best."""
        s, returns = self.settings, []
        seeds = [TRAIN + self.seed * RANGE + self._lived + i for i in range(s.lives)]
        self._lived += s.lives

        def judge(genomes: Any, config: Any) -> None:
            for _, genome in genomes:
                genome.fitness = float(self._live(genome, seeds)[0].mean())
                returns.append(genome.fitness)

        with _seeded(self._random):
            self.best = self._population.run(judge, 1)
        yield 1.0 - self.habitat.score(np.array(returns))

    def validate(self) -> float:
        """Score of the best genome so far in lives of its own."""
        score = self.habitat.score(self._live(self.best, self._seeds(VALIDATE, self.settings.validated))[0])
        self._perfect = self._perfect + 1 if score >= 1.0 else 0
        self.finished = self._perfect >= ENOUGH
        return score

    def snapshot(self) -> Any:
        """Copy of the genome."""
        return copy.deepcopy(self.best)

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self.best = snapshot

    def test(self) -> Outcome:
        """A hundred lives."""
        started = time.perf_counter()
        returns, actions = self._live(self.best, self._seeds(TEST, TESTED))
        edges = sum(c.enabled for c in self.best.connections.values())
        nodes = len(self.best.nodes)
        operations = Operations(
            macs=float(edges),
            biases=float(nodes),
            activations=float(nodes),
            decodes=float(len(self.habitat.body.actions)),
            weight_reads=float(edges),
            activation_accesses=float(edges + nodes),
            weights=float(edges + nodes),
            activation_words=float(len(self.habitat.body.senses) + 2 * nodes),
        )
        return Outcome(
            score=self.habitat.score(returns),
            operations=operations,
            neurons=nodes,
            synapses=max(1, edges),
            inferences=actions.size,
            wall_s=time.perf_counter() - started,
            predictions=actions,
            notes={"mean_return": float(returns.mean())},
        )

    def _seeds(self, first: int, lives: int) -> list[int]:
        return [first + self.seed * RANGE + i for i in range(lives)]

    def _live(self, genome: Any, seeds: list[int]) -> tuple[Any, Any]:
        """Returns (lives,) and all actions, decision after decision."""
        import neat

        world, returns = self.habitat.start(seeds), np.zeros(len(seeds))
        networks = [neat.nn.RecurrentNetwork.create(genome, self._config) for _ in seeds]
        alive, actions = np.arange(len(seeds)), []
        while len(alive):
            seen = world.senses()
            chosen = np.array([int(np.argmax(networks[i].activate(list(x)))) for i, x in zip(alive, seen, strict=True)])
            rewards, over = world.act(chosen)
            returns[alive] += rewards
            actions.append(chosen)
            if over.any():
                world.keep(~over)
                alive = alive[~over]
        return returns, np.concatenate(actions)


def configured(population: int, body: Body) -> Any:
    """Configuration of neat-python, which reads it from a file."""
    import neat

    whole = {
        "NEAT": {
            "fitness_criterion": "max",
            "fitness_threshold": 1e9,
            "pop_size": population,
            "reset_on_extinction": True,
            "no_fitness_termination": True,
        },
        "DefaultGenome": {**_GENOME, "num_inputs": len(body.senses), "num_outputs": len(body.actions)},
        **_REST,
    }
    parser = configparser.ConfigParser()
    parser.read_dict({name: {k: str(v) for k, v in part.items()} for name, part in whole.items()})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "neat.cfg"
        with path.open("w") as file:
            parser.write(file)
        kinds = neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation
        return neat.Config(*kinds, str(path))


class _seeded:
    """Python's global random numbers, which neat-python draws from, taken from `own` for a while."""

    def __init__(self, own: random.Random) -> None:
        self._own = own

    def __enter__(self) -> None:
        self._before = random.getstate()
        random.setstate(self._own.getstate())

    def __exit__(self, *error: object) -> None:
        self._own.setstate(random.getstate())
        random.setstate(self._before)

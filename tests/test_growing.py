"""Networks that develop: the world they forage in, their growth, and the core that repeats their decisions."""

from __future__ import annotations

import dataclasses
import io
import random

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("snntorch")
pytest.importorskip("cma")

from baselines.families import lndp
from baselines.growing.core import replayed, watched
from baselines.growing.evolution import EvolutionSettings, Evolved, development
from baselines.growing.foraging import BEST, MEALS, STEPS, Foraging
from baselines.growing.genome import MOTORS, NODES, SENSORS, SIZE, allowed, express, gated
from baselines.growing.network import ITERATIONS, Colony
from baselines.runner import agreement

SMALL = EvolutionSettings(seeds=1, epochs=2, steps=ITERATIONS, population=6)


def genomes(k: int, size: float = 1.0) -> np.ndarray:
    return np.repeat(size * np.random.default_rng(3).standard_normal((1, SIZE)), k, axis=0)


def test_one_way_eats_five_meals_or_none_and_knowing_eats_all() -> None:
    world = Foraging([0, 1])
    for _ in range(STEPS):
        world.act(np.zeros(2, np.int64))
    assert world.meals.tolist() == [MEALS, 0]
    world = Foraging([0, 1])
    for _ in range(STEPS):
        world.act(world.right.astype(np.int64))
    assert world.meals.tolist() == [BEST, BEST]


def test_senses_tell_the_ends_and_the_meal() -> None:
    world = Foraging([0, 1])
    assert world.senses().tolist() == [[0, 0, 0, 1]] * 2
    world.act(np.array([0, 0]))
    assert world.act(np.array([0, 0])).tolist() == [1.0, 0.0]
    assert world.senses().tolist() == [[0, 0, 1, 1], [1, 0, 0, 1]]


def test_genes_use_every_number_once() -> None:
    genes = express(np.arange(SIZE, dtype=float)[None])
    assert sorted(np.concatenate([g.ravel() for g in genes.values()])) == list(range(SIZE))


def test_gated_unit_is_the_textbook_one(rng) -> None:
    torch = pytest.importorskip("torch")
    x, h, weights = rng.normal(size=(1, 5, 3)), rng.normal(size=(1, 5, 2)), rng.normal(size=(1, 6, 6))
    reset, keep, new = (torch.from_numpy(weights[0, :, 2 * i : 2 * i + 2]) for i in range(3))
    one = np.ones((5, 1))
    both = torch.from_numpy(np.concatenate([x[0], h[0], one], axis=1))
    r, z = torch.sigmoid(both @ reset), torch.sigmoid(both @ keep)
    n = torch.tanh(torch.cat([both[:, :3], r * both[:, 3:5], both[:, 5:]], 1) @ new)
    expected = z * both[:, 3:5] + (1 - z) * n
    np.testing.assert_allclose(gated(x, h, weights)[0], expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("spiking", [False, True])
def test_edges_stay_where_they_may_be_and_lives_repeat_themselves(spiking) -> None:
    colonies = [Colony(genomes(4), range(4), spiking) for _ in range(2)]
    lives = [colony.live() for colony in colonies]
    np.testing.assert_array_equal(lives[0].actions, lives[1].actions)
    mask = allowed()
    assert not mask[:, SENSORS].any() and not mask[SENSORS, MOTORS].any() and not mask.diagonal().any()
    assert not colonies[0].there[:, ~mask].any() and not colonies[0].edge[~colonies[0].there].any()
    alone = Colony(genomes(1), [2], spiking).live()
    np.testing.assert_array_equal(alone.actions[:, 0], lives[0].actions[:, 2])  # the same alone and beside others


def test_only_plastic_networks_change_after_birth() -> None:
    fixed, plastic = (Colony(genomes(3), range(3), False, plastic=p).live(keep=True) for p in (False, True))
    assert all(np.array_equal(w, fixed.weights[0]) for w in fixed.weights)
    assert not np.array_equal(plastic.weights[0], plastic.weights[-1])
    assert fixed.grown == fixed.pruned == 0


def test_spontaneous_activity_changes_who_is_born() -> None:
    loud, quiet = (Colony(genomes(2), range(2), False, spontaneous=s) for s in (True, False))
    loud.live()
    quiet.live()
    assert not np.array_equal(loud.node, quiet.node)


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_the_core_decides_and_fires_as_the_twin_did(engine) -> None:
    life = Colony(genomes(6), range(6), True).live(keep=True)
    done: list[int] = []
    found = replayed(life, engine, 1, done.append)
    np.testing.assert_array_equal(found.outputs, life.actions.T.reshape(-1))
    assert found.neuron_spikes == life.spikes > 100 and found.input_spikes == life.sensed
    assert found.synaptic_events == life.events and sum(done) == STEPS * 6
    assert {name: s.n for name, s in watched(life, engine).items()} == {"input": 4, "nodes": NODES - 4}


def test_evolution_improves_and_both_sides_can_be_compared() -> None:
    settings = dataclasses.replace(SMALL, population=16)
    learner = lndp.lndp(None, settings, 0)
    losses = [loss for _ in range(12) for loss in learner.epoch()]
    assert min(losses[-4:]) < losses[0]
    twin = lndp.spiking(None, settings, 0)
    twin.genome = genomes(1)[0]
    tested, replay = twin.test(), twin.replay("event", 1, lambda n: None)
    found = agreement(tested, replay)
    assert found["equal"] == found["inferences"] == tested.inferences
    assert found["spikes_torch"] == found["spikes_core"] > 0
    assert replay.score == tested.score and replay.operations.macs == tested.operations.macs > 0


def test_lives_are_drawn() -> None:
    twin = lndp.spiking(None, SMALL, 0)
    outcome = twin.test()
    file = io.BytesIO()
    (gallery,) = lndp.FAMILY.galleries
    gallery.draw(None, {"ann": outcome, "replay": outcome})(file)
    assert file.getvalue().startswith(b"\x89PNG")


def test_parts_of_development_are_judged_by_their_seeds() -> None:
    def seed(own, fixed):
        return {"ann": {"score": own}, "others": {"fixed": {"ann": {"score": fixed}}}}

    (few,) = lndp.judge({"per_seed": [seed(0.5, 0.2)]})
    assert few == "Rewiring in life: 50.0% of the meals with, 20.0% without; too few seeds for a test."
    (helps,) = lndp.judge({"per_seed": [seed(0.5 + i / 100, 0.2 + i / 100) for i in range(5)]})
    assert "; helps (5 seeds, rank test p = 0.004)." in helps
    (level,) = lndp.judge({"per_seed": [seed(0.2 + i / 100, 0.2 + i / 100) for i in range(5)]})
    assert "; NOT shown to help (5 seeds" in level


def test_development_costs_more_with_more_edges_and_nothing_where_it_ended() -> None:
    assert development(20.0) > development(10.0) > 0
    fixed = Evolved(SMALL, 0, plastic=False)
    fixed.genome = genomes(1)[0]
    outcome = fixed.test()
    assert outcome.operations.macs == pytest.approx(ITERATIONS * outcome.synapses, rel=0.1)


def test_neat_learns_and_leaves_the_random_numbers_alone() -> None:
    pytest.importorskip("neat")
    random.seed(7)
    expected = random.random()
    random.seed(7)
    found = [lndp.neat(None, dataclasses.replace(SMALL, population=20), 1) for _ in range(2)]
    losses = [[loss for _ in range(4) for loss in one.epoch()] for one in found]
    assert random.random() == expected and losses[0] == losses[1]
    outcome = found[0].test()
    assert outcome.inferences == 100 * STEPS and outcome.score == found[0].validate()

"""Networks that develop: the worlds they live in, their growth, and the core that repeats their decisions."""

from __future__ import annotations

import dataclasses
import io
import random

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("snntorch")
pytest.importorskip("cma")

from baselines.errors import TrainingError
from baselines.families import lndp
from baselines.growing.core import Lives, replayed, watched
from baselines.growing.division import PLACES, Seedling, dividing
from baselines.growing.evolution import EvolutionSettings, Evolved, development
from baselines.growing.foraging import BEST, MEALS, STEPS, Foraging
from baselines.growing.genome import gated
from baselines.growing.network import DEVELOPMENT, FADE, PASSES, Colony, Life, sensed
from baselines.growing.physics import GAIN
from baselines.growing.worlds import FORAGING, Habitat, habitat_of
from baselines.seeds import agreement
from baselines.tasks import TASKS

BODY = FORAGING.body
SMALL = EvolutionSettings(seeds=1, epochs=2, steps=4, population=6)
WORLDS = ("foraging", "cartpole", "acrobot", "pendulum")


def genomes(k: int, habitat: Habitat = FORAGING, seed: int = 3) -> np.ndarray:
    return np.repeat(np.random.default_rng(seed).standard_normal((1, habitat.body.size)), k, axis=0)


def world_of(name: str) -> Habitat:
    if name != "foraging":
        pytest.importorskip("gymnasium")
    return habitat_of(TASKS[name].load())


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
    assert world.act(np.array([0, 0]))[0].tolist() == [1.0, 0.0]
    assert world.senses().tolist() == [[0, 0, 1, 1], [1, 0, 0, 1]]


@pytest.mark.parametrize("name", WORLDS[1:])
def test_worlds_are_those_of_gymnasium_step_by_step(name) -> None:
    habitat, task = world_of(name), TASKS[name].load()
    seeds, rng = [3, 4, 5], np.random.default_rng(0)
    world, ended = habitat.start(seeds), 0
    ones = [task.make() for _ in seeds]
    shown = [np.asarray(one.reset(seed=seed)[0], float) for one, seed in zip(ones, seeds, strict=True)]
    for _ in range(60):
        seen = world.senses()
        np.testing.assert_allclose(
            seen[:, :-1:2] - seen[:, 1:-1:2], np.clip(GAIN * np.stack(shown) / task.scale, -1, 1), atol=2e-6
        )
        assert (seen[:, -1] == 1).all() and (seen >= 0).all()
        actions = rng.integers(task.actions, size=len(ones))
        rewards, over = world.act(actions)
        told = [one.step(int(a)) for one, a in zip(ones, actions, strict=True)]
        np.testing.assert_allclose(rewards, [t[1] for t in told], rtol=1e-6)
        assert over.tolist() == [t[2] or t[3] for t in told]
        world.keep(~over)
        ones = [one for one, gone in zip(ones, over, strict=True) if not gone]
        shown = [np.asarray(t[0], float) for t, gone in zip(told, over, strict=True) if not gone]
        ended += over.sum()
        if not ones:
            break
    assert ended == (3 if name == "cartpole" else 0)


def test_senses_fire_as_often_as_they_are_strong() -> None:
    trains = sensed(np.array([[0.0, 0.1, 0.4, 0.5, 1.0]]), 4)
    assert trains.sum(0).tolist() == [[0, 0, 2, 2, 4]] and set(np.unique(trains)) == {0.0, 1.0}


@pytest.mark.parametrize("name", WORLDS)
def test_genes_use_every_number_once(name) -> None:
    body = world_of(name).body
    genes = body.express(np.arange(body.size, dtype=float)[None])
    assert sorted(np.concatenate([g.ravel() for g in genes.values()])) == list(range(body.size))


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


def test_edges_lie_where_they_may() -> None:
    first, last, (before, after) = BODY.sensors.stop, BODY.motors.start, BODY.pairs
    assert (after >= first).all() and (before < last).all() and (before != after).all()
    assert not ((before < first) & (after >= last)).any()
    assert len(before) == 4 * 4 + 4 * 3 + 4 * 2
    assert BODY.dense(np.ones((1, len(before)))).sum() == len(before)


@pytest.mark.parametrize("spiking", [False, True])
@pytest.mark.parametrize("name", ["foraging", "cartpole"])
def test_lives_repeat_themselves_alone_and_beside_others(name, spiking) -> None:
    habitat = world_of(name)
    first, again = (Colony(habitat, genomes(4, habitat), range(4), spiking).live() for _ in range(2))
    np.testing.assert_array_equal(first.chosen, again.chosen)
    alone = Colony(habitat, genomes(1, habitat), [2], spiking).live()
    beside = [a[list(alive).index(2)] for a, alive in zip(first.actions, first.alive, strict=True) if 2 in alive]
    np.testing.assert_array_equal(alone.chosen, beside)
    assert alone.returns[0] == pytest.approx(first.returns[2])


def test_only_plastic_networks_change_after_birth() -> None:
    fixed, plastic = (Colony(FORAGING, genomes(3), range(3), False, plastic=p).live(keep=True) for p in (False, True))
    assert all(np.array_equal(w, fixed.weights[0]) for w in fixed.weights)
    assert not np.array_equal(plastic.weights[0], plastic.weights[-1])
    assert fixed.grown == fixed.pruned == 0


def test_without_development_a_network_is_born_as_its_genes_draw_it() -> None:
    drawn, grown = (Colony(FORAGING, genomes(2), range(2), False, developed=d) for d in (False, True))
    node, there = drawn.node.copy(), drawn.there.copy()
    assert np.array_equal(node, grown.node) and np.array_equal(there, grown.there)
    drawn.grow_up()
    grown.grow_up()
    assert np.array_equal(drawn.node, node) and np.array_equal(drawn.there, there)
    assert not np.array_equal(grown.node, node)


def test_genes_tell_actions_apart_but_senses_only_where_all_nodes_are_named() -> None:
    cartpole = world_of("cartpole")
    for habitat, known in ((FORAGING, BODY.motors), (cartpole, slice(None)), (dividing(FORAGING), slice(None))):
        born = Colony(habitat, genomes(2, habitat), [4, 5], False)
        same = (born.node[0] == born.node[1]).all(axis=1)
        assert same[known].all() and same.sum() == len(same[known])
        assert np.abs(born.node[:, ~same]).max(initial=0.0) <= 1.0


def test_every_sense_walks_at_random_about_a_mean_of_its_own(monkeypatch) -> None:
    colony, seen = Colony(FORAGING, genomes(1), [0], False), []
    colony.genes["spontaneous"] = np.array([[[0.2, 0.9, -1.0, 2.0], [40.0] * 4, [0.0, 0.0, 0.0, 0.5]]])
    monkeypatch.setattr(colony, "develop", lambda active, reward: seen.append(active[0, BODY.sensors]))
    colony.grow_up()
    np.testing.assert_allclose(np.array(seen)[:, :3], [[0.2, 0.9, 0.0]] * len(seen))
    assert len(seen) == DEVELOPMENT and len({walked[3] for walked in seen}) > 1


def test_spontaneous_activity_changes_who_is_born() -> None:
    loud, quiet = (Colony(FORAGING, genomes(2), range(2), False, spontaneous=s) for s in (True, False))
    loud.grow_up()
    quiet.grow_up()
    assert not np.array_equal(loud.node, quiet.node)


@pytest.mark.parametrize("name", ["foraging", "cartpole"])
def test_nodes_divide_before_birth_and_then_nothing_changes(name) -> None:
    habitat = dividing(world_of(name))
    body, genes = habitat.body, np.random.default_rng(1).standard_normal((4, habitat.body.size))
    seedling = Seedling(habitat, genes, range(4), False)
    outside = len(body.senses) + len(body.actions)
    assert seedling.size() == outside + 1 and body.nodes == outside + PLACES
    life = Seedling(habitat, genes, range(4), False).live(keep=True)
    assert outside + 1 < life.nodes <= body.nodes and not life.plastic
    assert life.grown == life.pruned == 0
    np.testing.assert_array_equal(life.weights[-1], life.weights[0][life.alive[-1]])
    seedling.grow_up()
    before, after = body.pairs
    assert not seedling.there[~(seedling.born[:, before] & seedling.born[:, after])].any()
    assert not seedling.node[~seedling.born].any()


def test_a_child_has_the_edges_of_its_parent_and_one_from_it() -> None:
    habitat = dividing(FORAGING)
    body = habitat.body
    seedling = Seedling(habitat, np.zeros((1, body.size)), [0], False)
    parent = body.sensors.stop
    seedling.genes["divide"][:, -1] = 5.0  # everyone who can
    seedling.genes["child"][:, -1] = 0.3
    there, edge = (table[0].copy() for table in seedling._matrices())
    seedling._divide()
    now, states = (table[0] for table in seedling._matrices())
    assert seedling.size() == len(body.senses) + len(body.actions) + 2
    np.testing.assert_array_equal(now[: parent + 1, : parent + 1], there[: parent + 1, : parent + 1])
    np.testing.assert_array_equal(now[:parent, parent + 1], there[:parent, parent])
    np.testing.assert_array_equal(states[parent + 1, body.motors], edge[parent, body.motors])
    assert now[parent, parent + 1] and not now[parent + 1, parent + 1]
    np.testing.assert_allclose(seedling.node[0, parent + 1], np.tanh(0.3))
    for _ in range(PLACES):
        seedling._divide()
    assert seedling.born.all()


def test_traces_fade_and_reach_the_rule_of_edges_of_the_twin_alone() -> None:
    for spiking in (True, False):
        with_trace, without = (Colony(FORAGING, genomes(1), [0], spiking) for _ in range(2))
        with_trace.trace += 1.0
        active = np.zeros((1, BODY.nodes))
        for colony in (with_trace, without):
            colony.there[:] = True
            colony.develop(active, np.zeros(1))
        np.testing.assert_array_equal(with_trace.trace, np.full((1, BODY.nodes), FADE))
        assert np.array_equal(with_trace.edge, without.edge) != spiking


@pytest.mark.parametrize(("name", "engine"), [("foraging", "event"), ("foraging", "grid"), ("cartpole", "event")])
def test_the_core_decides_and_fires_as_the_twin_did(name, engine) -> None:
    habitat = world_of(name)
    life = Colony(habitat, 2 * genomes(6, habitat), range(6), True, steps=4).live(keep=True)
    done: list[int] = []
    found = replayed(life, habitat.body, 4, engine, 1, done.append)
    np.testing.assert_array_equal(found.outputs, life.chosen)
    assert found.neuron_spikes == life.spikes > 20 and found.input_spikes == life.sensed
    assert found.synaptic_events == life.events and sum(done) == life.decisions
    most = 4 * life.decisions * (habitat.body.nodes - len(habitat.body.senses))
    assert 0 < found.neuron_updates <= most and (found.neuron_updates == most) == (engine == "grid")
    sizes = {"input": len(habitat.body.senses), "nodes": habitat.body.nodes - len(habitat.body.senses)}
    assert {n: s.n for n, s in watched(life, habitat.body, 4, engine).items()} == sizes


def test_evolution_improves_and_both_sides_can_be_compared() -> None:
    settings = dataclasses.replace(SMALL, population=16)
    learner = lndp.lndp(FORAGING, settings, 0)
    losses = [loss for _ in range(12) for loss in learner.epoch()]
    assert min(losses[-4:]) < losses[0]
    twin = lndp.spiking(FORAGING, settings, 0)
    twin.genome = genomes(1)[0]
    tested, replay = twin.test(), twin.replay("event", 1, lambda n: None)
    found = agreement(tested, replay)
    assert found["equal"] == found["inferences"] == tested.inferences
    assert found["spikes_torch"] == found["spikes_core"] > 0
    assert replay.score == tested.score and replay.operations.macs == tested.operations.macs > 0


def test_a_task_that_is_solved_thrice_in_a_row_is_not_learned_any_further(monkeypatch) -> None:
    learner, returns = Evolved(FORAGING, SMALL, 0), [30.0, 29.0, 30.0, 30.0, 30.0]
    monkeypatch.setattr(learner, "_live", lambda *a: Life(np.array([returns.pop(0)])))
    found = [(learner.validate(), learner.finished) for _ in range(5)]
    assert [done for _, done in found] == [False] * 4 + [True] and found[1][0] < 1.0


def test_synapses_of_the_core_come_go_and_change_with_those_of_the_twin() -> None:
    life = Colony(FORAGING, 2 * genomes(3, seed=22), range(3), True, steps=4).live(keep=True)
    assert life.grown > 100 and life.pruned > 100
    lives = Lives(life, BODY, 4, "event", 1)
    tables = []
    for _ in lives.membranes(lambda n: None):
        found = [lives.simulation.weights(p.name) for p in lives.simulation.network.projections]
        tables.append(sorted(np.concatenate([w for _, _, w in found])))
    for weights, table in zip(life.weights, tables, strict=True):
        np.testing.assert_array_equal(table, np.sort(weights[weights != 0]))
    assert len({len(table) for table in tables}) > 10
    lives.close()


def test_lives_that_are_no_numbers_are_reported(monkeypatch) -> None:
    learner = Evolved(FORAGING, SMALL, 0)
    monkeypatch.setattr(Colony, "live", lambda self: Life(np.full(self.k, np.nan)))
    with pytest.raises(TrainingError, match="diverged"):
        list(learner.epoch())


def test_lives_are_drawn() -> None:
    twin = lndp.spiking(FORAGING, SMALL, 0)
    outcome = twin.test()
    file = io.BytesIO()
    (gallery,) = lndp.FAMILY.galleries
    gallery.draw(FORAGING, {"ann": outcome, "replay": outcome})(file)
    assert file.getvalue().startswith(b"\x89PNG")


def test_parts_of_development_are_judged_by_their_seeds() -> None:
    def seed(own, fixed):
        return {"ann": {"score": own}, "others": {"fixed": {"ann": {"score": fixed}}}}

    (few,) = lndp.judge({"per_seed": [seed(0.5, 0.2)]})
    assert few == "Rewiring in life: 50.0% with, 20.0% without; too few seeds for a test."
    (helps,) = lndp.judge({"per_seed": [seed(0.5 + i / 100, 0.2 + i / 100) for i in range(5)]})
    assert "; helps (5 seeds, rank test p = 0.004)." in helps
    sides = {"ann": {"development_macs": 7000.0, "macs": 7160.0, "synapses": 40, "synaptic_events": 0.0}}
    sides["replay"] = {"development_macs": 6000.0, "macs": 6000.0, "synapses": 30, "synaptic_events": 35.0}
    _, paid = lndp.judge({"per_seed": [seed(0.5, 0.2)], **sides})
    assert "7,160" in paid and "6,035" in paid and "(40 and 30)" in paid and "160 products" in paid
    (level,) = lndp.judge({"per_seed": [seed(0.2 + i / 100, 0.2 + i / 100) for i in range(5)]})
    assert "; NOT shown to help (5 seeds" in level


def test_development_costs_more_with_more_edges_and_nothing_where_it_ended() -> None:
    assert development(20.0, BODY) > development(10.0, BODY) > 0
    fixed = Evolved(FORAGING, SMALL, 0, plastic=False)
    fixed.genome = genomes(1)[0]
    outcome = fixed.test()
    assert outcome.operations.macs == pytest.approx(PASSES * outcome.synapses, rel=0.1)


def test_neat_learns_and_leaves_the_random_numbers_alone() -> None:
    pytest.importorskip("neat")
    random.seed(7)
    expected = random.random()
    random.seed(7)
    found = [lndp.neat(FORAGING, dataclasses.replace(SMALL, population=20), 1) for _ in range(2)]
    losses = [[loss for _ in range(4) for loss in one.epoch()] for one in found]
    assert random.random() == expected and losses[0] == losses[1]
    outcome = found[0].test()
    assert outcome.inferences == 100 * STEPS and outcome.score == pytest.approx(found[0].validate())

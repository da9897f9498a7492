"""Learning to act: environments in step, Q-learning by table and by network, the spiking twin as the core plays it."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("snntorch")
pytest.importorskip("sklearn")
pytest.importorskip("gymnasium")

from baselines.contract import Control  # noqa: E402
from baselines.control import tabular  # noqa: E402
from baselines.control.animation import episode_gif  # noqa: E402
from baselines.control.dqn import DQN, DQNSettings  # noqa: E402
from baselines.control.episodes import play  # noqa: E402
from baselines.control.memory import Memory  # noqa: E402
from baselines.control.reward import Places, RewardAgent  # noqa: E402
from baselines.control.spiking import Fields  # noqa: E402
from baselines.errors import TrainingError  # noqa: E402
from baselines.families import dqn  # noqa: E402
from baselines.lowering import Blueprint  # noqa: E402
from baselines.replay import Replayed, answer_by  # noqa: E402
from baselines.seeds import agreement  # noqa: E402
from baselines.spiking import Leaky, Membrane  # noqa: E402
from baselines.tasks import TASKS  # noqa: E402

SMALL = DQNSettings(
    epochs=3,
    steps=4,
    hidden=16,
    hidden_ann=16,
    pass_steps=200,
    warmup=100,
    worlds=4,
    batch_size=16,
    fields=5,
    gain=10.0,
)


class Corridor:
    """Five places in a row; the right end pays 1 and ends the episode, the left end only ends it."""

    def reset(self, seed=None):
        self.at = 2
        return np.array([0.0]), {}

    def step(self, action):
        self.at += 1 if action else -1
        return np.array([self.at - 2.0]), float(self.at == 4), self.at in (0, 4), False, {}

    def close(self):
        pass


CORRIDOR = Control("corridor", Corridor, np.array([2.0], np.float32), 2, 20, 0.0, 1.0)


# --- episodes and memory -------------------------------------------------------------------------------------------


def test_episodes_in_step_are_the_episodes_one_by_one() -> None:
    task = TASKS["cartpole"].load()

    def lean(seen):
        return (seen[:, 2] + seen[:, 3] > 0).astype(np.int64)

    ended = []
    together = play(task, lean, [3, 4, 5], ended.append)
    alone = [play(task, lean, [seed]) for seed in (3, 4, 5)]
    assert together.returns.tolist() == [one.returns[0] for one in alone] == together.lengths.tolist()
    assert sum(ended) == 3 and len(together.actions) == together.returns.sum()
    for i, one in enumerate(alone):
        np.testing.assert_array_equal(together.observations[together.episode == i], one.observations)
    assert task.score(np.array([500.0, 250.0])) == 0.75


def test_memory_forgets_the_oldest_and_knows_final_states() -> None:
    memory = Memory(3, 1, (0,))
    for k in range(5):
        memory.add(np.array([k], np.float32), k, float(k), np.array([k + 1], np.float32), k == 4)
    batch = memory.draw(200)
    assert len(memory) == 3 and sorted(set(batch.action.tolist())) == [2, 3, 4]
    assert torch.equal(batch.next[:, 0], batch.seen[:, 0] + 1)
    assert torch.equal(batch.goes_on == 0, batch.action == 4)


# --- by table ------------------------------------------------------------------------------------------------------


def test_value_iteration_and_success_on_the_lake() -> None:
    found = tabular.lake("4x4")
    np.testing.assert_allclose(found.move.sum(axis=2), 1.0)
    best = tabular.value_iteration(found).argmax(axis=1)
    assert tabular.success(found, best) == pytest.approx(14 / 17)  # known of this map
    world = tabular.make("FrozenLake-v1", map_name="4x4", is_slippery=True, max_episode_steps=2000)
    reached = 0.0
    for seed in range(400):
        state, over = world.reset(seed=seed)[0], False
        while not over:
            state, reward, ended, cut, _ = world.step(int(best[state]))
            over = ended or cut
        reached += reward
    assert reached / 400 == pytest.approx(14 / 17, abs=0.06)


@pytest.mark.parametrize("double", [False, True])
def test_table_converges_to_the_best_values(double) -> None:
    found = tabular.lake("4x4")
    best = tabular.value_iteration(found, 0.9)
    errors = [np.abs(tabular.learn(found, sweeps, 0, double, 0.9) - best).max() for sweeps in (30, 300, 10_000)]
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.03


# --- by network ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("double", [False, True])
def test_q_network_learns_the_corridor_and_its_discounted_values(double) -> None:
    settings = dataclasses.replace(SMALL, epochs=6, double=double, follow=0.05, explore=0.8, gamma=0.8)
    learner = dqn.ann(CORRIDOR, dataclasses.replace(settings, lr_ann=5e-3), 0)
    for _ in range(settings.epochs):
        for _ in learner.epoch():
            pass
    assert learner.validate() == 1.0
    with torch.no_grad():
        values = learner.values(torch.tensor([[0.0], [0.5]]))
    assert values[0, 1].item() == pytest.approx(0.8, abs=0.05) and values[1, 1].item() == pytest.approx(1.0, abs=0.05)


def test_double_learning_values_what_the_network_chooses() -> None:
    learner = DQN(lambda: torch.nn.Linear(1, 2), CORRIDOR, SMALL, 0, 1e-3)
    learner._memory.add(np.array([1.0], np.float32), 1, 0.5, np.array([1.0], np.float32), False)
    batch = learner._memory.draw(1)
    with torch.no_grad():
        for module, weights in ((learner.module, (1.0, 2.0)), (learner.target, (7.0, 3.0))):
            module.weight.copy_(torch.tensor(weights)[:, None])
            module.bias.zero_()
    assert learner._wanted(batch).item() == pytest.approx(0.5 + 0.99 * 3.0)
    learner.settings = dataclasses.replace(SMALL, double=False)
    assert learner._wanted(batch).item() == pytest.approx(0.5 + 0.99 * 7.0)


def test_diverging_values_are_an_error() -> None:
    learner = dqn.ann(CORRIDOR, dataclasses.replace(SMALL, lr_ann=1e3), 0)
    with pytest.raises(TrainingError, match=r"Q-learning diverged at update \d+ .* lower the learning rate"):
        [list(learner.epoch()) for _ in range(3)]


# --- spiking -------------------------------------------------------------------------------------------------------


def test_fields_fire_as_often_as_their_drive_says() -> None:
    fields = Fields(2, 5, 10)
    x = torch.tensor([[0.0, -3.0], [0.3, 0.9]])
    counts = fields(x).sum(0).reshape(2, 2, 5)
    drive = torch.exp(-0.5 * ((x.clamp(-1, 1)[..., None] - torch.linspace(-1, 1, 5)) / 0.5) ** 2)
    assert (counts - 10 * drive).abs().max() <= 0.5 + 1e-4
    assert counts[0, 1, 0] == 10 and set(fields(x).unique().tolist()) == {0.0, 1.0}


def test_training_neurons_are_snntorchs_bit_for_bit() -> None:
    generator = torch.Generator().manual_seed(1)
    x, weight = torch.randn(9, 7, 20, generator=generator) * 0.5 + 0.3, torch.randn(9, 7, 20, generator=generator)
    found = []
    for training in (True, False):
        neuron, currents = Leaky(0.9, 1.2).train(training), x.clone().requires_grad_()
        spikes = neuron(currents)
        (spikes * weight).sum().backward()
        found.append((spikes.detach(), currents.grad))
    assert torch.equal(found[0][0], found[1][0]) and found[0][0].sum() > 50
    assert torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("beta", [1.0, 0.8])
def test_membranes_that_never_fire_hold_the_same_in_the_core(engine, beta) -> None:
    task, settings = TASKS["cartpole"].load(), SMALL
    learner = dqn.twin(task, settings, 0)
    learner.module.neurons["output"] = Membrane(beta)
    seen = np.random.default_rng(2).uniform(-1, 1, (3, 4)).astype(np.float32)
    blueprint = Blueprint(learner.module.eval(), learner._shapes())
    with torch.no_grad():
        held = learner.module(torch.from_numpy(seen))["output"]
    total = Replayed(np.empty((0, 0), np.int64))
    for k in (1, 3):
        network = blueprint.network(learner._stimuli(seen[:k]))
        found = answer_by(total, network, k, settings.steps * 1.0, engine, 1)
        np.testing.assert_allclose(found, held[-1, :k].numpy(), atol=1e-5)
    assert total.input_spikes > 0 and total.spikes["output"] == 0


def test_twin_plays_in_the_core_as_in_torch() -> None:
    task = TASKS["cartpole"].load()
    learner = dqn.twin(task, dataclasses.replace(SMALL, replayed=4), 0)
    losses = [loss for _ in range(2) for loss in learner.epoch()]
    assert len(losses) > 100 and all(np.isfinite(losses))
    tested, done = learner.test(), []
    replayed = learner.replay("event", 1, done.append)
    found = agreement(tested, replayed)
    assert found["equal"] == found["inferences"] == len(replayed.predictions) and sum(done) == 4
    assert found["spikes_torch"] == found["spikes_core"] > 0
    assert replayed.operations.updates > 0 and tested.operations.macs > tested.skipping.macs
    assert {p["threshold"] for p in tested.curve} == {0.75, 1.0, 1.5, 2.0}
    assert replayed.notes["mean_return"] == pytest.approx(500 * replayed.score)
    file = io.BytesIO()
    replayed.example.animation(file)
    assert file.getvalue()[:6] in (b"GIF87a", b"GIF89a")


def test_episodes_nobody_can_draw_have_no_animation() -> None:
    assert episode_gif(CORRIDOR, np.zeros((2, 1), np.float32), np.zeros((2, 2), np.float32), 1.0) is None


# --- reward in the core --------------------------------------------------------------------------------------------


def test_places_are_the_boxes_of_1983() -> None:
    places = Places(TASKS["cartpole"].load())
    assert places.n == 162
    seen = np.array([[0.0, 0.0, 0.0, 0.0], [2.4, 3.0, 0.21, 3.0], [-2.4, -3.0, -0.21, -3.0]], np.float32)
    seen /= TASKS["cartpole"].load().scale
    assert len(set(places.of(seen).tolist())) == 3 and places.of(seen)[2] == 0


def test_the_stronger_synapse_acts_and_rewards_change_it() -> None:
    agent = RewardAgent(CORRIDOR, SMALL, 0)
    assert agent.places.n == 3
    agent.weights = np.array([[0.2, 0.6], [0.9, 0.1], [0.5, 0.51]])
    assert agent.policy().tolist() == [1, 0, 1]
    agent.weights[:] = 0.5
    for _ in range(3):
        for error in agent.epoch():
            assert np.isfinite(error)
    assert (
        agent.weights[2, 1] > 0.5
        and agent.weights[1, 1] > agent.weights[1, 0]
        and ((agent.weights >= 0) & (agent.weights <= 1)).all()
    )
    kept = agent.snapshot()
    agent.weights[:] = 0.0
    agent.restore(kept)
    assert agent.validate() == 1.0
    outcome = agent.test()
    assert outcome.score == 1.0 and outcome.inferences == 200
    assert outcome.operations.synaptic_events == 2.0 + 1.0  # a place to two actions, the winner to the other


@pytest.mark.parametrize("build", [dqn.ann, dqn.twin, RewardAgent])
def test_every_agent_takes_up_acrobot(build) -> None:
    task = TASKS["acrobot"].load()
    learner = build(task, dataclasses.replace(SMALL, pass_steps=200), 0)
    assert all(np.isfinite(loss) for loss in learner.epoch())
    kept = learner.snapshot()
    short = task._replace(horizon=5)  # nobody gets there in five steps
    learner.task = short
    assert learner.validate() == pytest.approx(0.99)
    learner.restore(kept)

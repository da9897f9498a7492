"""Reward-modulated plasticity against its closed form, a plain reference, and itself however a run is split."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from spikesim import LIF, FixedProbability, Network, Neuron, PoissonInput, Population, Projection, Simulation
from spikesim.errors import ParameterError
from spikesim.plasticity import PairSTDP, RewardSTDP, drive

RULE = RewardSTDP(a_plus=0.1, a_minus=0.12, tau_c=800.0, tau_d=150.0, w_max=1.0)


def test_a_late_reward_by_its_closed_form() -> None:
    change = drive(RULE, [10.0], [15.0], t_stop=1e5, rewards=[(1500.0, 0.5)])[-1] - 0.5
    left = 0.1 * math.exp(-5.0 / 20.0) * math.exp(-1485.0 / 800.0)  # of the eligibility when the reward comes
    assert change == pytest.approx(0.5 * left * 800.0 / (800.0 + 150.0), rel=1e-12)
    assert drive(RULE, [10.0], [15.0], t_stop=1e5)[-1] == 0.5
    assert drive(RULE, [10.0], [15.0], t_stop=1e5, rewards=[(9.0, 0.0)])[-1] == 0.5


def test_the_area_under_both_by_quadrature() -> None:
    rewards = [(30.0, 1.0), (400.0, -0.7), (900.0, 0.9)]
    rule = RewardSTDP(a_plus=0.2, tau_c=500.0, tau_d=100.0, baseline=2e-4)

    def modulator(t: float) -> float:
        return 2e-4 + sum(a / 100.0 * math.exp(-(t - s) / 100.0) for s, a in rewards if t >= s)

    pieces = zip([20.0, 30.0, 400.0, 900.0], [30.0, 400.0, 900.0, 2000.0], strict=True)
    area = sum(quad(lambda t: modulator(t) * math.exp(-(t - 20.0) / 500.0), a, b, epsabs=1e-13)[0] for a, b in pieces)
    got = drive(rule, [10.0], [20.0], t_stop=2000.0, rewards=rewards)[-1] - 0.5
    assert got == pytest.approx(0.2 * math.exp(-0.5) * area, rel=1e-10)


def reference(
    rule: RewardSTDP,
    pre: list[float],
    post: list[float],
    rewards: list[tuple[float, float]],
    w: float,
    source_first: bool,
) -> float:
    """All spikes and rewards in order of time, everything moved from one to the next."""
    x = y = c = d = now = 0.0
    for t in sorted({*pre, *post, *(s for s, _ in rewards), 300.0}):
        dt = t - now
        gain = 1.0 / (1.0 / rule.tau_c + 1.0 / rule.tau_d)
        moved = c * d * gain * (1.0 - math.exp(-dt / gain)) + c * rule.baseline * rule.tau_c * (
            1.0 - math.exp(-dt / rule.tau_c)
        )
        w = min(max(w + moved, rule.w_min), rule.w_max)
        x, y = x * math.exp(-dt / rule.tau_plus), y * math.exp(-dt / rule.tau_minus)
        c, d, now = c * math.exp(-dt / rule.tau_c), d * math.exp(-dt / rule.tau_d), t
        d += sum(a for s, a in rewards if s == t) / rule.tau_d
        came, fired = pre.count(t), post.count(t)
        if came and fired and source_first:  # the target's spike sees the source's trace
            c += rule.a_plus * (x + 1.0) - rule.a_minus * y
        else:
            c += fired * rule.a_plus * x - came * rule.a_minus * y
        x, y = x + came, y + fired
    return w


TIMES = st.lists(st.integers(0, 120), max_size=20, unique=True).map(sorted)
REWARDS = st.lists(st.tuples(st.integers(0, 150), st.floats(-3.0, 3.0)), max_size=6)


@settings(max_examples=80, deadline=None)
@given(
    pre=TIMES, post=TIMES, rewards=REWARDS, dendritic=st.integers(0, 3), baseline=st.sampled_from([0.0, -1e-3, 2e-3])
)
def test_random_trains_follow_the_reference(
    pre: list[int], post: list[int], rewards: list[tuple[int, float]], dendritic: int, baseline: float
) -> None:
    rule = RewardSTDP(a_plus=0.2, a_minus=0.25, tau_c=60.0, tau_d=30.0, baseline=baseline)
    given_ = [(float(t), a) for t, a in rewards]
    come = [t + 1.0 for t in map(float, pre)], [t + float(dendritic) for t in post]
    expected = reference(rule, *come, given_, 0.5, source_first=dendritic == 0)
    trains = np.array(pre, float), np.array(post, float)
    got = drive(rule, *trains, 0.5, 1.0, float(dendritic), t_stop=300.0, rewards=given_)
    assert got[-1] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def network(rule: RewardSTDP = RULE) -> Network:
    """Two populations that drive each other's spikes; all their synapses learn by reward."""
    model = Neuron(LIF(tau_m=10.0), t_ref=2.0)
    a, b = (Population(name, 20, model, inputs=PoissonInput(3000.0, 0.9)) for name in ("a", "b"))
    return Network(
        [a, b],
        [
            Projection(a, b, FixedProbability(0.5), 0.5, 2.0, plasticity=rule, dendritic=0.5, name="forth"),
            Projection(b, a, FixedProbability(0.5), -0.5, 1.0, plasticity=rule, name="back"),
        ],
    )


def outcome(simulation: Simulation) -> list[np.ndarray]:
    """Spikes and weights."""
    spikes = simulation.result().spikes["b"]
    return [spikes.times, simulation.weights("forth")[2], simulation.weights("back")[2]]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    """Bit by bit."""
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_each_synapse_learns_as_if_alone() -> None:
    simulation = Simulation(network(), seed=1)
    simulation.reward(0.6, at=120.0)
    simulation.run(150.0)
    simulation.reward(-0.8)
    simulation.run(150.0)
    spikes = simulation.result().spikes
    pre, post, now = simulation.weights("forth")
    for i, j, w in zip(pre, post, now, strict=True):
        times, back = spikes["a"].times[spikes["a"].ids == i], spikes["b"].times[spikes["b"].ids == j]
        train = times[times <= 298.0], back[back <= 299.0]
        alone = drive(RULE, *train, 0.5, 1.5, 0.5, t_stop=299.5, rewards=[(120.0, 0.6), (150.0, -0.8)])
        assert w == pytest.approx(alone[-1], rel=1e-12)
    assert np.ptp(now) > 0.02


def test_splits_threads_files_and_when_a_reward_is_announced_change_nothing(tmp_path: Path) -> None:
    whole = Simulation(network(), seed=2)
    for at in (250.0, 100.0):
        whole.reward(1.0, at=at)
    whole.run(400.0)
    threads = Simulation(network(), seed=2, threads=3).run(100.0)
    threads.reward(1.0)
    threads.run(150.0).reward(1.0)
    threads.run(150.0)
    same(outcome(whole), outcome(threads))
    parts = Simulation(network(), seed=2).run(33.3)
    parts.reward(1.0, at=100.0)
    parts.reward(1.0, at=250.0)
    parts.run(50.5).weights("forth")
    parts.run(100.0).save(tmp_path / "half.h5")
    again = Simulation.load(tmp_path / "half.h5", threads=2)
    for simulation in (parts, again):
        simulation.run(400.0 - simulation.time)
        same(outcome(whole), outcome(simulation))


def test_rewards_reach_the_projection_they_are_for() -> None:
    simulation = Simulation(network(), seed=3)
    simulation.reward(2.0, at=50.0, projection="back")
    simulation.run(200.0)
    assert (simulation.weights("forth")[2] == 0.5).all()
    assert np.ptp(simulation.weights("back")[2]) > 0.01 and simulation.weights("back")[2].max() <= 0.0


def test_frozen_weights_stay_and_eligibilities_go_on() -> None:
    simulation = Simulation(network(), seed=4)
    simulation.reward(1.0, at=50.0)
    simulation.run(100.0).freeze("forth")
    before = simulation.weights("forth")[2]
    simulation.reward(1.0)
    assert np.array_equal(simulation.run(1000.0).weights("forth")[2], before)
    simulation.thaw("forth")
    assert np.array_equal(simulation.weights("forth")[2], before)
    simulation.reward(1.0)
    assert not np.array_equal(simulation.run(20.0).weights("forth")[2], before)


def test_weights_stay_within_bounds() -> None:
    simulation = Simulation(network(), seed=5)
    simulation.reward(200.0, at=50.0)
    weights = simulation.run(100.0).weights("forth")[2]
    assert weights.min() == 0.0 and weights.max() == 1.0


def past() -> object:
    """A reward before the present."""
    return Simulation(network(), seed=1).run(20.0).reward(1.0, at=10.0)


def plain() -> Simulation:
    """A network whose rule has no modulator."""
    cells = Population("cells", 5, Neuron(LIF()))
    return Simulation(Network([cells], [Projection(cells, cells, weight=0.5, plasticity=PairSTDP(), name="loop")]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (past, "reward: at: must not lie in the past, got 10 ms, the time is 20 ms"),
        (lambda: plain().reward(1.0), "reward: no projection has a rule with a modulator"),
        (lambda: plain().reward(1.0, projection="loop"), "reward: PairSTDP has no use for rewards"),
        (lambda: plain().reward(1.0, projection="lop"), "unknown projection 'lop'"),
        (lambda: Simulation(network()).reward(float("nan")), "reward: amount: must be a finite number, got nan"),
        (lambda: drive(PairSTDP(), [1.0], [2.0], rewards=[(1.0, 1.0)]), "PairSTDP has no use for rewards"),
        (lambda: RewardSTDP(tau_d=0.0), "RewardSTDP.tau_d: must be > 0 ms, got 0.0"),
    ],
)
def test_bad_input_is_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        make()
    assert message in str(error.value)

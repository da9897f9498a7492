"""What is done to learning synapses between segments of a run: exact, the same for any threads, kept in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from spikesim import (
    LIF,
    FixedIndegree,
    FixedProbability,
    Network,
    Neuron,
    Normal,
    OneToOne,
    PoissonInput,
    PoissonSource,
    Population,
    Projection,
    Record,
    Simulation,
    Sparse,
    Spikes,
    SpikeSource,
    simulate,
)
from spikesim.errors import ParameterError
from spikesim.plasticity import PairSTDP, Plasticity, RewardSTDP
from spikesim.upkeep import grow, prune, rewire, scale_to_rate, weight_course

RULE = PairSTDP(a_plus=0.03, a_minus=0.035)


def network(rule: Plasticity = RULE) -> Network:
    """Recurrent neurons and inhibition; synapses of both learn."""
    model = Neuron(LIF(tau_m=10.0), t_ref=2.0)
    exc, inh = (Population(name, n, model, inputs=PoissonInput(3000.0, 0.9)) for name, n in (("exc", 30), ("inh", 10)))
    drawn = Normal(0.5, 0.2, low=0.0, high=1.0)
    return Network(
        [exc, inh],
        [
            Projection(exc, exc, FixedIndegree(6, allow_self=False, allow_multiple=False), drawn, 2.0, plasticity=rule),
            Projection(exc, inh, FixedProbability(0.5), 0.5, 1.0),
            Projection(inh, exc, FixedProbability(0.5), -0.5, 1.5, plasticity=rule),
        ],
    )


def made(rule: Plasticity = RULE, threads: int = 1, engine: str = "event") -> Simulation:
    """A simulation of 100 ms."""
    return Simulation(network(rule), engine=engine, seed=1, threads=threads).run(100.0)


def same(one: Simulation, other: Simulation) -> None:
    """Bit by bit."""
    assert np.array_equal(one.result().spikes["exc"].times, other.result().spikes["exc"].times)
    for name in ("exc->exc", "inh->exc"):
        for a, b in zip(one.weights(name), other.weights(name), strict=True):
            assert np.array_equal(a, b)


# ---------------------------------------------------------------- recording


def test_a_recorded_run_is_the_same_run() -> None:
    plain, recorded = made().run(100.0), made()
    course = weight_course(recorded, 100.0, 30.0, "exc->exc", progress=False)
    assert course.times.tolist() == [100.0, 130.0, 160.0, 190.0, 200.0]
    same(plain, recorded)
    assert np.array_equal(course.weights[0], made().weights("exc->exc")[2])
    assert np.array_equal(course.weights[-1], plain.weights("exc->exc")[2])
    assert np.array_equal(course.weights[2], made().run(60.0).weights("exc->exc")[2])
    assert np.array_equal(course.pre, plain.weights("exc->exc")[0])


def test_ctrl_c_keeps_what_was_recorded(monkeypatch) -> None:
    simulation, plain = made(), Simulation.run

    def run(self: Simulation, duration: float, progress: object = None) -> Simulation:
        if self.time > 115.0:
            raise KeyboardInterrupt
        return plain(self, duration, progress)

    monkeypatch.setattr(Simulation, "run", run)
    with pytest.raises(KeyboardInterrupt) as stop:
        weight_course(simulation, 100.0, 10.0, "exc->exc", progress=False)
    assert stop.value.course.weights.shape[0] == 3


def test_a_rule_that_changes_nothing_is_told_of() -> None:
    with pytest.warns(UserWarning, match=r"'.*->exc': RewardSTDP has not moved a weight in 50 ms"):
        simulate(network(RewardSTDP()), 50.0, seed=1)
    simulate(network(), 50.0, seed=1)  # any warning is an error


# ---------------------------------------------------------------- weights set, and kept in balance


def test_weights_are_what_they_are_set_to_and_learn_on() -> None:
    simulation = made()
    values = np.linspace(0.0, 1.0, len(simulation.weights("exc->exc")[0]))
    simulation.set_weights("exc->exc", values)
    assert np.array_equal(simulation.weights("exc->exc")[2], values)
    simulation.set_weights("inh->exc", -0.25)
    assert (simulation.weights("inh->exc")[2] == -0.25).all()
    after = simulation.run(50.0).weights("exc->exc")[2]
    assert not np.array_equal(after, values) and np.abs(after - values).mean() < 0.2


def test_what_was_rewarded_before_is_not_paid_again() -> None:
    rule = RewardSTDP(a_plus=0.1, a_minus=0.1)
    simulation = made(rule)
    simulation.reward(1.0, at=110.0)
    simulation.run(60.0)
    now = simulation.weights("exc->exc")[2]
    simulation.set_weights("exc->exc", now)
    assert np.array_equal(simulation.weights("exc->exc")[2], now)
    untouched = made(rule)
    untouched.reward(1.0, at=110.0)
    simulation.run(200.0)
    untouched.run(260.0)
    ours, theirs = simulation.weights("exc->exc")[2], untouched.weights("exc->exc")[2]
    assert np.ptp(theirs - now) > 1e-4  # it goes on
    assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-12)


def test_scaling_moves_rates_to_their_target() -> None:
    simulation = made()
    start = simulation.weights("exc->exc")[2]
    rates = scale_to_rate(simulation, "exc->exc", 30.0, 100.0, strength=0.2)
    _, post, weight = simulation.weights("exc->exc")
    counted = simulation.result().spikes["exc"].counts() / 0.1
    assert np.array_equal(rates, counted)
    factor = np.clip(1.0 + 0.2 * (30.0 - counted[post]) / 30.0, 0.5, 2.0)
    assert weight == pytest.approx(np.clip(start * factor, 0.0, 1.0), rel=1e-12)
    inhibition = simulation.weights("inh->exc")[2]
    scale_to_rate(simulation, "inh->exc", 1.0, 100.0, strength=0.01)
    assert (simulation.weights("inh->exc")[2] <= inhibition).all()  # too much activity: more inhibition


# ---------------------------------------------------------------- structure


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_pruned_synapses_are_gone_and_others_stay(engine) -> None:
    simulation = made(engine=engine)
    pre, post, weight = simulation.weights("exc->exc")
    strong = weight >= 0.4
    assert prune(simulation, "exc->exc", 0.4) == (~strong).sum() > 10
    for a, b in zip(simulation.weights("exc->exc"), (pre, post, weight), strict=True):
        assert np.array_equal(a, b[strong])
    before = simulation.counts().synaptic_events["exc->exc"]
    counts = simulation.result().spike_counts["exc"].copy()
    simulation.run(100.0)
    late = simulation.result().spikes["exc"]
    arrived = late.ids[(late.times > 98.01) & (late.times <= 198.01)]
    fan_out = np.bincount(simulation.weights("exc->exc")[0], minlength=30)
    assert simulation.counts().synaptic_events["exc->exc"] - before == fan_out[arrived].sum()
    assert counts.sum() > 0


def test_rewired_targets_keep_their_number_of_synapses() -> None:
    simulation = made()
    moved = rewire(simulation, "exc->exc", 0.4, 0.45, seed=3)
    pre, post, weight = simulation.weights("exc->exc")
    assert (np.bincount(post) == 6).all() and (pre != post).all() and moved == (weight == 0.45).sum() > 10
    assert len(np.unique(pre * 30 + post)) == len(pre)
    assert grow(simulation, "exc->exc", 8, 0.2) == 60
    assert (np.bincount(simulation.weights("exc->exc")[1]) == 8).all()
    assert grow(simulation, "exc->exc", 100, 0.2) == 30 * 21  # all others


def test_a_grown_synapse_transmits_and_learns() -> None:
    source = Population("source", 4, PoissonSource(50.0))
    cell = Population("cell", 2, Neuron(LIF(tau_m=10.0), t_ref=2.0), inputs=PoissonInput(3000.0, 0.9))
    synapses = Projection(source, cell, FixedIndegree(2, allow_multiple=False), 0.5, 1.0, plasticity=RULE)
    simulation = Simulation(Network([source, cell], [synapses]), seed=2).run(50.0)
    simulation.restructure("source->cell", False, [3, 1], [0, 1], [0.3, 0.6])
    assert [x.tolist() for x in simulation.weights("source->cell")] == [[1, 3], [1, 0], [0.6, 0.3]]
    simulation.run(200.0)
    assert (simulation.weights("source->cell")[2] != [0.6, 0.3]).all()


MULTIPLICATIVE = PairSTDP(a_plus=0.03, a_minus=0.035, mu_plus=0.5, mu_minus=0.5)


@pytest.mark.parametrize("rule", [RULE, MULTIPLICATIVE])
def test_grown_synapses_learn_alike_in_both_engines(rule) -> None:
    """On the grid additive rules count sums: a synapse must not take up what came before it grew."""
    rng, found = np.random.default_rng(5), []
    times = ([np.unique(rng.integers(1, 1500, 60)) * 0.2 + late for _ in range(n)] for n, late in ((4, 0.0), (2, 0.1)))
    trains = [Spikes.from_trains(each, 300.1) for each in times]  # never both at once at a synapse
    for engine in ("event", "grid"):
        source, teacher = (
            Population(n, t.n, SpikeSource(t)) for n, t in zip(("source", "teacher"), trains, strict=True)
        )
        cell = Population("cell", 2, Neuron(LIF(tau_m=10.0)))
        learning = Projection(source, cell, FixedIndegree(2, allow_multiple=False), 0.5, 1.0, plasticity=rule, name="p")
        network = Network([source, teacher, cell], [learning, Projection(teacher, cell, OneToOne(), 100.0, 1.0)])
        simulation = Simulation(network, engine=engine, seed=2).run(150.0)
        pre, post, weight = simulation.weights("p")
        keep = np.arange(len(pre)) != 1
        free = next(i for i in range(4) if (i, 0) not in set(zip(pre[keep].tolist(), post[keep].tolist(), strict=True)))
        simulation.restructure("p", keep, [free], [0], [0.4])
        middle = simulation.weights("p")[2]
        assert np.sort(middle) == pytest.approx(np.sort(np.append(weight[keep], 0.4)), abs=1e-12)
        found.append((middle, simulation.run(150.0).weights("p")[2]))
    (a, b), (c, d) = found
    assert a == pytest.approx(c, rel=1e-10) and b == pytest.approx(d, rel=1e-10) and not np.allclose(a, b)


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_structure_is_the_same_for_any_threads_and_after_restoring(tmp_path: Path, engine) -> None:
    one, many = made(engine=engine), made(threads=3, engine=engine)
    for simulation in (one, many):
        rewire(simulation, "exc->exc", 0.4, 0.45)
        simulation.normalise("inh->exc", 1.5)
        simulation.run(50.0)
    same(one, many)
    many.save(tmp_path / "grown.h5")
    again = Simulation.load(tmp_path / "grown.h5", threads=2)
    assert again.counts() == one.counts()
    for simulation in (one, again):
        rewire(simulation, "exc->exc", 0.3, 0.45)
        simulation.run(50.0)
    same(one, again)
    assert again.counts() == one.counts()


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_a_projection_without_synapses_takes_the_sign_of_the_first_that_grow(tmp_path: Path, engine) -> None:
    """Shards that had no synapse learn the sign too; with weights of that sign it equals one described like that."""
    source = Population("source", 6, PoissonSource(60.0))
    cell = Population("cell", 6, Neuron(LIF(tau_m=10.0)), inputs=PoissonInput(3000.0, 0.5))
    sizes = -np.linspace(0.2, 0.7, 6)
    ends = np.arange(6), (np.arange(6) + 1) % 6

    def started(matrix: np.ndarray, threads: int) -> Simulation:
        rule = Sparse(sparse.csr_array(matrix))
        projection = Projection(source, cell, rule, 1.0, 1.0, plasticity=RULE, name="p")
        return Simulation(Network([source, cell], [projection]), engine=engine, seed=2, threads=threads)

    wanted = np.zeros((6, 6))
    wanted[ends] = sizes
    described = started(wanted, 1).run(200.0)
    found = []
    for first, threads in ((np.zeros((6, 6)), 1), (np.diag([-0.1, 0, 0, 0, 0, 0]), 3)):
        simulation = started(first, threads)
        simulation.restructure("p", False, *ends, sizes)
        simulation.save(tmp_path / f"grown{threads}.h5")
        simulation.run(200.0)
        assert (simulation.weights("p")[2] <= 0.0).all() and simulation.result().spikes == described.result().spikes
        found.append(simulation.weights("p")[2])
        again = Simulation.load(tmp_path / f"grown{threads}.h5", threads=2).run(200.0)
        np.testing.assert_array_equal(again.weights("p")[2], found[-1])
        assert again.result().spikes == described.result().spikes
        simulation.restructure("p", False)
        simulation.restructure("p", True, [0, 1], [1, 1], 0.5)
        assert simulation.weights("p")[2].tolist() == [0.5, 0.5]
        with pytest.raises(ParameterError, match=r"weights must be >= 0, got -0\.5"):
            simulation.restructure("p", True, [2], [1], -0.5)
    for weights in found:
        np.testing.assert_allclose(weights, described.weights("p")[2], rtol=1e-12)


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("factor", [-1.0, 0.0])
def test_a_factor_outlives_new_synapses(engine, factor) -> None:
    simulation = made(engine=engine)
    before = simulation.weights("exc->exc")[2]
    simulation.scale_weights("exc->exc", factor)
    simulation.restructure("exc->exc", True)
    np.testing.assert_array_equal(simulation.weights("exc->exc")[2], factor * before)
    simulation.scale_weights("exc->exc", 1.0)
    np.testing.assert_array_equal(simulation.weights("exc->exc")[2], before)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s: s.set_weights("exc->exc", 1.5), "lie outside w_min … w_max of PairSTDP (0 … 1), the first is 1.5"),
        (lambda s: s.set_weights("inh->exc", 0.5), "weights must be <= 0, got 0.5"),
        (lambda s: s.set_weights("exc->exc", [0.5, 0.5]), "needs 180 values, got 2"),
        (lambda s: s.set_weights("exc->inh", 0.5), "projection 'exc->inh' has no plasticity"),
        (
            lambda s: s.restructure("exc->exc", True, [30], [0], 0.5),
            "restructure: pre: must be whole numbers in 0 … 29",
        ),
        (lambda s: s.restructure("exc->exc", True, [3, 4], [0], 0.5), "post: must be as long as pre (2), got 1"),
        (lambda s: s.restructure("exc->exc", [True, False]), "keep: must be True, False or an array of 180"),
        (lambda s: prune(s, "exc->exc", 0.0), "prune: below: must be > 0, got 0.0"),
        (lambda s: grow(s, "exc->inh", 5, 0.5), "projection 'exc->inh' has no plasticity"),
        (lambda s: grow(s, "exc->exc", -1, 0.5), "grow: indegree: must be >= 0, got -1"),
        (lambda s: scale_to_rate(s, "exc->exc", 5.0, 1e6), "window: must be <= 100 ms, the time so far"),
        (lambda s: weight_course(s, 10.0, 0.0, "exc->exc"), "weight_course: interval: must be > 0 ms, got 0.0"),
    ],
)
def test_bad_input_is_named(act: Callable[[Simulation], object], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        act(made())
    assert message in str(error.value)


def test_rates_need_recorded_spikes() -> None:
    simulation = Simulation(network(), seed=1, record=Record(spikes=False)).run(20.0)
    with pytest.raises(ParameterError, match="record all spikes of 'exc'"):
        scale_to_rate(simulation, "exc->exc", 5.0, 10.0)

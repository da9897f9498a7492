"""Plastic projections in networks: the same weights as one synapse driven by the same spikes, however they are run."""

from __future__ import annotations

import numpy as np
import pytest

from spikesim import (
    LIF,
    AllToAll,
    Exponential,
    FixedProbability,
    Network,
    Neuron,
    Normal,
    OneToOne,
    PoissonInput,
    Population,
    Projection,
    Simulation,
    Spikes,
    SpikeSource,
)
from spikesim.engines import learning as engines_learning
from spikesim.errors import ParameterError
from spikesim.plasticity import CompetitiveSTDP, PairSTDP, Plasticity, SymmetricSTDP, TripletSTDP, drive

DT = 0.125  # ms; times of a grid are then exact
RULES = {
    "pair": PairSTDP(a_plus=0.03, a_minus=0.035),
    "reduced": PairSTDP(a_plus=0.03, a_minus=0.035, pairing="reduced"),
    "triplet": TripletSTDP(a2_minus=0.01, a3_plus=0.02),
}


def network(rule: Plasticity, delay: float = 2.0, dendritic: float | None = None, synapse: object = None) -> Network:
    """Given spikes onto excitatory neurons that excite each other, and inhibition that learns as well."""
    rng = np.random.default_rng(1)
    given = Spikes(np.sort(rng.uniform(0.0, 400.0, 600)), rng.integers(0, 20, 600), 20, 400.0)
    model = Neuron(LIF(tau_m=10.0), {"d": synapse} if synapse else {"d": Neuron(LIF()).receptors["syn"]}, t_ref=2.0)
    scale = 1.0 if synapse is None else 150.0
    drive_ = PoissonInput(3000.0, scale * 0.9)
    source = Population("source", 20, SpikeSource(given))
    exc = Population("exc", 30, model, inputs=drive_)
    inh = Population("inh", 8, model, inputs=drive_)
    learning = {"plasticity": rule, "dendritic": dendritic}
    return Network(
        [source, exc, inh],
        [
            Projection(source, exc, FixedProbability(0.5), Normal(0.5, 0.1, low=0.1, high=0.9), delay, **learning),
            Projection(exc, exc, FixedProbability(0.2), weight=0.4, delay=delay, **learning),
            Projection(exc, inh, FixedProbability(0.5), weight=0.5 * scale, delay=1.0),
            Projection(
                inh, exc, FixedProbability(0.5), weight=-0.5, delay=1.5,
                plasticity=SymmetricSTDP(eta=0.02, w_max=2.0), dendritic=0.5,
            ),
        ],
    )  # fmt: skip


def outcome(simulation: Simulation) -> list[np.ndarray]:
    """Spikes and weights."""
    spikes = simulation.result().spikes["exc"]
    return [spikes.times, spikes.ids, *(simulation.weights(str(p.name))[2] for p in simulation.network.projections)]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    """Bit by bit."""
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("dendritic", [None, 0.0, 0.75])
@pytest.mark.parametrize("name", RULES)
def test_each_synapse_learns_as_if_alone(name: str, dendritic: float | None, engine: str) -> None:
    simulation = Simulation(network(RULES[name], dendritic=dendritic), engine=engine, dt=DT, seed=3).run(300.0)
    spikes = simulation.result().spikes
    back = 2.0 if dendritic is None else dendritic
    for projection in simulation.network.projections[:2]:
        start = Simulation(network(RULES[name], dendritic=dendritic), engine=engine, dt=DT, seed=3).weights(
            projection.name
        )
        pre, post, now = simulation.weights(projection.name)
        assert np.array_equal(start[0], pre) and np.array_equal(start[1], post)
        fired = spikes[projection.pre.population.name]
        for i, j, w0, w in zip(pre, post, start[2], now, strict=True):
            times = fired.times[(fired.ids == i) & (fired.times + 2.0 <= 300.0)]
            target = spikes["exc"].times[spikes["exc"].ids == j]
            target = target[target + back <= 300.0 - back]
            alone = drive(RULES[name], times, target, w0, 2.0 - back, back)
            assert w == pytest.approx(alone[-1], rel=1e-12)
    assert np.abs(now - start[2]).max() > 0.05


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("name", RULES)
def test_splits_threads_and_files_change_nothing(name: str, engine: str, tmp_path) -> None:
    whole = Simulation(network(RULES[name]), engine=engine, seed=4).run(200.0)
    assert len(outcome(whole)[0]) > 100
    threads = Simulation(network(RULES[name]), engine=engine, seed=4, threads=3).run(200.0)
    same(outcome(whole), outcome(threads))
    parts = Simulation(network(RULES[name]), engine=engine, seed=4).run(33.3)
    parts.weights("exc->exc")
    parts.run(40.05).save(tmp_path / "learning.h5")
    again = Simulation.load(tmp_path / "learning.h5", threads=2)
    again.run(200.0 - again.time)
    parts.run(200.0 - parts.time)
    same(outcome(whole), outcome(parts))
    same(outcome(whole), outcome(again))


IDLE = {
    "pair": PairSTDP(tau_plus=4.0, tau_minus=5.0, a_plus=0.05, a_minus=0.04),
    "nearest": PairSTDP(tau_plus=4.0, tau_minus=5.0, a_plus=0.05, a_minus=0.04, pairing="nearest"),
    "competitive": CompetitiveSTDP(eta_pre=0.01, eta_post=0.1, tau_x=4.0, tau_y1=5.0, tau_y2=6.0),
}


@pytest.mark.parametrize("dendritic", [0.0, 1.0])
@pytest.mark.parametrize("name", IDLE)
def test_targets_long_silent_are_passed_over_without_a_difference(name, dendritic, monkeypatch, tmp_path) -> None:
    rng = np.random.default_rng(2)
    busy = Spikes(np.sort(rng.uniform(0.0, 2000.0, 800)), rng.integers(0, 10, 800), 10, 2000.0)
    rare = Spikes(np.sort(rng.uniform(0.0, 2000.0, 60)), rng.integers(0, 12, 60), 12, 2000.0)
    source, kicks = Population("source", 10, SpikeSource(busy)), Population("kicks", 12, SpikeSource(rare))
    cells = Population("cells", 12, Neuron(LIF(), t_ref=2.0))
    learning = Projection(source, cells, AllToAll(), 0.5, 1.0, name="l", plasticity=IDLE[name], dendritic=dendritic)
    described = Network(
        [source, kicks, cells], [learning, Projection(kicks, cells, OneToOne(), weight=30.0, delay=1.0)]
    )
    assert IDLE[name].idle

    def weights(cut: bool) -> np.ndarray:
        simulation = Simulation(described, engine="grid", dt=DT, seed=1).run(1500.0)
        if cut:
            simulation.save(tmp_path / "s.h5", overwrite=True)
            simulation = Simulation.load(tmp_path / "s.h5")
        return simulation.run(500.0).weights("l")[2]

    passed_over = weights(False)
    assert np.array_equal(passed_over, weights(True)) and len(np.unique(passed_over)) > 50
    monkeypatch.setattr(engines_learning, "forgotten", lambda table: np.inf)
    assert np.array_equal(passed_over, weights(False))


def test_currents_learn_too() -> None:
    simulation = Simulation(network(PairSTDP(w_max=1.0), synapse=Exponential(2.0)), engine="event", seed=4).run(200.0)
    assert len(simulation.result().spikes["exc"].times) > 20
    assert np.ptp(simulation.weights("exc->exc")[2]) > 0.0


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_frozen_weights_stay(engine: str) -> None:
    simulation = Simulation(network(RULES["pair"]), engine=engine, seed=4).run(100.0)
    simulation.freeze("exc->exc")
    before = simulation.weights("exc->exc")[2]
    simulation.run(100.0)
    assert np.array_equal(before, simulation.weights("exc->exc")[2])
    simulation.thaw("exc->exc")
    assert np.array_equal(before, simulation.weights("exc->exc")[2])
    simulation.run(100.0)
    assert not np.array_equal(before, simulation.weights("exc->exc")[2])


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_bounds_hold(engine: str) -> None:
    simulation = Simulation(network(PairSTDP(a_plus=0.3, a_minus=0.4)), engine=engine, seed=4).run(200.0)
    weights = simulation.weights("exc->exc")[2]
    assert weights.min() == 0.0 and weights.max() <= 1.0


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_static_weights_are_shown_as_well(engine: str) -> None:
    pre, post, weight = Simulation(network(RULES["pair"]), engine=engine, seed=4).weights("exc->inh")
    assert len(pre) == len(post) and (weight == 0.5).all() and (np.diff(pre) >= 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": 1.5}, "1 of 1 initial weights lie outside w_min … w_max of PairSTDP (0 … 1), the first is 1.5"),
        ({"delay": Normal(2.0, 0.1, low=1.0)}, "the delay must be one number for all synapses"),
        ({"dendritic": 5.0}, "dendritic must be <= delay (2 ms), got 5"),
        ({"plasticity": "stdp"}, "plasticity must be a rule such as PairSTDP()"),
        ({"plasticity": None, "dendritic": 1.0}, "dendritic only matters with plasticity"),
    ],
)
def test_what_cannot_learn_is_named(change: dict[str, object], message: str) -> None:
    cells = Population("cells", 5, Neuron(LIF()))
    given = {"weight": 0.5, "delay": 2.0, "plasticity": PairSTDP(), **change}
    with pytest.raises(ParameterError) as error:
        Projection(cells, cells, FixedProbability(0.5), **given)
    assert message in str(error.value)


def test_signs_must_agree() -> None:
    cells = Population("cells", 20, Neuron(LIF()))
    mixed = Projection(cells, cells, FixedProbability(0.5), Normal(0.0, 0.3), 2.0, plasticity=PairSTDP())
    with pytest.raises(ParameterError, match="one sign"):
        Simulation(Network([cells], [mixed]), engine="event")
    with pytest.raises(ParameterError, match="no plasticity"):
        Simulation(network(RULES["pair"]), engine="event").freeze("exc->inh")

"""What is done to a simulation between two runs: spikes fed to it, its own counted, weights scaled."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spikesim import (
    LIF,
    AllToAll,
    Network,
    Neuron,
    Population,
    Projection,
    Simulation,
    Spikes,
    SpikeSource,
    Uniform,
)
from spikesim.errors import ParameterError
from spikesim.plasticity import PairSTDP

NOTHING = Spikes(np.empty(0), np.empty(0, np.int64), 6, 1.0)


def network(given: Spikes = NOTHING) -> Network:
    source = Population("source", 6, SpikeSource(given))
    cells = Population("cells", 4, Neuron(LIF(tau_m=10.0), t_ref=2.0))
    rule = PairSTDP(a_plus=0.05, a_minus=0.04, w_max=20.0)
    learning = Projection(source, cells, AllToAll(), Uniform(5.0, 9.0), 1.0, plasticity=rule, name="learning")
    return Network([source, cells], [learning])


def burst(seed: int, t_stop: float) -> Spikes:
    rng = np.random.default_rng(seed)
    return Spikes(np.sort(rng.uniform(0.0, t_stop, 60)), rng.integers(0, 6, 60), 6, t_stop)


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_fed_spikes_are_given_ones(engine: str, tmp_path) -> None:
    first, second = burst(1, 64.0), burst(2, 64.0)
    both = Spikes(np.concatenate([first.times, second.times + 64.0]), np.concatenate([first.ids, second.ids]), 6, 128.0)
    whole = Simulation(network(both), engine=engine, dt=0.125, seed=3).run(128.0)
    fed = Simulation(network(), engine=engine, dt=0.125, seed=3)
    fed.feed("source", first)
    fed.run(20.0).save(tmp_path / "fed.h5")
    loaded = Simulation.load(tmp_path / "fed.h5")
    for simulation in (fed, loaded):
        simulation.run(44.0)
        simulation.feed("source", second)
        simulation.run(64.0)
        assert np.array_equal(simulation.spike_counts("cells"), whole.spike_counts("cells"))
        np.testing.assert_allclose(simulation.weights("learning")[2], whole.weights("learning")[2], rtol=1e-12)
    assert whole.spike_counts("cells").sum() > 20


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_stimulus_of_a_batch_is_fed_its_own(engine: str, threads: int) -> None:
    learns = network()
    still = Network(learns.populations, [dataclasses.replace(learns.projections[0], plasticity=None, dendritic=None)])
    trains = [burst(k, 64.0) for k in range(3)]
    batch = Simulation(still, engine=engine, seed=3, batch=3, threads=threads)
    for k in (0, 1):
        batch.feed("source", trains[k:] + trains[:k])
        batch.run(64.0)
    for k in range(3):
        alone = Simulation(still, engine=engine, seed=3)
        for train in (trains[k], trains[(k + 1) % 3]):
            alone.feed("source", train)
            alone.run(64.0)
        assert np.array_equal(batch.spike_counts("cells")[k], alone.spike_counts("cells"))


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("threads", [1, 2])
def test_weights_onto_each_target_add_up(engine: str, threads: int) -> None:
    simulation = Simulation(network(burst(1, 60.0)), engine=engine, seed=3, threads=threads).run(60.0)
    _, before_post, before = simulation.weights("learning")
    simulation.normalise("learning", 40.0)
    _, post, weight = simulation.weights("learning")
    np.testing.assert_allclose(np.bincount(post, weight), 40.0, rtol=1e-12)
    sums = np.bincount(before_post, before)
    np.testing.assert_allclose(weight, before * 40.0 / sums[before_post], rtol=1e-12)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda s: s.feed("cells", NOTHING), "population 'cells' must be one of a SpikeSource"),
        (lambda s: s.feed("sources", NOTHING), "sources"),
        (lambda s: s.feed("source", Spikes([1.0], [0], 5, 2.0)), "needs Spikes of 6 elements"),
        (lambda s: s.feed("source", [1.0]), "needs Spikes of 6 elements"),
        (lambda s: s.feed("source", [NOTHING, NOTHING]), "feed: needs one Spikes per stimulus (1), got 2"),
        (lambda s: s.feed("source", Spikes([-1.0], [0], 6, 2.0, -2.0)), "times must be >= 0 ms from now, got -1"),
        (lambda s: s.normalise("learning", 0.0), "normalise: total: must be > 0"),
        (lambda s: s.normalise("teaching", 1.0), "learning"),
    ],
)
def test_mistakes_are_named(action, message: str) -> None:
    simulation = Simulation(network(), engine="event", seed=3).run(1.0)
    with pytest.raises(ParameterError) as error:
        action(simulation)
    assert message in str(error.value)


def test_only_plastic_weights_are_scaled() -> None:
    cells = Population("cells", 4, Neuron(LIF()))
    still = Network([cells], [Projection(cells, cells, AllToAll(), name="still")])
    with pytest.raises(ParameterError, match="has no plasticity"):
        Simulation(still).normalise("still", 1.0)

"""Additive rules on the grid, whose target spikes are summed per target: the same as looking at each of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spikesim import LIF, FixedProbability, Network, Neuron, PoissonInput, Population, Projection, Simulation, Spikes
from spikesim import SpikeSource as Given
from spikesim.engines import plastic_state
from spikesim.plasticity import PairSTDP

RULES = {
    "all": PairSTDP(a_plus=0.02, a_minus=0.015, tau_plus=4.0, tau_minus=7.0),
    "nearest": PairSTDP(a_plus=0.02, a_minus=0.015, tau_plus=4.0, tau_minus=7.0, pairing="nearest"),
    "anti-Hebbian": PairSTDP(a_plus=-0.02, a_minus=-0.015, tau_plus=9.0, tau_minus=3.0),
    "at the bounds": PairSTDP(a_plus=0.3, a_minus=0.3, tau_plus=4.0, tau_minus=7.0, w_min=0.2),
}


def network(rule: PairSTDP, dendritic: float) -> Network:
    """Sources that fire often, and others that fire again when nothing is left of their traces."""
    rng = np.random.default_rng(5)
    times = np.concatenate([rng.uniform(0.0, 900.0, 600), rng.uniform(0.0, 900.0, 20)])
    ids = np.concatenate([rng.integers(0, 10, 600), rng.integers(10, 20, 20)])
    order = np.argsort(times)
    source = Population("source", 20, Given(Spikes(times[order], ids[order], 20, 900.0)))
    cells = Population("cells", 12, Neuron(LIF(tau_m=10.0), t_ref=2.0), inputs=PoissonInput(3000.0, 0.9))
    learning = Projection(
        source, cells, FixedProbability(0.7), 0.5, 1.5, plasticity=rule, dendritic=dendritic, name="learning"
    )
    return Network([source, cells], [learning])


def course(rule: PairSTDP, dendritic: float, threads: int, path: Path) -> list[np.ndarray]:
    """Weights through all that can be done to them."""
    simulation = Simulation(network(rule, dendritic), engine="grid", dt=0.125, seed=2, threads=threads)
    found = [simulation.run(333.0).weights("learning")[2]]
    simulation.freeze("learning")
    found += [simulation.run(50.0).weights("learning")[2]]
    simulation.thaw("learning")
    found += [simulation.run(100.0).weights("learning")[2]]
    if rule.w_min == 0.0:  # sums pay no heed to bounds, which rules then restore in ways of their own
        simulation.normalise("learning", 5.0)
    found += [simulation.run(17.125).weights("learning")[2]]
    simulation.save(path, overwrite=True)
    simulation = Simulation.load(path)
    found += [simulation.run(200.0).weights("learning")[2]]
    simulation.set_weights("learning", 0.5)
    return [*found, simulation.run(200.0).weights("learning")[2], simulation.spike_counts("cells")]


@pytest.mark.parametrize("dendritic", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("name", RULES)
def test_sums_tell_what_spikes_do(name: str, dendritic: float, tmp_path: Path, monkeypatch) -> None:
    one, two = (course(RULES[name], dendritic, threads, tmp_path / "a.h5") for threads in (1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    monkeypatch.setattr(PairSTDP, "additive", None)
    spike_by_spike = course(RULES[name], dendritic, 1, tmp_path / "b.h5")
    for a, b in zip(one, spike_by_spike, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert np.abs(one[0] - 0.5).max() > 0.05 and np.array_equal(one[0], one[1])


def test_only_the_grid_and_only_additive_rules_have_sums() -> None:
    def summed(rule: PairSTDP, engine: str = "grid", dt: float = 0.125) -> bool:
        simulation = Simulation(network(rule, 0.5), engine=engine, dt=dt)
        (sweeper,) = plastic_state.sweepers(simulation._run, simulation.network.projections[0])
        return sweeper.bundle.store.sums is not None

    assert summed(RULES["all"]) and not summed(RULES["all"], "event")
    assert not summed(PairSTDP(mu_minus=1.0)) and not summed(PairSTDP(pairing="reduced"))
    assert not summed(RULES["all"], dt=0.0009765625)  # target spikes on their way for too many steps

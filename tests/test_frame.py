"""Neurons of the grid engine that are kept in a moving frame do what neurons that are moved step by step do."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.engines import grid_frame

NEURON = {"threshold": ss.FixedThreshold(-50.0), "reset": ss.ResetTo(-60.0), "t_ref": 5.0}
CURRENTS = {"exc": ss.Exponential(5.0), "inh": ss.Exponential(10.0)}
CONDUCTANCES = {"exc": ss.ExponentialConductance(5.0, 0.0), "inh": ss.ExponentialConductance(10.0, -80.0)}
MIXED = {"exc": ss.Exponential(5.0), "inh": ss.ExponentialConductance(10.0, -80.0)}


def network(receptors=CURRENTS, weights=(60.0, -140.0), membrane=None, inputs=(), v=-55.0, delay=0.1, **changed):
    """300 neurons that keep each other firing."""
    model = ss.Neuron(membrane or ss.LIF(20.0, -49.0, 200.0), receptors, **{**NEURON, **changed})
    initial = {"v": ss.Uniform(v - 5.0, v + 4.0)}
    exc, inh = (ss.Population(n, k, model, initial=initial, inputs=inputs) for n, k in (("exc", 240), ("inh", 60)))
    made = [
        ss.Projection(a, b, ss.FixedIndegree(k), weight, delay, a.name)
        for a, k, weight in ((exc, 24, weights[0]), (inh, 6, weights[1]))
        for b in (exc, inh)
    ]
    return ss.Network([exc, inh], made)


STEP = ss.Current(ss.Steps([0.0, 20.03, 61.5], [0.0, 120.0, -40.0]))
CASES = {
    "currents": {},
    "integrators": {"membrane": ss.IF(-60.0, 200.0), "inputs": [ss.Current(80.0)]},
    "stepped current": {"inputs": [STEP]},
    "long delays": {"delay": 1.5},
    "subtraction": {"reset": ss.ResetBySubtraction(10.0), "t_ref": 0.0, "inputs": [STEP]},
    "conductances": {"receptors": CONDUCTANCES, "weights": (10.0, 67.0), "inputs": [STEP]},
    "both": {"receptors": MIXED, "weights": (80.0, 40.0), "inputs": [ss.Current(40.0)]},
}


def run(case, framed=True, threads=1, monkeypatch=None, **options):
    if not framed:
        monkeypatch.setattr(grid_frame, "window", lambda *_: 0)
    simulation = ss.Simulation(network(**CASES[case]), engine="grid", dt=0.1, seed=3, threads=threads, **options)
    kept = [shard.frame is not None for shards in simulation._run.shards.values() for shard in shards]
    assert all(kept) if framed else not any(kept)
    return simulation


def states(simulation):
    names = [(p.name, v) for p in simulation.network.populations for v in p.model.variables]
    return {key: simulation.state(*key) for key in names}


@pytest.mark.parametrize("case", CASES)
def test_the_frame_makes_no_difference(case, monkeypatch):
    ours = run(case).run(83.7)
    plain = run(case, framed=False, monkeypatch=monkeypatch).run(83.7)
    for name, spikes in plain.result().spikes.items():
        assert len(spikes) > 50
        assert np.array_equal(ours.result().spikes[name].ids, spikes.ids)
        assert np.array_equal(ours.result().spikes[name].times, spikes.times)
    for key, values in states(plain).items():
        assert states(ours)[key] == pytest.approx(values, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("case", ["currents", "stepped current", "conductances"])
def test_bit_identical_for_threads_splits_and_after_saving(case, tmp_path):
    whole = run(case).run(70.0)
    parts = run(case, threads=2).run(0.3).run(20.0).run(11.1)
    states(parts)  # looking changes nothing
    parts.save(tmp_path / "saved.h5")
    resumed = ss.Simulation.load(tmp_path / "saved.h5", threads=1)
    for other in (parts, resumed):
        other.run(70.0 - other.time)
        for name, spikes in whole.result().spikes.items():
            assert other.result().spikes[name] == spikes
        for key, values in states(whole).items():
            assert np.array_equal(states(other)[key], values)


@pytest.mark.parametrize("case", ["currents", "conductances"])
def test_what_is_overwritten_stays_and_moves_nothing_else(case):
    simulation = run(case).run(7.3)
    before = states(simulation)
    simulation.set_state("exc", "v", -57.0)
    after = states(simulation)
    assert after["exc", "v"] == pytest.approx(np.full(240, -57.0), rel=1e-12)
    for key in before.keys() - {("exc", "v")}:
        assert after[key] == pytest.approx(before[key], rel=1e-12, abs=1e-12)


def test_weights_changed_on_the_way_are_followed(monkeypatch):
    """Two factors on one receptor: what arrives can no longer be counted, and comes in rows."""
    results = []
    for framed in (True, False):
        simulation = run("currents", framed=framed, monkeypatch=monkeypatch).run(10.0)
        simulation.scale_weights("exc->inh", 1.5)
        results.append(simulation.run(40.0).result().spikes["inh"])
    assert len(results[0]) > 30 and results[0] == results[1]


def test_neurons_without_input_follow_the_closed_form():
    model = ss.Neuron(ss.LIF(20.0, -70.0, 250.0), ss.Exponential(5.0), ss.FixedThreshold(0.0), ss.ResetTo(-70.0))
    cell = ss.Population("cell", 3, model, initial={"v": -70.0, "i_syn": [0.0, 100.0, -40.0]})
    simulation = ss.Simulation(ss.Network([cell], []), engine="grid", dt=0.1)
    assert all(s.frame for shards in simulation._run.shards.values() for s in shards)
    i, a, b = np.array([0.0, 100.0, -40.0]), 1 / 20.0, 1 / 5.0
    for t in (0.1, 2.7, 10.0, 51.3):
        simulation.run(t - simulation.time)
        exact = -70.0 + i / 250.0 * (np.exp(-b * t) - np.exp(-a * t)) / (a - b)
        assert simulation.state("cell", "v") == pytest.approx(exact, rel=1e-13)
        assert simulation.state("cell", "i_syn") == pytest.approx(i * np.exp(-b * t), rel=1e-13)


def test_more_spikes_in_a_step_than_counters_hold(monkeypatch):
    """All fire at once: counts go over into rows on the way, and nothing of them is lost."""
    results = []
    for framed in (True, False):
        if not framed:
            monkeypatch.setattr(grid_frame, "window", lambda *_: 0)
        cells = ss.Population(
            "cells", 300, ss.Neuron(ss.LIF(20.0, -60.0, 200.0), CURRENTS, **NEURON), initial={"v": -49.0}
        )
        links = ss.Projection(cells, cells, ss.FixedIndegree(290, allow_multiple=False), 1.0, 0.1, "exc")
        simulation = ss.Simulation(ss.Network([cells], [links]), engine="grid", dt=0.1, seed=1).run(0.3)
        results.append(simulation.state("cells", "i_exc"))
    assert results[1].min() > 280.0
    assert results[0] == pytest.approx(results[1], rel=1e-12)

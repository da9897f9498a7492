"""The grid engine's ways to store synapses: same arithmetic in all of them, few bytes, pauses and scaling under way."""

import numpy as np
import pytest

import spikesim as ss

DT = 0.1


def network(rule, n, weight, delay, times=(1.0,)):
    """One source per time, onto integrators that never fire."""
    k = len(times)
    source = ss.Population("source", k, ss.SpikeSource(ss.Spikes(times, range(k), k, t_stop=max(times))))
    cells = ss.Population("cells", n, ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(1e9)))
    return ss.Network([source, cells], [ss.Projection(source, cells, rule, weight, delay, name="p")])


def run(net, duration=40.0, **options):
    sim = ss.Simulation(net, engine="grid", dt=DT, **options)
    sim.run(duration)
    return sim


rng = np.random.default_rng(1)
TIED = ([0] * 300 + [1], [0] * 300 + [1])  # more synapses between one pair than an 8-bit counter holds
WAYS = {
    "counted": (TIED[0], TIED[1], 0.5, 2.0),
    "bare": (TIED[0], TIED[1], 0.5, rng.uniform(0.1, 20.0, 301)),
    "narrow": (TIED[0], TIED[1], rng.normal(size=301).astype(np.float32).astype(float), rng.uniform(0.1, 20.0, 301)),
    "narrow, one delay": (TIED[0], TIED[1], rng.normal(size=301).astype(np.float32).astype(float), 2.0),
    "wide": (TIED[0], TIED[1], rng.normal(size=301), rng.uniform(0.1, 20.0, 301)),
    "long": (TIED[0], TIED[1], 0.5, rng.uniform(20.0, 30.0, 301)),
}


@pytest.mark.filterwarnings("ignore:grid engine. times rounded")
@pytest.mark.parametrize("way", WAYS)
def test_every_way_sums_what_arrives(way):
    """Float32 weights are summed in float64: nothing but their own rounding separates the sum from the exact one."""
    pre, post, weight, delay = WAYS[way]
    net = network(ss.Pairwise(pre, post), 2, weight, delay, times=(1.0, 2.0))
    sim = run(net)
    weights = np.broadcast_to(weight, 301)
    expected = [weights[:300].sum(), weights[300]]
    np.testing.assert_allclose(sim.state("cells", "v"), expected, rtol=1e-14, atol=1e-14)
    assert sim.counts().synaptic_events["p"] == 301
    half = run(net, 12.0)
    steps = np.maximum(np.rint(np.broadcast_to(delay, 301) / DT), 1) + np.where(np.arange(301) < 300, 10, 20)
    assert half.counts().synaptic_events["p"] == np.sum(steps <= 120)
    np.testing.assert_allclose(half.state("cells", "v")[0], weights[:300][steps[:300] <= 120].sum(), atol=1e-13)


@pytest.mark.parametrize(("weight", "delay"), [(0.25, 1.0), (ss.Uniform(0.0, 1.0), 1.0), (0.25, ss.Uniform(1.0, 2.0))])
@pytest.mark.filterwarnings("ignore:grid engine. times rounded")
def test_more_targets_than_a_row_reaches(weight, delay):
    net = network(ss.AllToAll(), 131_073, weight, delay)
    states = [run(net, 4.0, threads=threads).state("cells", "v") for threads in (1, 2)]
    assert np.array_equal(*states)
    assert states[0].min() >= 0 and states[0][65_536:].max() > 0
    assert states[0].sum() == pytest.approx(131_073 * (0.25 if weight == 0.25 else 0.5), rel=0.02)


@pytest.mark.filterwarnings("ignore:grid engine. times rounded")
@pytest.mark.parametrize("weight", [0.5, ss.Uniform(0.0, 1.0)])
@pytest.mark.parametrize("delay", [2.0, ss.Uniform(0.1, 8.0)])
def test_pauses_and_scaling_act_on_what_is_under_way(weight, delay):
    """Two engines that keep their books differently agree, on a grid that delays are rounded to."""
    found = []
    steps = np.rint(np.random.default_rng(0).uniform(1, 80, 4 * 30)) * 0.5 if not isinstance(delay, float) else delay
    for engine in ("event", "grid"):
        net = network(ss.AllToAll(), 30, weight, steps, times=(1.0, 2.0, 3.0, 4.0))
        sim = ss.Simulation(net, engine=engine, dt=0.5)
        sim.run(3.0)
        sim.pause("p")
        sim.run(4.0)
        sim.resume("p")
        sim.scale_weights("p", 3.0)
        sim.run(2.0)
        sim.scale_weights("p", 1.0)
        sim.run(20.0)
        found.append((sim.state("cells", "v"), sim.counts().synaptic_events["p"]))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    assert 0 < found[0][1] == found[1][1] < 120


def test_bytes_of_a_synapse():
    """2 bytes with one weight and delay, 8 with an own weight and delay, apart from 8 to 16 a source."""
    for weight, delay, expected in (
        (0.5, 1.0, 2),
        (0.5, ss.Uniform(1.0, 2.0), 4),
        (ss.Normal(), ss.Uniform(1.0, 2.0), 8),
    ):
        net = network(ss.AllToAll(), 1000, weight, delay, times=tuple(np.arange(1.0, 21.0)))
        with pytest.warns(UserWarning, match="rounded") if delay != 1.0 else np.errstate():
            sim = ss.Simulation(net, engine="grid", dt=DT)
        assert expected <= sum(b.nbytes for b in sim._run.bundles()) / 20_000 < expected + 0.02

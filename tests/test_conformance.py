"""Both engines against the reference, and against themselves: split, threaded, batched, saved, interpreted."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn import (
    DT,
    DURATION,
    GRID_MODELS,
    MODELS,
    busy,
    connect,
    digest,
    fingerprint,
    late,
    mixed,
    random_network,
    small_runs,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference import Cell, simulate_event, simulate_grid, synapses_of
from scipy.optimize import minimize_scalar

import spikesim as ss

TESTS = Path(__file__).parent


def assert_same_spikes(result, outcome, network, atol):
    """Equal trains of every element, and equal counters."""
    for p in network:
        got = result.spikes[p.name].trains()
        for k, train in enumerate(got):
            expected = np.sort([t for t, i in outcome.spikes[p.name] if i == k])
            assert len(train) == len(expected), (p.name, k, train, expected)
            np.testing.assert_allclose(train, expected, rtol=0, atol=atol, err_msg=f"{p.name}[{k}]")
        if not p.is_source:
            assert result.counts.spikes[p.name] == sum(map(len, got))
    for p in network.projections:
        assert result.counts.synaptic_events[p.name] == outcome.deliveries[p.name], p.name


def assert_same_state(sim, outcome, network):
    for p in network:
        if not p.is_source:
            expected = [outcome.v[p.name, k][-1] for k in range(p.size)]
            np.testing.assert_allclose(sim.state(p.name, "v"), expected, rtol=1e-9, atol=1e-9, err_msg=p.name)


def check(network, engine, threads):
    """Same spikes, counters and final membranes as the reference, unless a tie hangs on rounding."""
    synapses = synapses_of(network)
    on_event = engine == "event"
    outcome = (
        simulate_event(network, DURATION, synapses) if on_event else simulate_grid(network, DURATION, DT, synapses)
    )
    assume(outcome.closest > 1e-9)
    sim = ss.Simulation(network, engine=engine, dt=DT, threads=threads)
    sim.run(DURATION)
    assert_same_spikes(sim.result(), outcome, network, 1e-9 if on_event else 1e-6 * DT)
    assert_same_state(sim, outcome, network)


seeds, threads = st.integers(0, 2**32 - 1), st.integers(1, 3)
few = {"min_size": 1, "max_size": 3}


@settings(max_examples=100)
@given(seed=seeds, names=st.lists(st.sampled_from(sorted(MODELS)), **few), ties=st.booleans(), threads=threads)
def test_event_engine_agrees_with_the_reference(seed, names, ties, threads):
    check(random_network(seed, names, ties), "event", threads)


@settings(max_examples=100)
@given(seed=seeds, names=st.lists(st.sampled_from(sorted(GRID_MODELS)), **few), threads=threads)
@pytest.mark.filterwarnings("ignore:grid engine. times rounded")
def test_grid_engine_agrees_with_the_reference(seed, names, threads):
    check(random_network(seed, names), "grid", threads)


@pytest.mark.filterwarnings("ignore:grid engine. times rounded")
def test_short_delays_and_pauses_take_one_step_of_the_grid():
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(1.0), t_ref=0.1)
    source, out = ss.Population("in", 1, ss.RegularSource(0.5, 0.5)), ss.Population("out", 1, neuron)
    network = ss.Network([source, out], [ss.Projection(source, out, delay=0.2)])
    outcome = simulate_grid(network, 4.0, 0.5, synapses_of(network))
    assert_same_spikes(ss.simulate(network, 4.0, engine="grid", dt=0.5), outcome, network, 1e-9)


def test_instant_chains_are_summed_before_the_test(engine):
    """Input that arrives at once and by way of neurons that fire at the same instant: 12 + 9 - 15 mV do not fire c."""
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(10.0))
    source = ss.Population("source", 1, ss.SpikeSource(ss.Spikes([1.0], [0], 1, 2.0)))
    a, b, c, d = (ss.Population(x, 1, neuron) for x in "abcd")
    links = [(source, d, 12.0), (source, c, 12.0), (d, b, 10.0), (d, c, 9.0), (b, c, -15.0), (c, a, 10.0)]
    network = ss.Network([a, c, b, d, source], [ss.Projection(x, y, weight=w, delay=0.0) for x, y, w in links])
    sim = ss.Simulation(network, engine=engine, dt=0.5)
    sim.run(2.0)
    assert [sim.result().spikes[x].times.tolist() for x in "dbca"] == [[1.0], [1.0], [], []]
    assert sim.state("c", "v") == 6.0


@pytest.mark.parametrize(
    ("v", "weight", "event", "grid"),
    [
        (11.0, None, [0.0], [0.5]),
        (11.0, 5.0, [0.0], [0.5]),
        (11.0, -4.0, [], []),
        (0.0, 12.0, [0.0], [0.5]),
    ],
)
def test_the_first_instant(driven, engine, v, weight, event, grid):
    """At t = 0 the initial state and the inputs count together; the grid tests at the end of its first step."""
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(10.0), reset=ss.ResetBySubtraction(8.0))
    network = driven(neuron, {"syn": [(0.0, weight)]} if weight else None, initial={"v": v})
    sim = ss.Simulation(network, engine=engine, dt=0.5)
    sim.run(2.0)
    expected = event if engine == "event" else grid
    assert sim.result().spikes["out"].times.tolist() == expected
    assert sim.state("out", "v") == v + (weight or 0.0) - 8.0 * len(expected)


@pytest.fixture(scope="module")
def whole_run():
    """Fingerprint of 60 ms in one piece, by engine."""
    found = {}
    for engine in ("event", "grid"):
        sim = busy(engine)
        sim.run(60.0)
        counts = sim.result().counts.spikes
        assert counts["a"] > 300 and counts["b"] > 40, counts
        found[engine] = fingerprint(sim)
    return found


@pytest.mark.parametrize("parts", [[20.0, 40.0], [0.1, 7.3, 12.6, 40.0], [0.5] * 120])
def test_split_runs_are_one_run(engine, parts, whole_run):
    sim = busy(engine)
    for part in parts:
        sim.run(part)
        sim.state("b", "v")  # looking does not disturb
    assert sim.time == pytest.approx(60.0)
    assert fingerprint(sim) == whole_run[engine]


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(engine, threads, whole_run):
    sim = busy(engine, threads=threads)
    sim.run(60.0)
    assert fingerprint(sim) == whole_run[engine]


def test_saved_and_restored_with_spikes_in_flight(engine, whole_run, tmp_path):
    sim = busy(engine)
    sim.run(22.5)
    sim.save(tmp_path / "state")
    sim.run(10.0)  # what happens to the original afterwards is not in the file
    for _ in range(2):
        again = ss.Simulation.load(tmp_path / "state")
        assert again.time == pytest.approx(22.5)
        again.run(37.5)
        assert fingerprint(again) == whole_run[engine]


def in_new_process(code, **env):
    """Standard output of `code` run by a fresh interpreter that can import this file."""
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path} | env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_restored_in_another_process(engine, whole_run, tmp_path):
    sim = busy(engine)
    sim.run(30.0)
    sim.save(tmp_path / "state")
    code = f"""if True:
        import spikesim as ss, drawn as t
        sim = ss.Simulation.load({str(tmp_path / "state")!r})
        sim.run(30.0)
        print(t.digest(t.fingerprint(sim)))"""
    assert in_new_process(code).split() == [digest(whole_run[engine])]


def test_interpreted_equals_compiled(engine):
    code = f"import drawn as t, spikesim._jit as j; assert not j.COMPILED; print(t.small_runs({engine!r}))"
    assert in_new_process(code, NUMBA_DISABLE_JIT="1").strip() == small_runs(engine)


def stimulated(spikes, currents):
    """A network of two models whose source and currents may hold one stimulus or a batch."""
    rng = np.random.default_rng(5)
    source = ss.Population("source", 4, ss.SpikeSource(spikes))
    (first, _), (second, _) = mixed(6, rng), late(5, rng)
    a = ss.Population("a", 6, first, inputs=ss.Current(currents))
    b = ss.Population("b", 5, second)
    links = [(source, a, True), (source, b, True), (a, b, True), (b, a, False)]
    return ss.Network([source, a, b], [connect(pre, post, rng, 12, instant) for pre, post, instant in links])


@pytest.mark.parametrize("threads", [1, 3])
def test_batch_equals_single_runs(engine, threads, rng):
    times = rng.integers(1, 100, (5, 60)) * DT
    recordings = tuple(ss.Spikes(t, rng.integers(0, 4, 60), 4, DURATION) for t in times)
    currents = rng.uniform(0, 400, (5, 6))
    record = ss.Record(states={"a": ("v", "theta")}, interval=1.0)
    options = {"engine": engine, "dt": DT, "record": record}
    together = ss.simulate(stimulated(recordings, currents), DURATION, batch=5, threads=threads, **options)
    assert len({s.times.tobytes() for s in together.spikes["a"]}) == 5
    singles = [ss.simulate(stimulated(r, c), DURATION, **options) for r, c in zip(recordings, currents, strict=True)]
    for k, single in enumerate(singles):
        for p in "ab":
            assert len(single.spikes[p]) > 10
            assert together.spikes[p][k] == single.spikes[p]
            np.testing.assert_array_equal(together.spike_counts[p][k], single.spike_counts[p])
        for x in ("v", "theta"):
            np.testing.assert_array_equal(together.states["a"][x][k], single.states["a"][x])
    for name in together.counts.synaptic_events:
        assert together.counts.synaptic_events[name] == sum(s.counts.synaptic_events[name] for s in singles)


def test_stimuli_of_a_batch_have_random_numbers_of_their_own(engine):
    sim = busy(engine, batch=3)
    sim.run(10.0)
    for p in ("source", "a"):
        assert len({s.times.tobytes() for s in sim.result().spikes[p]}) == 3


def test_grid_converges_to_event_at_first_order(rng):
    """First spikes lie within one step after the exact crossing; the errors of later ones shrink with the step."""
    n = 40
    model = ss.Neuron(
        ss.LIF(14.0), ss.Exponential(rng.uniform(2, 6, n)), ss.FixedThreshold(rng.uniform(9, 11, n)), t_ref=2.0
    )
    a = ss.Population("a", n, model, inputs=ss.Current(rng.uniform(200, 500, n)))
    source = ss.Population("source", 8, ss.RegularSource(interval=8.0, start=np.arange(1.0, 9.0)))
    weight = rng.uniform(50, 400, 8 * n)
    drive = ss.Projection(source, a, ss.AllToAll(), weight, 1.0)
    network = ss.Network([a, source], [drive, ss.Projection(a, a, ss.FixedIndegree(4), 40.0, 2.0)])
    exact = ss.simulate(network, 40.0).spikes["a"].trains()
    steps, errors = 2.0 ** -np.arange(2, 11), []
    for dt in steps:
        trains = ss.simulate(network, 40.0, engine="grid", dt=dt).spikes["a"].trains()
        early = [(x[0], y[0]) for x, y in zip(trains, exact, strict=True) if y[0] < min(z[0] for z in exact) + 2.0]
        first = np.array([x - y for x, y in early])  # before any neuron hears of another
        assert len(first) >= 3 and (first >= -1e-12).all() and (first <= dt).all()
        errors.append(np.mean([abs(x[1] - y[1]) for x, y in zip(trains, exact, strict=True)]))
    order = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 0.9 < order < 1.1, errors
    assert [len(x) for x in trains] == [len(y) for y in exact]


def test_brette_2007_benchmark_4():
    """Delta jumps into LIF with E_L above threshold, scaled to 2000 neurons: equal until chaos has grown.

    Errors grow by a factor of 100 in every 40 ms or so, from 1e-14 ms. Brette et al. 2007,
    doi:10.1007/s10827-007-0038-6, benchmark 4 (there 64 + 16 synapses of 0.25 and -2.25 mV per neuron).
    """
    rng = np.random.default_rng(1)
    model = ss.Neuron(ss.LIF(20.0, -49.0), ss.Delta(), ss.FixedThreshold(-50.0), ss.ResetTo(-60.0), 5.0)
    exc, inh = (ss.Population(x, n, model, {"v": rng.uniform(-60, -50, n)}) for x, n in [("exc", 1600), ("inh", 400)])
    projections = []
    for pre, indegree, weight in ((exc, 32, 0.5), (inh, 8, -4.5)):
        for post in (exc, inh):
            sources = rng.integers(0, pre.size, indegree * post.size)
            rule = ss.Pairwise(sources, np.repeat(np.arange(post.size), indegree))
            projections.append(ss.Projection(pre, post, rule, weight, 0.125))
    network = ss.Network([exc, inh], projections)
    expected = simulate_event(network, 110.0, synapses_of(network))
    result = ss.simulate(network, 110.0)
    assert len(expected.spikes["exc"]) > 2000
    for p in ("exc", "inh"):
        times, ids = zip(*expected.spikes[p], strict=True)
        np.testing.assert_array_equal(result.spikes[p].ids, ids)
        np.testing.assert_allclose(result.spikes[p].times, times, rtol=0, atol=1e-9)


def barely_crossing(rng, n, margins):
    """Networks of n neurons whose membranes rise above threshold by `margins` once, and then sink for good.

    A positive current meets a slower negative one that starts at the same time; there is no event but the start.
    """
    for _ in range(5):
        tau_m, fast, slow = rng.uniform(5, 20), rng.uniform(1, 4), rng.uniform(5, 25)
        up = rng.uniform(500, 3000, n)
        initial = {"i_fast": up, "i_slow": -up * rng.uniform(0.05, 0.4, n)}
        membrane, synapses = ss.LIF(tau_m), {"fast": ss.Exponential(fast), "slow": ss.Exponential(slow)}
        probe = ss.Population("out", n, ss.Neuron(membrane, synapses), initial)
        peaks = np.empty(n)
        for k in range(n):
            v = Cell(probe, k, float, float).v_after
            near = max(np.linspace(0, 60, 601), key=v)
            top = minimize_scalar(lambda h, v=v: -v(h), bounds=(near - 0.1, near + 0.1), options={"xatol": 1e-10})
            peaks[k] = max(-top.fun, v(near))
        threshold = ss.AdaptiveThreshold(peaks - margins, 0.0, 1.0)
        model = ss.Neuron(membrane, synapses, threshold, ss.ResetTo(-1e3), 100.0)
        yield ss.Network([ss.Population("out", n, model, initial)])


def test_no_crossing_between_events_is_missed(rng):
    """Above threshold for 1e-3 to 1 ms only, far shorter than the interval between events."""
    for network in barely_crossing(rng, 80, 10.0 ** rng.uniform(-7, 0, 80)):
        result = ss.simulate(network, 80.0)
        assert result.counts.spikes["out"] == 80
        assert_same_spikes(result, simulate_event(network, 80.0, []), network, 1e-9)


@pytest.mark.parametrize("margin", [1e-10, -1e-10])
def test_peaks_at_the_threshold(rng, margin):
    """A peak 1e-10 mV above threshold fires, one 1e-10 mV below does not."""
    for network in barely_crossing(rng, 40, margin):
        assert ss.simulate(network, 80.0).counts.spikes["out"] == (40 if margin > 0 else 0)


@pytest.mark.parametrize("taus", [(8.0, 3.0, 2.0), (15.0, 1.0, 6.0), (5.0, 9.0, 0.7)])
def test_random_currents_cross_as_in_the_reference(rng, taus):
    """Dense random input of both signs into three receptors, around an adapting threshold."""
    n, k = 30, 40
    synapses = {"d": ss.Delta(), "e": ss.Exponential(taus[1]), "a": ss.Alpha(taus[2])}
    threshold = ss.AdaptiveThreshold(rng.uniform(2, 6, n), 0.5, 10.0)
    out = ss.Population("out", n, ss.Neuron(ss.LIF(taus[0]), synapses, threshold))
    spikes = ss.Spikes(rng.uniform(0, 60, 4 * k), rng.integers(0, k, 4 * k), k, 60.0)
    source = ss.Population("in", k, ss.SpikeSource(spikes))
    projections = []
    for receptor, scale in (("d", 2.0), ("e", 1200.0 / taus[1]), ("a", 500.0 / taus[2])):
        rule = ss.Pairwise(rng.integers(0, k, 8 * n), np.repeat(np.arange(n), 8))
        weight, delay = rng.normal(0.1 * scale, scale, 8 * n), rng.uniform(0.1, 5, 8 * n)
        projections.append(ss.Projection(source, out, rule, weight, delay, receptor, receptor))
    network = ss.Network([out, source], projections)
    outcome = simulate_event(network, 60.0, synapses_of(network))
    assert len(outcome.spikes["out"]) > 150
    assert_same_spikes(ss.simulate(network, 60.0), outcome, network, 1e-9)

"""Both engines against closed forms and exact statistics.

Parameters of one kind are numbers here or arrays there as in `drawn.py`, so that few kernels have to be compiled.
"""

import math

import numpy as np
import pytest
from reference import moment
from scipy.optimize import brentq
from scipy.special import lambertw
from scipy.stats import kstest, norm

import spikesim as ss

NEVER = ss.FixedThreshold(1e9)
ONE = np.ones(1)
SUBTRACT = ss.ResetBySubtraction(1.0)
STEPS = 2.0 ** -np.arange(11)  # 1 ms … 2^-10 ms: exact binary numbers, so that whole steps add up to whole times


def trains(network, duration, **options):
    return ss.simulate(network, duration, **options).spikes["out"].trains()


def trace(network, duration, **options):
    """Sample times and membranes, sampled as often as the engine steps."""
    record = ss.Record(states={"out": ("v",)}, interval=options.setdefault("dt", 0.25))
    result = ss.simulate(network, duration, record=record, **options)
    return result.state_times, result.states["out"]["v"]


@pytest.mark.parametrize("dt", STEPS)
def test_constant_current_below_threshold(driven, dt):
    """V = (I tau / C) (1 - exp(-t / tau)), as in NEST's test_iaf_ps_dc_accuracy."""
    network = driven(ss.Neuron(ss.LIF(10.0), threshold=NEVER), inputs=ss.Current(1000.0 * ONE))
    for engine in ("event", "grid"):
        sim = ss.Simulation(network, engine=engine, dt=dt)
        for t, tolerance in ((5.0, 1e-13), (500.0, 1e-12)):
            sim.run(t - sim.time)
            assert sim.state("out", "v") == pytest.approx(-1000.0 * 10.0 / 250.0 * math.expm1(-t / 10.0), rel=tolerance)


def test_perfect_integrator_below_threshold(driven, engine):
    network = driven(ss.Neuron(ss.IF(-3.0, 200.0), threshold=NEVER, reset=SUBTRACT), inputs=ss.Current(100.0 * ONE))
    times, v = trace(network, 40.0, engine=engine)
    np.testing.assert_allclose(v[:, 0], -3.0 + 0.5 * times, rtol=1e-13)


def test_stepped_current(driven, engine):
    """Each step relaxes towards its own I tau / C."""
    network = driven(
        ss.Neuron(ss.LIF(10.0), threshold=NEVER), inputs=ss.Current(ss.Steps([2.0, 5.0, 9.0], [500.0, -200.0, 0.0]))
    )
    times, v = trace(network, 20.0, engine=engine, dt=0.25)
    expected, level, start, target = [], 0.0, 0.0, 0.0
    for t in times:
        for change, current in ((2.0, 500.0), (5.0, -200.0), (9.0, 0.0)):
            if start < change <= t:
                level = target + (level - target) * math.exp(-(change - start) / 10.0)
                start, target = change, current * 10.0 / 250.0
        expected.append(target + (level - target) * math.exp(-(t - start) / 10.0))
    np.testing.assert_allclose(v[:, 0], expected, rtol=1e-12, atol=1e-13)


def passive(tau_m, synapse):
    """A neuron that never fires."""
    return ss.Neuron(ss.LIF(tau_m), synapse, ss.FixedThreshold(np.full(len(synapse.tau_syn), 1e9)))


def psp_exponential(t, tau_m, tau_s, w, c_m=250.0):
    """Membrane t after one spike of weight w: w/C (e^(-t/tau_m) - e^(-t/tau_s)) / (1/tau_s - 1/tau_m)."""
    return w / c_m * math.exp(-t / tau_m) * t * moment(0, t / tau_s - t / tau_m)


def psp_alpha(t, tau_m, tau_s, w, c_m=250.0):
    return w * math.e / tau_s / c_m * math.exp(-t / tau_m) * t * t * moment(1, t / tau_s - t / tau_m)


def peak_exponential(tau_m, tau_s):
    """Time of the peak: ln(tau_m / tau_s) / (1/tau_s - 1/tau_m)."""
    return tau_m if tau_m == tau_s else math.log(tau_m / tau_s) / (1 / tau_s - 1 / tau_m)


def peak_alpha(tau_m, tau_s):
    """Time of the peak, the root x != 0 of e^x = 1 + a x with a = tau_m / tau_s, x = t (1/tau_s - 1/tau_m)."""
    if tau_m == tau_s:
        return 2 * tau_m
    a = tau_m / tau_s
    x = -1 / a - lambertw(-math.exp(-1 / a) / a, -1 if a > 1 else 0).real
    return x / (1 / tau_s - 1 / tau_m)


SHAPES = {
    "exponential": (ss.Exponential, psp_exponential, peak_exponential),
    "alpha": (ss.Alpha, psp_alpha, peak_alpha),
}
TAUS = [(10.0, 2.0), (20.0, 0.3), (5.0, 12.0), (8.0, 8.0)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("tau_m", "tau_s"), TAUS)
def test_psp_everywhere(driven, engine, shape, tau_m, tau_s):
    synapse, psp, _ = SHAPES[shape]
    network = driven(passive(tau_m, synapse(tau_s * ONE)), {"syn": [(1.0, 500.0)]})
    times, v = trace(network, 60.0, engine=engine, dt=0.25)
    expected = [psp(max(t - 1.0, 0.0), tau_m, tau_s, 500.0) for t in times]
    np.testing.assert_allclose(v[:, 0], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("tau_m", "tau_s"), TAUS)
def test_psp_peak(driven, shape, tau_m, tau_s):
    """A threshold just below the peak is reached just before the time of the peak, one just above never."""
    synapse, psp, peak = SHAPES[shape]
    top = peak(tau_m, tau_s)
    height = psp(top, tau_m, tau_s, 500.0)
    threshold = ss.FixedThreshold(height * (1 + np.array([-1e-4, -1e-8, 1e-8])))
    network = driven(
        ss.Neuron(ss.LIF(tau_m), synapse(np.full(3, tau_s)), threshold, t_ref=100.0), {"syn": [(1.132123512, 500.0)]}, 3
    )
    early, late, never = trains(network, 60.0)
    assert len(never) == 0
    assert early[0] < late[0] < 1.132123512 + top
    assert late[0] == pytest.approx(1.132123512 + top, abs=1e-3 * top)
    for t, level in ((early, threshold.v_th[0]), (late, threshold.v_th[1])):
        assert psp(t[0] - 1.132123512, tau_m, tau_s, 500.0) == pytest.approx(level, rel=1e-13)
    times, v = trace(driven(passive(tau_m, synapse(tau_s * ONE)), {"syn": [(1.0, 500.0)]}), 60.0, engine="grid")
    assert abs(times[v[:, 0].argmax()] - 1.0 - top) <= 0.25


@pytest.mark.parametrize("shape", SHAPES)
def test_nearly_equal_time_constants(driven, engine, shape):
    """No loss of digits as tau_syn approaches tau_m (NEST's test_iaf_singularity)."""
    synapse, psp, _ = SHAPES[shape]
    tau = 10.0 * (1 + np.concatenate([[0.0], 10.0 ** -np.arange(1, 16), -(10.0 ** -np.arange(1, 16))]))
    network = driven(passive(10.0, synapse(tau)), {"syn": [(1.0, 500.0)]}, len(tau))
    sim = ss.Simulation(network, engine=engine, dt=0.125)
    for t in (1.125, 3.0, 20.0):
        sim.run(t - sim.time)
        expected = [psp(t - 1.0, 10.0, x, 500.0) for x in tau]
        np.testing.assert_allclose(sim.state("out", "v"), expected, rtol=1e-12)


def test_delta_jumps_decay(driven, engine):
    network = driven(ss.Neuron(ss.LIF(7.0, -60.0), threshold=NEVER), {"syn": [(1.0, 3.0), (4.0, -5.0), (4.0, 1.0)]})
    times, v = trace(network, 30.0, engine=engine, dt=0.25)
    expected = -60.0 + sum(
        w * np.where(times >= t, np.exp(-(times - t) / 7.0), 0.0) for t, w in ((1.0, 3.0), (4.0, -4.0))
    )
    np.testing.assert_allclose(v[:, 0], expected, rtol=1e-14)


def test_conductance_without_leak(driven):
    """IF and one conductance: v = e_rev (1 - exp(-(g tau / C) (1 - exp(-t / tau)))), approached at fourth order."""
    neuron = ss.Neuron(ss.IF(0.0, 200.0), ss.ExponentialConductance(5.0, 70.0), NEVER)
    errors = []
    for dt in (0.25, 0.125, 0.0625):
        times, v = trace(driven(neuron, {"syn": [(1.0, 30.0)]}), 30.0, engine="grid", dt=dt)
        past = np.maximum(times - 1.0, 0.0)
        errors.append(np.abs(v[:, 0] + 70.0 * np.expm1(30.0 * 5.0 / 200.0 * np.expm1(-past / 5.0))).max())
    assert errors[0] < 1e-4
    assert np.divide(errors[:-1], errors[1:]) == pytest.approx([16.0, 16.0], rel=0.1)


def interval(current, tau_m=10.0, v_th=15.0, c_m=250.0):
    """Time from 0 to v_th under constant current, infinite below rheobase: -tau ln(1 - C v_th / (tau I))."""
    fraction = c_m * v_th / (tau_m * np.asarray(current, dtype=float))
    return np.where(fraction < 1, -tau_m * np.log1p(-np.where(fraction < 1, fraction, 0.0)), np.inf)


CURRENTS = np.concatenate([[1000.0], np.linspace(376.0, 3000.0, 31), [100.0, 374.999]])


@pytest.mark.parametrize("t_ref", [0.0, 3.7])
def test_spike_times_under_constant_current(driven, t_ref):
    """Event engine: exact to 1e-12, over many spikes and with refractoriness."""
    neuron = ss.Neuron(ss.LIF(10.0), threshold=ss.FixedThreshold(15.0), t_ref=t_ref)
    network = driven(neuron, None, len(CURRENTS), inputs=ss.Current(CURRENTS))
    for train, period in zip(trains(network, 100.0), interval(CURRENTS), strict=True):
        count = int((100.0 - period) / (period + t_ref)) + 1 if period <= 100.0 else 0
        expected = [period + k * (period + t_ref) for k in range(count)]
        np.testing.assert_allclose(train, expected, rtol=1e-14, atol=1e-12)


@pytest.mark.parametrize("dt", STEPS)
def test_grid_spikes_at_the_first_step_above_threshold(driven, dt):
    """Each interval is that of continuous time, rounded up to whole steps, plus the refractory period."""
    n = len(CURRENTS)
    neuron = ss.Neuron(ss.LIF(10.0), threshold=ss.FixedThreshold(15.0), t_ref=2.0)
    network = driven(neuron, None, n, inputs=ss.Current(CURRENTS))
    for train, period in zip(trains(network, 50.0, engine="grid", dt=dt), interval(CURRENTS), strict=True):
        step = math.ceil(period / dt) * dt if np.isfinite(period) else math.inf
        expected = np.arange(step, 50.0 + dt / 2, step + 2.0) if np.isfinite(step) else []
        np.testing.assert_array_equal(np.rint(train / dt), np.rint(np.asarray(expected) / dt))


@pytest.mark.parametrize("t_ref", [0.5, 1.0, 3.25, 10.0])
def test_refractory_length(driven, engine, t_ref):
    """Under input that fires the neuron whenever it can, intervals are t_ref and the wait for the next input."""
    events = [(0.125 * k, 100.0) for k in range(1, 400)]
    neuron = ss.Neuron(ss.LIF(10.0), threshold=ss.FixedThreshold(15.0), t_ref=t_ref)
    (train,) = trains(driven(neuron, {"syn": events}), 50.0, engine=engine, dt=0.125)
    np.testing.assert_array_equal(np.diff(train), t_ref + 0.125)


def test_f_i_curve(driven, engine):
    """Rate 1 / (t_ref + tau ln(I / (I - I_rheobase)))."""
    current = np.linspace(100.0, 2000.0, 69)
    neuron = ss.Neuron(ss.LIF(20.0), threshold=ss.FixedThreshold(15.0), t_ref=2.0)
    network = driven(neuron, None, len(current), inputs=ss.Current(current))
    result = ss.simulate(network, 1000.0, engine=engine, dt=2.0**-6, record=ss.Record(spikes=False))
    period = interval(current, 20.0)
    silent = np.isinf(period)
    assert 0 < silent.sum() < 10
    period = np.where(silent, 1e4, np.ceil(period * 64) / 64 if engine == "grid" else period)
    np.testing.assert_array_equal(result.spike_counts["out"], np.floor((1000.0 - period) / (period + 2.0)) + 1)


def test_adaptive_threshold(driven, engine):
    """Each interval ends where the charging membrane meets the decaying threshold."""
    threshold = ss.AdaptiveThreshold(10.0, 2.0, 50.0)
    network = driven(ss.Neuron(ss.LIF(20.0), threshold=threshold, t_ref=1.0), inputs=ss.Current(400.0 * ONE))
    (train,) = trains(network, 300.0, engine=engine, dt=2.0**-8)
    theta, last, pause = 0.0, 0.0, 0.0
    for spike in train:
        drive = 400.0 * 20.0 / 250.0
        wait = brentq(
            lambda s, theta=theta, pause=pause, drive=drive: (
                -drive * math.expm1(-s / 20.0) - 10.0 - theta * math.exp(-(s + pause) / 50.0)
            ),
            1e-9,
            200.0,
            xtol=1e-14,
        )
        expected = last + pause + wait
        assert spike == pytest.approx(expected, abs=1e-12) if engine == "event" else 0 <= spike - expected <= 2.0**-8
        theta = theta * math.exp(-(spike - last) / 50.0) + 2.0
        last, pause = spike, 1.0
    assert 10 < len(train) < 40


def test_subtraction_keeps_the_remainder(driven, engine):
    """A perfect integrator reset by subtraction fires at k v_th C / I without drift, on the grid at the step after."""
    current = np.array([37.3, 61.3, 100.7])
    neuron = ss.Neuron(ss.IF(0.0, 100.0), threshold=ss.FixedThreshold(1.0), reset=ss.ResetBySubtraction(1.0))
    dt = 2.0**-3
    found = trains(driven(neuron, None, 3, inputs=ss.Current(current)), 500.0, engine=engine, dt=dt)
    for train, period in zip(found, 100.0 / current, strict=True):
        exact = period * np.arange(1, len(train) + 1)
        expected = exact if engine == "event" else np.ceil(exact / dt - 1e-9) * dt
        np.testing.assert_allclose(train, expected, rtol=0, atol=1e-10)
        assert len(train) == int(500.0 / period)


def test_sources_emit_what_they_are_given(engine):
    spikes = ss.Spikes([1.0, 1.0, 1.0, 2.5, 40.0, 50.0], [1, 0, 1, 2, 0, 2], 3, 60.0)
    given = ss.Population("given", 3, ss.SpikeSource(spikes))
    regular = ss.Population("regular", 2, ss.RegularSource(np.array([2.5, 10.0]), np.array([0.0, 3.0])))
    result = ss.simulate(ss.Network([given, regular]), 50.0, engine=engine, dt=0.5)
    np.testing.assert_array_equal(result.spikes["given"].times, spikes.times)
    np.testing.assert_array_equal(result.spikes["given"].ids, spikes.ids)
    first, second = result.spikes["regular"].trains()
    np.testing.assert_allclose(first, 2.5 * np.arange(21), atol=1e-12)
    np.testing.assert_allclose(second, 3.0 + 10.0 * np.arange(5), atol=1e-12)


def poisson_source(rate, n, engine, seed=1, duration=2000.0, dt=0.1):
    network = ss.Network([ss.Population("out", n, ss.PoissonSource(rate))])
    return ss.simulate(network, duration, engine=engine, seed=seed, dt=dt).spikes["out"]


def assert_mean(values, mean, variance, level=4.5):
    """The mean of independent `values` lies within `level` standard errors of `mean`."""
    assert abs(np.mean(values) - mean) < level * math.sqrt(variance / np.size(values))


def test_poisson_source_counts_and_intervals(engine):
    """Counts: mean = variance; intervals: exponential, CV 1; serial and cross correlations 0."""
    n, rate, duration = 400, 50.0, 2000.0
    spikes = poisson_source(rate, n, engine)
    expected = rate * duration * 1e-3
    assert_mean(spikes.counts(), expected, expected)
    assert_mean((spikes.counts() - expected) ** 2, expected, expected + 2 * expected**2)
    bins = spikes.to_dense(20.0).astype(float)  # one expected spike per bin and element
    assert_mean((bins - 1.0) ** 2, 1.0, 3.0)
    intervals = np.concatenate([np.diff(t[:61]) for t in spikes.trains()])  # a fixed number, so that none is cut off
    assert abs(intervals.std() / intervals.mean() - 1) < 0.02
    if engine == "event":
        assert kstest(intervals, "expon", args=(0, 1e3 / rate)).pvalue > 0.01
        assert kstest(spikes.times, "uniform", args=(0, duration)).pvalue > 0.01
    else:
        np.testing.assert_allclose(spikes.times / 0.1, np.rint(spikes.times / 0.1), atol=1e-6)
    assert_mean((bins[:, 1:] - 1) * (bins[:, :-1] - 1), 0.0, 1.0)  # neighbours
    assert_mean((bins[1:] - 1) * (bins[:-1] - 1), 0.0, 1.0)  # successive bins
    assert np.abs(np.corrcoef(bins[:, :60].T) - np.eye(60)).max() < norm.isf(1e-6) / math.sqrt(len(bins)) * 1.2


def test_poisson_source_on_the_grid_repeats_within_a_step():
    """At 5 spikes per step and element the counts per step are Poisson, not 0 or 1."""
    counts = poisson_source(5000.0, 50, "grid", duration=500.0, dt=1.0)
    per_step = np.zeros((501, 50))
    np.add.at(per_step, (np.rint(counts.times).astype(int), counts.ids), 1)
    assert per_step[0].sum() == 0
    assert_mean(per_step[1:], 5.0, 5.0)
    assert_mean((per_step[1:] - 5.0) ** 2, 5.0, 5.0 + 2 * 25.0)


def test_poisson_rates_in_steps_and_per_element(engine):
    """A rate of 0 is silence; each stretch has its own mean."""
    rate = ss.Steps([10.0, 500.0, 800.0], np.array([[100.0, 0.0], [0.0, 0.0], [300.0, 40.0]]).repeat(100, axis=1))
    spikes = poisson_source(rate, 200, engine, duration=1000.0)
    fast, slow = spikes.select(range(100)), spikes.select(range(100, 200))
    grace = 1e-9 if engine == "grid" else 0.0  # the step that ends at a change belongs to what was before
    inside = [
        [
            np.sum((s.times > a + grace) & (s.times <= b + grace))
            for a, b in ((0, 10), (10, 500), (500, 800), (800, 1000))
        ]
        for s in (fast, slow)
    ]
    for got, rates in zip(inside, ((0.0, 100.0, 0.0, 300.0), (0.0, 0.0, 0.0, 40.0)), strict=True):
        for k, r, length in zip(got, rates, (10, 490, 300, 200), strict=True):
            mean = r * length * 1e-3 * 100
            assert abs(k - mean) <= 4.5 * math.sqrt(mean)


def test_poisson_seeds(engine):
    """Equal seeds, equal spikes; other seeds, others; populations and elements differ."""
    first = poisson_source(30.0, 20, engine, seed=5)
    assert first == poisson_source(30.0, 20, engine, seed=5)
    assert first != poisson_source(30.0, 20, engine, seed=6)
    network = ss.Network([ss.Population(name, 20, ss.PoissonSource(30.0)) for name in "ab"])
    result = ss.simulate(network, 1000.0, engine=engine)
    assert result.spikes["a"] != result.spikes["b"]
    assert len({t.tobytes() for t in result.spikes["a"].trains()}) == 20


def test_poisson_input_arrivals_are_private_poisson_trains(driven, engine):
    """Every arrival fires the neuron and leaves it as it was, so that spikes are arrivals."""
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(1.0), reset=SUBTRACT)
    network = driven(neuron, None, 300, inputs=ss.PoissonInput(40.0, 1.0))
    result = ss.simulate(network, 2000.0, engine=engine, dt=0.01)
    spikes = result.spikes["out"]
    assert_mean(spikes.counts(), 80.0, 80.0)
    assert_mean((spikes.counts() - 80.0) ** 2, 80.0, 80.0 + 2 * 80.0**2)
    waiting = result.counts.inputs["out"] - len(spikes)  # on the grid one of two arrivals fires a step later
    assert waiting == 0 if engine == "event" else 0 <= waiting <= 1
    intervals = np.concatenate([np.diff(t[:41]) for t in spikes.trains()])
    assert kstest(intervals, "expon", args=(0, 25.0)).pvalue > 0.01
    bins = spikes.to_dense(25.0).astype(float)
    assert_mean((bins[:, 1:] - 1) * (bins[:, :-1] - 1), 0.0, 1.0)


def test_shot_noise_mean_and_variance(driven, engine):
    """Campbell: delta input of rate r gives mean w r tau and variance w^2 r tau / 2 (on the grid: sums over steps)."""
    rate, w, tau, n, dt = 3000.0, 0.2, 10.0, 4000, 0.1
    network = driven(ss.Neuron(ss.LIF(tau), threshold=NEVER), None, n, inputs=ss.PoissonInput(rate, w))
    sim = ss.Simulation(network, engine=engine, dt=dt)
    sim.run(150.0)
    v = sim.state("out", "v")
    r = rate * 1e-3
    mean, variance = w * r * tau, w * w * r * tau / 2
    if engine == "grid":
        mean, variance = w * r * dt / -math.expm1(-dt / tau), w * w * r * dt / -math.expm1(-2 * dt / tau)
    assert_mean(v, mean, variance)
    assert abs(v.var() / variance - 1) < 4.5 * math.sqrt(2 / n)
    assert abs(np.corrcoef(v[1:], v[:-1])[0, 1]) < 4.5 / math.sqrt(n)
    assert abs(sim.result().counts.inputs["out"] / (n * 150.0 * r) - 1) < 4.5 / math.sqrt(n * 150.0 * r)


def test_shot_noise_of_two_receptors(driven, engine):
    """Independent trains into two receptors add their means: w r tau_syn tau_m / C each (alpha: times e)."""
    synapses = {"d": ss.Delta(), "e": ss.Exponential(3.0), "a": ss.Alpha(2.0)}
    threshold = ss.AdaptiveThreshold(np.full(3000, 1e9), 0.0, 1.0)
    inputs = [ss.PoissonInput(1000.0, 100.0, "e"), ss.PoissonInput(800.0, -20.0, "a")]
    network = driven(ss.Neuron(ss.LIF(10.0), synapses, threshold), None, 3000, inputs=inputs)
    sim = ss.Simulation(network, engine=engine, dt=0.05)
    sim.run(150.0)
    mean = (1.0 * 100.0 * 3.0 - 0.8 * 20.0 * 2.0 * math.e) * 10.0 / 250.0
    v = sim.state("out", "v")
    assert_mean(v, mean, v.var(), 5.0)
    assert np.corrcoef(sim.state("out", "i_e"), sim.state("out", "i_a"))[0, 1] == pytest.approx(0, abs=0.08)

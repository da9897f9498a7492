"""The reference simulator itself, against closed forms and general-purpose solvers."""

import math

import numpy as np
import pytest
from reference import Cell, moment, simulate_event, simulate_grid, synapses_of
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm

import spikesim as ss

HIGH = ss.FixedThreshold(1e9)
TWO = {"a": ss.Exponential(3.0), "b": ss.Alpha(7.0)}


def event(network, duration):
    return simulate_event(network, duration, synapses_of(network))


def grid(network, duration, dt):
    return simulate_grid(network, duration, dt, synapses_of(network))


def times(outcome, population="out", k=0):
    return [t for t, i in outcome.spikes[population] if i == k]


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize("x", [-3.0, -0.4, 1e-9, 0.0, 0.49, 0.51, 20.0])
def test_moment_is_its_integral(k, x):
    assert moment(k, x) == pytest.approx(quad(lambda s: s**k * math.exp(-x * s), 0, 1, epsabs=0)[0], rel=1e-12)


def test_constant_current_spike_times(driven):
    """t = -tau ln(1 - (v_th - v_rest) c / (tau I)), then one period more each time."""
    neuron = ss.Neuron(ss.LIF(10.0, -65.0), ss.Delta(), ss.FixedThreshold(-50.0), ss.ResetTo(-65.0), 2.0)
    got = times(event(driven(neuron, inputs=ss.Current(1000.0)), 50.0))
    period = -10.0 * math.log1p(-15.0 * 250.0 / (10.0 * 1000.0))
    assert len(got) == int((50.0 - period) / (period + 2.0)) + 1
    assert got == pytest.approx([period + k * (period + 2.0) for k in range(len(got))], abs=1e-12)


@pytest.mark.parametrize("membrane", [ss.LIF(10.0, -3.0, 200.0), ss.LIF(7.0), ss.IF(1.0, 100.0)])
def test_propagation_is_the_matrix_exponential(driven, membrane):
    """All states of a neuron with both kinds of currents (tau_m == tau_syn included)."""
    initial = {"v": 2.0, "i_a": 30.0, "i_b": -50.0, "g_b": 11.0}
    network = driven(ss.Neuron(membrane, TWO, HIGH), initial=initial, inputs=ss.Current(40.0))
    matrix = np.zeros((5, 5))  # v, i_a, i_b, g_b, 1
    matrix[0] = [-membrane.leak, *([1 / membrane.c_m] * 2), 0, membrane.leak * membrane.v_rest + 40.0 / membrane.c_m]
    matrix[1, 1], matrix[2, 2:4], matrix[3, 3] = -1 / 3.0, (-1 / 7.0, 1.0), -1 / 7.0
    expected = [(expm(matrix * 0.5 * m) @ [2.0, 30.0, -50.0, 11.0, 1.0])[0] for m in range(1, 41)]
    assert grid(network, 20.0, 0.5).v["out", 0] == pytest.approx(expected, rel=1e-12)
    assert event(network, 20.0).v["out", 0][-1] == pytest.approx(expected[-1], rel=1e-12)


def test_conductances_follow_their_equation(driven):
    synapses = {"e": ss.ExponentialConductance(5.0, 0.0), "i": ss.ExponentialConductance(10.0, -80.0), "a": TWO["a"]}
    neuron = ss.Neuron(ss.LIF(20.0, -60.0, 200.0), synapses, HIGH)
    network = driven(neuron, initial={"g_e": 30.0, "g_i": 20.0, "i_a": 90.0}, inputs=ss.Current(100.0))

    def slope(t, v):
        g_e, g_i, i = 30.0 * math.exp(-t / 5.0), 20.0 * math.exp(-t / 10.0), 90.0 * math.exp(-t / 3.0)
        return -(v + 60.0) / 20.0 + (g_e * (0.0 - v) + g_i * (-80.0 - v) + i + 100.0) / 200.0

    errors = []
    for dt in (0.5, 0.25, 0.125):
        steps = dt * np.arange(1, int(30 / dt) + 1)
        expected = solve_ivp(slope, (0, 30), [-60.0], t_eval=steps, rtol=1e-13, atol=1e-13).y[0]
        errors.append(np.abs(grid(network, 30.0, dt).v["out", 0] - expected).max())
    assert errors[0] < 1e-4
    assert np.divide(errors[:-1], errors[1:]) == pytest.approx([16.0, 16.0], rel=0.1)  # fourth order


def random_cell(rng):
    """A neuron with three decaying currents of both signs, a constant current and an adapting threshold."""
    synapses = {"a": ss.Exponential(rng.uniform(1, 5)), "b": ss.Exponential(rng.uniform(5, 20)), "c": ss.Alpha(3.0)}
    threshold = ss.AdaptiveThreshold(rng.uniform(0.2, 3.0), 1.0, rng.uniform(3, 30))
    membrane = ss.LIF(rng.uniform(5, 20)) if rng.random() < 0.7 else ss.IF()
    initial = {s: rng.normal(0, 400) for s in ("i_a", "i_b", "i_c", "g_c")} | {"theta": rng.uniform(0, 2)}
    population = ss.Population(
        "out", 1, ss.Neuron(membrane, synapses, threshold), initial, ss.Current(rng.normal(0, 40))
    )
    return Cell(population, 0, float, float)


def test_next_crossing_is_the_first_of_a_dense_scan(rng):
    crossings = 0
    h = np.linspace(0.0, 40.0, 2001)
    for _ in range(80):
        cell = random_cell(rng)
        gap = np.array([cell.v_after(x) - cell.v_th - cell.theta * math.exp(-x * cell.theta_rate) for x in h])
        rises = np.flatnonzero((gap[:-1] < 0) & (gap[1:] >= 0))
        got = cell.next_crossing(40.0)
        if rises.size:
            crossings += 1
            assert h[rises[0]] <= got <= h[rises[0] + 1]
        else:
            assert got is None
    assert 20 < crossings < 75


@pytest.mark.parametrize("margin", [1e-4, 1e-8, 1e-10])
def test_next_crossing_finds_a_peak_that_barely_reaches(rng, margin):
    """The membrane is above threshold only for about sqrt(margin) ms."""
    found = 0
    for _ in range(40):
        cell = random_cell(rng)
        cell.theta = 0.0
        h = scan = np.linspace(0.0, 40.0, 1001)
        v = v_scan = np.array([cell.v_after(x) for x in h])
        peak = int(v.argmax())
        if not 0 < peak < 1000:
            continue
        for _ in range(4):  # climb to the top on ever finer scans
            h = np.linspace(h[max(peak - 1, 0)], h[min(peak + 1, len(h) - 1)], 101)
            v = np.array([cell.v_after(x) for x in h])
            peak = int(v.argmax())
        cell.v_th = v[peak] - margin
        got = cell.next_crossing(40.0)
        assert cell.v_after(got) == pytest.approx(cell.v_th, abs=1e-12)
        assert got < h[peak] and (v_scan[scan < got] < cell.v_th).all()
        cell.v_th = v[peak] + margin
        assert cell.next_crossing(40.0) is None
        found += 1
    assert found > 10


def test_simultaneous_inputs_are_summed_before_the_test(driven):
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(10.0))
    for run in (event, lambda n, t: grid(n, t, 0.5)):
        assert times(run(driven(neuron, {"syn": [(1.0, 12.0), (1.0, -3.0), (2.0, 1.0)]}), 5.0)) == [2.0]
        assert times(run(driven(neuron, {"syn": [(1.0, 7.5), (1.0, 2.5)]}), 5.0)) == [1.0]


def test_refractoriness_ends_inclusively(driven):
    """Delta input at the very end of refractoriness is lost; a current received during it lasts beyond."""
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(10.0), t_ref=2.0)
    inputs = {"syn": [(1.0, 10.0), (2.0, 10.0), (3.0, 10.0), (3.5, 10.0)]}
    assert times(event(driven(neuron, inputs), 9.0)) == times(grid(driven(neuron, inputs), 9.0, 0.5)) == [1.0, 3.5]
    neuron = ss.Neuron(ss.IF(c_m=100.0), ss.Exponential(5.0), ss.FixedThreshold(10.0), ss.ResetTo(9.0), 2.0)
    network = driven(neuron, {"syn": [(1.0, 1000.0)]}, initial={"v": 9.0})
    first, second = times(event(network, 4.0))[:2]
    assert 1000.0 * 5.0 * -math.expm1(-(first - 1.0) / 5.0) == pytest.approx(100.0 * 1.0)
    left = 1000.0 * math.exp(-(first + 2.0 - 1.0) / 5.0)
    assert left * 5.0 * -math.expm1(-(second - first - 2.0) / 5.0) == pytest.approx(100.0 * 1.0)


def test_firing_at_the_end_of_refractoriness(driven):
    """Subtracting less than the excess: at t + t_ref, on the grid one step later; without t_ref at the next input."""
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(10.0), reset=ss.ResetBySubtraction(4.0), t_ref=2.0)
    inputs = {"syn": [(1.0, 15.0), (4.5, 0.0)]}
    assert times(event(driven(neuron, inputs), 9.0)) == [1.0, 3.0]
    assert times(grid(driven(neuron, inputs), 9.0, 0.5)) == [1.0, 3.5]
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(10.0), reset=ss.ResetBySubtraction(4.0))
    assert times(event(driven(neuron, inputs), 9.0)) == [1.0, 4.5]
    assert times(grid(driven(neuron, inputs), 9.0, 0.5)) == [1.0, 1.5]


@pytest.mark.parametrize(
    ("reset", "expected"), [(ss.ResetTo(0.0, 0.5), [1.0, 4.0]), (ss.ResetBySubtraction(10.0, 0.5), [1.0, 1.5, 4.0])]
)
def test_late_reset(driven, reset, expected):
    """Inputs between spike and reset enter the unreset membrane; those at the reset come on top of it."""
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(10.0), reset=reset)
    network = driven(neuron, {"syn": [(1.0, 15.0), (1.25, 4.0), (1.5, 3.0), (4.0, 8.0)]})
    assert times(event(network, 9.0)) == expected
    assert times(grid(network, 9.0, 0.25)) == expected


def test_adaptive_threshold(driven):
    """theta jumps after each spike and decays: the next spikes need v_th + jump (1 + q) … ."""
    threshold = ss.AdaptiveThreshold(10.0, 3.0, 20.0)
    neuron = ss.Neuron(ss.IF(c_m=1.0), threshold=threshold)
    got = times(event(driven(neuron, inputs=ss.Current(1.0)), 60.0))
    theta, t = 0.0, 0.0
    for spike in got:
        theta *= math.exp(-(spike - t) / 20.0)
        assert spike - t == pytest.approx(10.0 + theta, abs=1e-12)
        theta, t = theta + 3.0, spike
    assert len(got) == 4


def test_delays_and_zero_delay_within_one_instant():
    """A chain of delay 0 fires at one instant; a delay adds to the spike time as floats do."""
    source = ss.Population("in", 1, ss.RegularSource(interval=0.7, start=0.3))
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(1.0))
    a, b, c = (ss.Population(name, 1, neuron) for name in "abc")
    links = [(source, a, 0.0), (a, b, 0.0), (b, c, 0.3)]
    network = ss.Network([c, b, a, source], [ss.Projection(x, y, delay=d) for x, y, d in links])
    outcome = event(network, 3.0)
    emitted = [0.3 + k * 0.7 for k in range(4)]
    assert times(outcome, "in") == times(outcome, "a") == times(outcome, "b") == emitted
    assert times(outcome, "c") == [t + 0.3 for t in emitted if t + 0.3 <= 3.0]
    assert outcome.deliveries == {"in->a": 4, "a->b": 4, "b->c": 4}
    assert times(grid(network, 3.0, 0.1), "c") == pytest.approx([0.6, 1.3, 2.0, 2.7])


def test_short_delays_and_pauses_take_one_step():
    neuron = ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(1.0), t_ref=0.1)
    source, out = ss.Population("in", 1, ss.RegularSource(0.5, 0.5)), ss.Population("out", 1, neuron)
    network = ss.Network([source, out], [ss.Projection(source, out, delay=0.2)])
    assert times(grid(network, 4.0, 0.5)) == [1.0, 2.0, 3.0, 4.0]


def test_stepped_current(driven):
    neuron = ss.Neuron(ss.IF(c_m=1.0), threshold=ss.FixedThreshold(10.0))
    network = driven(neuron, inputs=[ss.Current(ss.Steps([2.0, 5.0], [4.0, 1.0])), ss.Current(0.5)])
    first = 2.0 + (10.0 - 0.5 * 2.0) / 4.5
    second = 5.0 + (10.0 - 4.5 * (5.0 - first)) / 1.5
    assert times(event(network, 12.0)) == pytest.approx([first, second], abs=1e-12)
    assert grid(network, 12.0, 0.5).v["out", 0][:6] == [0.25, 0.5, 0.75, 1.0, 3.25, 5.5]


def test_initial_state_above_threshold(driven):
    network = driven(ss.Neuron(ss.IF(), threshold=ss.FixedThreshold(10.0)), initial={"v": 11.0})
    assert times(event(network, 5.0)) == [0.0]
    assert times(grid(network, 5.0, 0.5)) == [0.5]

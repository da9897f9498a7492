"""A membrane and a synapse defined outside the package run in the grid engine and obey their equations."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import spikesim as ss

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"


def _example(name):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def _adex_between_spikes(p, current, v, w):
    """Time and w at the next crossing of 0 mV, by an independent solver."""

    def slope(t, x):
        drive = p.g_l * p.delta * math.exp((min(x[0], 0.0) - p.v_t) / p.delta)
        return [
            (p.g_l * (p.v_rest - x[0]) + drive - x[1] + current) / p.c_m,
            (p.a * (x[0] - p.v_rest) - x[1]) / p.tau_w,
        ]

    def reached(t, x):
        return x[0]

    reached.terminal, reached.direction = True, 1
    found = solve_ivp(slope, (0, 200), [v, w], events=reached, rtol=1e-10, atol=1e-10, method="LSODA")
    return found.t_events[0][0], found.y_events[0][0][1]


def test_adex_fires_when_its_equations_say():
    adex = _example("adex")
    p = adex.AdEx()
    times, t, v, w = [], 0.0, p.v_rest, 0.0
    for _ in range(4):
        dt, w = _adex_between_spikes(p, 800.0, v, w)
        t, v, w = t + dt, p.v_rest, w + p.b
        times.append(t)
    result = ss.simulate(adex.network(800.0), times[-1] + 1.0, engine="grid", dt=0.005)
    np.testing.assert_allclose(result.spikes["cells"].times[:4], times, atol=0.03)


def test_adex_adapts():
    result = ss.simulate(_example("adex").network(900.0, n=3), 400.0, engine="grid", dt=0.05)
    intervals = np.diff(result.spikes["cells"].select([2]).times)
    assert len(intervals) > 5
    assert intervals[-1] > 1.5 * intervals[0]


def test_per_neuron_parameters_of_a_users_membrane():
    adex = _example("adex")
    model = ss.Neuron(adex.AdEx(b=np.array([0.0, 200.0])), ss.Delta(), ss.FixedThreshold(0.0), ss.ResetTo(-70.6))
    cells = ss.Population("cells", 2, model, inputs=ss.Current(900.0))
    counts = ss.simulate(ss.Network([cells]), 300.0, engine="grid", dt=0.05).spike_counts["cells"]
    assert counts[0] > 2 * counts[1] > 0


def test_nmda_current_follows_its_equation():
    nmda = _example("nmda")
    syn = nmda.NMDA(tau_syn=50.0)
    model = ss.Neuron(ss.LIF(tau_m=20.0, v_rest=-65.0, c_m=200.0), syn, ss.FixedThreshold(50.0), ss.ResetTo(-65.0))
    source = ss.Population("in", 1, ss.SpikeSource(ss.Spikes([5.0], [0], 1, 10.0)))
    cell = ss.Population("cell", 1, model)
    network = ss.Network([source, cell], [ss.Projection(source, cell, weight=20.0, delay=1.0)])
    record = ss.Record(states={"cell": ("v", "g_syn")}, interval=1.0)
    result = ss.simulate(network, 60.0, engine="grid", dt=0.1, record=record)

    def slope(t, x):
        g = 20.0 * math.exp(-(t - 6.0) / 50.0)
        return (-(x + 65.0) * 200.0 / 20.0 + g * (0.0 - x) / (1.0 + np.exp(-0.062 * x) / 3.57)) / 200.0

    times = result.state_times[result.state_times >= 6.0]
    expected = solve_ivp(slope, (6.0, 60.0), [-65.0], t_eval=times, rtol=1e-11, atol=1e-11).y[0]
    np.testing.assert_allclose(result.states["cell"]["v"][-len(times) :, 0], expected, atol=1e-6)
    np.testing.assert_allclose(result.states["cell"]["g_syn"][-1, 0], 20.0 * math.exp(-54.0 / 50.0), rtol=1e-12)


def test_the_event_engine_says_that_it_cannot():
    with pytest.raises(ss.errors.UnsupportedError, match=r"'cells'.*no closed form for AdEx.*engine='grid'"):
        ss.simulate(_example("adex").network(), 10.0, engine="event")


def test_support_matrix_lists_the_users_membrane():
    _example("adex")
    assert {"kind": "membrane", "part": "AdEx", "event": False, "grid": True} in ss.engines.support()


def test_saved_and_restored(tmp_path):
    adex = _example("adex")
    simulation = ss.Simulation(adex.network(), engine="grid", dt=0.05)
    simulation.run(100.0).save(tmp_path / "adex.h5")
    again = ss.Simulation.load(tmp_path / "adex.h5").run(100.0)
    assert again.result().spikes["cells"] == simulation.run(100.0).result().spikes["cells"]

"""What a time step, a machine or a file system cannot do is named instead of going wrong in silence."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pytest

import spikesim as ss
from spikesim.errors import FileError, ParameterError, SimulationError


@dataclass(frozen=True, eq=False, repr=False)
class Leaky(ss.Membrane):
    """A membrane of a user's own, which the Runge-Kutta method integrates."""

    c_m: float = ss.param(200.0, "pF", "> 0", "capacitance")


@ss.derivative.register(Leaky)
def _derivative(p, x, i, current):
    return ((-60.0 - x[0]) / 20.0 + current / ss.at(p.c_m, i),)


OWN = ss.Neuron(Leaky(), ss.ExponentialConductance(5.0, 0.0), ss.FixedThreshold(-50.0))
GATED = ss.Neuron(ss.LIF(20.0, -60.0, 200.0), ss.ExponentialConductance(5.0, 0.0), ss.FixedThreshold(-50.0))


def gated(weight, rule=None, neuron=OWN):
    """Two neurons that a spike at 1 ms reaches through conductances, and three that nothing reaches."""
    source = ss.Population("in", 2, ss.RegularSource(100.0, 1.0))
    cells, rest = (ss.Population(name, n, neuron, {"v": -60.0}) for name, n in (("cells", 2), ("rest", 3)))
    return ss.Network([source, rest, cells], [ss.Projection(source, cells, rule or ss.OneToOne(), weight, name="p")])


def test_states_that_blow_up_are_named():
    network = gated(np.array([1.0, 1e6]))
    with pytest.warns(UserWarning, match=r"a spike through p moves the membrane faster than a time step of 0\.1 ms"):
        sim = ss.Simulation(network, engine="grid", threads=2)
    message = r"Population 'cells': v has become (nan|-?inf) by 50 ms \(neuron 1\).*time step of 0\.1 ms; use a smaller"
    with pytest.raises(SimulationError, match=message):
        sim.run(50.0)
    assert np.isfinite(sim.state("rest", "v")).all()


@pytest.mark.parametrize("batch", [2, 3])
def test_the_stimulus_that_blows_up_is_named(batch):
    network = gated(1.0)
    sim = ss.Simulation(network, engine="grid", batch=batch)
    sim.run(1.0)
    sim._run.shards[sim._run.layout.block_of(network["cells"]).number][0].state.x[0][-1] = np.nan
    with pytest.raises(SimulationError, match=rf"'cells': v has become nan by 2 ms \(neuron 1, stimulus {batch - 1}\)"):
        sim.run(1.0)


@pytest.mark.parametrize(
    ("weight", "rule", "dt", "warns"),
    [
        (5000.0, None, 0.1, False),  # dt * w / c_m = 2.5
        (6000.0, None, 0.1, True),
        (6000.0, None, 0.05, False),
        (-6000.0, None, 0.1, True),
        (ss.Uniform(0.0, 6000.0), None, 0.1, True),
        (ss.Normal(100.0, 10.0), None, 0.1, False),
        (60.0, ss.Convolution(np.full((1, 1, 1, 1), 100.0), (1, 1, 2)), 0.1, True),
        (60.0, ss.Convolution(np.full((1, 1, 1, 1), 50.0), (1, 1, 2)), 0.1, False),
    ],
    ids=repr,
)
def test_conductances_too_large_for_the_step(weight, rule, dt, warns):
    network = gated(weight, rule)
    if warns:
        with pytest.warns(UserWarning, match="results will be wrong; use a smaller dt or smaller weights") as seen:
            ss.Simulation(network, engine="grid", dt=dt)
        assert len(seen) == 1
    else:
        ss.Simulation(network, engine="grid", dt=dt)  # warnings are errors


@pytest.mark.parametrize("weight", [1e4, 1e8])
def test_leaky_neurons_stand_any_conductance(weight):
    inhibited = ss.Neuron(ss.LIF(20.0, -60.0, 200.0), ss.ExponentialConductance(5.0, -80.0), ss.FixedThreshold(-50.0))
    for neuron, least, most in ((inhibited, -81.0, -60.0), (GATED, -60.0, 1.0)):
        sim = ss.Simulation(gated(weight, neuron=neuron), engine="grid", dt=0.5)
        for _ in range(60):
            v = sim.run(0.5, progress=False).state("cells", "v")
            assert np.all((least <= v) & (v <= most + 1e-12))  # of the reversal potential they are rounded
        assert (v < -75.0).all() if neuron is inhibited else sim.spike_counts("cells").min() > 10


def test_large_currents_are_no_matter():
    ss.Simulation(gated(1e6, neuron=ss.Neuron(ss.LIF(), ss.Exponential())), engine="grid").run(1.0)


LIF = ss.Neuron(ss.LIF())
CELLS = ss.Population("cells", 2, LIF)


@pytest.mark.parametrize(
    ("network", "dt", "message"),
    [
        (
            ss.Network([CELLS], [ss.Projection(CELLS, CELLS, delay=1e6)]),
            1e-5,
            r"simulate: dt: must be > 0\.000466 ms for delay of projection 'cells->cells', got 1e-05 ms",
        ),
        (
            ss.Network([ss.Population("cells", 2, ss.Neuron(ss.LIF(), t_ref=[0.0, 1e8]))]),
            0.01,
            r"simulate: dt: must be > 0\.0466 ms for t_ref of population 'cells', got 0\.01 ms",
        ),
        (
            ss.Network([ss.Population("cells", 2, LIF, inputs=ss.PoissonInput(ss.Steps([5.0], [1e9])))]),
            0.1,
            r"simulate: dt: must be < 0\.03 ms for rate of population 'cells' \(1e\+09 Hz\), got 0\.1 ms",
        ),
        (ss.Network([ss.Population("in", 2, ss.PoissonSource([1.0, 1e12]))]), 0.1, "must be < 3e-05 ms for rate of"),
    ],
    ids=["delay", "t_ref", "input", "source"],
)
def test_times_and_rates_that_no_step_count_can_hold(network, dt, message):
    with pytest.raises(ParameterError, match=message):
        ss.Simulation(network, engine="grid", dt=dt)
    ss.Simulation(network, engine="event")


def test_arrivals_up_to_the_limit_are_counted_right():
    counter = ss.Neuron(ss.IF(), ss.Delta(), ss.FixedThreshold(1e12))
    cells = ss.Population("cells", 200, counter, inputs=ss.PoissonInput(2.9e8, 1.0))
    v = ss.Simulation(ss.Network([cells]), engine="grid", dt=0.1).run(0.1).state("cells", "v")
    assert v.mean() == pytest.approx(29_000, abs=5 * np.sqrt(29_000 / 200))
    assert v.std() == pytest.approx(np.sqrt(29_000), rel=0.25)


def test_threads_have_a_limit():
    with pytest.raises(ParameterError, match=r"simulate: threads: must be <= 4096, got 5000"):
        ss.Simulation(ss.Network([CELLS]), threads=5000)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (None, "must be the name of a file, got None"),
        (3, "must be the name of a file, got 3"),
        ("", "must be the name of a file, got ''"),
        ("a\0b", "null"),
        ("x" * 400, "name too long"),
    ],
)
def test_what_no_file_can_be_called(path, message):
    sim = ss.Simulation(ss.Network([CELLS]))
    for use in (sim.save, ss.Simulation.load, sim.result().save, ss.Result.load):
        with pytest.raises(FileError, match=f"(?i).*{message}"):
            use(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("overwrite", [False, True])
def test_devices_are_not_replaced(tmp_path, overwrite):
    os.mkfifo(tmp_path / "pipe")
    sim = ss.Simulation(ss.Network([CELLS]))
    for use in (sim.save, sim.result().save):
        with pytest.raises(FileError, match="pipe is no regular file; give another name"):
            use(tmp_path / "pipe", overwrite=overwrite)
    with pytest.raises(FileError, match="pipe is no regular file"):
        ss.Simulation(ss.Network([CELLS]), record=ss.Record(to=tmp_path / "pipe", overwrite=overwrite))


def test_other_slips():
    with pytest.raises(ParameterError, match=r"'cells->cells': rule must be a rule, not its class: AllToAll\(…\)"):
        ss.Projection(CELLS, CELLS, ss.AllToAll)
    with pytest.raises(ParameterError, match=r"LIF\.tau_m: must be > 0 ms, got a number beyond 1\.8e\+308"):
        ss.LIF(tau_m=10**400)
    with pytest.raises(ParameterError, match="summary: network must be a Network, got 3"):
        ss.summary(3)
    with pytest.raises(ParameterError, match=r"unknown engine 'clock'; valid: event, grid"):
        ss.summary(ss.Network([CELLS]), "clock")

"""Running, looking inside, changing, recording and saving: what a user of `Simulation` relies on."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import spikesim as ss
from spikesim.errors import FileError, NetworkError, ParameterError, UnsupportedError

ENGINES = ("event", "grid")


def small(**changes):
    """Excitable random network with delays of its own and private Poisson input."""
    model = ss.Neuron(ss.LIF(tau_m=20.0), ss.Delta(), ss.FixedThreshold(10.0), ss.ResetTo(0.0), t_ref=1.0)
    cells = ss.Population("cells", 40, model, inputs=ss.PoissonInput(rate=900.0, weight=1.0), **changes)
    weight, delay = ss.Normal(0.5, 0.1), ss.Uniform(0.5, 4.0)
    return ss.Network([cells], [ss.Projection(cells, cells, ss.FixedProbability(0.2), weight, delay, name="loop")])


def started(engine="event", record=None, **options):
    """Simulation of the small network; delays off the grid are rounded without a warning here."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="grid engine: times rounded")
        return ss.Simulation(small(), engine=engine, record=record, **options)


@pytest.mark.parametrize("engine", ENGINES)
def test_recording_does_not_depend_on_the_split(engine):
    record = ss.Record(states={"cells": ("v",)}, interval=2.5, ids={"cells": [3, 17]})
    whole = started(engine, record).run(60.0).result()
    parts = started(engine, record)
    for duration in (13.0, 7.3, 39.7):
        parts.run(duration)
    parts = parts.result()
    assert len(whole.spikes["cells"]) > 50
    assert parts.spikes["cells"] == whole.spikes["cells"]
    np.testing.assert_array_equal(parts.state_times, whole.state_times)
    assert whole.states["cells"]["v"].shape == (25, 2)
    np.testing.assert_array_equal(parts.states["cells"]["v"], whole.states["cells"]["v"])
    assert parts.counts == whole.counts


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_change_nothing(engine):
    one, three = (started(engine, threads=k).run(50.0).result() for k in (1, 3))
    assert one.spikes["cells"] == three.spikes["cells"]
    assert one.counts.synaptic_events == three.counts.synaptic_events
    assert one.counts.inputs == three.counts.inputs


@pytest.mark.parametrize("engine", ENGINES)
def test_saved_and_restored_with_spikes_in_flight(engine, tmp_path):
    record = ss.Record(states={"cells": ("v",)}, interval=5.0)
    simulation = started(engine, record, seed=3)
    simulation.run(33.3).save(tmp_path / "state.h5")
    with pytest.raises(FileError, match="exists"):
        simulation.save(tmp_path / "state.h5")
    code = f"""
        import warnings; warnings.simplefilter("ignore")
        import spikesim as ss
        ss.Simulation.load({str(tmp_path / "state.h5")!r}).run(40.0).result().save({str(tmp_path / "end.h5")!r})
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    expected, found = simulation.run(40.0).result(), ss.Result.load(tmp_path / "end.h5")
    assert found.spikes["cells"] == expected.spikes["cells"]
    np.testing.assert_array_equal(found.states["cells"]["v"], expected.states["cells"]["v"])
    assert found.counts == expected.counts


def test_what_is_not_a_saved_state_is_named(tmp_path):
    started().run(5.0).result().save(tmp_path / "result.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    whole = started().run(5.0).save(tmp_path / "state.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    for name, reason in (("absent.h5", "does not exist"), ("result.h5", "result"), ("text.h5", ""), ("cut.h5", "")):
        with pytest.raises(FileError, match=rf"{name}.*{reason}"):
            ss.Simulation.load(tmp_path / name)


@pytest.mark.parametrize("engine", ENGINES)
def test_streaming_keeps_what_memory_would(engine, tmp_path):
    states = {"states": {"cells": ("v",)}, "interval": 2.0}
    memory = started(engine, ss.Record(**states)).run(40.0).result()
    simulation = started(engine, ss.Record(**states, to=tmp_path / "run.h5"))
    simulation.run(15.0).run(25.0)
    result = simulation.result()
    simulation.close()
    loaded = ss.Result.load(tmp_path / "run.h5")
    for found in (result, loaded):
        assert found.spikes["cells"] == memory.spikes["cells"]
        np.testing.assert_array_equal(found.states["cells"]["v"], memory.states["cells"]["v"])
    with pytest.raises(FileError, match="exists"):
        started(engine, ss.Record(to=tmp_path / "run.h5"))


LONG = """
    import sys, warnings
    warnings.simplefilter("ignore")
    sys.path[:0] = [{tests!r}]
    import test_simulation as t, spikesim as ss
    simulation = t.started("grid", ss.Record(to={to!r}) if {to!r} else None)
    simulation.run(10.0)
    print("ready", flush=True)
    try:
        simulation.run(1e8)
    except KeyboardInterrupt:
        done = simulation.time
        simulation.run(5.0)
        result = simulation.result()
        print(done, simulation.time, result.spikes["cells"].t_stop, len(result.spikes["cells"]), flush=True)
"""


def _long_run(tmp_path, to):
    from pathlib import Path

    code = textwrap.dedent(LONG).format(tests=str(Path(__file__).parent), to=str(to) if to else "")
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "ready"
    time.sleep(1.5)
    return process


def test_ctrl_c_stops_between_slices_and_the_run_can_go_on(tmp_path):
    process = _long_run(tmp_path, None)
    process.send_signal(signal.SIGINT)
    done, now, end, spikes = map(float, process.communicate(timeout=60)[0].split())
    assert process.returncode == 0
    assert 10.0 < done < 1e8
    assert now == end == pytest.approx(done + 5.0)
    assert spikes > 0


def test_a_killed_run_leaves_a_readable_file(tmp_path):
    process = _long_run(tmp_path, tmp_path / "killed.h5")
    process.kill()
    process.communicate()
    found = ss.Result.load(tmp_path / "killed.h5")
    times = found.spikes["cells"].times
    assert times.size > 20
    expected = started("grid").run(10.0).result().spikes["cells"]
    assert found.spikes["cells"].times[: len(expected)].tolist() == expected.times.tolist()


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_full_disk_is_named_and_what_was_written_stays_readable(tmp_path):
    code = f"""
        import resource, signal, sys
        from pathlib import Path
        sys.path[:0] = [{str(__file__).rsplit("/", 1)[0]!r}]
        import test_simulation as t, spikesim as ss
        t.started("grid").run(5.0)  # kernels are on disk before room runs out
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        simulation = t.started("grid", ss.Record(to={str(tmp_path / "full.h5")!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
        try:
            for _ in range(100):
                simulation.run(1000.0)
        except ss.errors.FileError as error:
            print(error, flush=True)
        import os; os._exit(0)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert "full.h5 could not be written" in done.stdout, done.stderr
    assert len(ss.Result.load(tmp_path / "full.h5").spikes["cells"]) > 1000


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_is_many_single_runs(engine):
    rng = np.random.default_rng(0)
    trains = tuple(
        ss.Spikes(np.sort(rng.integers(1, 200, 60) * 0.1), rng.integers(0, 5, 60), 5, 20.0) for _ in range(3)
    )
    model = ss.Neuron(ss.LIF(tau_m=10.0), ss.Delta(), ss.FixedThreshold(1.0), ss.ResetTo(0.0))

    def network(spikes):
        source, cells = ss.Population("in", 5, ss.SpikeSource(spikes)), ss.Population("cells", 4, model)
        weight = np.linspace(0.2, 0.9, 20)
        return ss.Network([source, cells], [ss.Projection(source, cells, ss.AllToAll(), weight, 0.5)])

    many = ss.simulate(network(trains), 20.0, engine=engine, batch=3, threads=2)
    assert many.spike_counts["cells"].shape == (3, 4)
    for k, spikes in enumerate(trains):
        single = ss.simulate(network(spikes), 20.0, engine=engine)
        assert len(single.spikes["cells"]) > 10
        assert many.spikes["cells"][k] == single.spikes["cells"]
    with pytest.raises(ParameterError, match="3 stimuli, batch is 2"):
        ss.simulate(network(trains), 20.0, batch=2)


def chain(weight=3.0):
    """A regular source into one neuron that it makes fire."""
    model = ss.Neuron(ss.LIF(tau_m=10.0), ss.Delta(), ss.FixedThreshold(2.0), ss.ResetTo(0.0))
    source, cell = ss.Population("in", 1, ss.RegularSource(interval=2.0, start=1.0)), ss.Population("cell", 1, model)
    return ss.Network([source, cell], [ss.Projection(source, cell, weight=weight, delay=1.0, name="p")])


@pytest.mark.parametrize("engine", ENGINES)
def test_projections_are_paused_and_reweighted_between_runs(engine):
    simulation = ss.Simulation(chain(), engine=engine).run(10.0)
    simulation.pause("p")
    simulation.run(10.0)
    simulation.resume("p")
    simulation.run(10.0)
    simulation.scale_weights("p", 0.1)
    simulation.run(10.0)
    spikes = simulation.result().spikes["cell"]
    counts = [len(spikes.window(a, a + 10.0)) for a in (0.005, 10.005, 20.005, 30.005)]
    assert counts == [5, 0, 5, 0]
    assert simulation.counts().synaptic_events["p"] == 15
    with pytest.raises(ParameterError, match=r"unknown projection 'q'.*valid: p"):
        simulation.pause("q")


@pytest.mark.parametrize("engine", ENGINES)
def test_states_are_read_and_set(engine):
    simulation = ss.Simulation(chain(weight=1.0), engine=engine).run(3.5)
    assert simulation.state("cell", "v")[0] == pytest.approx(np.exp(-0.15), rel=1e-12)  # arrived at 2 ms
    before = len(simulation.result().spikes["cell"])
    simulation.set_state("cell", "v", 1.5)
    assert simulation.state("cell", "v").tolist() == [1.5]
    simulation.run(1.0)  # the arrival at 4 ms now lifts it over the threshold
    assert len(simulation.result().spikes["cell"]) == before + 1
    with pytest.raises(ParameterError, match=r"unknown state of 'cell' 'u'.*valid: v"):
        simulation.state("cell", "u")
    with pytest.raises(ParameterError, match="needs a number or 1 values"):
        simulation.set_state("cell", "v", [1.0, 2.0])


def test_counts_only_and_parts_of_populations():
    everything = started().run(40.0).result()
    counted = started(record=ss.Record(spikes=False)).run(40.0).result()
    assert not counted.spikes
    np.testing.assert_array_equal(counted.spike_counts["cells"], everything.spikes["cells"].counts())
    some = started(record=ss.Record(spikes={"cells": [2, 5]})).run(40.0).result().spikes["cells"]
    assert some == everything.spikes["cells"].select([2, 5])


@pytest.mark.parametrize("duration", [0, -1, float("nan"), float("inf"), "long", None, True])
def test_bad_durations(duration):
    with pytest.raises(ParameterError, match="duration: must be > 0 ms"):
        ss.simulate(chain(), duration)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "clock"}, "unknown engine 'clock'.*valid: event, grid"),
        ({"dt": 0.0}, "dt: must be > 0 ms|dt must be > 0 ms"),
        ({"threads": 0}, "threads: must be >= 1"),
        ({"batch": 1.5}, "batch: must be a whole number"),
        ({"seed": -1}, "seed: must be >= 0"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ParameterError, match=message):
        ss.simulate(chain(), 10.0, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"states": {"cell": ("u",)}}, "unknown state of 'cell'.*'u'"),
        ({"states": {"cells": ("v",)}}, "'cells'.*did you mean 'cell'"),
        ({"states": {"cell": ("v",)}, "ids": {"cell": [1]}}, "must be in 0"),
    ],
)
def test_bad_records(options, message):
    with pytest.raises(ParameterError, match=message):
        ss.simulate(chain(), 10.0, record=ss.Record(**options))


def test_a_bad_interval():
    with pytest.raises(ParameterError, match=r"Record.interval: must be > 0 ms, got -1.0"):
        ss.Simulation(chain(), record=ss.Record(states={"cell": ("v",)}, interval=-1.0))


def test_what_the_event_engine_cannot_run_is_named_before_work_starts():
    model = ss.Neuron(ss.LIF(), ss.ExponentialConductance())
    with pytest.raises(UnsupportedError, match=r"'c'.*ExponentialConductance.*grid"):
        ss.simulate(ss.Network([ss.Population("c", 1, model)]), 1.0)
    noisy = ss.Population("n", 1, ss.Neuron(ss.LIF()), inputs=ss.NoiseCurrent(0.0, 1.0))
    with pytest.raises(UnsupportedError, match=r"'n'.*NoiseCurrent.*grid"):
        ss.simulate(ss.Network([noisy]), 1.0)


def test_a_network_too_large_says_so_before_it_is_built():
    model = ss.Neuron(ss.LIF())
    huge = ss.Population("huge", 3_000_000, model)
    network = ss.Network([huge], [ss.Projection(huge, huge, ss.FixedIndegree(100_000), 0.1, 1.5, name="loop")])
    begun = time.perf_counter()
    with pytest.raises(NetworkError, match=r"needs about .* GB.*are free.*'loop'"):
        ss.simulate(network, 1.0)
    assert time.perf_counter() - begun < 5.0


def test_rounded_delays_are_reported_once():
    with pytest.warns(UserWarning, match=r"rounded to whole steps of 0.1 ms: loop") as seen:
        ss.Simulation(small(), engine="grid").run(5.0).run(5.0)
    assert len(seen) == 1


def test_noise_current_has_its_moments():
    model = ss.Neuron(ss.IF(c_m=1.0), ss.Delta(), ss.FixedThreshold(1e9), ss.ResetTo(0.0))
    cells = ss.Population("cells", 4000, model, inputs=ss.NoiseCurrent(2.0, 3.0, dt=0.5))
    v = ss.Simulation(ss.Network([cells]), engine="grid", dt=0.1).run(10.0).state("cells", "v")
    # 20 intervals of 0.5 ms: mean 2 * 10, variance 20 * (3 * 0.5)^2
    assert v.mean() == pytest.approx(20.0, abs=4 * np.sqrt(45.0 / 4000))
    assert v.var() == pytest.approx(45.0, rel=0.1)


@pytest.mark.parametrize("engine", ENGINES)
def test_stepped_currents_and_sampled_signals(engine):
    model = ss.Neuron(ss.IF(c_m=1.0), ss.Delta(), ss.FixedThreshold(1e9), ss.ResetTo(0.0))
    value = ss.Steps([2.0, 5.0], [[1.0, 2.0], [0.0, -1.0]])
    cells = ss.Population("cells", 2, model, inputs=[ss.Current(value), ss.Current(ss.Steps.sampled([0.5, 1.5], 2.0))])
    v = ss.Simulation(ss.Network([cells]), engine=engine).run(7.0).state("cells", "v")
    np.testing.assert_allclose(v, [3.0 + 4.0, 6.0 - 2.0 + 4.0], atol=1e-12)


def test_labelled_arrays():
    pytest.importorskip("xarray")
    data = started(record=ss.Record(states={"cells": ("v",)}, interval=5.0)).run(20.0).result().to_xarray()
    assert data["cells.v"].dims == ("time", "cells_recorded")
    assert data["cells.v"].shape == (5, 40)


def test_everything_has_a_readable_form():
    simulation = started().run(5.0)
    for thing in (simulation, simulation.result(), simulation.network, simulation.result().spikes["cells"]):
        assert "object at 0x" not in repr(thing)
    for part in (*simulation.network.populations, *simulation.network.projections):
        assert "object at 0x" not in repr(part)
    assert "in all" in repr(ss.summary(simulation.network))

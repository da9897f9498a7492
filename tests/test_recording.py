"""Recording: which neurons, when, to memory or to a file; and what is refused."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import spikesim as ss
from spikesim.errors import FileError, ParameterError

LEAKY = ss.Neuron(ss.LIF(tau_m=10.0), ss.Delta(), ss.FixedThreshold(2.0), ss.ResetTo(0.0))


def network():
    """Regular trains into neurons that fire at every spike (even ones) or never (odd ones), and a silent population."""
    source = ss.Population("in", 6, ss.RegularSource(interval=np.arange(2.0, 8.0), start=1.0))
    cells = ss.Population("cells", 6, LEAKY, {"v": np.linspace(0.0, 1.0, 6)})
    synapses = ss.Projection(source, cells, weight=np.array([3.0, 0.1] * 3), delay=0.5, name="p")
    return ss.Network([source, cells, ss.Population("rest", 2, LEAKY)], [synapses])


def run(duration=20.0, engine="event", batch=1, **record):
    sim = ss.Simulation(network(), engine=engine, batch=batch, record=ss.Record(**record))
    sim.run(duration).close()
    return sim.result()


def same(a, b):
    """Whether two results hold the same recordings and counts."""
    assert list(a.spikes) == list(b.spikes) and all(a.spikes[k] == b.spikes[k] for k in a.spikes)
    assert {k: list(x) for k, x in a.states.items()} == {k: list(x) for k, x in b.states.items()}
    for name, variables in a.states.items():
        for variable, values in variables.items():
            np.testing.assert_array_equal(values, b.states[name][variable])
    np.testing.assert_array_equal(a.state_times, b.state_times)
    for k in a.spike_counts:
        np.testing.assert_array_equal(a.spike_counts[k], b.spike_counts[k])
    assert a.counts == b.counts and a.duration == b.duration
    assert {k: x.tolist() for k, x in a.spike_ids.items()} == {k: x.tolist() for k, x in b.spike_ids.items()}
    assert {k: x.tolist() for k, x in a.state_ids.items()} == {k: x.tolist() for k, x in b.state_ids.items()}


# ---------------------------------------------------------------- what is recorded


def test_spikes_of_chosen_neurons_in_the_order_given(engine):
    everything = run(engine=engine)
    assert [len(train) > 0 for train in everything.spikes["cells"].trains()] == [True, False] * 3
    chosen = run(engine=engine, spikes={"cells": [4, 1, 0], "in": True, "rest": False})
    assert chosen.spikes["cells"] == everything.spikes["cells"].select([4, 1, 0])
    assert chosen.spikes["in"] == everything.spikes["in"]
    assert set(chosen.spikes) == {"cells", "in"} and chosen.spike_ids["cells"].tolist() == [4, 1, 0]
    np.testing.assert_array_equal(chosen.spike_counts["cells"], everything.spikes["cells"].counts())
    assert chosen.counts == everything.counts
    none = run(engine=engine, spikes=False)
    assert not none.spikes and none.counts == everything.counts
    assert none.rate("cells") == everything.rate("cells") > 0
    few = run(engine=engine, spikes={"cells": []})
    assert len(few.spikes["cells"]) == 0 == few.spikes["cells"].n


@pytest.mark.parametrize("interval", [0.1, 0.7, 5.0])
def test_states_at_an_interval_are_those_of_the_closed_form(engine, interval):
    """Neuron 1 decays and gets 0.1 mV, 0.5 ms after each spike of a train with interval 3 ms that starts at 1 ms."""
    result = run(engine=engine, states={"cells": ("v",)}, interval=interval, ids={"cells": [5, 1]})
    t = result.state_times
    np.testing.assert_allclose(t, interval * np.arange(int(20.0 / interval + 1e-9) + 1), atol=1e-12)
    assert result.state_ids["cells"].tolist() == [5, 1]
    arrivals = 1.5 + 3.0 * np.arange(7)
    ago = t[:, None] - arrivals
    expected = 0.2 * np.exp(-t / 10.0) + 0.1 * np.where(ago > -1e-9, np.exp(-ago / 10.0), 0.0).sum(axis=1)
    values = result.states["cells"]["v"]
    assert values.shape == (len(t), 2)
    np.testing.assert_allclose(values[:, 1], expected, atol=1e-13)


def test_sampling_changes_no_spike(engine):
    plain = run(engine=engine)
    sampled = run(engine=engine, states={"cells": ("v",), "rest": ("v",)}, interval=0.1)
    assert sampled.spikes["cells"] == plain.spikes["cells"] and sampled.counts == plain.counts
    assert not sampled.states["rest"]["v"].any()


def test_a_batch_comes_back_by_stimulus(engine, tmp_path):
    many = ss.Simulation(network(), engine=engine, batch=3, threads=2, record=ss.Record(states={"cells": ("v",)}))
    result = many.run(10.0).result()
    single = run(10.0, engine, states={"cells": ("v",)})
    assert result.states["cells"]["v"].shape == (3, 11, 6) and result.spike_counts["cells"].shape == (3, 6)
    for k in range(3):
        assert result.spikes["cells"][k] == single.spikes["cells"]
        np.testing.assert_array_equal(result.states["cells"]["v"][k], single.states["cells"]["v"])
    assert result.counts.spikes["cells"] == 3 * single.counts.spikes["cells"]
    assert result.rate("cells") == pytest.approx(single.rate("cells"))
    loaded = ss.Result.load(result.save(tmp_path / "batch.h5"))
    assert loaded.spikes["cells"] == result.spikes["cells"]
    np.testing.assert_array_equal(loaded.states["cells"]["v"], result.states["cells"]["v"])


# ---------------------------------------------------------------- to a file


@pytest.mark.parametrize("batch", [1, 2])
def test_a_streamed_run_is_the_one_in_memory(engine, tmp_path, batch):
    record = {"spikes": {"cells": [3, 0, 2], "in": True}, "states": {"cells": ("v",)}, "interval": 0.5}
    record["ids"] = {"cells": [2, 1]}

    def done(**more):
        sim = ss.Simulation(network(), engine=engine, batch=batch, record=ss.Record(**record, **more))
        sim.run(3.3).run(16.7).close()
        return sim.result()

    memory, streamed = done(), done(to=tmp_path / "a.h5")
    same(streamed, memory)
    same(ss.Result.load(tmp_path / "a.h5"), memory)
    saved = memory.save(tmp_path / "b.h5")
    same(ss.Result.load(saved), memory)
    same(ss.Result.load(ss.Result.load(saved).save(tmp_path / "c.h5")), memory)


def test_a_file_is_read_while_the_run_goes_on(engine, tmp_path):
    sim = ss.Simulation(network(), engine=engine, record=ss.Record(to=tmp_path / "a.h5"))
    for k in range(1, 4):
        sim.run(5.0)
        found = ss.Result.load(tmp_path / "a.h5")
        assert found.duration == 5.0 * k
        assert found.spikes["cells"] == sim.result().spikes["cells"]
    sim.close()
    same(ss.Result.load(tmp_path / "a.h5"), run(15.0, engine))


def test_files_are_not_replaced_without_being_asked(tmp_path):
    path = tmp_path / "a.h5"
    path.write_text("mine")
    with pytest.raises(FileError, match=r"a\.h5 exists; choose another name or ask for overwriting"):
        run(to=path)
    with pytest.raises(FileError, match=r"a\.h5 exists"):
        run().save(path)
    assert path.read_text() == "mine"
    assert run(to=path, overwrite=True).counts == run().counts == ss.Result.load(path).counts
    for wrong, message in ((tmp_path, "is a folder"), (tmp_path / "no" / "a.h5", "no does not exist")):
        with pytest.raises(FileError, match=message):
            run(to=wrong)
        with pytest.raises(FileError, match=message):
            run().save(wrong)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.h5"]


FULL = """
    import os, resource, signal, sys
    sys.path[:0] = [{tests!r}]
    import test_recording as t, spikesim as ss
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    states = {{"states": {{"cells": ("v",)}}}}
    sim = ss.Simulation(t.network(), batch=50, record=ss.Record(**states, to={to!r}))
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000_000, resource.RLIM_INFINITY))
    try:
        while sim.time < 1e5:
            sim.run(400.0)
    except ss.errors.FileError as error:
        print(error)
    early = ss.Result.load({to!r}).duration
    whole = sim.result()
    assert 0 < early < whole.duration == sim.time, (early, whole.duration, sim.time)
    due = int(sim.time + 1e-9) + 1
    assert len(whole.state_times) in (due - 1, due), (due, sim.time)  # the last may be about to be taken
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    try:
        whole.save({save!r})
    except ss.errors.FileError as error:
        print(error)
    try:
        ss.Simulation(t.network(), record=ss.Record(**states, to={save!r}))
    except ss.errors.FileError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    sim.run(100.0).close()
    t.same(ss.Result.load({to!r}), t.run(sim.time, batch=50, **states))
    print("whole")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_after_a_full_disk_the_run_goes_on_where_it_was(tmp_path):
    """What did not fit is kept and written once there is room."""
    code = FULL.format(tests=str(Path(__file__).parent), to=str(tmp_path / "a.h5"), save=str(tmp_path / "b.h5"))
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert "a.h5 could not be written on: File too large" in lines[0]
    assert "b.h5 could not be written: File too large" in lines[1]
    assert "b.h5 could not be written: File too large" in lines[2]
    assert lines[3] == "whole"
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"spikes": "all"}, r"Record\.spikes: must be True, False, or a mapping .* got 'all'"),
        ({"spikes": 1}, r"Record\.spikes: must be True, False"),
        ({"spikes": {"cells": 0.5}}, r"Record\.spikes\['cells'\]: must be a vector of whole numbers, got 0\.5"),
        ({"spikes": {"cells": [-1]}}, r"Record\.spikes\['cells'\]: must be >= 0 and name no neuron twice"),
        ({"spikes": {"cells": [1, 1]}}, r"Record\.spikes\['cells'\]: .* twice, got \[1, 1\]"),
        ({"spikes": {"cells": [6]}}, r"Record\.spikes\['cells'\]: must be in 0 … 5, got 6"),
        ({"spikes": {"cell": True}}, r"unknown population in Record\.spikes: 'cell' \(did you mean 'cells'\?\)"),
        ({"states": "v"}, r"Record\.states: must be a mapping from populations to names of variables, got 'v'"),
        ({"states": {"cells": "v"}}, r"Record\.states\['cells'\]: must be a sequence of names, e\.g\. \('v',\)"),
        ({"states": {"cells": 3}}, r"Record\.states\['cells'\]: must be a sequence of names, got 3"),
        ({"states": {"cells": ("w",)}}, r"unknown state of 'cells' in Record\.states: 'w'; valid: v"),
        ({"states": {"in": ("v",)}}, r"unknown state of 'in' in Record\.states: 'v'; valid: none"),
        ({"states": {"no": ("v",)}}, r"unknown population in Record\.states: 'no'; valid: cells, in, rest"),
        (
            {"ids": {"cells": [0]}},
            r"Record\.ids\['cells'\]: must choose neurons of a population named in Record\.states",
        ),
        ({"ids": [0]}, r"Record\.ids: must be a mapping to ids, got \[0\]"),
        ({"states": {"cells": ("v",)}, "ids": {"cells": []}}, r"Record\.ids\['cells'\]: must choose neurons"),
        ({"states": {"cells": ("v",)}, "ids": {"cells": [9]}}, r"Record\.ids\['cells'\]: must be in 0 … 5, got 9"),
        ({"interval": 0.0}, r"Record\.interval: must be > 0 ms, got 0\.0"),
        ({"interval": "1"}, r"Record\.interval: must be > 0 ms, got '1'"),
        ({"interval": [1.0]}, r"Record\.interval: must be one number"),
        ({"to": 3}, r"Record\.to: must be a path or None, got 3"),
        ({"overwrite": 1}, r"Record\.overwrite: must be True or False, got 1"),
    ],
)
def test_mistakes_are_named_before_anything_runs(fields, message):
    with pytest.raises(ParameterError, match=message):
        ss.Simulation(network(), record=ss.Record(**fields))


def test_an_interval_between_the_steps_of_the_grid():
    with pytest.raises(
        ParameterError, match=r"Record\.interval: must be a multiple of the time step 0\.1 ms on the grid"
    ):
        run(engine="grid", states={"cells": ("v",)}, interval=0.25)
    assert len(run(1.0, states={"cells": ("v",)}, interval=0.25).state_times) == 5
    with pytest.raises(ParameterError, match="record must be a Record, got True"):
        ss.Simulation(network(), record=True)


def test_the_record_can_be_read():
    record = ss.Record(spikes={"cells": [1, 2]}, states={"cells": ("v",)}, to="a.h5")
    assert repr(record) == (
        "Record(spikes={'cells': [1 … 2; 2]}, states={'cells': ('v',)}, interval=1, ids={}, to='a.h5', overwrite=False)"
    )


def test_names_that_were_not_recorded_are_errors_that_list_those_that_were(tmp_path) -> None:
    found = run(spikes={"cells": True, "in": False, "rest": False}, states={"cells": ("v",)}, interval=5.0)
    found.save(tmp_path / "run.h5")
    for result in (found, ss.Result.load(tmp_path / "run.h5")):
        assert result.spikes.get("rest") is None and "rest" not in result.spikes
        with pytest.raises(
            ParameterError, match=r"unknown population with recorded spikes 'cell'.*'cells'.*valid: cells"
        ):
            result.spikes["cell"]
        with pytest.raises(ParameterError, match=r"unknown recorded state of 'cells': 'w'; valid: v"):
            result.states["cells"]["w"]
        with pytest.raises(ParameterError, match=r"unknown population 'no'; valid: cells, in, rest"):
            result.spike_counts["no"]

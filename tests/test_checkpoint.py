"""Saving in the middle and going on elsewhere: spikes under way, other thread counts, files that are something else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import numpy as np
import pytest
from test_network import Ring

import spikesim as ss
from spikesim.errors import FileError, ParameterError

pytestmark = pytest.mark.filterwarnings("ignore:grid engine. times rounded")


def network(batch=1):
    """Everything that moves: spikes under way for long, private and shared Poisson trains, steps, given trains."""
    model = ss.Neuron(ss.LIF(20.0), ss.Delta(), ss.FixedThreshold(10.0), ss.ResetTo(0.0), np.linspace(0.0, 2.0, 12))
    steps = ss.Steps([5.0, 20.0], [100.0, -20.0])
    inputs = [ss.PoissonInput(ss.Steps([0.0, 12.0], [900.0, 500.0]), 1.0), ss.Current(steps)]
    cells = ss.Population("cells", 12, model, {"v": ss.Uniform(0.0, 9.0)}, inputs)
    few = ss.Population("few", 3, ss.Neuron(ss.LIF(), ss.Delta(), ss.FixedThreshold(4.0)))
    trains = tuple(ss.Spikes(np.arange(1.0, 60.0) + 0.1 * k, np.arange(59) % 4, 4, 60.0) for k in range(batch))
    given = ss.Population("given", 4, ss.SpikeSource(trains if batch > 1 else trains[0]))
    noise = ss.Population("noise", 5, ss.PoissonSource(100.0))
    projections = [
        ss.Projection(cells, cells, ss.FixedProbability(0.5), ss.Normal(0.3, 0.1), ss.Uniform(0.5, 25.0), name="loop"),
        ss.Projection(cells, few, ss.AllToAll(), 1.0, 9.0),
        ss.Projection(few, cells[2:7], ss.AllToAll(), 0.5, ss.Uniform(1.0, 3.0)),
        ss.Projection(given, cells, ss.FixedOutdegree(4), 1.0, ss.Uniform(0.0, 20.0), name="late"),
        ss.Projection(noise, few, ss.FixedIndegree(2), 0.7, 0.0),
    ]
    return ss.Network([cells, few, given, noise], projections)


RECORD = {"states": {"cells": ("v",)}, "interval": 4.0}


def equal(a, b):
    for name in a.spikes:
        assert a.spikes[name] == b.spikes[name]
    np.testing.assert_array_equal(a.states["cells"]["v"], b.states["cells"]["v"])
    np.testing.assert_array_equal(a.state_times, b.state_times)
    assert a.counts == b.counts


@pytest.fixture
def saved(tmp_path):
    """A simulation saved at 13.3 ms."""
    sim = ss.Simulation(network(), record=ss.Record(**RECORD)).run(13.3)
    sim.save(tmp_path / "state.h5")
    return sim, tmp_path / "state.h5"


# ---------------------------------------------------------------- going on


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("threads", [(1, 3), (3, 1), (2, 20), (20, 2)], ids=str)
def test_any_number_of_threads_goes_on(engine, tmp_path, threads, batch):
    """States are stored by block and spikes under way by projection, whatever the shards were."""
    options = {"engine": engine, "seed": 5, "batch": batch, "record": ss.Record(**RECORD)}
    sim = ss.Simulation(network(batch), threads=threads[0], **options).run(17.3)
    sim.save(tmp_path / "state.h5")
    other = ss.Simulation.load(tmp_path / "state.h5", threads=threads[1])
    assert (other.threads, other.time, other.seed, other.batch, other.engine) == (
        threads[1],
        sim.time,
        5,
        batch,
        engine,
    )
    np.testing.assert_array_equal(other.state("cells", "v"), sim.state("cells", "v"))
    for simulation in (sim, other):
        simulation.run(22.7).close()
    whole = ss.Simulation(network(batch), threads=1, **options).run(40.0).result()
    equal(sim.result(), whole)
    equal(other.result(), whole)
    assert sum(whole.counts.spikes.values()) > 100 * batch
    assert whole.counts.synaptic_events["loop"] > 20 * batch


@pytest.mark.parametrize("at", [0.0, 0.1, 9.0])
def test_saved_at_any_time_again_and_again(engine, tmp_path, at):
    sim = ss.Simulation(network(), engine=engine, record=ss.Record(**RECORD))
    if at:
        sim.run(at)
    for k in range(3):
        sim.save(tmp_path / f"{k}.h5")
        sim = ss.Simulation.load(tmp_path / f"{k}.h5").run(4.0)
    equal(sim.result(), ss.Simulation(network(), engine=engine, record=ss.Record(**RECORD)).run(at + 12.0).result())


def test_what_was_changed_from_outside_stays_changed(engine, tmp_path):
    sim = ss.Simulation(network(), engine=engine, record=ss.Record(**RECORD)).run(10.0)
    sim.pause("late")
    sim.scale_weights("loop", 2.0)
    sim.set_state("few", "v", [1.0, 2.0, 3.0])
    sim.save(tmp_path / "state.h5")
    other = ss.Simulation.load(tmp_path / "state.h5", threads=2)
    assert other.state("few", "v").tolist() == [1.0, 2.0, 3.0]
    before = sim.counts().synaptic_events["late"]
    for simulation in (sim, other):
        simulation.run(10.0)
        assert simulation.counts().synaptic_events["late"] == before > 0
        simulation.resume("late")
        simulation.scale_weights("loop", 1.0)
        simulation.run(10.0)
    equal(sim.result(), other.result())
    assert sim.counts().synaptic_events["late"] > before


def test_a_rule_of_a_user_and_sparse_matrices_come_back(tmp_path):
    from scipy import sparse

    source = ss.Population("in", 4, ss.RegularSource(2.0))
    cells = ss.Population("cells", 4, ss.Neuron(ss.LIF()))
    matrix = sparse.random_array((4, 4), density=0.5, rng=np.random.default_rng(0))
    rules = [Ring(), ss.Sparse(matrix), ss.Pairwise([0, 1, 1], [3, 2, 2])]
    projections = [ss.Projection(source, cells, rule, 0.3, 1.5, name=str(k)) for k, rule in enumerate(rules)]
    sim = ss.Simulation(ss.Network([source, cells], projections)).run(5.0)
    sim.save(tmp_path / "state.h5")
    other = ss.Simulation.load(tmp_path / "state.h5")
    assert [p.rule for p in other.network.projections] == rules
    assert other.run(5.0).state("cells", "v").tolist() == sim.run(5.0).state("cells", "v").tolist()
    code = f"import spikesim as ss; ss.Simulation.load({str(tmp_path / 'state.h5')!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "the file uses 'test_network:Ring', which is not known here; import the module" in done.stderr


# ---------------------------------------------------------------- streams


def test_a_run_that_streams_goes_on_in_a_new_file(engine, tmp_path):
    old, new, state = tmp_path / "old.h5", tmp_path / "new.h5", tmp_path / "state.h5"
    sim = ss.Simulation(network(), engine=engine, record=ss.Record(**RECORD, to=old)).run(15.0)
    sim.save(state)
    expected = sim.run(15.0).result()
    sim.close()
    with pytest.raises(
        FileError, match=r"state\.h5 was streaming to .*old\.h5; give a new file to go on with \(to=…\)"
    ):
        ss.Simulation.load(state)
    with pytest.raises(FileError, match=r"old\.h5, which is copied first; choose another name for to="):
        ss.Simulation.load(state, to=old, overwrite=True)
    other = ss.Simulation.load(state, threads=2, to=new).run(15.0)
    other.close()
    equal(other.result(), expected)
    equal(ss.Result.load(new), expected)
    equal(ss.Result.load(old), expected)
    with pytest.raises(FileError, match=r"new\.h5 exists"):
        ss.Simulation.load(state, to=new)
    old.unlink()
    with pytest.raises(FileError, match=r"old\.h5 does not exist"):
        ss.Simulation.load(state, to=new, overwrite=True)


def test_a_run_in_memory_may_go_on_in_a_file(saved, tmp_path):
    sim, state = saved
    other = ss.Simulation.load(state, to=tmp_path / "new.h5").run(10.0)
    other.close()
    equal(ss.Result.load(tmp_path / "new.h5"), sim.run(10.0).result())


# ---------------------------------------------------------------- files


def test_files_that_are_something_else_are_named(saved, tmp_path):
    sim, state = saved
    sim.result().save(tmp_path / "result.h5")
    (tmp_path / "text.h5").write_text("not HDF5 at all")
    (tmp_path / "empty.h5").write_bytes(b"")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["data"] = np.arange(3)
    shutil.copy(state, tmp_path / "newer.h5")
    with h5py.File(tmp_path / "newer.h5", "r+") as file:
        file.attrs["version"] = 99
    for name, message in (
        ("absent.h5", "does not exist"),
        ("result.h5", "is not a saved simulation: it holds a result"),
        ("text.h5", "is not a saved simulation, or damaged"),
        ("empty.h5", "is not a saved simulation, or damaged"),
        ("foreign.h5", "is not a saved simulation: it was not written by spikesim"),
        ("newer.h5", r"was written by a newer spikesim \(format 99\)"),
        ("", "is not a saved simulation"),
    ):
        with pytest.raises(FileError, match=rf"{name}.* {message}"):
            ss.Simulation.load(tmp_path / name)
    with pytest.raises(FileError, match=r"state\.h5 is not a saved result: it holds a simulation"):
        ss.Result.load(state)


@pytest.mark.parametrize("lost", ["blocks", "histories", "now", "network/populations", "network/projections/0/rule"])
def test_a_file_that_lacks_something_is_refused(saved, lost):
    with h5py.File(saved[1], "r+") as file:
        del file[lost]
    with pytest.raises(FileError):
        ss.Simulation.load(saved[1])


def test_damage_never_ends_in_a_traceback_or_in_other_numbers(saved, tmp_path, rng):
    sim, state = saved
    expected = sim.run(5.0).result()
    whole, seen = state.read_bytes(), 0
    for k in range(60):
        raw = bytearray(whole)
        if k < 10:
            del raw[int(rng.integers(1, len(raw))) :]
        else:
            raw[int(rng.integers(0, len(raw)))] ^= int(rng.integers(1, 256))
        (tmp_path / "damaged.h5").write_bytes(raw)
        try:
            other = ss.Simulation.load(tmp_path / "damaged.h5")
        except FileError:
            seen += 1
            continue
        if k < 10:
            equal(other.run(5.0).result(), expected)
    assert seen >= 12


def test_wrong_arguments(saved, tmp_path):
    sim, state = saved
    for threads in (0, -1, 1.5, "two"):
        with pytest.raises(ParameterError, match=r"Simulation\.load: threads: must be"):
            ss.Simulation.load(state, threads=threads)
    with pytest.raises(FileError, match=r"state\.h5 exists; choose another name or ask for overwriting"):
        sim.save(state)
    with pytest.raises(FileError, match="is a folder; give a file name"):
        sim.save(tmp_path)
    with pytest.raises(FileError, match=r"folder .*no does not exist"):
        sim.save(tmp_path / "no" / "a.h5")
    assert ss.Simulation.load(sim.run(1.0).save(state, overwrite=True)).time == pytest.approx(14.3)


FULL = """
    import resource, signal, sys
    sys.path[:0] = [{tests!r}]
    import test_checkpoint as t, spikesim as ss
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sim = ss.Simulation.load({state!r}).run(1.0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        sim.save({state!r}, overwrite=True)
    except ss.errors.FileError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_full_disk_leaves_the_last_state_whole(saved, tmp_path):
    before = saved[1].read_bytes()
    code = textwrap.dedent(FULL.format(tests=str(Path(__file__).parent), state=str(saved[1])))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "state.h5 could not be written: File too large" in done.stdout, done.stderr
    assert saved[1].read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["state.h5"]


def test_names_in_files_are_unique():
    import spikesim.coding  # has parts of its own, one of them called Current
    from spikesim.describe import _name, _subclasses
    from spikesim.inputs import Current
    from spikesim.parameters import Part

    names = [_name(kind) for kind in _subclasses(Part)]
    assert len(set(names)) == len(names) and spikesim.coding
    assert _name(Current) == "Current"

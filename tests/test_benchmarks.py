"""The harness of the benchmarks, with the processes it starts replaced by answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parents[1]))  # benchmarks are not installed with the package

from benchmarks import __main__ as command
from benchmarks import exchange, harness, report
from benchmarks.case import load, names
from benchmarks.peers import Peer, _protocol, discover
from spikesim import (
    LIF,
    Current,
    Exponential,
    FixedIndegree,
    Network,
    Neuron,
    Pairwise,
    Population,
    Projection,
    Spikes,
    SpikeSource,
)

NEST = Peer("nest", "NEST", ())
SETTINGS = harness.Settings(scale=0.02, duration=100.0, repeat=2, seed=7)


class Processes:
    """Stands for the processes of both sides: ours take 2 s, a peer's 10 s and 14 s."""

    def __init__(self, **peer):
        self.peer, self.started = peer, []

    def __call__(self, line):
        name, source, target = line[2].rpartition(".")[2], *map(Path, line[3:])
        self.started.append(name)
        facts = {"version": "9", "build_s": 0.1, "compile_s": 0.0, "run_s": 2.0, "spikes": 500, "peak_rss_mb": 50.0}
        if name == "ours":
            assert json.loads(source.read_text())["seed"] in (7, 8)
            target.write_text(json.dumps(facts))
            return
        if "error" in self.peer:
            raise subprocess.CalledProcessError(1, line, stderr=f"Traceback\n{self.peer['error']}")
        assert _protocol.read(str(source))["run"]["presim"] == 1.5
        run_s = 10.0 if self.started.count(name) == 1 else 14.0
        np.savez(target, facts=json.dumps(facts | {"run_s": run_s} | self.peer))


@pytest.fixture
def measure(monkeypatch):
    """Measure `brunel` against one installed peer; returns rows by side and the order of the processes."""

    def run(peer=NEST, **answer):
        processes = Processes(**answer)
        monkeypatch.setattr(harness, "_process", processes)
        monkeypatch.setenv("SPIKESIM_NEST_PYTHON", sys.executable)
        monkeypatch.delenv("SPIKESIM_BRIAN2_PYTHON", raising=False)
        with harness.Benchmark("brunel", load("brunel"), SETTINGS, [peer]) as benchmark:
            turns = [(repetition, side.label) for repetition, side in benchmark.turns()]
        return benchmark.rows(), processes.started, turns

    return run


def test_sides_take_turns_and_ratios_compare_run_times(measure):
    (ours, nest), started, turns = measure()
    assert started == ["ours", "nest", "ours", "nest"]
    assert turns == [(0, "spikesim grid"), (0, "NEST"), (1, "spikesim grid"), (1, "NEST")]
    assert nest["run_s"] == {"median": 12.0, "min": 10.0, "max": 14.0, "all": [10.0, 14.0]}
    assert nest["ratio"] == {"median": 6.0, "min": 5.0, "max": 7.0, "all": [5.0, 7.0]}
    assert ours["rate_hz"] == pytest.approx(500 / 250 / 0.1)
    assert ours["neurons"] == 250
    assert ours["synapses"] == 250 * 25


def test_peer_not_installed_is_named(measure):
    rows, started, _ = measure(Peer("brian2", "Brian2", ()))
    assert rows[1]["status"] == "missing"
    assert "SPIKESIM_BRIAN2_PYTHON is not set" in rows[1]["note"]
    assert started == ["ours", "ours"]
    text = report.text(report.table(load("brunel"), rows), report.notes(rows), "a machine")
    assert "missing" in text
    assert "python -m benchmarks.peers install brian2" in text


def test_peer_that_cannot_or_fails_says_why(measure):
    rows, started, _ = measure(cannot="spikes off the grid")
    assert (rows[1]["status"], rows[1]["note"]) == ("cannot", "NEST has no spikes off the grid")
    assert started == ["ours", "nest", "ours"]
    rows, _, _ = measure(error="MemoryError: too large")
    assert (rows[1]["status"], rows[1]["note"]) == ("failed", "NEST failed: MemoryError: too large")


def test_a_fast_wrong_answer_shows(measure):
    rows, _, _ = measure(spikes=250)
    assert any("NEST fires at a rate -50% from spikesim grid's" in line for line in report.notes(rows))


def test_goals_are_judged_at_full_scale(measure):
    rows, _, _ = measure()
    assert not report.notes(rows)
    rows[1]["goal"] = {"relation": ">=", "ratio": 8.0}
    assert report.notes(rows) == ["NEST: goal >= 8 × missed"]


@pytest.mark.parametrize("name", names())
def test_every_case_builds_small(name):
    case = load(name)
    assert set(case.goals) <= {*discover(), *(v.label for v in case.variants)}
    for variant in case.variants:
        assert variant.build(0.05).neurons > 0


def test_network_travels_by_file(tmp_path):
    source = Population("in", 2, SpikeSource(Spikes([1.0, 2.5], [1, 0], 2, 3.0)))
    cells = Population("cells", 3, Neuron(LIF(), {"exc": Exponential(5.0)}), {"v": [1.0, 2.0, 3.0]}, Current(10.0))
    given = Projection(source, cells, Pairwise([0, 1], [2, 2]), weight=[1.0, 2.0], delay=0.5)
    drawn = Projection(cells[:2], cells, FixedIndegree(2), name="drawn")
    exchange.write(tmp_path / "spec.npz", Network([source, cells], [given, drawn]), duration=5.0)
    spec = _protocol.read(str(tmp_path / "spec.npz"))
    first, second = spec["populations"]
    assert spec["run"] == {"duration": 5.0}
    np.testing.assert_array_equal(first["model"]["spikes"]["times"], [1.0, 2.5])
    np.testing.assert_array_equal(second["initial"]["v"], [1.0, 2.0, 3.0])
    assert second["model"]["synapses"]["exc"] == {"type": "Exponential", "tau_syn": 5.0}
    np.testing.assert_array_equal(spec["projections"][0]["weight"], [1.0, 2.0])
    assert spec["projections"][1]["pre"] == {"population": "cells", "lo": 0, "hi": 2}
    assert spec["projections"][1]["rule"]["k"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["brunl"], "unknown benchmark 'brunl'; valid: brunel"),
        (["--peers", "neuron"], "unknown peer 'neuron'; valid: brian2, nest, none"),
        (["--scale", "nan"], "--scale must be > 0"),
        (["brunel", "--scale", "1e-6"], "scale 1e-06 leaves none"),
        (["--repeat", "0"], "--repeat must be >= 1"),
        (["brunel", "--out", "."], "brunel.jsonl exists"),
    ],
)
def test_mistakes_are_refused_at_once(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("brunel.jsonl").touch()
    app = typer.Typer()
    app.command()(command.main)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert message in result.output

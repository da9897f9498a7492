"""The harness of the benchmarks, with the processes it starts replaced by answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parents[1]))  # benchmarks are not installed with the package

import spikesim as ss
from benchmarks import __main__ as command
from benchmarks import activity, exchange, figures, harness, history, ours, report
from benchmarks.case import Variant, load, matching, names
from benchmarks.cases import sparsity
from benchmarks.goals import Goal, times_faster
from benchmarks.peers import Peer, _protocol
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
from spikesim.plasticity import PairSTDP, TripletSTDP

NEST = Peer("nest", "NEST", ())
SETTINGS = harness.Settings(scale=0.02, duration=100.0, repeat=2, seed=7)


class Processes:
    """Stands for the processes of both sides: ours take 2 s, a peer's 10 s and 14 s."""

    def __init__(self, case, **peer):
        self.case, self.peer, self.started, self.seeds = case, peer, [], []

    def __call__(self, line):
        name, source, target = line[2].rpartition(".")[2], *map(Path, line[3:])
        self.started.append(name)
        facts = {"version": "9", "build_s": 0.1, "compile_s": 0.0, "run_s": 2.0, "spikes": 500, "peak_rss_mb": 50.0}
        if name == "ours":
            self.seeds.append(json.loads(source.read_text())["seed"])
            more = {
                c.key: 1.0 + len(self.started)
                for c in self.case.columns
                if c.key not in (*facts, "neurons", "synapses")
            }
            np.savez(target, facts=json.dumps(facts | more | {"events": 12_500}))
            return
        if "error" in self.peer:
            raise subprocess.CalledProcessError(1, line, stderr=f"Traceback\n{self.peer['error']}")
        settings = _protocol.read(str(source))["run"]
        assert settings["presim"] > 0.0
        run_s = 10.0 if self.started.count(name) == 1 else 14.0
        silent = {"spikes": 0} if self.peer.get("silent", 0) >= self.started.count(name) else {}
        np.savez(target, facts=json.dumps(facts | {"run_s": run_s} | self.peer | silent))


@pytest.fixture
def measure(monkeypatch):
    """Measure `brunel` against one installed peer; returns rows by side and the order of the processes."""

    def run(peer=NEST, case="brunel", settings=SETTINGS, **answer):
        case = load(case) if isinstance(case, str) else case
        processes = Processes(case, **answer)
        monkeypatch.setattr(harness, "_process", processes)
        monkeypatch.setenv("SPIKESIM_NEST_PYTHON", sys.executable)
        monkeypatch.delenv("SPIKESIM_BRIAN2_PYTHON", raising=False)
        with harness.Benchmark("brunel", case, settings, [peer]) as benchmark:
            turns = [(repetition, side.label) for repetition, side in benchmark.turns()]
        assert set(processes.seeds) <= {7, 8}
        return benchmark.rows(), processes.started, turns

    return run


def test_sides_take_turns_and_ratios_compare_run_times(measure):
    (ours, nest, *_), started, turns = measure()
    assert started == ["ours", "nest", "ours", "nest"]
    assert turns == [(0, "spikesim grid"), (0, "NEST"), (1, "spikesim grid"), (1, "NEST")]
    assert nest["run_s"] == {"median": 12.0, "min": 10.0, "max": 14.0, "all": [10.0, 14.0]}
    assert nest["ratio"] == {"median": 6.0, "min": 5.0, "max": 7.0, "all": [5.0, 7.0]}
    assert ours["rate_hz"]["median"] == pytest.approx(500 / 250 / 0.1)
    assert ours["real_time_factor"]["median"] == 20.0
    assert ours["ns_per_event"]["median"] == pytest.approx(2.0 / 12_500 * 1e9)
    assert ours["synapses_per_s"]["median"] == pytest.approx(250 * 25 / 0.1)
    assert ours["neurons"] == 250
    assert ours["synapses"] == 250 * 25


def test_peer_not_installed_is_named(measure):
    rows, started, _ = measure(Peer("brian2", "Brian2", ()))
    assert rows[1]["status"] == "missing"
    assert "SPIKESIM_BRIAN2_PYTHON is not set" in rows[1]["note"]
    assert started == ["ours", "ours"]
    text = report.text(report.tables(load("brunel"), rows), report.notes(rows), "a machine")
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


def test_goals_are_judged_where_they_hold(measure):
    rows, _, _ = measure()
    assert [row["verdict"] for row in rows if "goal" in row] == ["not judged", "not judged"]
    limits = (("aim reached", 5.0, 6.0), ("reached", 5.0, 8.0), ("missed", 8.0, 9.0))
    goals = tuple(Goal(what, times_faster("nest"), least, aim, scale=0.02) for what, least, aim in limits)
    rows, _, _ = measure(case=replace(load("brunel"), goals=goals))
    judged = [row for row in rows if "goal" in row]
    assert [row["verdict"] for row in judged] == [row["goal"] for row in judged]
    assert judged[0]["value"] == 6.0
    assert "aim reached" in report.text(report.tables(load("brunel"), rows), [], "")


def test_run_that_falls_silent_is_repeated_and_said(measure):
    lively = replace(load("brunel"), alive=1.0)
    rows, started, _ = measure(case=lively, silent=1)
    assert started == ["ours", "nest", "nest", "ours", "nest"]
    assert rows[1]["note"] == "NEST: 1 runs fell silent and were repeated with other seeds"
    assert rows[1]["spikes"]["all"] == [500, 500]
    rows, _, _ = measure(case=lively, silent=100)
    assert rows[1]["status"] == "failed"


def test_peer_of_a_large_network_runs_when_it_is_named(measure, monkeypatch):
    monkeypatch.setattr(harness, "PEER_SYNAPSES", 1_000)
    rows, started, _ = measure()
    assert (rows[1]["status"], started) == ("not run", ["ours", "ours"])
    assert "--peers nest runs it" in rows[1]["note"]
    _, started, _ = measure(settings=replace(SETTINGS, insist=True))
    assert started == ["ours", "nest", "ours", "nest"]


def test_every_group_is_compared_with_its_own_first_row(measure):
    case = load("cuba")
    rows, started, _ = measure(case=replace(case, goals=()), settings=replace(SETTINGS, scale=0.25, repeat=1))
    assert started == ["ours", "ours", "nest"] * 2
    assert [row["ratio"] and row["ratio"]["median"] for row in rows] == [None, 1.0, 5.0, None, 1.0, 7.0]
    assert len({row["group"] for row in rows}) == 2


@pytest.mark.parametrize("name", names())
def test_every_case_builds_small(name):
    case = load(name)
    sides = [v.label for v in case.variants]
    assert len(set(sides)) == len(sides)
    for variant in case.variants:
        if isinstance(variant, Variant):
            assert variant.build(0.05).neurons > 0


@pytest.mark.parametrize("name", names())
def test_every_figure_can_be_drawn(name, measure, tmp_path, monkeypatch):
    case = load(name)
    if case.statistics:
        pytest.skip("drawn from recorded spikes below")
    rows, _, _ = measure(case=case, settings=replace(SETTINGS, repeat=1, scale=0.05))
    figure = case.draw(rows) if case.draw else figures.bars(rows, case.compare)
    assert any(ax.has_data() for ax in figure.axes)


def test_names_are_found_by_beginning_and_pattern():
    valid = ["brunel", "brunel-exact", "build", "scaling-n", "scaling-rate"]
    assert matching("brunel", valid) == ["brunel"]
    assert matching("scaling", valid) == ["scaling-n", "scaling-rate"]
    assert matching("bru*", valid) == ["brunel", "brunel-exact"]
    assert matching("scal", valid) == []


def test_statistics_tell_like_from_unlike_activity():
    def run(seed, rate):
        rng = np.random.default_rng(seed)
        count = rng.poisson(rate * 300 * 10)
        times, ids = np.sort(rng.uniform(500.0, 10_500.0, count)), rng.integers(0, 300, count)
        arrays = {"a/times": np.append([100.0], times), "a/ids": np.append([0], ids)}
        return activity.Activity.of(arrays, {"a": 300}, 500.0, 10_500.0)

    def side(label, runs):
        return SimpleNamespace(label=label, activity=runs)

    sides = [side("x", [run(1, 5.0), run(2, 5.0)]), side("y", [run(3, 5.0), run(4, 5.0)]), side("z", [run(5, 8.0)] * 2)]
    (row,) = activity.compare(sides)
    assert row["rate_hz"]["x"] == pytest.approx([5.0, 5.0], abs=0.2)
    assert row["cv"]["x"] == pytest.approx([1.0, 1.0], abs=0.05)
    assert abs(row["correlation"]["x"][0]) < 0.01
    assert row["seed_to_seed"]["rate"]["x"] < 0.15
    assert row["distance"]["rate"]["y"] < 0.15
    assert row["distance"]["rate"]["z"] > 0.7
    assert row["distance"]["cv"]["z"] < 0.2
    assert row["seed_to_seed"]["rate"]["z"] == 0.0
    figure = figures.distributions([row])
    assert len(figure.axes) == 3
    rows = [_measured(label) for label in "xyz"]
    text = report.text(report.tables(load("microcircuit-statistics"), [*rows, {"benchmark": "m"} | row]), [], "")
    assert "Statistics by population" in text


def _measured(label, run_s=2.0, **more):
    values = {"median": run_s, "min": run_s, "max": run_s, "all": [run_s]}
    return {
        "benchmark": "m", "side": label, "name": "ours", "group": "", "status": "ok", "note": "", "version": "1",
        "scale": 1.0, "threads": 1, "duration_ms": 1.0, "warmup_ms": 0.0, "dt_ms": 0.1, "neurons": 1, "synapses": 1,
        "repeat": 1, "at": {}, "run_s": values, "ratio": None, **more,
    }  # fmt: skip


def test_fast_and_slow_engine_cross_where_their_ratio_is_one():
    def row(rate, ratio):
        return _measured("e", at={"rate": rate, "fanout": 10.0}, ratio={"median": ratio})

    assert sparsity.crossings([row(1.0, 0.1), row(100.0, 10.0)]) == {10.0: pytest.approx(10.0)}
    assert sparsity.crossings([row(1.0, 2.0), row(100.0, 10.0)]) == {10.0: None}


def test_history_keeps_medians_and_is_shown(tmp_path):
    path, machine = tmp_path / "past.jsonl", {"processor": "a chip", "cores": 2, "load": 0.0}
    for seconds in (2.0, 1.5):
        history.append(path, [_measured("ours", seconds), {"goal": "none of these"}], machine)
    with path.open("a") as file:
        file.write('{"cut sho')
    assert [entry["run_s"] for entry in history.read(path)] == [2.0, 1.5]
    app = typer.Typer()
    app.command()(history.main)
    shown = CliRunner().invoke(app, [str(path), "m", "--plot", str(tmp_path / "past.png")])
    assert (shown.exit_code, (tmp_path / "past.png").exists()) == (0, True), shown.output
    for arguments, message in (
        ([str(path), "--key", "runs"], "numbers: "),
        ([str(path), "n"], "no such benchmark"),
        ([str(tmp_path / "none.jsonl")], "does not exist"),
        ([str(path), "--plot", str(tmp_path / "past.png")], "past.png exists"),
    ):
        refused = CliRunner().invoke(app, arguments)
        assert refused.exit_code == 2
        assert message in refused.output.replace("\n", "")


@pytest.mark.parametrize(("case", "label"), [("brunel", "spikesim grid"), ("roofline", "sequential reading")])
def test_one_run_of_ours(case, label, tmp_path):
    number = [v.label for v in load(case).variants].index(label)
    request = {"case": case, "variant": number, "scale": 0.02, "threads": 1, "seed": 1, "record": False}
    facts, arrays = ours.run(request | {"duration": 50.0, "warmup": 20.0, "dt": 0.1})
    assert not arrays
    if case == "roofline":
        assert facts["gb_per_s"] > 0.0
        return
    network = load(case).variants[0].build(0.02)
    whole = ss.simulate(network, 70.0, engine="grid", seed=1).spikes
    assert facts["spikes"] == sum(int((s.times > 20.0 + 1e-6).sum()) for s in whole.values())
    assert facts["events"] > 0
    assert facts["bytes_per_synapse"] > 0.0


def test_recorded_spikes_come_back(tmp_path):
    request = {"case": "brunel", "variant": 0, "scale": 0.02, "threads": 1, "seed": 1, "record": True}
    facts, arrays = ours.run(request | {"duration": 50.0, "warmup": 0.0, "dt": 0.1})
    assert sum(len(arrays[f"{name}/times"]) for name in ("exc", "inh")) == facts["spikes"] > 0


def test_alpha_network_has_the_drive_of_nests_script():
    network = load("brunel-alpha").variants[0].build(1.0)
    assert network["exc"].inputs[0].rate == pytest.approx(17789.0077, abs=1e-3)
    assert network.synapses == 15_625_000


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


def test_rivals_refuse_plasticity_they_do_not_have(tmp_path):
    def rule(plasticity, **more):
        cells = Population("cells", 3, Neuron(LIF(), Exponential(5.0)))
        synapses = Projection(cells, cells, FixedIndegree(2), weight=0.5, delay=1.0, plasticity=plasticity, **more)
        exchange.write(tmp_path / "spec.npz", Network([cells], [synapses]))
        return _protocol.pair_rule(_protocol.read(str(tmp_path / "spec.npz"))["projections"][0])

    assert rule(None) is None
    assert rule(PairSTDP(w_max=2.0))["w_max"] == 2.0
    for unknown in (TripletSTDP(), PairSTDP(pairing="nearest"), PairSTDP(w_min=0.1), PairSTDP(a_minus=-0.1)):
        with pytest.raises(_protocol.Cannot):
            rule(unknown)


@pytest.mark.skipif(os.name != "posix", reason="signals of process groups")
def test_interrupted_run_ends_what_it_has_started(tmp_path):
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1], sys.argv[2]])"
    inner = "import pathlib, sys, time; p = pathlib.Path(sys.argv[1]); p.touch(); time.sleep(2); p.unlink()"
    line = [sys.executable, "-c", nested, inner, str(tmp_path / "alive")]
    code = f"from benchmarks import harness; harness._process({line!r})"
    started = subprocess.Popen([sys.executable, "-c", code], cwd=harness.ROOT, stderr=subprocess.DEVNULL)
    while not (tmp_path / "alive").exists():
        assert started.poll() is None
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    assert started.wait(30) != 0
    time.sleep(2.5)
    assert (tmp_path / "alive").exists()  # the innermost was ended before it could remove it


def test_what_no_file_can_carry_is_said(measure, monkeypatch):
    with pytest.raises(exchange.Unwritable, match="object in its networks"):
        exchange._encode(object(), {})
    encode = exchange._encode
    monkeypatch.setattr(exchange, "_encode", lambda value, arrays: encode(object(), arrays))
    rows, started, _ = measure()
    assert started == ["ours", "ours"]
    assert (rows[1]["status"], rows[1]["note"]) == ("cannot", "NEST has no object in its networks")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["brunl"], "unknown benchmark 'brunl'; valid: brunel"),
        (["--scaling", "size"], "unknown --scaling 'size'; valid: indegree, n, rate, threads"),
        (["brunel", "--statistics"], "brunel has none; valid: microcircuit"),
        (["brunel", "--history", "no/such/file"], "folder no/such does not exist"),
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

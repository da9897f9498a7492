"""The comparison: same inputs, same spikes, honest numbers, and a runner that knows no family by name."""

from __future__ import annotations

import dataclasses
import json
import sys
import textwrap

import pytest

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")
pytest.importorskip("sklearn")

import typer  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from baselines import Options, compare, runner, seeds  # noqa: E402
from baselines.checkpoints import Checkpoints  # noqa: E402
from baselines.cli import register  # noqa: E402
from baselines.contract import Contestant, Gallery, Metric, Table  # noqa: E402
from baselines.errors import MissingExtraError, TrainingError  # noqa: E402
from baselines.families import FAMILIES, mlp  # noqa: E402
from baselines.plan import make_plan  # noqa: E402
from baselines.report import Diverged  # noqa: E402
from baselines.seeds import train  # noqa: E402
from baselines.supervised import Classifier  # noqa: E402
from baselines.tasks import TASKS  # noqa: E402
from spikesim.commands import Group  # noqa: E402
from spikesim.errors import FileError, ParameterError  # noqa: E402

SMALL = Options(data="digits", seeds=1, epochs=2, steps=6)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A family in one new file, with a task in another: no torch, no spikes, a metric of its own."""
    (tmp_path / "families").mkdir()
    (tmp_path / "tasks").mkdir()
    (tmp_path / "families" / "toy.py").write_text(TOY_FAMILY)
    (tmp_path / "tasks" / "coin.py").write_text(TOY_TASK)
    for package, folder in (("baselines.families", "families"), ("baselines.tasks", "tasks")):
        module = __import__(package, fromlist=["__path__"])
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(tmp_path / folder)])
    yield
    for name in ("baselines.families.toy", "baselines.tasks.coin"):
        __import__("sys").modules.pop(name, None)


TOY_TASK = textwrap.dedent("""
    from baselines.contract import Task

    TASK = Task("coin", "a coin", "return", "none", "made up", "none", "cannot be missing", lambda: True, lambda: 0.5)
""")
TOY_FAMILY = textwrap.dedent("""
    from baselines.contract import Family, Outcome, Settings
    from spikesim.energy import Operations

    class Player:
        updates = 3

        def __init__(self, data, settings, seed):
            self.skill, self.seed = data, seed

        def epoch(self):
            for _ in range(self.updates):
                self.skill += 0.1
                yield 1 - self.skill

        def validate(self):
            return -abs(self.skill - 0.8)  # best after the first of two epochs

        def snapshot(self):
            return self.skill

        def restore(self, snapshot):
            self.skill = snapshot

        def test(self):
            return Outcome(self.skill, Operations(macs=10.0), 2, 5, 4, 0.1)

        def replay(self, engine, threads, advance):
            advance(4)
            return Outcome(self.skill, Operations(synaptic_events=2.0), 2, 5, 4, 0.1, spikes=8)

    FAMILY = Family("toy", "LSTM toy", {"coin": Settings(seeds=2, epochs=2)}, Player, Player)
""")


# --- the runner ----------------------------------------------------------------------------------------------------


def test_a_new_family_is_one_new_file(toy, tmp_path) -> None:
    report = compare(["toy"], Options(out=tmp_path / "out"), progress=False)
    (f,) = report.families
    assert f["task"] == "coin" and f["seeds"] == 2
    assert f["ann"]["return"] == pytest.approx(0.8)  # the best epoch was restored
    assert f["replay"]["agreement"] is None
    assert "LSTM toy and its spiking twin" in report.markdown()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "report.html",
        "report.json",
        "report.md",
        "results.jsonl",
        "toy_comparison.png",
    ]


def test_interrupted_comparison_goes_on(toy, tmp_path, monkeypatch) -> None:
    out, run_seed = tmp_path / "out", runner.run_seed

    def stop_in_second(plan, data, seed, *rest):
        if seed == 1:
            raise KeyboardInterrupt
        return run_seed(plan, data, seed, *rest)

    monkeypatch.setattr(runner, "run_seed", stop_in_second)
    first = compare(["toy"], Options(out=out), progress=False)
    assert first.interrupted and first.finished == 1 and first.families[0]["seeds"] == 1
    assert [p.name for p in out.iterdir()] == ["results.jsonl"]
    kept = (out / "results.jsonl").read_text()
    with pytest.raises(FileError, match=r"results\.jsonl.*other settings.*--overwrite"):
        compare(["toy"], Options(out=out, epochs=1), progress=False)
    monkeypatch.setattr(runner, "run_seed", run_seed)
    second = compare(["toy"], Options(out=out), progress=False)
    assert not second.interrupted and second.finished == 2
    assert (out / "results.jsonl").read_text().startswith(kept)


def test_what_was_trained_of_an_interrupted_seed_is_not_trained_again(toy, tmp_path, monkeypatch) -> None:
    whole, out, trained = compare(["toy"], progress=False), tmp_path / "out", []

    def stop_at_the_fourth(learner, *rest):
        trained.append(learner.seed)
        if len(trained) == 4:
            raise KeyboardInterrupt
        return train(learner, *rest)

    monkeypatch.setattr(seeds, "train", stop_at_the_fourth)
    first = compare(["toy"], Options(out=out), progress=False)
    assert first.interrupted and first.finished == 1
    assert [p.name for p in (out / "unfinished").iterdir()] == ["toy_1_ann.h5"]
    with pytest.raises(FileError, match=r"other settings.*--overwrite"):
        compare(["toy"], Options(out=out, epochs=1), progress=False)
    record, _ = runner._elsewhere(runner._Unit("toy", Options(out=out, jobs=2), 1, False))  # as another process would
    assert trained == [0, 0, 1, 1, 1] and record["ann"]["score"] == whole.families[0]["ann"]["return"]
    checkpoints = Checkpoints(out, make_plan("toy", Options()).key, 1)
    checkpoints.keep("snn", checkpoints.find("snn")[0], 0.5)  # what it learned, as far as anyone can tell
    second = compare(["toy"], Options(out=out), progress=False)
    assert len(trained) == 5 and second.finished == 2 and not (out / "unfinished").exists()
    kept = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert kept[1]["ann"]["train_s"] > 0 and kept[1]["replay"]["score"] == 0.5


def test_seeds_side_by_side_are_those_of_one_after_the_other(tmp_path) -> None:
    options = dataclasses.replace(SMALL, seeds=2, epochs=1)
    alone = compare(["mlp"], options, progress=False)
    out = tmp_path / "out"
    beside = compare(["mlp"], dataclasses.replace(options, jobs=2, out=out), progress=False)
    for a, b in zip(alone.families, beside.families, strict=True):
        for side in ("ann", "snn", "replay"):
            assert a[side]["accuracy"] == b[side]["accuracy"] and a[side]["spikes"] == b[side]["spikes"]
    assert (out / "mlp_raster.png").exists()
    again = compare(["mlp"], dataclasses.replace(options, jobs=2, out=tmp_path / "out2"), progress=False)
    kept = (tmp_path / "out2" / "results.jsonl").read_text().splitlines()
    assert again.finished == 2 and sorted(json.loads(line)["seed"] for line in kept) == [0, 1]


def test_side_by_side_the_first_seed_that_does_not_diverge_is_drawn(toy, tmp_path, monkeypatch) -> None:
    attempt, out = runner._attempt, tmp_path / "out"

    def diverging_at_first(plan, data, seed, tell, draw, checkpoints):
        record, _ = attempt(plan, data, seed, tell, False, checkpoints)
        made = Diverged("toy", 0, "nan") if seed == 0 else record
        return made, {"toy_raster.png": bytes([seed])} if draw and seed else {}

    monkeypatch.setattr(runner, "_attempt", diverging_at_first)
    monkeypatch.setattr(
        runner, "side_by_side", lambda work, units, jobs: [(u, work(u)) for u in (units[i] for i in (2, 0, 1, 3))]
    )
    report = compare(["toy"], Options(out=out, jobs=2, seeds=4), progress=False)
    assert report.finished == 3 and (out / "toy_raster.png").read_bytes() == bytes([1])


@pytest.mark.parametrize("name", FAMILIES)
def test_settings_are_known_again_after_they_were_written(name) -> None:
    """An interrupted comparison of any family goes on: its key comes out of JSON as it went in."""
    for task in FAMILIES[name].settings:
        if TASKS[task].available():
            key = make_plan(name, Options(data=task)).key
            assert json.loads(json.dumps(key)) == key


def test_damaged_data_of_the_last_family_end_it_before_the_first_trains(toy, tmp_path, monkeypatch) -> None:
    def damaged():
        raise FileError("data set 'digits': not the published file")

    monkeypatch.setattr("baselines.tasks.digits.TASK", dataclasses.replace(TASKS["digits"], load=damaged))
    monkeypatch.setattr(runner, "run_seed", lambda *rest: pytest.fail("something was trained"))
    with pytest.raises(FileError, match="not the published file"):
        compare(["toy", "mlp"], Options(quick=True), progress=False)


def test_nothing_is_overwritten_unasked(toy, tmp_path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    compare(["toy"], Options(out=out), progress=False)
    before = (out / "report.json").read_text()
    with pytest.raises(FileError, match=r"report\.json: exists already; add --overwrite"):
        compare(["toy"], Options(out=out, seeds=1), progress=False)
    assert (out / "report.json").read_text() == before
    compare(["toy"], Options(out=out, seeds=1, overwrite=True), progress=False)
    assert json.loads((out / "report.json").read_text())["families"][0]["seeds"] == 1
    assert (out / "notes.txt").read_text() == "mine"


def test_out_that_cannot_be_written(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileError, match="cannot write there"):
            compare(["mlp"], Options(data="digits", out=path), progress=False)


def test_progress_reaches_the_end_without_turning_back(toy) -> None:
    seen = []
    compare(["toy"], Options(), progress=lambda done, total: seen.append(done / total))
    assert seen == sorted(seen) and seen[-1] == pytest.approx(1.0) and len(seen) == 2 * (2 * 6 + 1)


def test_a_family_names_its_own_metrics_and_shows_what_it_made(toy, tmp_path, monkeypatch) -> None:
    family = FAMILIES["toy"]
    test, replay = family.ann.test, family.ann.replay

    def more(outcome):
        table = Table(("a", "b"), [("one", "two")], ("It made one.",))
        return dataclasses.replace(outcome, score=3.5, measures={"spread": 0.25}, tables={"made": table}, material=7)

    monkeypatch.setattr(family.ann, "validate", lambda self: abs(self.skill - 0.8))
    monkeypatch.setattr(family.ann, "test", lambda self: more(test(self)))
    monkeypatch.setattr(family.ann, "replay", lambda self, *rest: more(replay(self, *rest)))
    drawn = Gallery("seven", "seven of it", lambda data, made: lambda file: file.write(b"%d" % made["ann"].material))
    changed = dataclasses.replace(
        family,
        metrics=(Metric("distance", percent=False, higher=False), Metric("spread")),
        galleries=(drawn,),
        others=(Contestant("rival", "a rival", family.ann, needs="no_such_package"),),
    )
    monkeypatch.setattr(sys.modules["baselines.families.toy"], "FAMILY", changed)
    report = compare(["toy"], Options(out=tmp_path / "out"), progress=False)
    (f,) = report.families
    assert f["ann"]["best_epoch"] == 1 and f["ann"]["distance"] == 3.5 and f["replay"]["spread_std"] == 0.0
    assert (tmp_path / "out" / "toy_seven.png").read_bytes() == b"7"
    page = report.markdown()
    for line in (
        "| test distance, lower is better | 3.5 ± 0 | 3.5 ± 0 | 3.5 ± 0 |",
        "| test spread (%) | 25.00 ± 0.00 | 25.00 ± 0.00 | 25.00 ± 0.00 |",
        "- It made one.",
        "- Left out: a rival (not installed: no_such_package; pip install no_such_package).",
    ):
        assert line in page
    assert "toy: seven of it" in (tmp_path / "out" / "report.html").read_text()


def test_a_seed_that_diverges_is_named_and_left_out(toy, tmp_path, monkeypatch) -> None:
    family = FAMILIES["toy"]
    learn = family.ann.epoch

    def epoch(self):
        if self.seed in failing:
            raise TrainingError("training diverged at update 7")
        yield from learn(self)

    monkeypatch.setattr(family.ann, "epoch", epoch)
    failing = [1]
    report = compare(["toy"], Options(out=tmp_path), progress=False)
    (found,) = report.families
    assert found["diverged"] == [{"seed": 1, "error": "training diverged at update 7"}]
    assert found["seeds"] == 1 and found["ann"]["return"] == pytest.approx(0.8)
    assert "Seed 1 is in no figure: training diverged at update 7." in report.markdown()
    assert "1 of 2 seeds (diverged)" in report.markdown()
    failing = [0, 1]
    with pytest.raises(TrainingError, match="toy, seed 0: training diverged at update 7; no seed was finished"):
        compare(["toy"], Options(), progress=False)


def test_diverged_training_says_so() -> None:
    settings = mlp.MLPSettings(epochs=1, lr_ann=float("inf"))
    learner = Classifier(
        lambda: mlp.build_ann(TASKS["digits"].load(), settings), TASKS["digits"].load(), settings, 0, 1e30
    )
    with pytest.raises(TrainingError, match="diverged at update"):
        for _ in learner.epoch():
            pass


# --- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("families", "options", "message"),
    [
        (["mpl"], {}, "unknown family 'mpl' (did you mean 'mlp'?)"),
        (["mlp"], {"data": "mnits"}, "unknown data for family 'mlp': 'mnits' (did you mean 'mnist'?)"),
        (["mlp"], {"seeds": 0}, "seeds: must be >= 1, got 0"),
        (["mlp"], {"epochs": -1}, "epochs: must be >= 1, got -1"),
        (["mlp"], {"steps": 0}, "steps: must be >= 1, got 0"),
        (["lstm"], {"data": "digits", "steps": 12}, "8 frames one after the other; must be a multiple of 8, got 12"),
        (["mlp"], {"threads": 0}, "threads: must be >= 1, got 0"),
        (["mlp"], {"engine": "gird"}, "unknown engine 'gird' (did you mean 'grid'?)"),
    ],
)
def test_wrong_choices_are_named(families, options, message) -> None:
    with pytest.raises(ParameterError) as caught:
        compare(families, Options(**options), progress=False)
    assert message in str(caught.value)


def test_missing_data_tell_the_remedy(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SPIKESIM_DATA", str(tmp_path))
    with pytest.raises(FileError, match="SPIKESIM_DATA/mnist"):
        compare(["mlp"], Options(data="mnist"), progress=False)


def test_missing_packages_tell_the_remedy(monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(MissingExtraError, match=r"torch; install with: pip install 'spikesim\[baselines\]'"):
        compare(["mlp"], progress=False)


def test_command_ends_mistakes_in_one_line() -> None:
    app = typer.Typer(cls=Group, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    register(app)
    result = CliRunner().invoke(app, ["compare", "mpl"])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: unknown family 'mpl' (did you mean 'mlp'?); valid: {', '.join(FAMILIES)}"


def test_command_prints_one_json_object(toy) -> None:
    app = typer.Typer(cls=Group, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    register(app)
    result = CliRunner().invoke(app, ["compare", "toy", "--seeds", "1", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["families"][0]["family"] == "toy"

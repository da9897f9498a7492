"""``spikesim learn``: every study from the command line, its files, its mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from spikesim import Simulation, commands, learning, studies
from spikesim.cli import app
from spikesim.errors import ParameterError

SMALL = {
    "chronotron": ("--tasks", "2", "--epochs", "40", "--n", "100"),
    "diehl-cook": ("--neurons", "10", "--epochs", "1", "--train", "60", "--test", "20", "--labelling", "40"),
    "eventprop-yinyang": ("--hidden", "10", "--epochs", "1", "--batch", "250"),
    "izhikevich-reward": ("--scale", "0.5", "--duration", "3"),
    "lsm": ("--size", "40", "--train", "12", "--test", "6", "--epochs", "3"),
    "masquelier": ("--scale", "0.1", "--duration", "2", "--trials", "2"),
    "resume": ("--tasks", "2", "--epochs", "40", "--n", "100"),
    "song-stdp": ("--scale", "0.1", "--duration", "1"),
    "spikeprop-xor": ("--trials", "2", "--epochs", "20"),
    "tempotron-capacity": ("--n", "10", "--trials", "2", "--epochs", "50", "--step", "1.0"),
}
SIMULATED = ("diehl-cook", "izhikevich-reward", "song-stdp")
TIMES = ("wall_s", "images_per_s", "learning_s")


@pytest.fixture
def cli(monkeypatch):
    """Function that runs the command line in this process."""
    monkeypatch.setattr(commands, "entry_points", lambda group: ())
    return lambda *args: CliRunner().invoke(app, ["learn", *map(str, args)])


@pytest.mark.parametrize("name", studies.names())
def test_every_study_runs_and_writes_its_files(name, cli, tmp_path):
    args = (name, *SMALL[name], "--seed", 3, "--json", "--out", tmp_path / "out")
    done = cli(*args)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["study"] == name and found["seed"] == 3 and not found["interrupted"] and found["wall_s"] > 0
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == found
    assert (tmp_path / "out" / "picture.png").stat().st_size > 10_000
    saved = tmp_path / "out" / "learner.h5"
    if name in SIMULATED:
        assert Simulation.load(saved).time > 0.0
    elif name != "masquelier":  # its input would make up most of the file
        assert learning.load(saved).epochs > 0
    again = cli(*args)
    assert again.exit_code == 2 and "--overwrite" in again.stderr
    settings = studies.run(name, seed=3, progress=False, **found["settings"]).summary
    assert {k: v for k, v in settings.items() if k not in TIMES} == {k: v for k, v in found.items() if k not in TIMES}


def test_digits_go_on_where_they_stopped(tmp_path, monkeypatch):
    """The same weights with a break after 30 images as without; other settings are refused."""
    from spikesim.studies import diehl_cook

    monkeypatch.setattr(diehl_cook, "SAVE_EVERY", 30)
    settings = {"neurons": 8, "epochs": 1, "train": 50, "test": 10, "labelling": 20}
    whole = studies.get("diehl-cook").named(settings).execute(1, False)
    study = studies.get("diehl-cook").named(settings)
    shown = []
    present = diehl_cook.Show.present

    def stopping(self, *args):
        shown.append(args)
        if len(shown) == 41:
            raise KeyboardInterrupt
        return present(self, *args)

    monkeypatch.setattr(diehl_cook.Show, "present", stopping)
    first = study.execute(1, False, tmp_path)
    assert first.interrupted and first.found["images_learnt"] == 40
    again = study.execute(1, False, tmp_path)
    assert len(shown) == 41 + 10  # the rest, in batches: labelling and the test
    for key in ("test_accuracy", "mean_spikes_per_image", "running_accuracy"):
        assert again.found[key] == whole.found[key]
    with pytest.raises(ParameterError, match="other settings or another seed"):
        study.execute(2, False, tmp_path)


def test_answers_are_read_by_label_or_by_degrees():
    from spikesim.studies.diehl_cook import labels_of, shares_of, vote, weigh

    answers = np.array([[8, 0, 3], [8, 0, 3], [0, 2, 2]])
    labels = np.array([4, 4, 7])
    assert labels_of(answers, labels).tolist() == [4, 7, 4]
    shares = shares_of(answers, labels)
    assert shares[4] == pytest.approx([1.0, 0.0, 0.6]) and shares[7] == pytest.approx([0.0, 1.0, 0.4])
    shown = np.array([[0, 2, 5], [0, 0, 0]])
    assert vote(shown, labels_of(answers, labels)).tolist()[0] == 4  # a mean of 2.5 against 2
    assert weigh(shown, shares).tolist()[0] == 7  # sums of 3 against 4
    assert vote(shown, np.array([-1, -1, -1])).tolist() == [0, 0]


def test_tables_show_what_was_found(cli):
    done = cli("spikeprop-xor", "--trials", 2, "--epochs", 3)
    assert done.exit_code == 0 and "0 of 2" in done.stdout and "error ms2" in done.stdout


def test_help_names_settings_units_and_bounds(cli):
    done = cli("resume", "--help")
    assert done.exit_code == 0
    for part in ("--input-rate", "> 0, Hz", "10.1162/neco"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("tempotron",), "unknown study 'tempotron'; valid: chronotron, eventprop-yinyang"),
        (("resume", "--epochs", "0"), "resume: epochs: must be >= 1, got 0"),
        (("resume", "--seed", "-1"), "resume: seed: must be >= 0, got -1"),
        (("resume", "--duration", "50"), "resume: duration: must be >= 120 ms for 4 spikes, got 50"),
        (("chronotron", "--rule", "q"), "unknown value of chronotron: rule: 'q'; valid: e, i"),
    ],
)
def test_mistakes_end_in_one_line(cli, args, message):
    done = cli(*args)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert message.split("; valid")[0] in done.stderr


def test_unknown_settings_list_the_valid_ones():
    with pytest.raises(ParameterError, match=r"unknown setting of resume: 'epoch' .*valid: duration, epochs"):
        studies.run("resume", epoch=3)


def test_ctrl_c_keeps_what_is_done(cli, monkeypatch, tmp_path):
    from spikesim.learning.learner import Learner

    plain, calls = Learner.run_epochs, []

    def interrupted(self, *args):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return plain(self, *args)

    monkeypatch.setattr(Learner, "run_epochs", interrupted)
    done = cli("resume", "--tasks", 5, "--epochs", 5, "--json", "--out", tmp_path / "out")
    assert done.exit_code == 130
    found = json.loads(done.stdout)
    assert found["interrupted"] and len(found["tasks"]) == 1
    assert (tmp_path / "out" / "picture.png").exists()


@pytest.mark.study
def test_song_sorts_weights_and_regulates_the_rate():
    found = studies.run("song-stdp", seed=0, progress=False).found
    rates = [row["output_hz"] for row in found["rates"]]
    assert found["bimodal"] and max(rates) < 2.5 * min(rates)
    assert all(0.75 < row["cv"] < 1.15 for row in found["rates"])


@pytest.mark.slow
def test_masquelier_finds_the_pattern_and_comes_to_its_start():
    found = studies.run("masquelier", seed=0, progress=False).found
    (trial,) = found["trials"]
    assert trial["found"] and trial["hit_rate"] > 0.95 and trial["strong_in_pattern"] > 0.9
    assert trial["latency_ms"] < 0.6 * trial["first_latency_ms"]


@pytest.mark.study
def test_izhikevich_finds_the_synapse_that_is_rewarded():
    its_own, by_chance = studies.run("izhikevich-reward", seed=0, progress=False).found["networks"]
    assert its_own["synapse"] > 3.0 * its_own["mean_of_others"] and its_own["rank"] <= 0.1 * its_own["synapses"]
    assert its_own["synapse"] > 1.5 * by_chance["synapse"]

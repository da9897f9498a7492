"""The encoding laboratory: rows, readouts, recommendation, files of a user, the command as a stranger meets it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

for package in ("torch", "snntorch", "sklearn"):
    pytest.importorskip(package, reason=f"{package} is not installed: the laboratory needs the extra 'baselines'")

from baselines.encoding import report  # noqa: E402
from baselines.encoding.contract import Problem  # noqa: E402
from baselines.encoding.lab import cost  # noqa: E402
from baselines.encoding.plan import Options, make_plan  # noqa: E402
from baselines.encoding.presentation import present  # noqa: E402
from baselines.encoding.readouts import READOUTS  # noqa: E402
from baselines.encoding.runner import encode  # noqa: E402
from baselines.encoding.sets import SETS  # noqa: E402
from spikesim import coding, commands, datasets  # noqa: E402
from spikesim.cli import app  # noqa: E402
from spikesim.errors import FileError, ParameterError  # noqa: E402

SMALL = Options(encoders=("regular", "first-spike"), classifiers=("linear",), budgets=(8,), seeds=1, limit=80)


@pytest.fixture
def cli(monkeypatch):
    """Function that runs the command line with this laboratory in it."""
    entry = EntryPoint("encode", "baselines.encoding.cli:register", "spikesim.commands")
    monkeypatch.setattr(commands, "entry_points", lambda group: [entry])
    return lambda *args: CliRunner().invoke(app, ["encode", *map(str, args)])


@pytest.fixture(scope="module")
def digits():
    """The first 200 digits."""
    return SETS["digits"].load(200, "")


def fails(result, *parts):
    """Whether the command ended with exit code 2 and one line that holds all parts."""
    lines = result.stderr.strip().splitlines()
    assert result.exit_code == 2 and result.stdout == "", result.output
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    assert not [part for part in parts if part not in lines[0]], lines[0]


# ---------------------------------------------------------------- presentation


@pytest.mark.parametrize("name", coding.codes())
def test_every_code_presents_pictures_on_the_grid(digits, name):
    shown = present(name, digits, 16)
    x = digits.test.x[:6]
    pooled = shown.spikes(x, seed=1, first=4)
    dense = shown.dense(pooled)
    assert dense.shape == (6, shown.steps, shown.neurons) and np.count_nonzero(dense) <= len(pooled)
    strengths = np.ones(shown.steps) if shown.code.strengths is None else shown.code.strengths
    assert dense.sum() == pytest.approx(strengths[pooled.times.astype(int)].sum())
    assert np.array_equal(pooled.times, np.floor(pooled.times))
    later = shown.dense(shown.spikes(x[2:4], seed=1, first=6))
    assert np.array_equal(dense[2:4], later)
    one = shown.sample(pooled, 3)
    assert np.array_equal(one.to_dense(1.0) * strengths.astype(np.float32)[:, None], dense[3])
    given, read = shown.read(x, pooled)
    assert given.shape == read.shape and np.isfinite(read).all()


def test_frames_are_presented_one_after_the_other(digits):
    x = np.random.default_rng(1).random((5, 4, 3))
    part = type(digits.train)(x, None)
    sequence = replace(digits, train=part, validation=part, test=part, rows=None, classes=0)
    shown = present("weighted-phase", sequence, 8)
    assert (shown.steps, shown.neurons) == (32, 3)
    given, read = shown.read(x, shown.spikes(x, 0))
    assert np.abs(given - read).max() <= 2**-8
    delta = present("send-on-delta", sequence, 8)
    given, read = delta.read(x, delta.spikes(x, 0))
    assert given.shape == (5, 4, 3) and np.abs(given - read).max() < 1 / 8


def test_energy_counts_every_spike_into_every_neuron(digits):
    shown = present("bernoulli", digits, 8)
    o = cost(shown, 64, 100.0)
    assert o.synaptic_events == o.weight_reads == 100 * 100 and o.draws == 64 * 8
    assert o.updates == 8 * 100 and o.spike_accesses == 200 and o.weights == 64 * 100
    current = cost(present("current", digits, 8), 64, 0.0)
    assert current.updates == 8 * 100 + 8 * 64


# ---------------------------------------------------------------- readouts


def problem(spikes, y, classes=2):
    """Two thirds to train, the rest to validate."""
    cut = 2 * len(y) // 3
    return Problem(spikes[:cut], y[:cut], spikes[cut:], y[cut:], classes)


def timed(rng, k=240):
    """Two classes with equal counts: which of two neurons fires first."""
    y = rng.integers(0, 2, k)
    spikes = np.zeros((k, 8, 2), np.uint8)
    first, second = rng.integers(0, 3, k), rng.integers(5, 8, k)
    spikes[np.arange(k), first, y] = 1
    spikes[np.arange(k), second, 1 - y] = 1
    return spikes, y


def test_only_readouts_that_see_time_read_the_order(rng):
    spikes, y = timed(rng)
    given = problem(spikes, y)
    accuracy = {}
    for name in ("linear", "count", "surrogate", "stdp"):
        (fitted,) = READOUTS[name].fit([given], [0])
        answers = fitted.scores(given.validation)[-1].argmax(axis=1)
        accuracy[name] = np.mean(answers == given.y_validation)
    assert accuracy["linear"] == 1.0 and accuracy["surrogate"] > 0.95 and accuracy["stdp"] > 0.9
    assert accuracy["count"] < 0.7


@pytest.mark.parametrize("name", READOUTS)
def test_readouts_learn_digits_and_repeat_themselves(digits, name):
    shown = present("regular", digits, 8)
    train, validation = (shown.dense(shown.spikes(p.x, 0)) for p in (digits.train, digits.validation))
    given = Problem(train, digits.train.y, validation, digits.validation.y, 10)
    found = READOUTS[name].fit([given, given], [0, 1])
    scores = found[0].scores(validation)
    assert scores.shape[1:] == (50, 10) and np.isfinite(scores).all()
    assert np.mean(scores[-1].argmax(axis=1) == given.y_validation) > 0.5
    again = READOUTS[name].fit([given, given], [0, 1])
    assert np.array_equal(again[1].scores(validation), found[1].scores(validation))


def test_linear_scores_add_up_to_the_whole(rng):
    spikes, y = timed(rng)
    given = problem(spikes, y)
    (fitted,) = READOUTS["linear"].fit([given], [0])
    scores = fitted.scores(given.validation)
    x = given.validation.reshape(len(given.validation), -1)
    expected = fitted.ridge.base + (x - fitted.ridge.mean) @ fitted.ridge.weights
    assert scores[-1] == pytest.approx(expected)
    late = given.validation.copy()
    late[:, 4:] = 0
    assert np.array_equal(fitted.scores(late)[3], scores[3])  # the future does not matter


# ---------------------------------------------------------------- report


def rows(*values):
    """Rows of (validation accuracy, spikes)."""
    return [
        {"validation_accuracy": a, "spikes_per_sample": s, "duration_ms": 8.0, "accuracy": 1 - a} for a, s in values
    ]


def test_pareto_and_recommendation_look_at_validation_alone():
    made = rows((0.90, 10.0), (0.95, 100.0), (0.945, 50.0), (0.94, 60.0), (0.5, 5.0))
    marks = [report._pareto(row, made, "validation_accuracy") for row in made]
    assert marks == [True, True, True, False, True]
    error = report.margin(0.95, 400)
    assert error == pytest.approx(np.sqrt(0.95 * 0.05 / 400))
    assert report.recommended(made, "validation_accuracy", 400) is made[2]
    assert report.recommended(made, "validation_accuracy", 10) is made[0]
    assert report.recommended(made, "validation_accuracy", 10**9) is made[1]


def test_rows_of_a_small_run():
    found = encode(SMALL, progress=False).document
    assert [r["encoder"] for r in found["rows"]] == ["regular", "first-spike"]
    keys = {
        "encoder",
        "budget",
        "spikes_per_sample",
        "rmse",
        "snr_db",
        "mutual_information_bits",
        "accuracy",
        "latency_ms",
    }
    for row in found["rows"]:
        assert keys <= set(row) and row["data"] == "digits"
        assert 0.3 < row["accuracy"] <= 1.0 and row["energy_nj"]["loihi-2018"] > 0
        assert set(row["readouts"]["linear"]["robustness"]) == {
            "noise 0.2", "jitter 1 ms", "20% lost", "20% added", "20% dead"
        }  # fmt: skip
        assert row["latency_ms"] <= row["duration_ms"]
    regular, first = found["rows"]
    assert first["spikes_per_sample"] < 0.4 * regular["spikes_per_sample"]
    assert sum(r["recommended"] for r in found["rows"]) == 1 and found["recommendation"].startswith("Take ")


def test_results_do_not_depend_on_other_rows_or_on_processes():
    together = encode(replace(SMALL, encoders=("bernoulli", "regular")), progress=False).document["rows"][0]
    alone = encode(replace(SMALL, encoders=("bernoulli",), jobs=1), progress=False).document["rows"][0]
    for row in (together, alone):
        for name in ("samples_per_second", "pareto", "recommended"):
            del row[name]
    assert together == alone


def test_budgets_too_small_are_named_and_left_out():
    found = encode(replace(SMALL, encoders=("burst", "regular"), budgets=(1,)), progress=False).document
    assert [r["encoder"] for r in found["rows"]] == ["regular"]
    assert found["skipped"] == ["burst with 1 ms: Burst: needs at least 2 time steps, got 1"]
    with pytest.raises(ParameterError, match=r"no code works within these budgets: burst with 1 ms"):
        encode(replace(SMALL, encoders=("burst",), budgets=(1,)), progress=False)


@pytest.mark.parametrize("name", ["fsdd", "nmnist", "braille"])
def test_sets_that_are_there_load(name):
    if not SETS[name].available():
        pytest.skip(f"{name} is not in SPIKESIM_DATA")
    material = SETS[name].load(40, "mel")
    for part, size in ((material.train, 40), (material.validation, 10), (material.test, 20)):
        assert len(part.x) == len(part.y) == size
        assert part.x.min() >= 0 and part.x.max() <= 1 and part.x.shape[1] > 1
    assert material.classes in (10, 27) and not material.still
    assert datasets.describe(name).licence in material.licence


# ---------------------------------------------------------------- files of a user


def test_labelled_table(tmp_path, rng):
    y = rng.integers(0, 2, 120)
    x = rng.normal(size=(120, 5)) + 2 * y[:, None]
    lines = [
        "a,b,c,d,e,label",
        *(",".join([*(f"{v:.4f}" for v in row), ["no", "yes"][k]]) for row, k in zip(x, y, strict=True)),
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    found = encode(replace(SMALL, data=str(tmp_path / "t.csv"), limit=0), progress=False).document
    assert found["samples"] == {"train": 72, "validation": 24, "test": 24}
    assert max(row["accuracy"] for row in found["rows"]) > 0.9
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    options = replace(SMALL, data=str(tmp_path / "x.npy"), labels=tmp_path / "y.npy", limit=0)
    again = encode(options, progress=False).document
    assert [r["accuracy"] for r in again["rows"]] == pytest.approx([r["accuracy"] for r in found["rows"]], abs=0.05)


def test_signals_without_labels_are_read_back(tmp_path):
    from matplotlib.image import imsave
    from scipy.io import wavfile

    rng = np.random.default_rng(4)
    drawn = np.stack([*rng.integers(0, 34, (2, 3000)), np.sort(rng.integers(0, 300_000, 3000))])
    t = np.arange(4000) / 8000
    wavfile.write(tmp_path / "s.wav", 8000, (8000 * np.sin(2 * np.pi * 300 * t)).astype(np.int16))
    np.save(tmp_path / "wave.npy", np.sin(np.linspace(0, 20, 200)))
    imsave(tmp_path / "p.png", np.linspace(0, 1, 36).reshape(6, 6), cmap="gray", vmin=0, vmax=1)
    events = [[x, y, (x & 1) << 7 | t >> 16, t >> 8 & 255, t & 255] for x, y, t in zip(*drawn.tolist(), strict=True)]
    (tmp_path / "e.bin").write_bytes(bytes(np.array(events, np.uint8)))
    files = ("s.wav", "mel"), ("s.wav", "cochlea"), ("wave.npy", "mel"), ("p.png", "mel"), ("e.bin", "mel")
    for name, features in files:
        options = Options(str(tmp_path / name), ("send-on-delta", "regular"), budgets=(16,), features=features, seeds=1)
        found = encode(options, progress=False).document
        assert found["classifiers"] == [] and len(found["rows"]) == 2
        regular = next(r for r in found["rows"] if r["encoder"] == "regular")
        assert regular["rmse"] < 0.05 and regular["accuracy"] is None
        assert "bits a value" in found["recommendation"]


def test_data_that_do_not_vary_get_no_recommendation(tmp_path):
    np.save(tmp_path / "flat.npy", np.ones((40, 2)))
    found = encode(Options(str(tmp_path / "flat.npy"), ("regular",), budgets=(8,), seeds=1), progress=False).document
    assert found["rows"][0]["mutual_information_bits"] == 0 and not found["rows"][0]["recommended"]
    assert found["recommendation"].startswith("Take none")


def test_bad_files_of_a_user(tmp_path):
    (tmp_path / "a.txt").write_text("1")
    (tmp_path / "few.csv").write_text("a,label\n1,x\n2,y\n")
    np.save(tmp_path / "x.npy", np.zeros((30, 3)))
    np.save(tmp_path / "y.npy", np.zeros(7))
    np.save(tmp_path / "four.npy", np.zeros((2, 2, 2, 2)))
    for data, labels, kind, message in (
        ("a.txt", None, ParameterError, r"unknown kind of file 'a\.txt'.*\.wav"),
        ("no.csv", None, FileError, "does not exist"),
        ("few.csv", None, ParameterError, "at least 20 labelled samples"),
        ("four.npy", None, ParameterError, r"four\.npy: must have one, two or three axes, got 4"),
        ("x.npy", "y.npy", ParameterError, r"--labels: must be one a sample \(30\), got 7"),
    ):
        with pytest.raises(kind, match=message):
            make_plan(Options(str(tmp_path / data), labels=tmp_path / labels if labels else None))


# ---------------------------------------------------------------- command


def test_command_writes_goes_on_and_refuses_to_overwrite(cli, tmp_path):
    args = ("--encoder", "regular", "--classifier", "linear", "--budget", 8, "--seeds", 1, "--limit", 80, "--jobs", 1)
    out = tmp_path / "out"
    done = cli(*args, "--out", out)
    assert done.exit_code == 0, done.output
    names = {"results.jsonl", "report.json", "report.md", "rasters.png", "trade_offs.png", "faults.png"}
    assert {p.name for p in out.iterdir()} == names
    assert "Take regular" in done.stdout and "Rule:" in done.stdout
    fails(cli(*args, "--out", out), "report.json: exists already; add --overwrite")
    for name in names - {"results.jsonl"}:
        (out / name).unlink()
    row = json.loads((out / "results.jsonl").read_text())
    row["rmse"] = 0.123  # a row that is there is not measured again
    (out / "results.jsonl").write_text(json.dumps(row) + "\n")
    again = cli(*args, "--out", out, "--json")
    assert json.loads(again.stdout)["rows"][0]["rmse"] == 0.123
    (out / "report.json").unlink()
    (out / "report.md").unlink()
    fails(cli(*args[:-4], "--limit", 90, "--out", out), "other settings")


def test_mistakes_end_in_one_line(cli, tmp_path):
    for args, parts in (
        (("--encoder", "poison"), ("unknown encoder 'poison'", "did you mean 'poisson'")),
        (("--classifier", "svm"), ("unknown classifier 'svm'", "surrogate")),
        (("digit",), ("no file 'digit'", "did you mean 'digits'")),
        (("--seeds", 0), ("--seeds: must be >= 1",)),
        (("--budget", 0), ("--budget: must be >= 1",)),
        (("--limit", 3), ("--limit: must be 0",)),
        (("--noise", -1), ("--noise: must be >= 0",)),
        (("--features", "fft"), ("unknown features 'fft'", "cochlea")),
        (("--jobs", 0), ("--jobs: must be >= 1",)),
        (("--all", "--encoder", "regular"), ("leave out --encoder",)),
        (("--labels", tmp_path / "y.npy"), ("has labels of its own",)),
        ((tmp_path / "no.wav",), ("does not exist",)),
    ):
        fails(cli(*args), *parts)


def test_data_that_are_not_there(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKESIM_DATA", str(tmp_path))
    fails(cli("fsdd"), "data 'fsdd' is not there", "SPIKESIM_DATA")


def test_codes_are_listed(cli):
    names = [row["encoder"] for row in json.loads(cli("--codes", "--json").stdout)]
    assert names == list(coding.codes())
    assert "send-on-delta" in cli("--codes").stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process")
def test_interrupt_keeps_finished_rows(tmp_path):
    code = "import sys, typer; from baselines.encoding.cli import register; from spikesim.commands import Group\n"
    code += "app = typer.Typer(cls=Group); app.callback()(lambda: None); register(app); app(['encode', *sys.argv[1:]])"
    args = [
        "--all",
        "--classifier",
        "linear",
        "--limit",
        "80",
        "--seeds",
        "1",
        "--jobs",
        "2",
        "--out",
        str(tmp_path / "o"),
    ]
    script = tmp_path / "run.py"
    script.write_text(f"if __name__ == '__main__':\n    {code.replace(chr(10), chr(10) + '    ')}")
    path = os.pathsep.join(sys.path)
    run = subprocess.Popen(
        [sys.executable, str(script), *args], env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    rows_file, end = tmp_path / "o" / "results.jsonl", time.monotonic() + 120
    while not (rows_file.exists() and rows_file.read_text().count("\n") >= 2) and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    output, error = run.communicate(timeout=60)
    assert run.returncode == 130, error
    assert "interrupted" in error and "goes on from there" in error and "Traceback" not in error
    assert len(rows_file.read_text().splitlines()) >= 2 and "rows (interrupted)" in output


def test_torch_views_lose_nothing(rng):
    from baselines.encoding.views import from_torch, to_torch

    code = coding.make("bernoulli", duration=12.0)
    many = code.encode_batch(rng.random((3, 5)))
    tensor = to_torch(many)
    assert tuple(tensor.shape) == (12, 3, 5) and from_torch(tensor) == many
    assert to_torch(many[0]).shape[1] == 1
    with pytest.raises(ParameterError, match="at least one sample"):
        to_torch([])
    with pytest.raises(ParameterError, match="as many neurons"):
        to_torch([many[0], many[1].select([0])])


def test_the_page_names_every_code():
    page = (Path(__file__).parents[1] / "docs" / "coding.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9-]+)`", page)) | {f"first-spike-{c}" for c in ("log", "exp", "power")}
    assert set(coding.codes()) <= named


def test_codes_of_signals_get_a_step_for_every_row_of_a_picture():
    plan = make_plan(replace(SMALL, encoders=("regular", "send-on-delta"), budgets=(2, 4, 16)))
    assert plan.rows == [("regular", b) for b in (2, 4, 16)] + [("send-on-delta", b) for b in (8, 16)]

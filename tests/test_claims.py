"""The claims: the rule of the verdict, each experiment in miniature, resumption, errors, the command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from typer.testing import CliRunner

for package in ("torch", "snntorch", "sklearn"):
    pytest.importorskip(package, reason=f"{package} is not installed: the claims need the extra 'baselines'")

from baselines.claims import plan as planning  # noqa: E402
from baselines.claims.contract import Chart, Claim, Found, Question, Settings, more  # noqa: E402
from baselines.claims.experiments import CLAIMS, continual, energy, neurons, readout, temporal  # noqa: E402
from baselines.claims.pages import difference  # noqa: E402
from baselines.claims.plan import Options, make_plans  # noqa: E402
from baselines.claims.prototypes import Prototypes  # noqa: E402
from baselines.claims.runner import examine  # noqa: E402
from baselines.claims.sides import Artificial, Spiking, digits, noisy, shortened, stages, trained  # noqa: E402
from baselines.claims.statistics import FAILS, HOLDS, OPEN, Interval, interval, overall, verdict  # noqa: E402
from baselines.contract import Classification, Split  # noqa: E402
from baselines.errors import TrainingError  # noqa: E402
from baselines.families.mlp import MLPSettings, build_ann, build_snn  # noqa: E402
from spikesim import commands  # noqa: E402
from spikesim.cli import app  # noqa: E402
from spikesim.errors import FileError, ParameterError  # noqa: E402

MINIATURES = {
    "energy": {"hidden": 12, "epochs": 1, "steps": 3, "rates_ann": (1e-2,), "rates_snn": (1e-2,)},
    "noise": {"hidden": 12, "epochs": 1, "steps": 3, "levels": (0.3,), "rates_ann": (1e-2,)},
    "continual": {
        "hidden": 12,
        "epochs": 1,
        "steps": 2,
        "rates": (1e-2,),
        "units": 30,
        "tasks": 2,
        "pulls": (0.1,),
        "passes": 1,
        "naming": 3,
        "images": 40,
    },
    "readout": {"sizes": (20,), "weights": (2.0,), "taus": (60.0,), "neurons": 8, "epochs": 1},
    "neurons": {"sizes": (4, 8), "epochs": 1, "steps": 3, "rates_ann": (1e-2,), "rates_snn": (1e-2,)},
    "temporal": {"neurons": 8, "epochs": 1, "hold": 1, "sequences": 180, "ordered": 3},
}


# ---------------------------------------------------------------- the rule


def test_interval_is_students():
    found = interval([1.0, 2.0, 3.0])  # s = 1, t = 4.3027 with two degrees of freedom
    assert found.mean == 2.0
    assert found.high - found.mean == pytest.approx(4.30265 / np.sqrt(3), rel=1e-5)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)
    assert interval([0.4]) == Interval(0.4, None, None)


@pytest.mark.parametrize(
    ("low", "high", "margin", "said"),
    [
        (0.02, 0.04, 0.01, HOLDS),
        (0.005, 0.04, 0.01, OPEN),
        (-0.03, 0.005, 0.01, FAILS),  # better by less than the margin is not better
        (0.0, 0.0, 0.01, FAILS),
        (-0.005, 0.005, -0.01, HOLDS),  # no worse than the margin
        (None, None, 0.0, OPEN),
    ],
)
def test_verdict_by_where_the_interval_lies(low, high, margin, said):
    assert verdict(Interval(0.0, low, high), margin) == said


def test_a_claim_needs_all_its_questions():
    assert overall([HOLDS, HOLDS]) == HOLDS
    assert overall([HOLDS, OPEN]) == OPEN
    assert overall([OPEN, FAILS, HOLDS]) == FAILS
    assert overall([]) == OPEN


def test_intervals_of_fair_coins_cover_their_mean():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(2000):
        found = interval(list(rng.normal(0.3, 1.0, 5)))
        inside += found.low < 0.3 < found.high
    assert 0.935 < inside / 2000 < 0.965


# ---------------------------------------------------------------- what the experiments are made of


def test_divisions_differ_and_share_the_test_part():
    one, other = digits(0), digits(1)
    assert np.array_equal(one.test.x, other.test.x) and not np.array_equal(one.train.y, other.train.y)
    assert len(one.train.y) == 1077 and len(one.validation.y) == 360
    assert not {x.tobytes() for x in one.test.x} & {
        x.tobytes() for x in np.concatenate((one.train.x, one.validation.x))
    }


def test_noise_has_its_deviation_and_its_key():
    x = np.full((200, 8, 8), 0.5, np.float32)
    assert np.array_equal(noisy(x, 0.1, (3, 1)), noisy(x, 0.1, (3, 1)))
    assert not np.array_equal(noisy(x, 0.1, (3, 1)), noisy(x, 0.1, (3, 2)))
    assert noisy(x, 0.1, (3, 1)).std() == pytest.approx(0.1, rel=0.05)
    far = noisy(x, 2.0, (3, 1))
    assert far.min() == 0.0 and far.max() == 1.0


def test_noise_is_in_training_alone():
    data = digits(0)
    m = MLPSettings(epochs=1, hidden=4)
    learner = Artificial(lambda: build_ann(data, m), data, m, 0, 1e-2)
    learner.noise = 0.4
    x = data.test.x[:5]
    assert np.array_equal(learner.prepare(x, 2, 0).numpy(), x)  # test
    shown = learner.prepare(x, 0, 0).numpy()
    assert not np.array_equal(shown, x) and shown.min() >= 0.0 and shown.max() <= 1.0


def test_of_several_rates_validation_chooses():
    data = digits(0)
    m = MLPSettings(epochs=1, hidden=8)
    told = []
    best, score, rate = trained(
        lambda rate, start: Artificial(lambda: build_ann(data, m), data, m, start, rate),
        (1e-6, 1e-2),
        0,
        1,
        told.append,
    )
    assert rate == 1e-2 and score == best.validate() and told[-1] == 1.0 and told == sorted(told)
    assert stages(lambda f: told.append(f), [1.0, 3.0])[1](0.5) is None and told[-1] == pytest.approx(0.625)


def test_a_twin_takes_no_more_steps_than_it_needs():
    data = digits(0)
    m = MLPSettings(epochs=3, hidden=16, steps=6, gain=15.0)
    make = lambda rate, start: Spiking(lambda: build_snn(data, m), data, m, start, rate)  # noqa: E731
    twin, level, _ = trained(make, (2e-2,), 0, 3, lambda f: None)
    few, score = shortened(twin, 0.5 * level)
    assert few.settings.steps < 6 and few.module.encoder.steps == few.settings.steps and score >= 0.5 * level
    few.settings = replace(few.settings, steps=6)
    assert shortened(few, 2.0)[0].settings.steps == 6


def test_forgetting_is_what_was_lost():
    table = np.array([[1.0, 0.0, 0.0], [0.5, 0.9, 0.0], [0.25, 0.8, 1.0]])
    assert continual.forgetting(table) == pytest.approx((0.75 + 0.1) / 2)


def test_prototypes_learn_clusters_and_know_nothing_else():
    rng = np.random.default_rng(0)
    centres = np.zeros((2, 64), np.float32)
    centres[0, :32], centres[1, 32:] = 1.0, 1.0
    y = np.tile([0, 1], 40)
    x = (centres[y] + rng.normal(0, 0.05, (80, 64))).astype(np.float32)
    part = Split(x.reshape(-1, 8, 8), y)
    learner = Prototypes(6, Classification(part, part, part, 10), 0.2, 0)
    learner.learn(x)
    learner.name(x[:10], y[:10])
    assert np.array_equal(learner.answer(x), y)


def test_order_of_pulses_cannot_be_told_from_amounts():
    s = replace(temporal.CLAIM.settings, ordered=3)
    data = temporal.order(s, 3)
    assert data.classes == 6 and len(data.test.y) == s.sequences - s.sequences * 2 // 3
    for part in data[:3]:
        assert np.array_equal(part.x.sum(1), np.ones((len(part.y), s.channels)))
        assert part.x.sum(2).max() == 1.0
    when = data.train.x.argmax(1)[:, :3]
    firsts = when.argmin(1)
    assert set(zip(data.train.y.tolist(), firsts.tolist(), strict=True)) == {(k, k // 2) for k in range(6)}


def test_rivals_are_as_large_as_the_budget_allows():
    data = digits(0)
    m = temporal.LSTMSettings(steps=8, frames=8, hidden=8, first=8)
    own = temporal.as_large(temporal.build_ann, data, m, 5000)
    sizes = [
        sum(p.numel() for p in temporal.build_ann(data, replace(m, hidden=own.hidden + k)).parameters()) for k in (0, 1)
    ]
    assert sizes[0] <= 5000 < sizes[1]


def test_pixels_become_spikes_on_and_off():
    s = readout.CLAIM.settings
    x = np.zeros((1, 8, 8), np.float32)
    x[0, 2, 5] = 1.0
    (spikes,) = readout.spikes_of(x, s)
    on, off = spikes.ids == 5, spikes.ids == 8 + 5
    assert spikes.n == 16 and spikes.t_stop == 8 * s.row
    assert on.sum() == s.most and off.sum() == 7 * s.most
    assert np.all((spikes.times[on] > 2 * s.row) & (spikes.times[on] < 3 * s.row))


def test_smallest_size_by_validation():
    assert neurons.smallest((4, 8, 16), (0.2, 0.95, 0.94), 0.95) == 8.0
    assert neurons.smallest((4, 8), (0.2, 0.3), 0.95) == 16.0


# ---------------------------------------------------------------- every claim in miniature


@pytest.mark.parametrize("name", list(CLAIMS))
def test_every_claim_runs(name):
    claim = CLAIMS[name]
    told = []
    found = claim.run(replace(claim.settings, **MINIATURES[name]), 0, told.append)
    assert told == sorted(told) and told[-1] == pytest.approx(1.0)
    assert claim.name == name and any(q.decides for q in claim.questions)
    assert all(np.isfinite(v) for v in found.values.values())
    assert [key for key in claim.measures if key not in found.values] == []
    answers = [q.of(found.values) for q in claim.questions]
    assert all(a is None or np.isfinite(a) for a in answers) and any(a is not None for a in answers)
    assert all(len(line) == len(found.axis) for line in found.curves.values())
    shares = [v for key, v in found.values.items() if not key.startswith("energy") and "smallest" not in key]
    assert all(-1.0 <= v <= 1.0 for v in shares)
    if name == "energy":
        tables = {key.split()[1] for key in found.values if key.startswith("energy")}
        assert len(tables) >= 5 and {"horowitz-fp32-naive", "lemaire-2022"} <= tables
        assert all(found.values[f"energy {t} rival"] <= found.values[f"energy {t} ann"] for t in tables)


def test_quick_settings_are_settings():
    for name in CLAIMS:
        quick = make_plans(Options((name,), quick=True))[0].settings
        assert quick.seeds == 3 and replace(quick, seeds=5) != CLAIMS[name].settings


def test_energy_names_the_tables_it_holds_under():
    rows = [
        {"title": f"{t}: less than the best rival", "verdict": v}
        for t, v in (("a-naive", HOLDS), ("b", FAILS), ("c", FAILS))
    ]
    text = energy.summary(rows)[0]
    assert "holds under a-naive" in text and "does not hold under b, c" in text


# ---------------------------------------------------------------- the loop


@dataclass(frozen=True)
class FakeSettings(Settings):
    level: float = 0.5


class Fake:
    """A claim that costs nothing; seed `fails` diverges, seed `stops` is interrupted."""

    def __init__(self) -> None:
        self.calls, self.fails, self.stops = [], None, None

    def run(self, s, seed, tell):
        self.calls.append(seed)
        if seed == self.fails:
            raise TrainingError("training diverged at update 3 (loss nan); lower the learning rate")
        if seed == self.stops:
            raise KeyboardInterrupt
        tell(1.0)
        return Found(
            {"snn": s.level + 0.1 + 0.001 * seed, "ann": s.level}, (1.0, 2.0), {"snn": [0.1, s.level]}, {"bits": 4}
        )

    @property
    def claim(self):
        return Claim(
            "fake", "It is faked", "none", FakeSettings(), self.run, (Question("better", more("snn", "ann")),),
            {"snn": "SNN", "ann": "ANN"}, ("none",), {"level": 0.2, "seeds": 3}, 1.0, Chart("curve", "x", "y"),
        )  # fmt: skip


@pytest.fixture
def fake(monkeypatch):
    """The only claim there is."""
    made = Fake()
    monkeypatch.setattr(planning, "CLAIMS", {"fake": made.claim})
    return made


def test_a_report_says_what_was_found(fake, tmp_path):
    report = examine(Options(out=tmp_path / "o"), progress=False)
    (claim,) = report.document["claims"]
    assert claim["verdict"] == HOLDS and claim["seeds"] == 5 and fake.calls == [0, 1, 2, 3, 4]
    (answer,) = claim["questions"]
    assert answer["mean"] == pytest.approx(0.102) and answer["low"] < 0.102 < answer["high"]
    assert difference(answer).startswith("+10.2 (+10.0 … +10.4)")
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert names == {"results.jsonl", "report.json", "report.md", "report.html", "fake.png"}
    assert (tmp_path / "o" / "fake.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "o" / "report.md").read_text()
    assert "It is faked" in text and "**The claim holds: of 1 deciding question 1 holds.**" in text
    assert 'src="data:image/png;base64,' in (tmp_path / "o" / "report.html").read_text()
    assert json.loads((tmp_path / "o" / "report.json").read_text())["claims"][0]["verdict"] == HOLDS


def test_an_interrupted_run_keeps_its_seeds_and_goes_on(fake, tmp_path):
    fake.stops = 2
    report = examine(Options(out=tmp_path / "o"), progress=False)
    assert report.interrupted and report.finished == 2 and report.document["interrupted"]
    assert not (tmp_path / "o" / "report.json").exists()
    fake.stops, fake.calls = None, []
    report = examine(Options(out=tmp_path / "o"), progress=False)
    assert fake.calls == [2, 3, 4] and report.document["claims"][0]["seeds"] == 5
    fake.calls = []
    with pytest.raises(FileError, match="exists already"):
        examine(Options(out=tmp_path / "o"), progress=False)
    assert fake.calls == []


def test_more_seeds_go_on_from_fewer_other_settings_do_not(fake, tmp_path):
    examine(Options(seeds=2, out=tmp_path / "o"), progress=False)
    (tmp_path / "o" / "report.json").unlink()
    (tmp_path / "o" / "report.md").unlink()
    (tmp_path / "o" / "report.html").unlink()
    fake.calls = []
    with pytest.raises(FileError, match="other settings"):
        examine(Options(quick=True, out=tmp_path / "o"), progress=False)
    examine(Options(seeds=3, out=tmp_path / "o"), progress=False)
    assert fake.calls == [2]


def test_a_diverged_seed_is_named_and_in_no_figure(fake):
    fake.fails = 1
    report = examine(Options(seeds=3), progress=False)
    (claim,) = report.document["claims"]
    assert claim["seeds"] == 2 and claim["diverged"][0]["seed"] == 1
    assert (
        "Seed 1 is in no figure: training diverged" in report.markdown()
        and "2 of 3 seeds (diverged)" in report.markdown()
    )
    fake.fails = 0
    with pytest.raises(TrainingError, match="no seed was finished"):
        examine(Options(seeds=1), progress=False)


def test_one_seed_tells_nothing(fake):
    claim = examine(Options(seeds=1), progress=False).document["claims"][0]
    assert claim["verdict"] == OPEN and claim["questions"][0]["low"] is None
    assert difference(claim["questions"][0]) == "+10.0"


def test_progress_reaches_the_end(fake):
    seen = []
    examine(Options(seeds=2), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2.0, 2.0) and [d for d, _ in seen] == sorted(d for d, _ in seen)


# ---------------------------------------------------------------- the command


@pytest.fixture
def cli(monkeypatch):
    """Function that runs the command line with the claims in it."""
    entry = EntryPoint("claims", "baselines.claims.cli:register", "spikesim.commands")
    monkeypatch.setattr(commands, "entry_points", lambda group: [entry])
    return lambda *args: CliRunner().invoke(app, ["claims", *map(str, args)])


def fails(result, *parts):
    """Whether the command ended with exit code 2 and one line that holds all parts."""
    lines = result.stderr.strip().splitlines()
    assert result.exit_code == 2 and result.stdout == "", result.output
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    assert not [part for part in parts if part not in lines[0]], lines[0]


def test_wrong_arguments_end_in_one_line(cli, tmp_path):
    fails(
        cli("nose"),
        "unknown claim 'nose'",
        "did you mean 'noise'",
        "continual, energy, neurons, noise, readout, temporal",
    )
    fails(cli("noise", "--seeds", 0), "--seeds", "0")
    fails(cli("noise", "--jobs", 0), "--jobs", "0")
    (tmp_path / "report.md").write_text("mine")
    fails(cli("noise", "--out", tmp_path), "report.md", "exists already", "--overwrite")
    assert (tmp_path / "report.md").read_text() == "mine"
    with pytest.raises(ParameterError, match="unknown claim"):
        make_plans(Options(("energy", "nothing")))


def test_command_prints_tables_or_json(cli, fake):
    shown = cli("fake", "--jobs", 1)
    assert shown.exit_code == 0 and "It is faked" in shown.stdout and "holds" in shown.stdout, shown.output
    found = json.loads(cli("--jobs", 1, "--json").stdout)
    assert found["claims"][0]["name"] == "fake" and found["rule"].startswith("A question is asked")


def test_help_names_every_claim(cli):
    text = cli("--help").stdout
    assert not [name for name in CLAIMS if name not in text]


@pytest.mark.slow
def test_ctrl_c_keeps_finished_seeds(tmp_path):
    folder = tmp_path / "o"
    args = ["-m", "baselines", "claims", "noise", "--quick", "--seeds", "40", "--jobs", "2", "--out", str(folder)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen(
        [sys.executable, *args],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    records, end = folder / "results.jsonl", time.monotonic() + 240
    while not records.exists() and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    output, error = run.communicate(timeout=60)
    assert run.returncode == 130, error
    assert "interrupted" in error and "goes on from there" in error and "Traceback" not in error
    assert records.read_text().count("\n") >= 1 and "of 40 seeds (interrupted)" in output

"""The comparison: same inputs, same spikes, honest numbers, and a runner that knows no family by name."""

from __future__ import annotations

import dataclasses
import json
import textwrap

import numpy as np
import pytest

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")
pytest.importorskip("sklearn")

import typer  # noqa: E402
from torch import nn  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from baselines import Options, compare, runner  # noqa: E402
from baselines.cli import register  # noqa: E402
from baselines.counting import ann_operations, watched  # noqa: E402
from baselines.errors import MissingExtraError, TrainingError  # noqa: E402
from baselines.families import FAMILIES, mlp  # noqa: E402
from baselines.replay import DenseLayer, dense_network, watch  # noqa: E402
from baselines.spiking import SpikingStack, rate_encode, to_spikes  # noqa: E402
from baselines.supervised import Classifier  # noqa: E402
from baselines.tasks import TASKS  # noqa: E402
from spikesim.commands import Group  # noqa: E402
from spikesim.errors import FileError, ParameterError  # noqa: E402

SMALL = Options(data="digits", seeds=1, epochs=2, steps=6)


@pytest.fixture(scope="module")
def small():
    """One small comparison on digits."""
    return compare(["mlp"], SMALL, progress=False)


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


# --- encoding and replay -------------------------------------------------------------------------------------------


def test_rate_encoding_has_the_right_rate_and_is_repeatable() -> None:
    x = np.array([[0.0, 0.25, 1.0]], dtype=np.float32)
    spikes = rate_encode(x, 40_000, (1, 2))
    assert spikes.shape == (1, 40_000, 3)
    assert spikes[0, :, 0].sum() == 0 and spikes[0, :, 2].all()
    assert spikes[0, :, 1].mean() == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 40_000))
    assert np.array_equal(spikes, rate_encode(x, 40_000, (1, 2)))
    assert not np.array_equal(spikes, rate_encode(x, 40_000, (1, 3)))


def test_spike_of_step_k_lies_at_its_end() -> None:
    spikes = to_spikes(np.array([[True, False], [False, False], [True, True]]))
    assert spikes.times.tolist() == [1.0, 3.0, 3.0] and spikes.ids.tolist() == [0, 0, 1] and spikes.t_stop == 3.0


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("beta", [0.5, 0.9, 0.99])
def test_replay_equals_snntorch_spike_for_spike(engine, beta) -> None:
    """Random weights, strong drive (fires in consecutive steps, needs the lagged reset): every spike at its step."""
    torch.manual_seed(5)
    settings = mlp.MLPSettings(beta=beta)
    stack = SpikingStack(nn.Linear(12, 30), mlp._leaky(settings), nn.Linear(30, 7), mlp._leaky(settings)).double()
    with torch.no_grad():
        stack.layers[0].weight.mul_(6.0)
        stack.layers[2].weight.mul_(4.0)
    encoded = rate_encode(np.random.default_rng(4).random((1, 12), dtype=np.float32), 60, (7,))
    with torch.inference_mode():
        hidden, output = stack(torch.from_numpy(encoded).transpose(0, 1).double())
    replayed = watch(mlp.network(stack, [to_spikes(encoded[0])]), 60.0, engine)
    for name, fired in (("hidden", hidden), ("output", output)):
        assert fired.sum() > 50
        assert (fired[1:] * fired[:-1]).sum() > 0
        step, ids = np.nonzero(fired[:, 0].numpy())
        assert np.array_equal(replayed[name].times, step + 1.0)
        assert np.array_equal(replayed[name].ids, ids)


def test_threshold_is_strict_as_in_snntorch() -> None:
    """A membrane exactly at the threshold does not fire; a rounding step above, it does."""
    layer = DenseLayer("out", np.array([[1.0, np.nextafter(1.0, 2.0)]]), np.zeros(2), 0.5, 1.0)
    network = dense_network([layer], [to_spikes(np.array([[True]]))])
    assert watch(network, 1.0, "event")["out"].ids.tolist() == [1]


# --- counting ------------------------------------------------------------------------------------------------------


def test_products_are_counted_as_by_hand() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.tensor([[0.0, 1.0, 2.0], [0.0, 0.0, 3.0]])
    with watched(module) as counted, torch.inference_mode():
        active = int(torch.count_nonzero(torch.relu(module[0](x))))
        module(x)
    first, second = counted.layers
    assert first.rows == 4 and first.active == 2 * 3 * 4  # module[0] ran twice on the same two inputs
    assert second.dense == 2 * 4 * 2 and second.active == active * 2
    operations = ann_operations([dataclasses.replace(first, rows=2, active=12), second], 2)
    assert operations.macs == 3 * 4 + 4 * 2 and operations.biases == 6 and operations.activations == 4
    assert operations.weights == 4 * 4 + 5 * 2


def test_report_counts_agree_with_the_definition(small) -> None:
    """Spikes, events, updates and sums of the report fit each other and the sizes of the network."""
    f, n = small.families[0], 64 * 128 + 128 * 10
    ann, torch_side, core = f["ann"], f["snn"], f["replay"]
    assert ann["macs"] == n and torch_side["macs"] == 6 * n and core["macs"] == 0
    assert 0 < ann["macs_with_nonzero_input"] < n
    assert core["neuron_updates"] == core["biases"] == 6 * 138
    hidden_spikes = (core["synaptic_events"] - 128 * core["spikes_per_input"]) / 10
    assert 0 < hidden_spikes <= core["spikes_per_neuron"] * 138 + 1e-9
    assert core["synaptic_events"] == pytest.approx(torch_side["synaptic_events"], rel=1e-3)
    assert core["spikes_per_synapse"] == pytest.approx(core["synaptic_events"] / n)


# --- the report ----------------------------------------------------------------------------------------------------


def test_replay_agrees_with_torch(small) -> None:
    core = small.families[0]["replay"]
    assert core["agreement"] >= 0.997 and core["spike_difference"] <= 1e-3


def test_json_has_what_was_promised(small) -> None:
    document = json.loads(small.json())
    (f,) = document["families"]
    assert {"family", "task", "seeds", "ann", "snn", "replay", "energy", "break_even"} <= set(f)
    assert (f["family"], f["task"], f["seeds"]) == ("mlp", "digits", 1)
    for table, e in f["energy"].items():
        assert e["snn"] > 0 and "estimate" in e["kind"] and e["source"]
        assert e["ann"] is None if table == "loihi-2018" else e["ann"] > 0
        assert sum(e["items"]["snn"].values()) == pytest.approx(e["snn"])
        assert table in f["break_even"]


def test_losses_are_said(small) -> None:
    f = small.families[0]
    for name, e in f["energy"].items():
        (sentence,) = [s for s in f["findings"] if f"by {name} " in s]
        assert "estimate" in sentence
        if e["ann"] is not None:
            assert ("loses" if e["snn"] > e["ann"] else "wins") in sentence
        if e["ann"] is not None and e["snn"] > e["ann"]:
            assert f["break_even"][name]["spikes_per_synapse"] < f["break_even"][name]["measured"]


def test_markdown_names_every_price_table(small) -> None:
    page = small.markdown()
    for e in small.families[0]["energy"].values():
        assert f"| {e['title']} |" in page and e["source"] in page
    assert "SNN replayed in the core" in page and "not measurements" in page


# --- the runner ----------------------------------------------------------------------------------------------------


def test_a_new_family_is_one_new_file(toy, tmp_path) -> None:
    report = compare(["toy"], Options(out=tmp_path / "out"), progress=False)
    (f,) = report.families
    assert f["task"] == "coin" and f["seeds"] == 2
    assert f["ann"]["return"] == pytest.approx(0.8)  # the best epoch was restored
    assert f["replay"]["agreement"] is None
    assert "LSTM toy and its spiking twin" in report.markdown()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "report.json",
        "report.md",
        "results.jsonl",
        "toy_comparison.png",
    ]


def test_interrupted_comparison_goes_on(toy, tmp_path, monkeypatch) -> None:
    out, run_seed = tmp_path / "out", runner._run_seed

    def stop_in_second(plan, data, seed, *rest):
        if seed == 1:
            raise KeyboardInterrupt
        return run_seed(plan, data, seed, *rest)

    monkeypatch.setattr(runner, "_run_seed", stop_in_second)
    first = compare(["toy"], Options(out=out), progress=False)
    assert first.interrupted and first.finished == 1 and first.families[0]["seeds"] == 1
    assert [p.name for p in out.iterdir()] == ["results.jsonl"]
    kept = (out / "results.jsonl").read_text()
    with pytest.raises(FileError, match=r"results\.jsonl.*other settings.*--overwrite"):
        compare(["toy"], Options(out=out, epochs=1), progress=False)
    monkeypatch.setattr(runner, "_run_seed", run_seed)
    second = compare(["toy"], Options(out=out), progress=False)
    assert not second.interrupted and second.finished == 2
    assert (out / "results.jsonl").read_text().startswith(kept)


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

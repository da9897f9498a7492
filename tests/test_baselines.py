"""The comparison: same inputs, same spikes, honest numbers, and a runner that knows no family by name."""

from __future__ import annotations

import dataclasses
import json
import sys
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
from baselines.contract import Contestant, Gallery, Metric, Table, rival_bits  # noqa: E402
from baselines.counting import ann_operations, watched  # noqa: E402
from baselines.errors import MissingExtraError, TrainingError  # noqa: E402
from baselines.families import FAMILIES, mlp  # noqa: E402
from baselines.graph import INPUT, SpikingGraph  # noqa: E402
from baselines.lowering import Blueprint, lower_map  # noqa: E402
from baselines.pages import markdown  # noqa: E402
from baselines.plan import make_plan  # noqa: E402
from baselines.quantised import quantised  # noqa: E402
from baselines.replay import watch  # noqa: E402
from baselines.report import summarise  # noqa: E402
from baselines.spiking import (  # noqa: E402
    AdaptiveLeaky,
    Bernoulli,
    Converted,
    Direct,
    Events,
    Gate,
    Leaky,
    rate_encode,
    to_spikes,
)
from baselines.supervised import Classifier  # noqa: E402
from baselines.tasks import TASKS  # noqa: E402
from spikesim.commands import Group  # noqa: E402
from spikesim.energy import PRICES  # noqa: E402
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


def strong(module: nn.Module, factor: float) -> nn.Module:
    """The same with larger weights, so that there is something to see."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(factor)
    return module


def normalised(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation that has seen data."""
    norm = nn.BatchNorm2d(channels)
    nn.init.normal_(norm.weight, 1.0, 0.2)
    nn.init.normal_(norm.bias, 0.3, 0.2)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    return norm


def equal_spikes(graph: SpikingGraph, x: np.ndarray, engine: str) -> dict[str, int]:
    """Spikes by cell, after every one of them was found at its step in the core."""
    graph = graph.double().eval()
    with torch.inference_mode():
        spikes = graph(graph.encoder.prepare(x, (7,)).double())
    shapes = {name: tuple(s.shape[2:]) for name, s in spikes.items()}
    encoded = spikes[INPUT].transpose(0, 1).flatten(2).numpy() > 0
    replayed = watch(Blueprint(graph, shapes).network([to_spikes(encoded[0])]), float(len(encoded[0])), engine)
    for cell in graph.cells:
        step, ids = np.nonzero(spikes[cell.name][:, 0].flatten(1).numpy())
        assert np.array_equal(replayed[cell.name].times, step + 1.0), cell.name
        assert np.array_equal(replayed[cell.name].ids, ids), cell.name
    return {name: int(s.sum()) for name, s in spikes.items()}


def dense(beta: float, reset: str = "subtract") -> SpikingGraph:
    """Random weights, strong drive: fires in consecutive steps, which needs the lagged reset."""
    g = SpikingGraph(Bernoulli(60))
    g.add("hidden", Leaky(beta, reset=reset), g.wire(strong(nn.Linear(12, 30), 6.0), INPUT))
    g.add("output", Leaky(beta, reset=reset), g.wire(strong(nn.Linear(30, 7), 4.0), "hidden"))
    return g


def images() -> SpikingGraph:
    """Convolution with batch normalisation, poolings, a map that must be probed."""
    g = SpikingGraph(Bernoulli(12))
    first = nn.Sequential(
        nn.Unflatten(1, (1, 6)), strong(nn.Conv2d(1, 3, 3, padding=1, bias=False), 4.0), normalised(3)
    )
    g.add("conv", Leaky(0.8), g.wire(first, INPUT))
    g.add("any", Gate(), g.wire(nn.MaxPool2d(2), "conv"))
    g.add("mean", Leaky(0.9, 0.4), g.wire(nn.AvgPool2d(2), "conv"))
    odd = nn.Sequential(nn.AvgPool2d(3), nn.Flatten(), strong(nn.Linear(3, 5), 8.0))
    g.add("output", Leaky(0.9), g.wire(odd, "any"))
    return g


def residual() -> SpikingGraph:
    """Sums of spikes into one map, sums of currents from several, one map used twice."""
    g = SpikingGraph(Bernoulli(12))
    shared = strong(nn.Linear(8, 8), 4.0)
    g.add("a", Leaky(0.8), g.wire(strong(nn.Linear(8, 8), 4.0), INPUT))
    g.add("b", Leaky(0.8), g.wire(nn.Identity(), INPUT), g.wire(shared, "a"))
    g.add("output", Leaky(0.8), g.wire(strong(nn.Linear(8, 4), 4.0), "a", "b"), g.wire(nn.Linear(8, 4), INPUT))
    return g


def recurrent() -> SpikingGraph:
    """Spikes that come back a step later, thresholds that adapt."""
    g = SpikingGraph(Bernoulli(40))
    back = g.wire(strong(nn.Linear(9, 9, bias=False), 2.0), "a", delay=1)
    g.add("a", AdaptiveLeaky(0.8, 0.95, 0.3), g.wire(strong(nn.Linear(8, 9), 5.0), INPUT), back)
    g.add("output", Leaky(0.8), g.wire(strong(nn.Linear(9, 4), 5.0), "a"))
    return g


def attention() -> SpikingGraph:
    """Products of two and of three spikes."""
    from baselines.attention import PerToken, SpikingAttention
    from baselines.families.transformer import OverTokens

    g = SpikingGraph(Bernoulli(10))
    for name in "qkv":
        g.add(name, Leaky(0.7), g.wire(strong(PerToken(4, 4), 12.0), INPUT))
    g.add("both", Gate(2), g.wire(nn.Identity(), "k"), g.wire(nn.Identity(), "v"))
    g.add("mask", Leaky(0.7), g.wire(OverTokens(), "both"))
    g.add("output", Leaky(0.7, 0.5), g.wire(SpikingAttention(2, 0.25), "q", "k", "v"))
    return g


def converted() -> SpikingGraph:
    """Neurons without leak from activations, half a threshold ahead."""
    g = SpikingGraph(Bernoulli(8))
    g.add("a", Converted(8), g.wire(strong(nn.Linear(8, 8), 4.0), INPUT))
    g.add("output", Converted(), g.wire(strong(nn.Linear(8, 4), 4.0), "a"))
    return g


GRAPHS = {
    "converted": (converted, (8,)),
    "slow": (lambda: dense(0.99), (12,)),
    "fast": (lambda: dense(0.5), (12,)),
    "zero": (lambda: dense(0.9, "zero"), (12,)),
    "perfect": (lambda: dense(1.0), (12,)),
    "images": (images, (6, 6)),
    "residual": (residual, (8,)),
    "recurrent": (recurrent, (8,)),
    "attention": (attention, (3, 4)),
}


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("name", GRAPHS)
def test_replay_equals_torch_spike_for_spike(engine, name) -> None:
    build, shape = GRAPHS[name]
    torch.manual_seed(5)
    x = np.random.default_rng(4).random((1, *shape), dtype=np.float32)
    spikes = equal_spikes(build(), x, engine)
    assert all(count > 0 for count in spikes.values()) and sum(spikes.values()) > 40


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_direct_coded_frames_drive_the_first_layer(engine) -> None:
    torch.manual_seed(2)
    g = SpikingGraph(Direct(strong(nn.Linear(3, 8), 4.0), Leaky(0.9), 10, frames=5))
    g.add("output", Leaky(0.9), g.wire(strong(nn.Linear(8, 3), 4.0), INPUT))
    x = np.random.default_rng(1).random((1, 5, 3))
    assert equal_spikes(g.double(), x, engine)["output"] > 0
    held = g.encoder(torch.from_numpy(x))
    alone = g.encoder.neuron(g.encoder.layer(torch.from_numpy(x[0])).repeat_interleave(2, 0)[:, None])
    assert torch.equal(held, alone)  # each frame for two steps


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_events_of_a_camera_reach_the_first_layer_unchanged(engine) -> None:
    """Two polarities, an odd number of pixels to pool, frames of two steps."""
    torch.manual_seed(3)
    g = SpikingGraph(Events(10, 5))
    first = nn.Sequential(strong(nn.Conv2d(2, 3, 3, padding=1, bias=False), 4.0), normalised(3))
    g.add("conv", Leaky(0.8), g.wire(first, INPUT))
    g.add("any", Gate(), g.wire(nn.MaxPool2d(2), "conv"))
    g.add("output", Leaky(0.9), g.wire(nn.Sequential(nn.Flatten(), strong(nn.Linear(27, 4), 4.0)), "any"))
    x = np.random.default_rng(1).integers(0, 2, (1, 5, 2, 7, 7)).astype(np.float32)
    seen = g.encoder(g.encoder.prepare(x, (0,)))[:, 0].numpy()
    assert np.array_equal(seen[::2], x[0]) and not seen[1::2].any()
    assert equal_spikes(g, x, engine)["output"] > 0


@pytest.mark.parametrize("levels", [4, 8])
def test_converted_neurons_fire_as_often_as_the_activation_says(levels) -> None:
    """QCFS is exact over T = L steps of a constant input; without levels the error is below one spike."""
    x = torch.linspace(-0.5, 1.5, 401, dtype=torch.float64)
    for neuron, error in ((Converted(levels), 1e-12), (Converted(), 1.0 / levels)):
        activation = neuron.train()(x[None])[0]
        rate = neuron.eval()(x[None].expand(levels, -1)).mean(0)
        assert float((activation - rate).abs().max()) <= error
    assert len(torch.unique(Converted(levels).train()(x[None]))) == levels + 1


def test_a_probed_map_is_the_map() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(2, 3, 2), nn.Flatten()).double()
    lowered = lower_map(module, (2, 6, 6))
    x = torch.rand(1, 2, 6, 6, dtype=torch.float64)
    want = module(x).detach().numpy()[0]
    assert np.allclose(x.flatten().numpy() @ lowered.rule.matrix.toarray() + lowered.bias, want, atol=1e-12)


def test_threshold_is_strict_as_in_snntorch() -> None:
    """A membrane exactly at the threshold does not fire; a rounding step above, it does."""
    g = SpikingGraph(Bernoulli(1)).double()
    linear = nn.Linear(1, 2, bias=False).double()
    linear.weight.data = torch.tensor([[1.0], [np.nextafter(1.0, 2.0)]], dtype=torch.float64)
    g.add("out", Leaky(0.5), g.wire(linear, INPUT))
    network = Blueprint(g, {INPUT: (1,), "out": (2,)}).network([to_spikes(np.array([[True]]))])
    assert watch(network, 1.0, "event")["out"].ids.tolist() == [1]


# --- counting ------------------------------------------------------------------------------------------------------


def test_products_are_counted_as_by_hand() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.tensor([[0.0, 1.0, 2.0], [0.0, 0.0, 3.0]])
    with torch.inference_mode():
        hidden = int(torch.count_nonzero(torch.relu(module[0](x))))
        with watched(module) as layers:
            module(x)
    first, second = layers
    assert (first.rows, first.dense, first.active, first.spiked) == (2, 2 * 12, 3 * 4, 0)
    assert second.dense == 2 * 4 * 2 and second.active == hidden * 2
    operations = ann_operations(layers, 2)
    assert operations.macs == 3 * 4 + 4 * 2 and operations.biases == 6 and operations.activations == 4
    assert operations.weights == 4 * 4 + 5 * 2
    assert ann_operations(layers, 2, skip_zeros=True).macs == (12 + hidden * 2) / 2


def test_spikes_make_accumulates_and_sums_of_spikes_do_not() -> None:
    """0 and 1 are spikes; as soon as a 2 is among them, products are multiply-accumulates."""
    layer = nn.Linear(3, 4)
    with watched(layer) as counted, torch.inference_mode():
        layer(torch.tensor([[0.0, 1.0, 1.0]]))
        layer(torch.tensor([[0.0, 1.0, 2.0]]))
    assert counted[0].spiked == 8 and counted[0].active == 8


def test_convolutions_are_counted_without_their_padding() -> None:
    layer = nn.Conv2d(2, 3, 3, padding=1, stride=2)
    layer.weight.data[0, 0, 1, 1] = 0.0
    x = (torch.rand(5, 2, 7, 6, generator=torch.Generator().manual_seed(3)) > 0.6).float()
    with watched(layer) as counted, torch.inference_mode():
        layer(x)
    nonzero = nn.functional.conv2d(x.double(), (layer.weight != 0).double(), stride=2, padding=1).sum()
    inside = nn.functional.conv2d(torch.ones_like(x), torch.ones_like(layer.weight), stride=2, padding=1).sum()
    assert counted[0].spiked == int(nonzero.round()) and counted[0].dense == int(inside) and counted[0].active == 0


def test_counts_equal_those_of_neurobench() -> None:
    """Tensor-level counts of an ANN and of a spiking layer, beside NeuroBench's on the same module."""
    pytest.importorskip("neurobench", reason="NeuroBench is not installed: pip install neurobench")
    from neurobench.metrics.workload import SynapticOperations
    from neurobench.models import TorchModel

    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 5))
    for x in (torch.rand(4, 1, 6, 6), (torch.rand(4, 1, 6, 6) > 0.5).float()):
        model, metric = TorchModel(module), SynapticOperations()
        model.register_hooks()
        with torch.no_grad():
            metric(model, module(x), (x, torch.zeros(4)))
        found = metric.compute()
        with watched(module) as layers, torch.inference_mode():
            module(x)
        assert found["Effective_MACs"] * 4 == sum(layer.active for layer in layers)
        assert found["Effective_ACs"] * 4 == sum(layer.spiked for layer in layers)
        assert found["Dense"] * 4 == sum(layer.dense for layer in layers)


def test_few_bits_round_and_leave_no_trace() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(6, 2)
    x = torch.rand(50, 6)
    before = layer(x).detach()
    errors = []
    for bits in (1, 2, 4, 8):
        with quantised(layer, bits, lambda: layer(x)), torch.inference_mode():
            errors.append(float((layer(x) - before).abs().max()))
    assert errors == sorted(errors, reverse=True) and 0 < errors[-1] < 0.02 < errors[0]
    assert torch.equal(layer(x), before)
    assert [rival_bits(steps) for steps in (1, 3, 4, 7, 8, 15, 250, 1000)] == [1, 2, 3, 3, 4, 4, 8, 8]


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
        assert e["ann"] is None if PRICES[table].mac is None else e["ann"] > 0
        assert sum(e["items"]["snn"].values()) == pytest.approx(e["snn"])
        assert table in f["break_even"]


def test_losses_are_said(small) -> None:
    f = small.families[0]
    for name, e in f["energy"].items():
        (sentence,) = [s for s in f["findings"] if f"by {name} (" in s or f"by {name}," in s or f"by {name}." in s]
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


def test_rivals_stand_in_every_comparison(small) -> None:
    f = small.families[0]
    rows = {r["name"]: r for r in f["rivals"]}
    assert f["quantised_bits"] == 3  # 6 steps
    assert rows["ann_skipping_zeros"]["macs"] < rows["ann"]["macs"] == rows["ann_quantised"]["macs"]
    assert rows["snn_by_tensors"]["synaptic_events"] == pytest.approx(rows["snn"]["synaptic_events"], rel=1e-3)
    e = f["energy"]["horowitz-int8-sram"]
    assert e["ann_quantised"] < e["ann"] and f["energy"]["horowitz-fp32-sram"]["ann_quantised"] is None
    assert f["energy"]["loihi-2018"]["static"] == pytest.approx(0.104 * 6e-3)


def test_scores_are_of_all_inputs_even_if_few_were_replayed() -> None:
    plan = make_plan("mlp", SMALL)
    plan = plan._replace(settings=dataclasses.replace(plan.settings, replayed=20))
    record, _ = runner.run_seed(plan, plan.task.load(), 0, lambda done: None)
    f = summarise([plan], [record]).families[0]
    assert f["scored"] == "snn" and f["replay"]["inferences"] == 20 < f["snn"]["inferences"]
    assert f["others"]["qcfs"]["accuracy"] == record["others"]["qcfs"]["snn"]["score"]
    assert f"{f['snn']['accuracy']:.1%}" in f["verdict"]
    assert "the first 20 inputs were replayed" in markdown([f])


def test_fewer_steps_cost_less_and_the_front_is_one(small) -> None:
    p = small.families[0]["pareto"]
    table, points = p["table"], p["points"]
    for factor in {q["threshold"] for q in points}:
        mine = sorted((q for q in points if q["threshold"] == factor), key=lambda q: q["steps"])
        costs = [q["energy"][table] for q in mine]
        assert len(mine) > 2 and costs == sorted(costs)
    front = sorted((q for q in points if q["front"]), key=lambda q: q["energy"][table])
    assert front and [q["score"] for q in front] == sorted(q["score"] for q in front)


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

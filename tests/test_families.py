"""Every family on a scrap of its embedded data: both sides learn, and the core repeats what torch did."""

from __future__ import annotations

import dataclasses
import html.parser
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("snntorch")
pytest.importorskip("sklearn")

from torch import nn  # noqa: E402

from baselines import linear  # noqa: E402
from baselines.attention import Attention, SpikingAttention  # noqa: E402
from baselines.contract import Classification, Graph, Split  # noqa: E402
from baselines.counting import watched  # noqa: E402
from baselines.families import FAMILIES, cnn, gnn, perceptron, resnet  # noqa: E402
from baselines.html import page  # noqa: E402
from baselines.seeds import agreement, train  # noqa: E402
from baselines.tasks import TASKS, nmnist  # noqa: E402
from spikesim.datasets.nmnist import Recordings  # noqa: E402

CLASSIFIERS = [
    name
    for name, family in FAMILIES.items()
    if not family.metrics and getattr(TASKS[list(family.settings)[-1]], "metric", "accuracy") == "accuracy"
]


def scrap(data):
    """The first few examples of each part; graphs are small already."""
    if isinstance(data, Graph):
        return data
    parts = [Split(part.x[:n], part.y[:n]) for part, n in zip(data[:3], (64, 20, 20), strict=True)]
    return Classification(*parts, data.classes)


def embedded(name):
    """Family, scrap of its embedded task, settings for one pass."""
    family = FAMILIES[name]
    task, settings = list(family.settings.items())[-1]
    steps = settings.steps if name == "lstm" else 4
    return family, scrap(TASKS[task].load()), dataclasses.replace(settings, epochs=1, steps=steps, batch_size=32)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_families_run_from_end_to_end(name) -> None:
    family, data, settings = embedded(name)
    ann = family.ann(data, settings, 0)
    train(ann, 1, lambda fraction: None)
    outcome, few = ann.test(), ann.test_quantised(3)
    assert 0 <= few.score <= 1 and 0 < outcome.skipping.macs <= outcome.operations.macs
    assert np.array(outcome.confusion).sum() == outcome.inferences
    builders = {"snn": family.snn} | {o.name: o.build for o in family.others if o.spiking}
    for build in builders.values():
        twin = build(data, settings, 0)
        train(twin, 1, lambda fraction: None)
        with torch.no_grad():  # an untrained network hardly fires
            for parameter in twin.module.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(2.0)
        tested, done = twin.test(), []
        replayed = twin.replay("event", 1, done.append)
        found = agreement(tested, replayed)
        assert found["equal"] == found["inferences"] == sum(done) == len(tested.predictions)
        assert found["spikes_torch"] == found["spikes_core"] > 0
        assert replayed.operations.updates > 0 and tested.skipping.synaptic_events > 0
        for row in replayed.speed:
            assert min(row["torch_s"], row["event_s"], row["grid_s"]) > 0 and 0 <= row["rate"] <= 1
        assert {p["threshold"] for p in tested.curve} == {0.75, 1.0, 1.5, 2.0}
    for other in family.others:
        if not other.spiking:
            learner = other.build(data, settings, 0)
            train(learner, 1, lambda fraction: None)
            assert learner.test().operations.macs > 0


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_tasks_divide_their_data(name) -> None:
    """Parts do not overlap, features lie between 0 and 1, every class is trained on."""
    for task in FAMILIES[name].settings:
        if not TASKS[task].available():
            continue
        data = TASKS[task].load()
        if isinstance(data, Graph):
            parts = [set(part.tolist()) for part in (data.train, data.validation, data.test)]
            assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
            assert set(data.y[data.train]) == set(range(data.classes))
            continue
        for part in data[:3]:
            assert len(part.x) == len(part.y) and part.x.min() >= 0 and part.x.max() <= 1
        assert set(data.train.y) == set(range(data.classes))


# --- counts that can be done by hand ---------------------------------------------------------------------------------


def test_direct_coding_pays_the_first_layer_in_every_step() -> None:
    _, data, settings = embedded("resnet")
    twin = resnet.membrane(data, settings, 0)
    with watched(twin.module) as layers, torch.inference_mode():
        twin.module.eval()(twin.prepare(data.test.x, 2, 0))
    (first,) = [layer for layer in layers if layer.name.startswith("encoder")]
    channels = settings.channels[0]
    inside = 9 * 64 - 3 * 8 * 4 + 4  # a kernel of 3 × 3 at 64 pixels, without its padding
    assert first.dense == len(data.test.y) * settings.steps * channels * inside and first.active > 0


def test_sums_of_spikes_count_as_macs_and_membrane_shortcuts_do_not() -> None:
    _, data, settings = embedded("resnet")
    macs = {}
    for build in (resnet.membrane, resnet.elementwise):
        twin = build(data, settings, 0)
        for part in twin.module.modules():
            if isinstance(part, nn.BatchNorm2d):
                nn.init.constant_(part.bias, 0.5)
        with watched(twin.module) as layers, torch.inference_mode():
            twin.module.eval()(twin.prepare(data.test.x, 2, 0))
        inner = [layer for layer in layers[:-1] if "maps" in layer.name and layer.weights > 1000]  # not the head
        macs[build.__name__] = sum(layer.active for layer in inner)
    assert macs["membrane"] == 0 < macs["elementwise"]


def test_propagation_is_counted() -> None:
    data = TASKS["karate"].load()
    settings = gnn.GNNSettings()
    _, (dense, effective) = gnn.propagated(data, settings)
    degrees = np.diff(gnn.normalised(data).indptr)
    assert degrees.sum() == 2 * 78 + 34
    assert dense == pytest.approx(2 * degrees.sum() * 34 / 34)
    assert 0 < effective < dense  # one-hot rows are sparse before the first hop
    twin = gnn.twin(data, dataclasses.replace(settings, steps=3, epochs=1), 0)
    assert twin.test().skipping.macs == pytest.approx(effective)


def test_normalised_adjacency_is_the_textbook_one() -> None:
    data = TASKS["karate"].load()
    a = np.eye(34)
    for i, j in data.edges:
        a[i, j] = a[j, i] = 1
    d = np.diag(a.sum(1) ** -0.5)
    assert np.allclose(gnn.normalised(data).toarray(), d @ a @ d)


def test_softmax_attention_is_torchs() -> None:
    torch.manual_seed(0)
    ours, theirs = Attention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([p.weight for p in (ours.query, ours.key, ours.value)]))
        theirs.in_proj_bias.copy_(torch.cat([p.bias for p in (ours.query, ours.key, ours.value)]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    x = torch.randn(3, 5, 8)
    assert torch.allclose(ours(x), theirs(x, x, x)[0], atol=1e-6)


def test_products_of_spikes_are_counted() -> None:
    layer = SpikingAttention(1, 0.5)
    q, k, v = (
        torch.tensor(rows, dtype=torch.float32)[None] for rows in ([[1, 0], [1, 1]], [[1, 1], [0, 1]], [[0, 1], [1, 1]])
    )
    with watched(layer) as layers:
        out = layer(q, k, v)
    assert torch.equal(out[0], 0.5 * (q[0] @ k[0].T) @ v[0])
    assert layers[0].dense == 8 and layers[0].spiked == int((q[0] @ k[0].T).sum())
    assert layers[1].active > 0  # scores reach 2: no spikes any more


def test_residual_network_has_eight_layers_of_weights() -> None:
    _, data, settings = embedded("resnet")
    module = resnet.build_ann(data, settings)
    weights = [m for m in module.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len([m for m in weights if getattr(m, "kernel_size", (3, 3)) == (3, 3)]) == 8


def test_twins_have_the_sizes_of_the_networks_they_mirror() -> None:
    _, data, settings = embedded("cnn")
    sizes = [sum(p.numel() for p in build(data, settings).parameters()) for build in (cnn.build_ann, cnn.build_snn)]
    assert sizes[0] == sizes[1]


def test_events_fall_into_frames_of_30_ms() -> None:
    times = np.array([0, 29_999, 30_000, 336_040], np.uint32)
    ones, offsets = np.ones(4, np.uint8), np.array([0, 3, 4])
    recordings = Recordings(7 * ones, 5 * ones, ones, times, offsets, np.zeros(2, np.uint8))
    x = nmnist.frames_of(recordings)
    assert [tuple(map(int, at)) for at in zip(*np.nonzero(x), strict=True)] == [
        (0, 0, 1, 5, 7), (0, 1, 1, 5, 7), (1, 9, 1, 5, 7)
    ]  # fmt: skip


def test_frames_of_events_make_both_sides_of_the_convolutional_network() -> None:
    """Counts over time on one side, events as they come on the other; equal sizes."""
    rng = np.random.default_rng(0)
    parts = [Split(rng.integers(0, 2, (n, 5, 2, 14, 14)).astype(np.float32), np.arange(n) % 3) for n in (12, 6, 6)]
    data = Classification(*parts, 3)
    settings = cnn.CNNSettings(epochs=1, steps=5, frames=5, batch_size=6, kernel=3, hidden=8)
    ann, twin = cnn.ann(data, settings, 0), cnn.twin(data, settings, 0)
    with torch.no_grad():
        for parameter in twin.module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4.0)
    train(ann, 1, lambda fraction: None)
    assert 0 <= ann.test().score <= 1
    tested = twin.test()
    replayed = twin.replay("event", 1, lambda n: None)
    assert tested.input_spikes == replayed.input_spikes == data.test.x.sum()
    assert tested.skipping.draws == 0 and tested.skipping.macs == 0  # nothing is encoded
    assert agreement(tested, replayed)["equal"] == 6 and replayed.spikes == tested.spikes > 0


# --- gates, margins, capacity ----------------------------------------------------------------------------------------


def test_gates_are_learned_but_for_two() -> None:
    table = perceptron.show_gates(True)
    rows = {row[0]: row for row in table.rows}
    assert [name for name, row in rows.items() if row[2] == "no"] == ["XOR", "XNOR"]
    for name, row in rows.items():
        assert (row[4] == row[1]) == (name not in ("XOR", "XNOR"))
    assert any("0110" in line for line in table.findings)


def test_novikoffs_bound_holds() -> None:
    rows = perceptron.show_margins(True).rows
    assert len(rows) == 5
    for gap, mistakes, bound in rows:
        assert 0 < int(mistakes) <= int(bound.replace(",", ""))
        assert float(bound.replace(",", "")) == pytest.approx(1 / float(gap) ** 2, rel=0.06)


def test_covers_formula_is_one_half_at_two() -> None:
    for n in (5, 20, 50):
        assert linear.cover(2 * n, n) == pytest.approx(0.5, abs=1e-12)
    assert linear.cover(5, 5) == 1.0
    x = np.random.default_rng(0).normal(size=(40, 20))
    hits = [linear.separable(x, np.random.default_rng(s).choice((-1, 1), 40)) for s in range(60)]
    assert abs(np.mean(hits) - 0.5) < 5 * math.sqrt(0.25 / 60)


def test_learned_tempotron_answers_alike_in_the_core() -> None:
    neuron, inputs, wanted = perceptron.learned_tempotron(20, 20, 1000, (1,))
    assert neuron.history["errors"][-1] == 0
    assert np.array_equal(perceptron.tempotron_in_core(neuron, inputs), wanted == 1)


# --- the page --------------------------------------------------------------------------------------------------------


class Tags(html.parser.HTMLParser):
    """Open tags, and whatever would be fetched."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        self.fetched += [given["src"]] if "src" in given else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_nothing_else() -> None:
    from baselines import Options, compare

    families = compare(["gnn", "mlp"], Options(quick=True, epochs=1, steps=3), progress=False).families
    text = page(families, {"mlp_comparison.png": b"\x89PNG"})
    tags = Tags()
    tags.feed(text)
    assert not tags.open and tags.ids == ["gnn", "mlp"] and tags.links == ["#gnn", "#mlp"]
    assert tags.fetched and all(source.startswith("data:") for source in tags.fetched)
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text and "@import" not in text
    for f in families:
        assert f["verdict"].replace("'", "&#x27;") in text
        assert f["verdict"].count(". ") == 1  # two sentences

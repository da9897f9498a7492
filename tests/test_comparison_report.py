"""What a comparison says of a network on digits: counts, energies, rivals, losses."""

from __future__ import annotations

import dataclasses
import json

import pytest

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")
pytest.importorskip("sklearn")


from baselines import Options, compare, pages, reading, runner  # noqa: E402
from baselines.pages import markdown  # noqa: E402
from baselines.plan import make_plan  # noqa: E402
from baselines.report import summarise  # noqa: E402
from spikesim.energy import PRICES  # noqa: E402

SMALL = Options(data="digits", seeds=1, epochs=2, steps=6)


@pytest.fixture(scope="module")
def small():
    """One small comparison on digits."""
    return compare(["mlp"], SMALL, progress=False)


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


def test_a_contestant_that_is_as_good_for_less_is_named(small) -> None:
    f, table = small.families[0], "horowitz-int8-sram"
    assert not any("At least as good" in s for s in f["findings"])
    for score, cost, named in ((0.99, 1e-12, True), (0.01, 1e-12, False), (0.99, 1.0, False)):
        row = {"name": "x", "title": "rule of thumb", "accuracy": score}
        energy = f["energy"] | {table: f["energy"][table] | {"x": cost}}
        found = reading._cheaper_sentences(f | {"others": {"x": {}}, "rivals": [*f["rivals"], row], "energy": energy})
        assert [s.startswith("At least as good as the twin, and cheaper: rule of thumb, 99") for s in found] == [
            True
        ] * named


def test_rivals_that_do_not_exist_are_not_beaten(small) -> None:
    f = small.families[0]
    assert "the best of its rivals" in f["verdict"]
    alone = {name: e | {"ann_skipping_zeros": None, "ann_quantised": None} for name, e in f["energy"].items()}
    assert "rivals" not in reading.verdict(f | {"energy": alone})


def test_markdown_names_every_price_table(small) -> None:
    page = small.markdown()
    for e in small.families[0]["energy"].values():
        assert f"| {e['title']} |" in page and e["source"] in page
    assert "SNN replayed in the core" in page and "not measurements" in page


def test_tables_that_price_neither_side_are_named_below_the_others(small) -> None:
    f = small.families[0]
    assert "no estimate of the twin" not in small.markdown()
    odin = f["energy"]["odin-2019"]
    other = f | {"energy": f["energy"] | {"odin-2019": odin | {"snn": None, "static": None}}}
    page = markdown([other])
    assert f"| {odin['title']} |" not in page and f"{odin['title']}: no estimate of the twin" in page


def test_long_times_are_told_in_minutes() -> None:
    assert [pages._seconds(s) for s in (2e-3, 272.6, 999.4, 1604.0, 7260.0, None)] == [
        "2 ms", "273 s", "999 s", "27 min", "121 min", "–"
    ]  # fmt: skip


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

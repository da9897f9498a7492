"""From records to one document: means over seeds, energies, break-even, and what they say in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from baselines.plan import Plan
from spikesim.commands import to_json
from spikesim.energy import PRICES, Operations, Prices, break_even, estimate, price_ratio

SIDES = ("ann", "snn", "replay")
_MEANS = ("wall_s", "train_s", "validation", "best_epoch", "spikes", "input_spikes")
_AGREE, _SPIKES = 0.999, 0.001  # replay and torch: equal answers at least, difference of spikes at most


@dataclass
class Report:
    """A finished (or interrupted) comparison.

    Parameters
    ----------
    families : list of dict
        One entry per family, as in the JSON document.
    interrupted : bool
        Whether Ctrl-C ended it early.
    written : sequence of path
        Files written.
    """

    families: list[dict[str, Any]]
    interrupted: bool = False
    written: Sequence[Path] = ()

    @property
    def finished(self) -> int:
        """Number of seeds that were finished, all families together."""
        return sum(family["seeds"] for family in self.families)

    def json(self) -> str:
        """The JSON document."""
        return to_json({"families": self.families, "interrupted": self.interrupted})

    def markdown(self) -> str:
        """Tables and sentences as Markdown."""
        from baselines.pages import markdown

        return markdown(self.families)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def summarise(
    plans: Sequence[Plan], records: Sequence[dict[str, Any]], interrupted: bool = False, written: Sequence[Path] = ()
) -> Report:
    """Report on all plans of which at least one seed was finished."""
    families = []
    for plan in plans:
        mine = [r for r in records if (r["family"], r["task"]) == (plan.family.name, plan.task.name)]
        if mine:
            families.append(_family(plan, mine))
    return Report(families, interrupted, tuple(written))


def _family(plan: Plan, records: list[dict[str, Any]]) -> dict[str, Any]:
    sides = {side: _side(plan.task.metric, [r[side] for r in records]) for side in SIDES}
    sides["replay"] |= _agreement(records)
    operations = {
        "ann": _operations(records, "ann", "operations"),
        "snn": _operations(records, "replay", "operations"),
        "ann_skipping_zeros": _operations(records, "ann", "skipping"),
        "snn_in_torch": _operations(records, "snn", "operations"),
    }
    priced = [_priced(table, operations, sides["replay"]["spikes_per_synapse"]) for table in PRICES.values()]
    family = {
        "family": plan.family.name,
        "title": plan.family.title,
        "task": plan.task.name,
        "task_title": plan.task.title,
        "metric": plan.task.metric,
        "seeds": len(records),
        "seeds_planned": plan.settings.seeds,
        **sides,
        "energy": {name: energy for name, energy, _ in priced},
        "break_even": {name: even for name, _, even in priced},
        "engine": plan.engine,
        "threads": records[-1]["threads"],
        "settings": records[0]["settings"],
        "deviations": list(plan.family.deviations),
        "data": {"source": plan.task.source, "licence": plan.task.licence, "split": plan.task.split},
        "versions": records[0]["versions"],
        "per_seed": records,
    }
    return family | {"findings": findings(family)}


def _priced(
    table: Prices, operations: dict[str, Operations | None], per_synapse: float
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Name, energies and break-even under one price table."""
    items = {name: estimate(o, table) if o else None for name, o in operations.items()}
    totals = {name: sum(parts.values()) if parts else None for name, parts in items.items()}
    energy = {
        **totals,
        "unit": "J per inference",
        "kind": "estimate, not a measurement",
        "title": table.title,
        "source": table.source,
        "grade": table.grade,
        "note": table.note,
        "items": {name: items[name] for name in ("ann", "snn")},
    }
    even = {
        "spikes_per_synapse": break_even(items["snn"], items["ann"], per_synapse),
        "against_ann_skipping_zeros": break_even(items["snn"], items["ann_skipping_zeros"], per_synapse),
        "measured": per_synapse,
        "price_ratio": price_ratio(table),
    }
    return table.name, energy, even


def _side(metric: str, outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """Means (and standard deviations of metric and times) over seeds; counts are per inference."""
    first, scores = outcomes[0], [o["score"] for o in outcomes]
    per_event = [o["skipping"] or o["operations"] for o in outcomes]
    side: dict[str, Any] = {
        metric: float(np.mean(scores)),
        f"{metric}_std": float(np.std(scores)),
        "neurons": first["neurons"],
        "synapses": first["synapses"],
        "inferences": first["inferences"],
        "macs": _mean([o["operations"]["macs"] for o in outcomes]),
        "macs_with_nonzero_input": _mean([_nonzero(o) for o in outcomes]),
        "synaptic_events": _mean([o["synaptic_events"] for o in per_event]),
        "biases": _mean([o["operations"]["biases"] for o in outcomes]),
        "neuron_updates": _mean([o["operations"]["updates"] or o["neurons"] for o in outcomes]),
        "spikes_per_neuron": _mean([o["spikes"] / o["neurons"] / o["inferences"] for o in outcomes]),
        "spikes_per_synapse": _mean([o["synaptic_events"] / first["synapses"] for o in per_event]),
        "spikes_per_input": _mean([o["input_spikes"] / o["inferences"] for o in outcomes]),
    }
    for name in _MEANS:
        if name in first:
            side[name] = _mean([o[name] for o in outcomes])
    side["wall_s_std"] = float(np.std([o["wall_s"] for o in outcomes]))
    return side | {name: _mean([o["notes"][name] for o in outcomes]) for name in first["notes"]}


def _nonzero(outcome: dict[str, Any]) -> float:
    """Multiply-accumulates of which the input is not zero; a spike multiplied by torch is one of them."""
    if not (outcome["skipping"] and outcome["operations"]["macs"]):
        return 0.0
    return outcome["skipping"]["macs"] + outcome["skipping"]["synaptic_events"]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _agreement(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Replay against torch over all seeds."""
    found = [r["agreement"] for r in records]
    inferences, torch = sum(a["inferences"] for a in found), sum(a["spikes_torch"] for a in found)
    known = all(a["equal"] is not None for a in found)
    equal = sum(a["equal"] for a in found) if known else None
    difference = sum(abs(a["spikes_core"] - a["spikes_torch"]) for a in found)
    return {
        "predictions_compared": inferences,
        "predictions_equal": equal,
        "agreement": equal / inferences if equal is not None else None,
        "spikes_in_torch": torch,
        "spikes_differing": difference,
        "spike_difference": difference / torch if torch else 0.0,
    }


def _operations(records: list[dict[str, Any]], side: str, kind: str) -> Operations | None:
    """Mean over seeds of the operations of one inference."""
    rows = [r[side][kind] for r in records]
    if rows[0] is None:
        return None
    return Operations(**{f.name: _mean([row[f.name] for row in rows]) for f in fields(Operations)})


def findings(family: dict[str, Any]) -> list[str]:
    """What the numbers say, losses included."""
    return [_accuracy_sentence(family), *_energy_sentences(family), _replay_sentence(family)]


def _accuracy_sentence(f: dict[str, Any]) -> str:
    metric = f["metric"]
    ann, snn = f["ann"][metric], f["replay"][metric]
    more = "more" if snn > ann else "less"
    spread = max(f["ann"][f"{metric}_std"], f["replay"][f"{metric}_std"])
    text, seeds = f"{capital(metric)}: the spiking twin reaches {snn:.2%}, the ANN {ann:.2%}", f["seeds"]
    if f["seeds"] < 2:
        return f"{text}; one seed says nothing about chance."
    if abs(snn - ann) <= spread:
        return f"{text}; no more apart than one standard deviation over {seeds} seeds."
    points, deviation = 100 * abs(snn - ann), 100 * spread
    return f"{text}: {points:.2f} points {more}, standard deviation {deviation:.2f} over {seeds} seeds."


def _energy_sentences(f: dict[str, Any]) -> list[str]:
    sentences = []
    for name, e in f["energy"].items():
        if e["ann"] is None or e["snn"] is None:
            sentences.append(
                f"Energy by {name} (estimate): {joules(e['snn'])} for the twin; the table has no price for the ANN's "
                "multiply-accumulates, so there is no comparison."
            )
            continue
        even = f["break_even"][name]
        verdict = "wins" if e["snn"] < e["ann"] else "loses"
        limit = even["spikes_per_synapse"]
        needs = f"it breaks even at {limit:.3g} spikes per synapse" if limit else "its fixed costs alone exceed the ANN"
        sentences.append(
            f"Energy by {name} (estimate): the twin {verdict}, {joules(e['snn'])} against {joules(e['ann'])} "
            f"({ratio(e['snn'], e['ann'])}); {needs}, and {even['measured']:.3g} were counted."
        )
        if (skipping := e["ann_skipping_zeros"]) and skipping < e["snn"] < e["ann"]:
            sentences[-1] += f" An ANN that skips inputs of zero would need {joules(skipping)} and win."
    return sentences


def _replay_sentence(f: dict[str, Any]) -> str:
    r = f["replay"]
    spikes = f"{r['spikes_differing']:,} of {r['spikes_in_torch']:,} spikes more or fewer ({r['spike_difference']:.3%})"
    if r["agreement"] is None:
        return f"Replay in the core: {spikes} than torch."
    equal, n = r["predictions_equal"], r["predictions_compared"]
    if equal == n and not r["spikes_differing"]:
        return f"Replay in the core: the same answer as torch on all {n:,} inputs and exactly as many spikes."
    text = f"Replay in the core: {n - equal:,} of {n:,} answers differ from torch, {spikes}"
    within = r["agreement"] >= _AGREE and r["spike_difference"] <= _SPIKES
    if within:
        return (
            f"{text}: torch computes in 32 bits, the core in 64, and a membrane close to threshold decides otherwise."
        )
    return f"{text}: MORE THAN ROUNDING EXPLAINS (at least {_AGREE:.1%} equal answers expected)."


def capital(text: str) -> str:
    """With a capital letter at the front and the rest as it is."""
    return text[:1].upper() + text[1:]


def joules(value: float | None) -> str:
    """Energy with a readable prefix."""
    if value is None:
        return "–"
    for factor, unit in ((1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ")):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e-12:.3g} pJ"


def ratio(snn: float, ann: float) -> str:
    """One as a multiple of the other."""
    return f"{snn / ann:.2g} times as much"

"""From records to one document: means over seeds, and what others make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from baselines.contract import Contestant, Metric
from baselines.plan import Plan
from baselines.pricing import contestants_of, energies, few_replayed, pareto, rivals, scored, scores
from baselines.reading import findings, verdict
from spikesim.commands import to_json

SIDES = ("ann", "snn", "replay")
_MEANS = ("wall_s", "train_s", "validation", "best_epoch", "spikes", "input_spikes")


class Diverged(NamedTuple):
    """A training that came to nothing."""

    family: str
    seed: int
    error: str


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
    plans: Sequence[Plan],
    records: Sequence[dict[str, Any]],
    diverged: Sequence[Diverged] = (),
    interrupted: bool = False,
    written: Sequence[Path] = (),
) -> Report:
    """Report on all plans of which at least one seed was finished; trainings that diverged are named."""
    families = []
    for plan in plans:
        mine = [r for r in records if (r["family"], r["task"]) == (plan.family.name, plan.task.name)]
        if mine:
            failed = [d for d in diverged if d.family == plan.family.name]
            families.append(_family(plan, mine, failed))
    return Report(families, interrupted, tuple(written))


def _family(plan: Plan, records: list[dict[str, Any]], diverged: Sequence[Diverged]) -> dict[str, Any]:
    metrics = measured(plan, records)
    sides = {side: _side(metrics, [r[side] for r in records]) for side in SIDES}
    sides["replay"] |= _agreement([r["agreement"] for r in records])
    contestants = contestants_of(plan, records)
    family = {
        "family": plan.family.name,
        "title": plan.family.title,
        "task": plan.task.name,
        "task_title": plan.task.title,
        "metric": metrics[0].name,
        "metrics": [asdict(metric) for metric in metrics],
        "validated": plan.family.validated or f"validation {metrics[0].name}",
        "seeds": len(records),
        "seeds_planned": plan.settings.seeds,
        "diverged": [{"seed": d.seed, "error": d.error} for d in diverged],
        "quick": plan.quick,
        **sides,
        "scored": "snn" if few_replayed(records) else "replay",
        "rivals": rivals(contestants, metrics),
        **energies(contestants, sides["replay"]["spikes_per_synapse"]),
        "speed": speed([r["replay"]["speed"] for r in records]),
        "others": {o.name: _other(metrics, o, records) for o in plan.family.others},
        "pareto": pareto(records),
        "targets": dict(plan.family.targets.get(plan.task.name, {})),
        "left_out": list(plan.left_out),
        "galleries": {g.name: g.title for g in plan.family.galleries},
        "exhibits": next((r["exhibits"] for r in records if r.get("exhibits")), {}),
        "engine": plan.engine,
        "threads": records[-1]["threads"],
        "settings": records[0]["settings"],
        "deviations": list(plan.family.deviations),
        "data": {"source": plan.task.source, "licence": plan.task.licence, "split": plan.task.split},
        "versions": records[0]["versions"],
        "per_seed": records,
    }
    judged = list(plan.family.judge(family)) if plan.family.judge else []
    return family | {"findings": [*judged, *findings(family)], "verdict": verdict(family)}


def measured(plan: Plan, records: list[dict[str, Any]]) -> list[Metric]:
    """The metrics of the family that some side has on this task."""
    sides = [records[0][side] for side in SIDES]
    sides += [side for other in records[0]["others"].values() for side in other.values() if "measures" in side]
    score, *further = plan.metrics
    return [score, *(m for m in further if any(m.name in side["measures"] for side in sides))]


def speed(rows: list[list[dict[str, float]]]) -> list[dict[str, float]]:
    """Means over seeds of the times of single inferences."""
    return [{key: _mean([row[key] for row in same]) for key in same[0]} for same in zip(*rows, strict=True)]


def _other(metrics: Sequence[Metric], other: Contestant, records: list[dict[str, Any]]) -> dict[str, Any]:
    """A further contestant, in the core where it spikes."""
    rows, few = [r["others"][other.name] for r in records], few_replayed(records)
    side = _side(metrics, [scored(row, few) for row in rows])
    if other.spiking:
        side |= _agreement([row["agreement"] for row in rows])
    return {"title": other.title, "within": other.within, **side}


def _side(metrics: Sequence[Metric], outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """Means (and standard deviations of metrics and times) over seeds; counts are per inference."""
    first = outcomes[0]
    per_event = [o["skipping"] or o["operations"] for o in outcomes]
    side: dict[str, Any] = {
        **scores(metrics, outcomes),
        "neurons": first["neurons"],
        "synapses": first["synapses"],
        "inferences": first["inferences"],
        "macs": _mean([o["operations"]["macs"] for o in outcomes]),
        "macs_with_nonzero_input": _mean([_nonzero(o) for o in outcomes]),
        "synaptic_events": _mean([o["synaptic_events"] for o in per_event]),
        "biases": _mean([o["operations"]["biases"] for o in outcomes]),
        "macs_of_events": _mean([o["macs"] for o in per_event]),
        "neuron_updates": _mean([o["operations"]["updates"] or o["neurons"] for o in outcomes]),
        "neuron_updates_clocked": _mean([o["operations"]["steps"] * o["neurons"] for o in outcomes]),
        "spikes_per_neuron": _mean([o["spikes"] / max(1, o["neurons"]) / o["inferences"] for o in outcomes]),
        "spikes_per_synapse": _mean([o["synaptic_events"] for o in per_event]) / max(1, first["synapses"]),
        "spikes_per_input": _mean([o["input_spikes"] / o["inferences"] for o in outcomes]),
    }
    for name in _MEANS:
        if name in first:
            side[name] = _mean([o[name] for o in outcomes])
    side["wall_s_std"] = float(np.std([o["wall_s"] for o in outcomes]))
    side["confusion"] = np.sum([o["confusion"] for o in outcomes], 0).tolist() if first["confusion"] else []
    return side | {name: _mean([o["notes"][name] for o in outcomes]) for name in first["notes"]}


def _nonzero(outcome: dict[str, Any]) -> float:
    """Multiply-accumulates of which the input is not zero; a spike multiplied by torch is one of them."""
    if not (outcome["skipping"] and outcome["operations"]["macs"]):
        return 0.0
    return outcome["skipping"]["macs"] + outcome["skipping"]["synaptic_events"]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _agreement(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Replay against torch over all seeds."""
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

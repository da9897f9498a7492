"""Operations of every contestant under every price table, rivals included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from baselines.contract import Metric
from baselines.plan import Plan
from spikesim.energy import (
    PRICES,
    Operations,
    Prices,
    break_even,
    estimate,
    price_ratio,
    static_energy,
)

PARETO_TABLE = "horowitz-int8-sram"


@dataclass(frozen=True)
class Entry:
    """A contestant: its outcomes over seeds, and its mean operations per inference.

    Parameters
    ----------
    name, title : str
        Key in the report and readable name.
    outcomes : list of dict
        One record per seed.
    operations : Operations
        Mean over seeds.
    bits : int
        Width of activations where it is not the price table's, else 0.
    """

    name: str
    title: str
    outcomes: list[dict[str, Any]]
    operations: Operations
    bits: int = 0


def contestants_of(plan: Plan, records: Sequence[dict[str, Any]]) -> list[Entry]:
    """ANN and its rivals, the twin in torch, by tensors and in the core, and the family's further contestants."""
    ann = [r["ann"] for r in records]
    found = [("ann", "ANN", ann, "operations", 0)]
    if ann[0]["skipping"]:
        found.append(("ann_skipping_zeros", "ANN that skips zeros", ann, "skipping", 0))
    if records[0].get("quantised"):
        bits = records[0]["quantised"]["bits"]
        few = [r["quantised"] for r in records]
        found.append(("ann_quantised", f"ANN of {bits} bits", few, "operations", bits))
        found.append(("ann_quantised_skipping_zeros", f"ANN of {bits} bits that skips zeros", few, "skipping", bits))
    found.append(("snn_in_torch", f"{plan.family.twin}, every product", [r["snn"] for r in records], "operations", 0))
    if records[0]["snn"]["skipping"]:
        found.append(("snn_by_tensors", f"{plan.family.twin}, by tensors", [r["snn"] for r in records], "skipping", 0))
    found.append(("snn", f"{plan.family.twin}, in the core", [r["replay"] for r in records], "operations", 0))
    for other in plan.family.others:
        rows = [scored(r["others"][other.name], few_replayed(records)) for r in records]
        found.append((other.name, other.title, rows, "operations", 0))
    return [
        Entry(name, title, rows, _mean_operations([o[kind] for o in rows]), bits)
        for name, title, rows, kind, bits in found
    ]


def scores(metrics: Sequence[Metric], outcomes: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Mean and standard deviation of every metric over seeds; None where a side has no such number."""
    found: dict[str, float | None] = {}
    for i, metric in enumerate(metrics):
        values = [o["measures"].get(metric.name) if i else o["score"] for o in outcomes]
        known = None not in values
        found[metric.name] = float(np.mean(values)) if known else None
        found[f"{metric.name}_std"] = float(np.std(values)) if known else None
    return found


def few_replayed(records: Sequence[dict[str, Any]]) -> bool:
    """Whether the replay saw a part of the test inputs only, as the settings may want."""
    first = records[0]
    return bool(first["settings"].get("replayed")) and first["replay"]["inferences"] < first["snn"]["inferences"]


def scored(row: dict[str, Any], few: bool) -> dict[str, Any]:
    """What a further contestant did: counts of its replay; scores of all test inputs even if `few` were replayed."""
    if "replay" not in row:
        return row["ann"]
    return row["replay"] | {key: row["snn"][key] for key in ("score", "measures")} if few else row["replay"]


def rivals(entries: Sequence[Entry], metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """Rows of the table of all contestants."""
    rows = []
    for e in entries:
        neurons = e.outcomes[0]["neurons"]
        rows.append(
            {
                "name": e.name,
                "title": e.title,
                **scores(metrics, e.outcomes),
                "bits": e.bits,
                "steps": e.operations.steps,
                "macs": e.operations.macs,
                "synaptic_events": e.operations.synaptic_events,
                "neuron_updates": e.operations.updates,
                "spikes_per_neuron": e.operations.spikes / neurons if neurons else 0.0,
            }
        )
    return rows


def energies(entries: Sequence[Entry], per_synapse: float) -> dict[str, Any]:
    """Energy and break-even by price table, and the bits of the quantised rival."""
    priced = [_priced(table, entries, per_synapse) for table in PRICES.values()]
    return {
        "twin": next(e.title for e in entries if e.name == "snn").removesuffix(", in the core"),
        "quantised_bits": next((e.bits for e in entries if e.bits), None),
        "energy": {name: energy for name, energy, _ in priced},
        "break_even": {name: even for name, _, even in priced},
    }


def _priced(table: Prices, entries: Sequence[Entry], per_synapse: float) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Name, energies and break-even under one price table."""
    items: dict[str, dict[str, float] | None] = {}
    for e in entries:
        own = table.quantised(e.bits) if e.bits else table
        items[e.name] = estimate(e.operations, own) if own else None
    operations = {e.name: e.operations for e in entries}
    energy = {
        "ann_skipping_zeros": None,
        **{name: sum(parts.values()) if parts else None for name, parts in items.items()},
        "unit": "J per inference",
        "kind": "estimate, not a measurement",
        "title": table.title,
        "source": table.source,
        "grade": table.grade,
        "note": table.note,
        "static": static_energy(operations["snn"], table),
        "items": {name: items[name] for name in ("ann", "snn")},
    }
    limit = break_even(items["snn"], items["ann"], per_synapse)
    even = {
        "spikes_per_synapse": limit,
        "against_ann_skipping_zeros": break_even(items["snn"], items.get("ann_skipping_zeros"), per_synapse),
        "against_ann_quantised": break_even(items["snn"], items.get("ann_quantised"), per_synapse),
        "measured": per_synapse,
        "distance": per_synapse / limit if limit else None,
        "price_ratio": price_ratio(table),
    }
    return table.name, energy, even


def pareto(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Score against energy over steps and thresholds, means over seeds, under `PARETO_TABLE`; the front is marked."""
    curves = [r["snn"].get("curve") or [] for r in records]
    if not curves[0]:
        return {}
    points = []
    for same in zip(*curves, strict=True):
        operations = _mean_operations([p["operations"] for p in same])
        points.append(
            {
                "steps": same[0]["steps"],
                "threshold": same[0]["threshold"],
                "score": float(np.mean([p["score"] for p in same])),
                "synaptic_events": operations.synaptic_events,
                "energy": {name: _total(operations, table) for name, table in PRICES.items()},
            }
        )
    for p in points:
        better = [
            q
            for q in points
            if q["score"] >= p["score"]
            and q["energy"][PARETO_TABLE] <= p["energy"][PARETO_TABLE]
            and (q["score"], q["energy"][PARETO_TABLE]) != (p["score"], p["energy"][PARETO_TABLE])
        ]
        p["front"] = not better
    return {"table": PARETO_TABLE, "title": PRICES[PARETO_TABLE].title, "points": points}


def _total(operations: Operations, table: Prices) -> float | None:
    parts = estimate(operations, table)
    return sum(parts.values()) if parts else None


def _mean_operations(rows: Sequence[dict[str, Any]]) -> Operations:
    return Operations(**{f.name: float(np.mean([row[f.name] for row in rows])) for f in fields(Operations)})

"""From rows to what can be said: Pareto mark, recommendation, the JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from baselines.encoding.faults import JITTER, SHARE
from baselines.encoding.lab import FAN_OUT
from baselines.encoding.plan import Plan
from spikesim.commands import to_json

INFORMATION = 0.9  # share of the most information that is enough, where there are no labels
TABLE = "horowitz-int8-sram"  # price table shown in the table; the others are in the document


@dataclass
class Report:
    """What came out.

    Parameters
    ----------
    document : dict
        Everything, as JSON holds it.
    interrupted : bool
        Whether rows are missing because of Ctrl-C.
    written : sequence of Path
        Files written.
    """

    document: dict[str, Any]
    interrupted: bool
    written: Sequence[Path] = ()

    def json(self) -> str:
        """The JSON document."""
        return to_json(self.document)

    def markdown(self) -> str:
        """The page."""
        from baselines.encoding.pages import markdown

        return markdown(self.document)


def summarise(
    plan: Plan,
    rows: list[dict[str, Any]],
    skipped: Sequence[str],
    interrupted: bool = False,
    written: Sequence[Path] = (),
) -> Report:
    """Mark and recommend."""
    m = plan.material
    quality = "validation_accuracy" if plan.classifiers else "mutual_information_bits"
    marked = [{**row, "pareto": _pareto(row, rows, quality)} for row in rows]
    best = recommended(marked, quality, len(m.validation.x))
    document = {
        "data": m.name,
        "title": m.title,
        "seeds": plan.seeds,
        "samples": {"train": len(m.train.x), "validation": len(m.validation.x), "test": len(m.test.x)},
        "classifiers": list(plan.classifiers),
        "quality": quality,
        "rows": [{**row, "recommended": row is best} for row in marked],
        "rows_planned": len(plan.rows),
        "recommendation": _sentence(best, marked, plan) if marked else None,
        "rule": rule(plan),
        "notes": notes(plan),
        "skipped": list(skipped),
        "interrupted": interrupted,
        "source": m.source,
        "licence": m.licence,
        "split": m.split,
    }
    return Report(document, interrupted, tuple(written))


def _pareto(row: dict[str, Any], rows: list[dict[str, Any]], quality: str) -> bool:
    """Whether no other row is at least as good with at most as many spikes, and better in one of both."""
    q, s = row[quality], row["spikes_per_sample"]
    for other in rows:
        better = other[quality] > q or other["spikes_per_sample"] < s
        if better and other[quality] >= q and other["spikes_per_sample"] <= s:
            return False
    return True


def margin(accuracy: float, samples: int) -> float:
    """Standard error of an accuracy measured on so many samples."""
    return float(np.sqrt(accuracy * (1 - accuracy) / samples))


def recommended(rows: list[dict[str, Any]], quality: str, held_out: int) -> dict[str, Any] | None:
    """The row the rule picks, None where no code tells anything; `held_out` is the number of validation samples."""
    top = max((row[quality] for row in rows), default=0.0)
    if top <= 0:
        return None
    enough = top - margin(top, held_out) if quality == "validation_accuracy" else INFORMATION * top
    good = [row for row in rows if row[quality] >= enough - 1e-12]
    return min(good, key=lambda row: (row["spikes_per_sample"], row["duration_ms"]))


def rule(plan: Plan) -> str:
    """The rule in words."""
    if plan.classifiers:
        return (
            f"of all rows whose validation accuracy with the readout {plan.classifiers[0]!r} is within one standard "
            f"error (of {len(plan.material.validation.x):,} samples) of the best, the one with the fewest spikes per "
            "sample; test data play no part"
        )
    return (
        f"of all rows that keep at least {INFORMATION:.0%} of the most mutual information, the one with the fewest "
        "spikes per sample"
    )


def _sentence(best: dict[str, Any] | None, rows: list[dict[str, Any]], plan: Plan) -> str:
    if best is None:
        return "Take none: no code tells anything about these data; do they vary at all?"
    what = f"{best['encoder']} with {best['budget']} steps a {_unit(plan)}"
    spikes = f"{best['spikes_per_sample']:,.3g} spikes a sample"
    if not plan.classifiers:
        top = max(row["mutual_information_bits"] for row in rows)
        return f"Take {what}: it keeps {best['mutual_information_bits']:.2f} of {top:.2f} bits a value with {spikes}."
    top = max(rows, key=lambda row: row["validation_accuracy"])
    text = f"Take {what}: {100 * best['accuracy']:.1f} % on test data with {spikes}, decided after "
    text += f"{best['latency_ms']:g} ms" if best["latency_ms"] is not None else f"all {best['duration_ms']:g} ms"
    if top is not best:
        text += f"; the best on validation data, {top['encoder']} with {top['budget']} steps, reaches "
        text += f"{100 * top['accuracy']:.1f} % with {top['spikes_per_sample']:,.3g}"
    return text + "."


def _unit(plan: Plan) -> str:
    return "picture" if plan.material.still else "frame"


def notes(plan: Plan) -> list[str]:
    """What the table needs to be read rightly."""
    m = plan.material
    seeds = f"{plan.seeds} {'seed' if plan.seeds == 1 else 'seeds'}"
    samples = "sample" if len(m.test.x) == 1 else "samples"
    lines = [
        f"Data: {m.split}. Means over {len(m.test.x):,} test {samples} and {seeds}; ± is the standard deviation over "
        "seeds, which change spikes of random codes, initial weights and orders.",
        f"Budget: time steps of 1 ms a {_unit(plan)}; all spikes lie on these steps, also those of codes in continuous "
        "time. What is read back is compared with the input in 0 … 1; information is about one value, in bits.",
        "Codes of signals see frames joined by straight lines"
        + (", still pictures row by row (at least one step a row)." if m.still else "."),
        f"Energy: estimate of encoder plus {FAN_OUT} neurons behind it, updated in every step, prices {TABLE}; no "
        "measurement.",
    ]
    if plan.classifiers:
        lines += [
            "Settled: when the accuracy of the first readout reaches 95 % of its final value for good. Without ± seeds "
            "agree.",
            f"Faults (after training without them): jitter {JITTER:g} ms, {SHARE:.0%} of spikes lost or added, "
            f"{SHARE:.0%} of neurons dead, input noise with standard deviation "
            f"{', '.join(f'{v:g}' for v in plan.noise)}.",
        ]
    return lines

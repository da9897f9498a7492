"""From records to one document: intervals over seeds, answers and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from baselines.claims.contract import Question
from baselines.claims.plan import Plan
from baselines.claims.statistics import FAILS, HOLDS, LEVEL, OPEN, RULE, Interval, interval, overall, verdict
from spikesim.commands import to_json


class Diverged(NamedTuple):
    """A training that came to nothing."""

    claim: str
    seed: int
    error: str


@dataclass
class Report:
    """What came out.

    Parameters
    ----------
    document : dict
        Everything, as JSON holds it.
    interrupted : bool
        Whether seeds are missing because of Ctrl-C.
    written : sequence of path
        Files written.
    """

    document: dict[str, Any]
    interrupted: bool = False
    written: Sequence[Path] = ()

    @property
    def finished(self) -> int:
        """Number of seeds that were finished, all claims together."""
        return sum(claim["seeds"] for claim in self.document["claims"])

    def json(self) -> str:
        """The JSON document."""
        return to_json(self.document)

    def markdown(self) -> str:
        """Verdicts and tables as Markdown."""
        from baselines.claims.pages import markdown

        return markdown(self.document)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def summarise(
    plans: Sequence[Plan],
    records: Sequence[dict[str, Any]],
    diverged: Sequence[Diverged] = (),
    interrupted: bool = False,
    written: Sequence[Path] = (),
) -> Report:
    """Report on all claims of which at least one seed was finished; trainings that diverged are named."""
    claims = []
    for plan in plans:
        mine = [r for r in records if r["claim"] == plan.claim.name]
        if mine:
            claims.append(_claim(plan, mine, [d for d in diverged if d.claim == plan.claim.name]))
    document = {"claims": claims, "rule": RULE, "level": LEVEL, "interrupted": interrupted}
    return Report(document, interrupted, tuple(written))


def _claim(plan: Plan, records: list[dict[str, Any]], diverged: Sequence[Diverged]) -> dict[str, Any]:
    claim = plan.claim
    answers = [a for q in claim.questions if (a := _answer(q, records))]
    said = overall([a["verdict"] for a in answers if a["decides"]])
    values = {key: _entry(interval([r["values"][key] for r in records])) for key in records[0]["values"]}
    return {
        "name": claim.name,
        "title": claim.title,
        "task": claim.task,
        "verdict": said,
        "sentence": _sentence(said, answers),
        "seeds": len(records),
        "seeds_planned": plan.settings.seeds,
        "quick": plan.quick,
        "questions": answers,
        "findings": list(claim.summary(answers)) if claim.summary else [],
        "measures": [{"title": t, "name": k, **values[k]} for k, t in claim.measures.items() if k in values],
        "curves": _curves(records),
        "chart": claim.chart._asdict() if claim.chart else None,
        "notes": {k: _entry(interval([r["notes"][k] for r in records])) for k in records[0]["notes"]},
        "chances": list(claim.chances),
        "diverged": [{"seed": d.seed, "error": d.error} for d in diverged],
        "settings": records[0]["settings"],
        "per_seed": records,
    }


def _answer(question: Question, records: list[dict[str, Any]]) -> dict[str, Any] | None:
    """A question with its interval and verdict, None where some seed has no number."""
    numbers = [question.of(r["values"]) for r in records]
    known = [float(n) for n in numbers if n is not None]
    if len(known) < len(numbers):
        return None
    found = interval(known)
    return {
        "title": question.title,
        "decides": question.decides,
        "unit": question.unit,
        "margin": question.margin,
        **_entry(found),
        "verdict": verdict(found, question.margin),
        "per_seed": known,
    }


def _entry(found: Interval) -> dict[str, float | None]:
    return {"mean": found.mean, "low": found.low, "high": found.high}


def _curves(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Intervals of every curve at every place of the axis."""
    return {
        "axis": records[0]["axis"],
        "lines": {
            label: [_entry(interval([r["curves"][label][i] for r in records])) for i in range(len(line))]
            for label, line in records[0]["curves"].items()
        },
    }


def _sentence(said: str, answers: Sequence[dict[str, Any]]) -> str:
    """How the verdict came about."""
    deciding = [a["verdict"] for a in answers if a["decides"]]
    words = {HOLDS: ("holds", "hold"), FAILS: ("does not", "do not"), OPEN: ("cannot be told", "cannot be told")}
    counts = ", ".join(f"{n} {words[v][n > 1]}" for v in words if (n := deciding.count(v)))
    number = "question" if len(deciding) == 1 else "questions"
    said = "Whether the claim holds cannot be told" if said == OPEN else f"The claim {said}"
    return f"{said}: of {len(deciding)} deciding {number} {counts}."

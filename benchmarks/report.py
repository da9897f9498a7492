"""The tables of a benchmark, and its files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.activity import MEASURES
from benchmarks.case import Case

RATE_TOLERANCE = 0.05  # more than that, and more than chance makes of so few spikes, is pointed out
NAMES = {"run_s": "run", "build_s": "build", "total_s": "time"}
Rows = Sequence[Mapping[str, Any]]


def tables(case: Case, rows: Rows) -> list[Table]:
    """Sides, then statistics by population, then goals."""
    sides, populations, goals = ([row for row in rows if key in row] for key in ("side", "population", "goal"))
    made = [_sides(case, sides)]
    if populations:
        made.append(_populations(populations))
    if goals:
        made.append(_goals(goals))
    return made


def _sides(case: Case, rows: Rows) -> Table:
    """Medians over their range, ratios to the first row of each group, and what is missing."""
    made = Table(title=_title(case, rows[0]))
    made.add_column("")
    for column in case.columns:
        made.add_column(column.heading, justify="right", no_wrap=True)
    compared = any(row["ratio"] for row in rows)
    if compared:
        groups = len({row["group"] for row in rows})
        of = rows[0]["side"] if groups == 1 else "the first of its group"
        made.add_column(f"{NAMES.get(case.compare, case.compare)} relative to\n{of}", justify="right", no_wrap=True)
    for k, row in enumerate(rows):
        if k and row["group"] != rows[k - 1]["group"]:
            made.add_section()
        foreign = row["name"] != "ours" and row["version"]
        cells = [_cell(row.get(column.key)) if row["repeat"] else "" for column in case.columns]
        if not row["repeat"]:
            cells[-1] = row["status"]
        made.add_row(
            row["side"] + (f" ({row['version']})" if foreign else ""), *cells, *([_cell(row["ratio"])] * compared)
        )
    return made


def _title(case: Case, first: Mapping[str, Any]) -> str:
    threads = f"{first['threads']} thread{'s' if first['threads'] > 1 else ''}"
    settings = [f"scale {first['scale']:g}", threads]
    if first["neurons"] is not None:
        settled = f" after {first['warmup_ms']:g} ms" if first["warmup_ms"] else ""
        settings.insert(0, f"{first['duration_ms']:g} ms{settled}")
    return f"{first['benchmark']}: {case.title}\n{', '.join(settings)}; median over min … max"


def _populations(rows: Rows) -> Table:
    """Rates, CV and correlations of every side, and distances to the first side beside those between seeds."""
    labels = list(rows[0]["rate_hz"])
    made = Table(
        title="Statistics by population\n"
        "mean rate (Hz), median CV of intervals, mean correlation of pairs; Kolmogorov-Smirnov distances of the "
        "distributions:\nlargest of runs with the same seed number, in brackets the largest between two seeds of "
        f"{labels[0]}"
    )
    made.add_column("")
    for label in labels:
        made.add_column(f"{label}\nrate · CV · corr.", justify="right", no_wrap=True)
    for label in labels[1:]:
        made.add_column(f"distance to {label}\nrate · CV · corr.", justify="right", no_wrap=True)
    for row in rows:
        cells = [" · ".join(_mean(row[m][label]) for m in ("rate_hz", "cv", "correlation")) for label in labels]
        for label in labels[1:]:
            pairs = [(row["distance"][m][label], row["seed_to_seed"][m][labels[0]]) for m in MEASURES]
            cells.append(" · ".join(f"{_short(a)} ({_short(b)})" for a, b in pairs))
        made.add_row(row["population"], *cells)
    return made


def _goals(rows: Rows) -> Table:
    made = Table(title="Goals")
    for heading in ("", "measured", "at least", "aim", ""):
        made.add_column(heading, justify="right" if heading else "left", no_wrap=bool(heading))
    for row in rows:
        limits = (f"{row['relation']} {row[k]:g}" for k in ("least", "aim"))
        verdict = row["verdict"] + (f": {row['note']}" if row["note"] else "")
        made.add_row(row["goal"], "" if row["value"] is None else number(row["value"]), *limits, verdict)
    return made


def notes(rows: Rows) -> list[str]:
    """What a reader of the table must know: missing or failed sides, rates that differ."""
    sides = [row for row in rows if "side" in row]
    found = list(dict.fromkeys(row["note"] for row in sides if row["note"]))
    first = {row["group"]: row for row in reversed(sides)}
    for row in sides:
        reference = first[row["group"]]
        fires = [(r.get("rate_hz") or {}).get("median", 0.0) > 0.0 for r in (row, reference)]
        if row["neurons"] == reference["neurons"] and all(fires):
            difference = row["rate_hz"]["median"] / reference["rate_hz"]["median"] - 1
            chance = 3.0 * sum(1.0 / max(1.0, r["spikes"]["median"]) for r in (row, reference)) ** 0.5
            if abs(difference) > max(RATE_TOLERANCE, chance):
                found.append(
                    f"{row['side']} fires at a rate {difference:+.0%} from {reference['side']}'s: not the same network?"
                )
    return found


def number(value: float) -> str:
    """Three digits, thousands and millions by name."""
    if isinstance(value, int) and abs(value) < 1e6:
        return f"{value:,}"
    for factor, unit in ((1e9, " G"), (1e6, " M")):
        if abs(value) >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, Mapping):
        return number(value)
    middle, low, high = (number(value[k]) for k in ("median", "min", "max"))
    return middle if low == high else f"{middle}\n{low} … {high}"


def _mean(values: Sequence[float | None]) -> str:
    kept = [v for v in values if v is not None]
    return _short(sum(kept) / len(kept)) if kept else "–"


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def show(console: Console, made: Sequence[Table], lines: Sequence[str], machine: str) -> None:
    """Print the tables, their notes and the machine."""
    for table in made:
        console.print(table)
    for line in (*lines, machine, ""):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def text(made: Sequence[Table], lines: Sequence[str], machine: str) -> str:
    """What `show` prints, as plain text."""
    page = io.StringIO()
    show(Console(file=page, width=160, no_color=True), made, lines, machine)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"


def save(folder: Path, name: str, rows: Rows, content: str) -> None:
    """Write ``name.jsonl`` and ``name.txt`` into `folder`, each whole or not at all."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for path, body in ((folder / f"{name}.jsonl", lines), (folder / f"{name}.txt", content)):
        part = path.with_name(path.name + ".part")
        part.write_text(body, encoding="utf-8")
        part.replace(path)


def read(path: Path) -> list[dict[str, Any]]:
    """Rows that `save` wrote."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

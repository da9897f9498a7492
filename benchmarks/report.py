"""The table of a benchmark, and its files."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.case import Case

_RATE_TOLERANCE = 0.05
_REACHED = {">=": lambda ratio, goal: ratio >= goal, "<=": lambda ratio, goal: ratio <= goal}


def table(case: Case, rows: Sequence[dict[str, Any]]) -> Table:
    """Medians over their range, ratios to the first row, and what is missing."""
    first = rows[0]
    runs = f"{first['duration_ms']:g} ms, {first['threads']} thread{'s' if first['threads'] > 1 else ''}"
    made = Table(title=f"{first['benchmark']}: {case.title}\n{runs}, scale {first['scale']:g}; median over min … max")
    made.add_column("")
    for heading in ("neurons", "synapses", "spikes", "rate (Hz)", "build (s)", "compile (s)", "run (s)"):
        made.add_column(heading, justify="right", no_wrap=True)
    made.add_column(f"run relative to\n{first['side']}", justify="right", no_wrap=True)
    for row in rows:
        name = f"{row['side']}{' ' + row['version'] if row['version'] else ''}"
        if row["run_s"] is None:
            made.add_row(name, *[""] * 6, row["status"], "")
            continue
        counts = f"{row['neurons']:,}", f"{row['synapses']:,}", f"{row['spikes']:,.0f}", f"{row['rate_hz']:.2f}"
        made.add_row(name, *counts, *(_spread(row[k]) for k in ("build_s", "compile_s", "run_s", "ratio")))
    return made


def notes(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What a reader of the table must know: missing or failed sides, rates that differ, goals."""
    found = [row["note"] for row in rows if row["note"]]
    first = rows[0]
    for row in rows[1:]:
        if row["neurons"] == first["neurons"] and row["rate_hz"] and first["rate_hz"]:
            difference = row["rate_hz"] / first["rate_hz"] - 1
            if abs(difference) > _RATE_TOLERANCE:
                found.append(
                    f"{row['side']} fires at a rate {difference:+.0%} from {first['side']}'s: not the same network?"
                )
        if row["goal"] and row["ratio"]:
            relation, wanted = row["goal"]["relation"], row["goal"]["ratio"]
            reached = _REACHED[relation](row["ratio"]["median"], wanted)
            found.append(f"{row['side']}: goal {relation} {wanted:g} × {'reached' if reached else 'missed'}")
    return found


def _spread(values: dict[str, Any] | None) -> str:
    if values is None:
        return ""
    middle, low, high = (
        f"{values[k]:.3g}" if values[k] < 100 else f"{values[k]:.0f}" for k in ("median", "min", "max")
    )
    return middle if low == high else f"{middle}\n{low} … {high}"


def show(console: Console, table_: Table, lines: Sequence[str], machine: str) -> None:
    """Print the table, its notes and the machine."""
    console.print(table_)
    for line in (*lines, machine, ""):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def text(table_: Table, lines: Sequence[str], machine: str) -> str:
    """What `show` prints, as plain text."""
    page = io.StringIO()
    show(Console(file=page, width=140, no_color=True), table_, lines, machine)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"


def save(folder: Path, name: str, rows: Sequence[dict[str, Any]], content: str) -> None:
    """Write ``name.jsonl`` and ``name.txt`` into `folder`, each whole or not at all."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for path, body in ((folder / f"{name}.jsonl", lines), (folder / f"{name}.txt", content)):
        part = path.with_name(path.name + ".part")
        part.write_text(body, encoding="utf-8")
        part.replace(path)

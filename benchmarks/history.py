"""``python -m benchmarks.history``: what was measured at earlier commits, from files of JSON lines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import figures
from benchmarks.report import number

ROOT = Path(__file__).parents[1]
Entry = Mapping[str, Any]
SAME = ("benchmark", "side", "scale", "threads", "duration_ms")


def commit() -> str:
    """Short hash of the commit that is checked out, with ``+`` where files differ from it."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def append(path: Path, rows: Sequence[Entry], machine: Entry) -> None:
    """Add the medians of measured rows to a history."""
    head = {"commit": commit(), "date": datetime.now(UTC).isoformat(timespec="seconds")}
    where = {"processor": machine["processor"], "cores": machine["cores"], "load": machine["load"]}
    lines = []
    for row in rows:
        if "side" in row and row["repeat"]:
            medians = {k: v["median"] for k, v in row.items() if isinstance(v, Mapping) and "median" in v}
            about = {k: row[k] for k in (*SAME, "version", "repeat")}
            lines.append(json.dumps({**head, **about, **medians, **where}) + "\n")
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(lines))


def read(path: Path) -> list[dict[str, Any]]:
    """Entries of a history, oldest first; a line that was cut short is left out."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return entries


def _series(entries: Sequence[Entry], key: str) -> dict[tuple[Any, ...], list[Entry]]:
    """Entries of like runs, by what makes them comparable."""
    found: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        if entry.get(key) is not None:
            found.setdefault((*(entry[k] for k in SAME), entry["processor"]), []).append(entry)
    return found


def _table(series: Mapping[tuple[Any, ...], Sequence[Entry]], key: str) -> Table:
    made = Table(title=f"{key}, oldest first")
    for heading in ("benchmark", "side", "scale", "threads", "ms"):
        made.add_column(heading)
    made.add_column("commit: median")
    for about, entries in series.items():
        values = "\n".join(f"{e['date'][:10]} {e['commit']}: {number(e[key])}" for e in entries)
        made.add_row(*(f"{x:g}" if isinstance(x, float) else str(x) for x in about[: len(SAME)]), values)
    return made


def _draw(series: Mapping[tuple[Any, ...], Sequence[Entry]], key: str) -> Any:
    figure, axes = figures.new(width=9.0, height=5.0)
    ax = axes[0, 0]
    commits = list(dict.fromkeys(e["commit"] for entries in series.values() for e in entries))
    for about, entries in series.items():
        label = f"{about[0]}: {about[1]}, scale {about[2]:g}, {about[3]} thr."
        ax.plot([commits.index(e["commit"]) for e in entries], [e[key] for e in entries], "o-", ms=4, label=label)
    ax.set_xticks(range(len(commits)), commits, rotation=45, ha="right", fontsize=8)
    figures.finish(ax, "commit", figures.UNITS.get(key, key), log=("y",), legend=False)
    figure.legend(loc="outside right upper", frameon=False, fontsize="x-small")
    return figure


def main(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `python -m benchmarks --history FILE` wrote.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Benchmarks; default all.")] = None,
    key: Annotated[str, typer.Option(help="Which number: run_s, build_s, peak_rss_mb …")] = "run_s",
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries chosen.")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it (png, pdf, svg).")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the file of --plot.")] = False,
) -> None:
    """Show how the medians of benchmarks changed from commit to commit."""
    from spikesim.errors import SpikesimError
    from spikesim.plotting import save

    error = Console(stderr=True)
    if not file.is_file():
        error.print(f"[red]Error:[/red] {file} does not exist", highlight=False)
        raise typer.Exit(2)
    entries = [e for e in read(file) if not names or e["benchmark"] in names]
    series = _series(entries, key)
    if not series:
        numbers = {k for e in entries for k, v in e.items() if isinstance(v, (int, float)) and k not in SAME}
        known = f"numbers: {', '.join(sorted(numbers))}" if numbers else "no such benchmark in the file"
        error.print(f"[red]Error:[/red] nothing with {key!r} in {file}; {known}", highlight=False, soft_wrap=True)
        raise typer.Exit(2)
    if as_json:
        for entry in entries:
            print(json.dumps(entry))
    else:
        Console().print(_table(series, key))
    if plot is not None:
        try:
            save(_draw(series, key), plot, overwrite)
        except SpikesimError as problem:
            error.print(f"[red]Error:[/red] {problem}", highlight=False, soft_wrap=True)
            raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)

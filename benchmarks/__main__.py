"""The command ``python -m benchmarks``."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmarks import machine, report
from benchmarks.case import load, names
from benchmarks.harness import Benchmark, Settings
from benchmarks.peers import discover
from spikesim.errors import SpikesimError

_stderr = Console(stderr=True)


def _refuse(message: str) -> NoReturn:
    _stderr.print(f"[red]Error:[/red] {message}", highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def _choose(wanted: list[str], valid: list[str], kind: str) -> list[str]:
    for name in wanted:
        if name not in valid:
            _refuse(f"unknown {kind} {name!r}; valid: {', '.join(valid)}")
    return wanted


def _check(settings: Settings) -> None:
    for name, value, lowest in (("threads", settings.threads, 1), ("repeat", settings.repeat, 1)):
        if value < lowest:
            _refuse(f"--{name} must be >= {lowest}, got {value}")
    for name, number in (("scale", settings.scale), ("duration", settings.duration)):
        if number is not None and not (math.isfinite(number) and number > 0):
            _refuse(f"--{name} must be > 0, got {number:g}")


def _prepare(out: Path | None, wanted: list[str], overwrite: bool) -> None:
    if out is None:
        return
    existing = [str(path) for name in wanted for path in out.glob(f"{name}.*") if path.suffix in (".jsonl", ".txt")]
    if existing and not overwrite:
        _refuse(f"{existing[0]} exists; give another --out or --overwrite")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _refuse(f"cannot write to {out}: {error.strerror}")


def _measure(benchmark: Benchmark, progress: Progress) -> bool:
    """Run all turns; True if interrupted, with what is finished kept."""
    running = sum(side.run is not None for side in benchmark.sides) * benchmark.settings.repeat
    task = progress.add_task(benchmark.name, total=running)
    done = 0
    try:
        for repetition, side in benchmark.turns():
            what = f"{benchmark.name}: {side.label}, run {repetition + 1} of {benchmark.settings.repeat}"
            progress.update(task, description=what, completed=done)
            done += 1
    except KeyboardInterrupt:
        return True
    finally:
        progress.remove_task(task)
    return False


def main(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help=f"Of {', '.join(names())}; default all.")
    ] = None,
    peers: Annotated[str, typer.Option(help="Other simulators, comma-separated, or none.")] = ",".join(discover()),
    threads: Annotated[int, typer.Option(help="Threads of every side.")] = 1,
    scale: Annotated[float, typer.Option(help="Size of the network.")] = 1.0,
    duration: Annotated[float | None, typer.Option(help="Simulated ms instead of the benchmark's own.")] = None,
    repeat: Annotated[int, typer.Option(help="Runs of every side, each in a fresh process.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the first run; the k-th has seed + k.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per row.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write NAME.jsonl and NAME.txt here.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace files in --out.")] = False,
) -> None:
    """Run benchmarks on ours and on other simulators, in turn and in fresh processes.

    Other simulators live in environments of their own, named by SPIKESIM_NEST_PYTHON and SPIKESIM_BRIAN2_PYTHON;
    `python -m benchmarks.peers install --into DIR` makes them.
    """
    settings = Settings(threads, scale, duration, repeat, seed)
    _check(settings)
    wanted = _choose(cases or names(), names(), "benchmark")
    found = discover()
    rivals = [found[p] for p in _choose([] if peers == "none" else peers.split(","), [*found, "none"], "peer")]
    _prepare(out, wanted, overwrite)
    here = machine.describe()
    if machine.busy(here):
        _stderr.print(f"[yellow]This machine is busy (load {here['load']:g}): times will not be trustworthy.[/yellow]")
    failed = interrupted = False
    with Progress(*_columns(), console=_stderr, transient=True, disable=not _stderr.is_terminal) as progress:
        for name in wanted:
            try:
                benchmark = Benchmark(name, load(name), settings, rivals)
            except SpikesimError as error:
                _refuse(str(error))
            with benchmark:
                interrupted = _measure(benchmark, progress)
            rows = [row | {"machine": here} for row in benchmark.rows()]
            failed |= any(row["status"] == "failed" for row in rows)
            _show(benchmark, rows, as_json, out, machine.sentence(here))
            if interrupted:
                break
    raise typer.Exit(130 if interrupted else int(failed))


def _columns() -> tuple[ProgressColumn, ...]:
    text = TextColumn("{task.description}")
    return text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()


def _show(benchmark: Benchmark, rows: list[dict[str, Any]], as_json: bool, out: Path | None, where: str) -> None:
    table, lines = report.table(benchmark.case, rows), report.notes(rows)
    if as_json:
        for row in rows:
            print(json.dumps(row), flush=True)
    else:
        report.show(Console(width=None if sys.stdout.isatty() else 140), table, lines, where)
    if out is not None:
        report.save(out, benchmark.name, rows, report.text(table, lines, where))


if __name__ == "__main__":
    typer.run(main)

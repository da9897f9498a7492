"""The command ``python -m benchmarks``."""

from __future__ import annotations

import json
import math
import signal
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

from benchmarks import figures, history, machine, report
from benchmarks.case import load, matching, names
from benchmarks.harness import Benchmark, Settings
from benchmarks.peers import Peer, discover
from spikesim.errors import SpikesimError
from spikesim.plotting import save as save_figure

_stderr = Console(stderr=True)
SUFFIXES = (".jsonl", ".txt", ".png")


def _refuse(message: str) -> NoReturn:
    _stderr.print(f"[red]Error:[/red] {message}", highlight=False, soft_wrap=True)
    raise typer.Exit(2)


def _choose(wanted: list[str] | None, scaling: str | None) -> list[str]:
    """Benchmarks by name, pattern or beginning; all where nothing is named."""
    patterns = [*(wanted or ([] if scaling else names()))]
    if scaling:
        axes = [name.removeprefix("scaling-") for name in matching("scaling", names())]
        if scaling not in axes:
            _refuse(f"unknown --scaling {scaling!r}; valid: {', '.join(axes)}")
        patterns.append(f"scaling-{scaling}")
    chosen: dict[str, None] = {}
    for pattern in patterns:
        found = matching(pattern, names())
        if not found:
            _refuse(f"unknown benchmark {pattern!r}; valid: {', '.join(names())}")
        chosen |= dict.fromkeys(found)
    return list(chosen)


def _rivals(peers: str | None) -> list[Peer]:
    found = discover()
    if peers == "none":
        return []
    wanted = list(found) if peers is None else peers.split(",")
    for name in wanted:
        if name not in found:
            _refuse(f"unknown peer {name!r}; valid: {', '.join([*found, 'none'])}")
    return [found[name] for name in wanted]


def _check(settings: Settings) -> None:
    for name, value in (("threads", settings.threads), ("repeat", settings.repeat)):
        if value is not None and value < 1:
            _refuse(f"--{name} must be >= 1, got {value}")
    if settings.seed < 0:
        _refuse(f"--seed must be >= 0, got {settings.seed}")
    for name, number in (("scale", settings.scale), ("duration", settings.duration)):
        if number is not None and not (math.isfinite(number) and number > 0):
            _refuse(f"--{name} must be > 0, got {number:g}")


def _prepare(out: Path | None, past: Path | None, wanted: list[str], overwrite: bool) -> None:
    if past is not None and (past.is_dir() or not past.parent.is_dir()):
        _refuse(f"--history {past}: {'is a folder' if past.is_dir() else f'folder {past.parent} does not exist'}")
    if out is None:
        return
    existing = [out / f"{name}{suffix}" for name in wanted for suffix in SUFFIXES if (out / f"{name}{suffix}").exists()]
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
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help=f"Of {', '.join(names())}; also the beginning of several (scaling), or brunel*; default all.",
        ),
    ] = None,
    peers: Annotated[
        str | None, typer.Option(help=f"Other simulators, comma-separated, or none. Default {','.join(discover())}.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of every side instead of the benchmark's own.")] = None,
    scale: Annotated[float | None, typer.Option(help="Size of the network instead of the benchmark's own.")] = None,
    duration: Annotated[float | None, typer.Option(help="Simulated ms instead of the benchmark's own.")] = None,
    repeat: Annotated[int, typer.Option(help="Runs of every side, each in a fresh process.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the first run; the k-th has seed + k.")] = 1,
    scaling: Annotated[
        str | None, typer.Option(metavar="n|indegree|rate|threads", help="Same as the name scaling-….")
    ] = None,
    statistics: Annotated[bool, typer.Option(help="Compare statistics of the activity instead of times.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per row.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write NAME.jsonl, .txt and .png here.")] = None,
    past: Annotated[Path | None, typer.Option("--history", metavar="FILE", help="Append the medians here.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace files in --out.")] = False,
) -> None:
    """Run benchmarks on ours and on other simulators, in turn and in fresh processes.

    Other simulators live in environments of their own, named by SPIKESIM_NEST_PYTHON and SPIKESIM_BRIAN2_PYTHON;
    `python -m benchmarks.peers install --into DIR` makes them. `python -m benchmarks.history FILE` shows a history.
    """
    settings = Settings(threads, scale, duration, repeat, seed, insist=peers is not None)
    _check(settings)
    wanted, rivals = _choose(cases, scaling), _rivals(peers)
    if statistics:
        wanted = [_of_statistics(name) for name in wanted]
    _prepare(out, past, wanted, overwrite)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, and what runs with it
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
            failed |= any(row.get("status") == "failed" for row in rows)
            _show(benchmark, rows, as_json, out, machine.sentence(here))
            if past is not None:
                history.append(past, rows, here)
            if interrupted:
                break
    raise typer.Exit(130 if interrupted else int(failed))


def _of_statistics(name: str) -> str:
    valid = [n for n in names() if load(n).statistics]
    wanted = name if name in valid else f"{name}-statistics"
    if wanted not in valid:
        _refuse(f"--statistics: {name} has none; valid: {', '.join(v.removesuffix('-statistics') for v in valid)}")
    return wanted


def _columns() -> tuple[ProgressColumn, ...]:
    text = TextColumn("{task.description}")
    return text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()


def _show(benchmark: Benchmark, rows: list[dict[str, Any]], as_json: bool, out: Path | None, where: str) -> None:
    tables, lines = report.tables(benchmark.case, rows), report.notes(rows)
    if as_json:
        for row in rows:
            print(json.dumps(row), flush=True)
    else:
        report.show(Console(width=None if sys.stdout.isatty() else 160), tables, lines, where)
    if out is not None:
        report.save(out, benchmark.name, rows, report.text(tables, lines, where))
        draw = benchmark.case.draw
        if any(row.get("repeat") for row in rows):
            figure = draw(rows) if draw else figures.bars(rows, benchmark.case.compare)
            save_figure(figure, out / f"{benchmark.name}.png", overwrite=True)


if __name__ == "__main__":
    typer.run(main)

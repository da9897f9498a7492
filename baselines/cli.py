"""The command ``spikesim compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baselines.families import FAMILIES
from baselines.tasks import TASKS

_INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app` (entry point of the group ``spikesim.commands``)."""
    app.command()(compare)


def compare(
    families: Annotated[
        list[str] | None, typer.Argument(metavar="FAMILY", help=f"Any of {', '.join(FAMILIES)}. (default: mlp)")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All families, one after the other.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Embedded data, one seed, fewer passes: minutes, and figures to match.")
    ] = False,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Repetitions. (default: the family's)")] = None,
    data: Annotated[
        str, typer.Option(metavar="NAME", help=f"auto (the best that are there) or {', '.join(TASKS)}.")
    ] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write records, report and figures there; an interrupted one goes on."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data. (default: the family's)")] = None,
    steps: Annotated[int | None, typer.Option(help="Time steps of the spiking twin. (default: the family's)")] = None,
    engine: Annotated[str, typer.Option(help="Engine of the replay: event or grid.")] = "event",
    threads: Annotated[
        int | None, typer.Option(help="Threads of torch and core. (default: 1 and all processors)")
    ] = None,
    jobs: Annotated[
        int, typer.Option(metavar="N", help="Seeds worked on side by side, which disturbs their wall times.")
    ] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Train an ANN and its spiking twin, replay the twin in the core, and compare: accuracy, operations, energy."""
    from baselines.pages import terminal
    from baselines.plan import Options
    from baselines.runner import compare as run
    from spikesim.commands import show

    if every and families:
        raise typer.BadParameter(f"either --all or families, not both (got {', '.join(families)})")
    options = Options(data, seeds, epochs, steps, engine, threads, out, overwrite, quick, jobs)
    report = run(list(FAMILIES) if every else families or (), options)
    if json:
        typer.echo(report.json())
    else:
        show(*terminal(report.families))
    for path in report.written:
        typer.echo(f"wrote {path}", err=True)
    if report.interrupted:
        again = "; the same command goes on from there" if out else ""
        typer.secho(f"interrupted; finished seeds: {report.finished}{again}", fg="yellow", err=True)
        raise typer.Exit(_INTERRUPTED)

"""The command ``spikesim claims``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baselines.claims.experiments import CLAIMS

_INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app` (entry point of the group ``spikesim.commands``)."""
    app.command()(claims)


def claims(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help=f"Any of {', '.join(CLAIMS)}. (default: all)")
    ] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Repetitions. (default: 5)")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small networks, few passes, three seeds: to see that it works.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes. (default: one per processor, 4 at most)")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write records, report and figures there; an interrupted run goes on."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Test what is commonly said of spiking networks, each by an experiment with a rule for its verdict."""
    from baselines.claims.pages import terminal
    from baselines.claims.plan import Options, processors
    from baselines.claims.runner import examine
    from spikesim.commands import show

    options = Options(tuple(names or ()), seeds, quick, processors() if jobs is None else jobs, out, overwrite)
    report = examine(options)
    if json:
        typer.echo(report.json())
    else:
        show(*terminal(report.document))
    for path in report.written:
        typer.echo(f"wrote {path}", err=True)
    if report.interrupted:
        again = "; the same command goes on from there" if out else ""
        typer.secho(f"interrupted; finished seeds: {report.finished}{again}", fg="yellow", err=True)
        raise typer.Exit(_INTERRUPTED)

"""The command ``spikesim encode``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app` (entry point of the group ``spikesim.commands``)."""
    app.command()(encode)


def encode(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="digits, mnist, fsdd, nmnist, braille, or a .npy, .csv, .wav, .png file."),
    ] = "digits",
    encoder: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A code; may be repeated. (default: a shortlist)")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Try every code there is.")] = False,
    codes: Annotated[bool, typer.Option("--codes", help="List the codes and leave.")] = False,
    classifier: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="surrogate, linear, count or stdp; may be repeated, the first decides. (default: all)"
        ),
    ] = None,
    budget: Annotated[
        list[int] | None, typer.Option(metavar="MS", help="Time steps of 1 ms per frame; may be repeated.")
    ] = None,
    noise: Annotated[
        list[float] | None,
        typer.Option(metavar="SD", help="Input noise under which to test; may be repeated. (default: 0.2)"),
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", help="Repetitions.")] = 3,
    limit: Annotated[
        int, typer.Option(metavar="N", help="Training samples at most, 0 for the data set's own choice.")
    ] = 0,
    features: Annotated[str, typer.Option(help="From sound to channels: mel, cochlea or raw.")] = "mel",
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Labels (.npy or .csv) of a file of yours.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write rows, report and figures there; an interrupted one goes on."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Try spike codes on a signal: spikes, error, information, accuracy, latency, faults, energy — and a recommendation."""
    from spikesim.commands import print_json, show
    from spikesim.errors import ParameterError

    if codes:
        from baselines.encoding.pages import listing

        print_json(listing()) if json else show(*listing(as_table=True))
        return
    if every and encoder:
        raise ParameterError("--all: tries every code; leave out --encoder")
    from baselines.encoding.pages import terminal
    from baselines.encoding.plan import Options
    from baselines.encoding.runner import encode as run

    options = Options(
        data, ("all",) if every else tuple(encoder or ()), tuple(classifier or ()), tuple(budget or ()),
        tuple(noise or ()), seeds, limit, features, labels, out, overwrite,
    )  # fmt: skip
    report = run(options)
    if json:
        typer.echo(report.json())
    else:
        show(*terminal(report.document))
    for path in report.written:
        typer.echo(f"wrote {path}", err=True)
    if report.interrupted:
        again = "; the same command goes on from there" if out else ""
        done = f"{len(report.document['rows'])} of {report.document['rows_planned']} rows are finished"
        typer.secho(f"interrupted; {done}{again}", fg="yellow", err=True)
        raise typer.Exit(_INTERRUPTED)

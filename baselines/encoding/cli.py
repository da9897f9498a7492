"""The command ``spikesim encode``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_INTERRUPTED = 130
_DATA = "digits, mnist, fsdd, nmnist, braille, or a .npy, .csv, .wav, .png or event file."
_CLASSIFIERS = "surrogate, linear, count, stdp; may be repeated, the first decides. (default: all)"


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app` (entry point of the group ``spikesim.commands``)."""
    app.command()(encode)


def encode(
    data: Annotated[str, typer.Argument(metavar="DATA", help=_DATA)] = "digits",
    encoder: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A code; may be repeated. (default: a shortlist)")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Try every code there is.")] = False,
    codes: Annotated[bool, typer.Option("--codes", help="List the codes and leave.")] = False,
    classifier: Annotated[list[str] | None, typer.Option(metavar="NAME", help=_CLASSIFIERS)] = None,
    budget: Annotated[
        list[int] | None, typer.Option(metavar="MS", help="Time steps of 1 ms per frame; may be repeated.")
    ] = None,
    noise: Annotated[
        list[float] | None, typer.Option(metavar="SD", help="Input noise to test with; may be repeated. (default: 0.2)")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", help="Repetitions.")] = 3,
    limit: Annotated[
        int, typer.Option(metavar="N", help="Training samples at most, 0 for the data set's own choice.")
    ] = 0,
    features: Annotated[str, typer.Option(help="From sound to channels: mel, cochlea or raw.")] = "mel",
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Labels (.npy or .csv) of a file of yours.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Processes. (default: one per processor, 4 at most)")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write rows, report and figures there; an interrupted one goes on."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Try spike codes on a signal: error, information, accuracy, latency, faults, energy, and which one to take."""
    from baselines.encoding.pages import listing, listing_page, terminal
    from baselines.encoding.plan import Options, processors
    from baselines.encoding.runner import encode as run
    from spikesim.commands import print_json, show
    from spikesim.errors import ParameterError

    if codes:
        if json:
            print_json(listing())
        else:
            show(*listing_page())
        return
    if every and encoder:
        raise ParameterError("--all: tries every code; leave out --encoder")
    options = Options(
        data=data,
        encoders=("all",) if every else tuple(encoder or ()),
        classifiers=tuple(classifier or ()),
        budgets=tuple(budget or ()),
        noise=tuple(noise or ()),
        seeds=seeds,
        limit=limit,
        features=features,
        labels=labels,
        out=out,
        overwrite=overwrite,
        jobs=processors() if jobs is None else jobs,
    )
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

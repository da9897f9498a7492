"""The command ``spikesim``: signatures and help; each command's work lives in its file in `spikesim.commands`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spikesim.commands import Group, learn

app = typer.Typer(
    cls=Group,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Spiking neural networks, simulated exactly: run networks from the literature and compare.",
)
app.add_typer(learn.group(), name="learn")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")]


@app.command()
def run(
    network: Annotated[str, typer.Argument(help="Name of the network; `spikesim zoo` lists them.")],
    engine: Annotated[
        str | None,
        typer.Option(help="event (exact, continuous time) or grid (time steps). (default: event where possible)"),
    ] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="MS", help="Simulated time. (default: the network's)")
    ] = None,
    dt: Annotated[
        float | None, typer.Option(metavar="MS", help="Time step of the grid. (default: the network's)")
    ] = None,
    scale: Annotated[float, typer.Option(metavar="X", help="Multiplies the neuron numbers.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Decides every random number.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads; spikes do not depend on it.")] = 1,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write spikes.h5, summary.json and overview.png there.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture of the activity.")] = None,
    states: Annotated[
        str | None,
        typer.Option(
            "--record-states",
            metavar="NAMES",
            help="Sample these states of all neurons, such as v or v,i_syn, and write them to spikes.h5; needs --out.",
        ),
    ] = None,
    interval: Annotated[
        float | None, typer.Option(metavar="MS", help="Time between samples of --record-states. (default: 1)")
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Run a network from the literature and print sizes, times, rates and irregularity."""
    from spikesim.commands.run import Plan, command

    plan = Plan(
        network,
        engine,
        duration,
        dt,
        scale,
        seed,
        threads,
        tuple(settings or ()),
        out,
        plot,
        overwrite,
        states,
        interval,
    )
    command(plan, json)


@app.command()
def zoo(
    network: Annotated[str | None, typer.Argument(help="Show the parameters of this network.")] = None,
    json: Json = False,
) -> None:
    """List the networks that can be run, or show the source and parameters of one."""
    from spikesim.commands.zoo import command

    command(network, json)


@app.command()
def info(json: Json = False) -> None:
    """Show version, machine, kernel cache, and which engine runs which parts."""
    from spikesim.commands.info import command

    command(json)


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Options before any command."""
    if version:
        from spikesim import __version__

        typer.echo(f"spikesim {__version__}")
        raise typer.Exit()


def main(args: list[str] | None = None) -> Any:
    """Run the command line; `args` default to those of the process."""
    return app(args=args, prog_name="spikesim")

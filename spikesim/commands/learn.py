"""``spikesim learn``: one command per study, made from the settings the study declares."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from spikesim.commands import INTERRUPTED, print_json, show, table, to_json
from spikesim.errors import FileError

FILES = ("summary.json", "picture.png", "learner.h5")
COMMON: dict[str, tuple[Any, Any]] = {
    "seed": (Annotated[int, typer.Option(help="Decides every random number.")], 0),
    "out": (
        Annotated[Path | None, typer.Option(metavar="DIR", help=f"Write {', '.join(FILES)} there.")], None,
    ),
    "overwrite": (Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")], False),
    "json": (Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")], False),
}  # fmt: skip


class Studies(TyperGroup):
    """A group whose commands are the studies, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the studies."""
        from spikesim import studies

        return list(studies.names())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one study; an unknown name is an error that lists the valid ones."""
        if cmd_name not in self.commands:
            self.commands[cmd_name] = made(cmd_name)
        return self.commands[cmd_name]


def made(name: str) -> Any:
    """Command with one option per setting of the study."""
    from spikesim import studies

    study = studies.get(name)
    parameters = [_option(info) for info in study.settings()]
    for key, (annotation, default) in COMMON.items():
        parameters.append(
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )

    def command(**values: Any) -> None:
        common = {key: values.pop(key) for key in COMMON}
        carry_out(name, values, **common)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    app = typer.Typer()
    app.command(name, help=f"{study.title}.\n\n{study.citation}")(command)
    app.callback()(lambda: None)  # a group, even of one
    return typer.main.get_group(app).commands[name]


def _option(info: Any) -> inspect.Parameter:
    allowed = info.bounds.replace(" | ", ", ") + (f", {info.unit}" if info.unit else "")
    help = f"{info.meaning[0].upper()}{info.meaning[1:]} ({allowed.strip(', ')})."
    kind: Any = type(info.default)
    annotation = Annotated[kind, typer.Option(f"--{info.name.replace('_', '-')}", help=help)]
    return inspect.Parameter(info.name, inspect.Parameter.KEYWORD_ONLY, default=info.default, annotation=annotation)


def carry_out(name: str, settings: dict[str, Any], *, seed: int, out: Path | None, overwrite: bool, json: bool) -> None:
    """Run the study, print what it found, write its files."""
    from spikesim import studies
    from spikesim.commands.run import announced

    study = studies.get(name).named(settings)
    check_folder(out, overwrite)
    with announced():
        outcome = study.execute(seed, None, out)
    found = outcome.summary
    written = write(outcome, found, out, overwrite) if out else []
    if json:
        print_json(found)
    else:
        show(*page(study, found))
    for path in written:
        typer.echo(f"wrote {path}", err=True)
    if outcome.interrupted:
        typer.secho("interrupted; shown is what was found until then", fg="yellow", err=True)
        raise typer.Exit(INTERRUPTED)


def check_folder(out: Path | None, overwrite: bool) -> None:
    """Make the output folder and be sure that every file can be written."""
    if out is None:
        return
    for path in (out / file for file in FILES):
        if path.exists() and not overwrite:
            raise FileError(f"{path}: exists already; add --overwrite to replace it")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise FileError(f"{out}: cannot write there ({error.strerror})") from None


def write(outcome: Any, found: dict[str, Any], out: Path, overwrite: bool) -> list[Path]:
    """Summary, picture and learner; returns their paths."""
    from spikesim import plotting
    from spikesim.commands.run import write_text

    summary, picture, learner = (out / file for file in FILES)
    write_text(summary, to_json(found) + "\n")
    plotting.save(outcome.draw(), picture, overwrite=overwrite)
    return [summary, picture, *([outcome.learner.save(learner, overwrite)] if outcome.learner else [])]


def page(study: Any, found: dict[str, Any]) -> list[Any]:
    """A table of facts, and one table per list of rows."""
    facts = table(f"{study.name}: {study.title}", "", "")
    facts.show_header = False
    rows = {key: value for key, value in found.items() if isinstance(value, list) and value}
    plain = {k: v for k, v in found.items() if not isinstance(v, (list, dict)) and k not in ("study", "interrupted")}
    for key, value in plain.items():
        facts.add_row(key.replace("_", " "), _cell(value))
    tables = [facts]
    for key, entries in rows.items():
        if not isinstance(entries[0], dict):
            continue
        listing = table(key.replace("_", " "), *(f">{c.replace('_', ' ')}" for c in entries[0]))
        for entry in entries:
            listing.add_row(*map(_cell, entry.values()))
        tables.append(listing)
    return tables


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def group() -> typer.Typer:
    """The sub-application ``learn``."""
    app = typer.Typer(cls=Studies, no_args_is_help=True, add_completion=False, rich_markup_mode="rich")
    app.callback()(_learn)
    return app


def _learn() -> None:
    """Carry out a learning experiment from the literature; each has settings of its own, see its --help."""

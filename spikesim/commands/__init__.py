"""Commands of ``spikesim``, and what they share: errors as one line, commands of other packages, JSON and tables."""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, TextIO

import typer
from typer.core import TyperGroup

from spikesim.errors import SpikesimError

if TYPE_CHECKING:
    from rich.table import Table

PLUGINS = "spikesim.commands"  # entry point group; each entry point is a function register(app: typer.Typer)
WRONG, INTERRUPTED = 2, 130  # exit codes


class Group(TyperGroup):
    """Commands that end in one line where a user made a mistake, and that other packages can add to."""

    complete = False  # whether other packages have been asked

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; own errors, lack of memory and Ctrl-C end without a traceback."""
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except SpikesimError as error:
                _fail(str(error), WRONG)
            except MemoryError as error:
                _fail(f"not enough memory ({error or 'no details'}); try a smaller --scale or fewer steps", WRONG)
            except KeyboardInterrupt:
                _fail("interrupted", INTERRUPTED)

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands, those of other packages included."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Command by name; other packages are only looked at for names that are not our own."""
        if cmd_name not in self.commands:
            self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        if self.complete:
            return
        self.complete = True
        for entry in entry_points(group=PLUGINS):
            for name, command in _commands_of(entry).items():
                self.commands.setdefault(name, command)


def _commands_of(entry: EntryPoint) -> dict[str, Any]:
    """Commands another package registers; where it lacks a library, a command that says how to install it."""
    extra = typer.Typer(cls=TyperGroup)
    try:
        entry.load()(extra)
    except ImportError as error:
        extra = typer.Typer(cls=TyperGroup)
        package = entry.module.partition(".")[0]
        hint = f"{entry.name} needs {error.name or package}, which is not installed; pip install 'spikesim[{package}]'"
        settings = {"ignore_unknown_options": True, "allow_extra_args": True}
        extra.command(entry.name, help=f"Not available: {hint}", context_settings=settings)(_missing(hint))
    return dict(typer.main.get_group(extra).commands)


def _missing(hint: str) -> Callable[[], None]:
    def command() -> None:
        raise SpikesimError(hint)

    return command


def _fail(message: str, code: int) -> None:
    typer.secho(f"error: {' '.join(message.split())}", fg="red", err=True)
    raise typer.Exit(code)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    typer.secho(f"note: {' '.join(str(message).split())}", fg="yellow", err=True)


def print_json(value: Any) -> None:
    """Print one JSON document; numbers that are not finite become null."""
    typer.echo(to_json(value))


def to_json(value: Any) -> str:
    """JSON text with two spaces of indentation; numbers that are not finite become null."""
    return json.dumps(_finite(value), indent=2)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(title: str | None, *columns: str) -> Table:
    """Empty table; columns whose name starts with ``>`` are aligned to the right."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        made.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    return made


def show(*items: Any) -> None:
    """Print tables and texts to stdout; a page that is not a terminal gets plain text, wide enough for every table."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 110, markup=False, highlight=False)
    for item in items:
        console.print(item)

"""One way to show how far a long task is: a bar with remaining time in terminals and notebooks, silence elsewhere.

Use::

    with track(progress, total=duration, label="brunel, event engine") as report:
        while t < duration:
            ...
            report(t)
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spikesim.errors import ParameterError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

ProgressOption = bool | None | Callable[[float, float], object]
Report = Callable[..., object]

PATIENCE = 2.0  # seconds before a bar appears unasked
INTERVAL = 0.1  # seconds between redraws
_showing = threading.Lock()  # one bar at a time: tasks inside a shown task stay silent


@contextmanager
def track(progress: ProgressOption, total: float | None, label: str = "", unit: str = "ms") -> Iterator[Report]:
    """Give a function that is told how much is done, and show it.

    Parameters
    ----------
    progress : None, bool or callable
        None shows a bar once the task has lasted 2 s, True at once, False never; bars appear only where stderr is a
        terminal, or in a notebook, and vanish at the end. A callable gets ``(done, total)`` at every report instead.
    total : float or None
        Amount of work, in `unit`; None if unknown, which shows a moving bar without remaining time.
    label : str
        What is going on.
    unit : str
        Unit of `total`.

    Yields
    ------
    callable
        ``report(done, label="")``; cheap enough for an inner loop. A label replaces that of the task while it is given.

    Raises
    ------
    ParameterError
        If `progress` is none of the above.
    """
    if callable(progress):
        yield lambda done, label="": progress(done, total if total is not None else done)
        return
    if not (progress is None or isinstance(progress, bool)):
        raise ParameterError(f"progress: must be None, True, False or a function of (done, total), got {progress!r}")
    console = _console() if progress is not False else None
    if console is None:
        yield lambda done, label="": None
        return
    bar = _Bar(console, total, label, unit, 0.0 if progress else PATIENCE)
    try:
        yield bar.report
    finally:
        bar.close()


class _Bar:
    """A bar that appears after some patience and is redrawn a few times a second."""

    def __init__(self, console: Console, total: float | None, label: str, unit: str, patience: float) -> None:
        self.console, self.total, self.label, self.unit = console, total, label, unit
        self.said, self.patience = label, patience
        self.begun = time.monotonic()
        self.next = self.begun + patience
        self.shown: Progress | None = None
        self.owner = False
        self.handle: Any = None
        self.lock = threading.Lock()
        self.timer = threading.Timer(patience, self.show)
        self.timer.daemon = True
        self.timer.start()  # the first report may be a long way off

    def report(self, done: float, label: str = "") -> None:
        """Redraw if it is time, or if there is something new to say."""
        now = time.monotonic()
        if now < self.next and (label or self.label) == self.said:
            return
        self.said = label or self.label
        if now < self.begun + self.patience:
            return
        self.next = now + INTERVAL
        self.show()
        if self.shown is not None:
            self.shown.update(self.shown.task_ids[0], completed=done, description=self.said)
            if self.handle is not None:
                self.handle.update(self.text(self.shown), raw=True)

    def show(self) -> None:
        """Open the bar unless it or another one is open."""
        with self.lock:
            self.owner = self.owner or _showing.acquire(blocking=False)
            if self.owner and self.shown is None:
                self.shown = self.open()

    def open(self) -> Progress:
        """The bar, on the screen."""
        shown = _progress(self.console, self.unit)
        task = shown.add_task(self.said, total=self.total)
        shown.tasks[task].start_time = self.begun
        if self.console.is_jupyter:
            from IPython.display import display

            self.handle = display(self.text(shown), raw=True, display_id=True)
        else:
            shown.start()
        return shown

    def text(self, shown: Progress) -> dict[str, str]:
        """The bar as plain text, for a notebook's display."""
        from rich.console import Console

        page = Console(file=io.StringIO(), width=100, force_jupyter=False, color_system=None)
        page.print(shown.get_renderable())
        return {"text/plain": page.file.getvalue()}  # type: ignore[attr-defined]

    def close(self) -> None:
        """Remove the bar."""
        self.timer.cancel()
        self.timer.join()
        if self.shown is not None:
            if self.handle is not None:
                self.handle.update({"text/plain": ""}, raw=True)
            else:
                self.shown.stop()
        if self.owner:
            _showing.release()


def _progress(console: Console, unit: str) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn(f"{{task.completed:,.0f}} {unit}"),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("elapsed, left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        refresh_per_second=8,
        redirect_stdout=False,
        redirect_stderr=True,
    )


def _console() -> Console | None:
    """Where a bar can be shown: a terminal behind stderr or a notebook, else None."""
    notebook = "IPython" in sys.modules
    if not notebook and not (sys.stderr is not None and sys.stderr.isatty()):
        return None
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        return console
    return console if sys.stderr.isatty() and not console.is_dumb_terminal else None

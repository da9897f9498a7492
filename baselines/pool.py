"""Seeds side by side: processes that each work on one at a time."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any


def side_by_side(work: Callable[[Any], Any], units: Sequence[Any], jobs: int) -> Iterator[tuple[Any, Any]]:
    """Each unit with what `work` made of it, as they are finished; Ctrl-C, or leaving the loop, ends the processes.

    Parameters
    ----------
    work : callable
        A function of a module, since it is sent to other processes by name.
    units : sequence
        What it is given, one by one; anything that can be pickled.
    jobs : int
        Processes.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(jobs, len(units)), _begin) as pool:
        yield from pool.imap_unordered(partial(_call, work), units)


def _begin() -> None:
    """Make a process ready; Ctrl-C is for the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call(work: Callable[[Any], Any], unit: Any) -> tuple[Any, Any]:
    return unit, work(unit)

"""Ctrl-C between two slices of a run, never inside one."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupt:
    """Turns Ctrl-C into a request that is honoured between two slices, so that no state is left half done.

    A second Ctrl-C is passed on at once. Threads other than the main one and processes that ignore Ctrl-C are left
    as they are.
    """

    def __init__(self) -> None:
        self.asked = False
        self._old: Any = None

    def __enter__(self) -> Interrupt:
        here = threading.current_thread() is threading.main_thread()
        if here and signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None):
            self._old = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked and callable(self._old):
            self._old(number, frame)
        self.asked = True

    def __exit__(self, *error: Any) -> None:
        if self._old is not None:
            signal.signal(signal.SIGINT, self._old)

"""`track`: who sees a bar, when, and what a callable is told."""

import io
import sys
import time
import types

import pytest

from spikesim import progress as progress_module
from spikesim.errors import ParameterError
from spikesim.progress import track


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def as_terminal(monkeypatch):
    """Function that puts a terminal behind stderr; called in the test, as pytest replaces stderr before it."""

    def attach():
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
        return screen

    return attach


def test_callable_gets_done_and_total_at_every_report():
    seen = []
    with track(lambda done, total: seen.append((done, total)), 10.0) as report:
        for t in (2.5, 5.0, 10.0):
            report(t)
    assert seen == [(2.5, 10.0), (5.0, 10.0), (10.0, 10.0)]


def test_exceptions_of_a_callable_come_through():
    def stop(done, total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"), track(stop, 1.0) as report:
        report(0.5)


@pytest.mark.parametrize("option", [None, True])
def test_silent_where_stderr_is_not_a_terminal(monkeypatch, option):
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    with track(option, 10.0, "task") as report:
        report(5.0)
    assert pipe.getvalue() == ""


def test_silent_without_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with track(True, 10.0) as report:
        report(5.0)


def test_false_is_silent_in_a_terminal(as_terminal):
    terminal = as_terminal()
    with track(False, 10.0, "task") as report:
        report(5.0)
    assert terminal.getvalue() == ""


def test_true_shows_at_once_with_label_amount_and_time_left(as_terminal):
    terminal = as_terminal()
    with track(True, 1000.0, "the task") as report:
        report(250.0)
    shown = terminal.getvalue()
    assert "the task" in shown and "250 ms" in shown and "25 %" in shown and "left" in shown


def test_none_waits_for_patience(as_terminal, monkeypatch):
    terminal = as_terminal()
    with track(None, 10.0, "short task") as report:
        report(5.0)
    assert terminal.getvalue() == ""
    monkeypatch.setattr(progress_module, "PATIENCE", 0.01)
    with track(None, 10.0, "long task") as report:
        time.sleep(0.02)
        report(5.0)
    assert "long task" in terminal.getvalue()


@pytest.mark.parametrize("total", [None, 10.0])
def test_opens_without_reports(as_terminal, monkeypatch, total):
    terminal = as_terminal()
    monkeypatch.setattr(progress_module, "PATIENCE", 0.01)
    with track(None, total, "compiling"):
        time.sleep(0.2)
    assert "compiling" in terminal.getvalue()


def test_bar_is_removed_after_an_error_and_the_next_one_works(as_terminal):
    terminal = as_terminal()

    def broken():
        with track(True, 10.0, "first") as report:
            report(1.0)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    with track(True, 10.0, "second") as report:
        report(1.0)
    assert "second" in terminal.getvalue()


def test_a_task_inside_a_shown_task_stays_silent(as_terminal):
    terminal = as_terminal()
    with track(True, 10.0, "outer") as outer:
        outer(1.0)
        with track(True, 5.0, "inner") as inner:
            inner(1.0)
    assert "outer" in terminal.getvalue() and "inner" not in terminal.getvalue()


def test_dumb_terminal_is_silent(as_terminal, monkeypatch):
    terminal = as_terminal()
    monkeypatch.setenv("TERM", "dumb")
    with track(True, 10.0, "task") as report:
        report(5.0)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("wrong", [1, "yes", [True]])
def test_wrong_option(wrong):
    with pytest.raises(ParameterError, match="progress: must be None, True, False or a function"), track(wrong, 1.0):
        pass


def test_notebook_updates_one_display(monkeypatch):
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/plain"])

    def display(data, raw, display_id):
        shown.append(data["text/plain"])
        return Handle()

    class ZMQInteractiveShell:
        pass

    notebook = types.ModuleType("IPython")
    notebook.get_ipython = ZMQInteractiveShell
    notebook.display = types.ModuleType("IPython.display")
    notebook.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", notebook.display)
    monkeypatch.setattr("builtins.get_ipython", ZMQInteractiveShell, raising=False)
    monkeypatch.setattr(progress_module, "INTERVAL", 0.0)
    with track(True, 100.0, "cell") as report:
        report(50.0)
        report(75.0)
    assert "cell" in shown[1] and "50 %" in shown[1] and "75 %" in shown[2] and shown[-1] == ""

"""The loop over codes and budgets: rows kept as they come, Ctrl-C between them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from baselines.encoding.figures import FIGURES
from baselines.encoding.lab import measure
from baselines.encoding.plan import Options, Plan, make_plan
from baselines.encoding.report import Report, summarise
from baselines.errors import require_extra
from baselines.records import PAGE, REPORT, Folder
from baselines.seeds import torch_threads
from spikesim.errors import ParameterError
from spikesim.progress import ProgressOption, track

Row = tuple[str, int]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
KEY = ("encoder", "budget", "data", "fingerprint", "settings")


def encode(options: Options | None = None, progress: ProgressOption = None) -> Report:
    """Try codes on data, and report.

    Parameters
    ----------
    options : Options or None
        None takes all defaults.
    progress : None, bool or callable
        As in `spikesim.simulate`.

    Returns
    -------
    Report
        Rows, sentences and the JSON document. Ctrl-C ends the run early: the report then covers the rows that were
        finished and says so.

    Raises
    ------
    MissingExtraError
        If torch, snnTorch or scikit-learn are not installed.
    ParameterError
        If a name or a number makes no sense, or no code works within any of the budgets.
    FileError
        If data are missing, or `Options.out` holds something that would be lost.
    """
    require_extra()
    options = options or Options()
    with track(progress, None, f"loading {options.data}", ""):
        plan = make_plan(options)
    keys = [plan.key(*row) for row in plan.rows]
    folder = Folder(options.out, options.overwrite, keys, list(FIGURES), KEY) if options.out else None
    rows: list[dict[str, Any]] = []
    skipped: list[str] = []
    try:
        _run(plan, folder, rows, skipped, progress)
    except KeyboardInterrupt:
        return summarise(plan, rows, skipped, interrupted=True, written=folder.written if folder else ())
    if not rows:
        raise ParameterError(f"no code works within these budgets: {'; '.join(skipped)}")
    report = summarise(plan, rows, skipped)
    if folder:
        for name, draw in FIGURES.items():
            folder.write(name, draw(plan, report.document))
        folder.write_text(PAGE, report.markdown())
        folder.write_text(REPORT, report.json() + "\n")
        report.written = tuple(folder.written)
    return report


def _run(
    plan: Plan, folder: Folder | None, rows: list[dict[str, Any]], skipped: list[str], progress: ProgressOption
) -> None:
    """All rows, those `folder` knows already from there; in the order of the plan as far as they are done."""
    known = {str(_key(r)): r for r in folder.records} if folder else {}
    wanted = [row for row in plan.rows if str(plan.key(*row)) not in known]
    done = {(r["encoder"], r["budget"]): r for r in known.values()}
    label = f"{len(plan.encoders)} codes on {plan.material.name}"
    try:
        with track(progress, len(plan.rows), label, "rows") as show:
            for row, found in _measured(plan, wanted):
                if isinstance(found, str):
                    skipped.append(f"{row[0]} with {row[1]} ms: {found}")
                else:
                    done[row] = found
                    if folder:
                        folder.add(found)
                show(len(done) + len(skipped), f"{label}: {row[0]}, {row[1]} ms")
    finally:
        rows += [done[row] for row in plan.rows if row in done]


def _measured(plan: Plan, wanted: list[Row]) -> Iterator[tuple[Row, dict[str, Any] | str]]:
    """Rows as they are finished, or why one cannot be."""
    if plan.jobs == 1 or len(wanted) < 2:
        with torch_threads(1):
            for row in wanted:
                yield row, _attempt(plan, row)
        return
    context = multiprocessing.get_context("spawn")
    with _one_thread_each():
        pool = context.Pool(min(plan.jobs, len(wanted)), _begin, (plan,))
    with pool:  # leaving it ends its processes
        yield from pool.imap_unordered(_work, wanted)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started meanwhile do linear algebra on one thread: there is one of them a processor."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _attempt(plan: Plan, row: Row) -> dict[str, Any] | str:
    try:
        return measure(plan, *row)
    except ParameterError as error:
        return str(error)


_plan: Plan | None = None  # of a worker process


def _begin(plan: Plan) -> None:
    """Make a worker ready; Ctrl-C is for the process that started it."""
    global _plan
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    _plan = plan


def _work(row: Row) -> tuple[Row, dict[str, Any] | str]:
    assert _plan is not None
    return row, _attempt(_plan, row)


def _key(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in KEY}

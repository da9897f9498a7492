"""The loop over codes and budgets: rows kept as they come, Ctrl-C between them."""

from __future__ import annotations

from typing import Any

from baselines.encoding.figures import FIGURES
from baselines.encoding.lab import measure
from baselines.encoding.plan import Options, Plan, make_plan
from baselines.encoding.report import Report, summarise
from baselines.errors import require_extra
from baselines.records import PAGE, REPORT, Folder
from spikesim.errors import ParameterError
from spikesim.progress import ProgressOption, track

KEY = ("encoder", "budget", "data", "settings")


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
    from baselines.runner import torch_threads

    known = {str(plan_key(r)): r for r in folder.records} if folder else {}
    label = f"{len(plan.encoders)} codes on {plan.material.name}"
    with track(progress, len(plan.rows), label, "rows") as show, torch_threads(1):
        for done, (encoder, budget) in enumerate(plan.rows):
            show(done, f"{label}: {encoder}, {budget} ms")
            row = known.get(str(plan.key(encoder, budget)))
            if row is None:
                try:
                    row = measure(plan, encoder, budget)
                except ParameterError as error:
                    skipped.append(f"{encoder} with {budget} ms: {error}")
                    continue
                if folder:
                    folder.add(row)
            rows.append(row)


def plan_key(row: dict[str, Any]) -> dict[str, Any]:
    """The key a row was stored under."""
    return {name: row[name] for name in KEY}

"""The loop over claims and seeds: records kept as they come, Ctrl-C between them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from baselines.claims.figures import picture
from baselines.claims.pages import page
from baselines.claims.plan import Options, Plan, make_plans
from baselines.claims.report import Diverged, Report, summarise
from baselines.errors import TrainingError, require_extra
from baselines.pool import side_by_side
from baselines.records import HTML, PAGE, REPORT, Folder, plain
from baselines.seeds import torch_threads
from spikesim.progress import ProgressOption, track

KEY = ("claim", "settings")
Made = dict[str, Any] | Diverged


class _Unit(NamedTuple):
    """A seed for another process, its claim by name."""

    claim: str
    settings: Any
    quick: bool
    seed: int


def examine(options: Options | None = None, progress: ProgressOption = None) -> Report:
    """Run the experiments, and say which claims hold.

    Parameters
    ----------
    options : Options or None
        None tests all claims with their own settings.
    progress : None, bool or callable
        As in `spikesim.simulate`.

    Returns
    -------
    Report
        Verdicts and the JSON document. Ctrl-C ends the run early: the report then covers the seeds that were finished
        and says so.

    Raises
    ------
    MissingExtraError
        If torch, snnTorch or scikit-learn are not installed.
    ParameterError
        If a name or a number makes no sense.
    FileError
        If `Options.out` holds something that would be lost.
    TrainingError
        If every training diverged; where some did, the report names them and leaves their seeds out.
    """
    require_extra()
    options = options or Options()
    plans = make_plans(options)
    folder = _folder(options, plans)
    records: list[dict[str, Any]] = []
    diverged: list[Diverged] = []
    try:
        _run(plans, options.jobs, folder, records, diverged, progress)
    except KeyboardInterrupt:
        return summarise(plans, records, diverged, interrupted=True, written=folder.written if folder else ())
    if diverged and not records:
        raise TrainingError(f"{diverged[0].claim}, seed {diverged[0].seed}: {diverged[0].error}; no seed was finished")
    report = summarise(plans, records, diverged)
    if folder:
        _write(folder, report)
    return report


def _folder(options: Options, plans: Sequence[Plan]) -> Folder | None:
    if options.out is None:
        return None
    pictures = [f"{plan.claim.name}.png" for plan in plans]
    return Folder(options.out, options.overwrite, [p.key for p in plans], pictures, KEY)


def _run(
    plans: Sequence[Plan],
    jobs: int,
    folder: Folder | None,
    records: list[dict[str, Any]],
    diverged: list[Diverged],
    progress: ProgressOption,
) -> None:
    """All seeds of all claims, those `folder` knows already from there; in the order of the plans in the end."""
    units = [(plan, seed) for plan in plans for seed in range(plan.settings.seeds)]
    done = {(p.claim.name, seed): found for p, seed in units if folder and (found := folder.find(p.key, seed))}
    wanted = [(plan, seed) for plan, seed in units if (plan.claim.name, seed) not in done]
    label, finished = f"{len(plans)} {'claim' if len(plans) == 1 else 'claims'}", 0.0
    try:
        with track(progress, sum(plan.work for plan, _ in wanted), label, "s of work, roughly") as show:
            for plan, seed, made in _made(wanted, jobs, show):
                finished += plan.work
                show(finished, _at(plan, seed))
                if isinstance(made, Diverged):
                    diverged.append(made)
                    continue
                done[plan.claim.name, seed] = made
                if folder:
                    folder.add(made)
    finally:
        records += [done[plan.claim.name, seed] for plan, seed in units if (plan.claim.name, seed) in done]


def _at(plan: Plan, seed: int) -> str:
    return f"{plan.claim.name}, seed {seed + 1} of {plan.settings.seeds}"


def _made(wanted: list[tuple[Plan, int]], jobs: int, show: Any) -> Iterator[tuple[Plan, int, Made]]:
    """Records as they are finished; `show` is told how far the present one is, where they are made one by one."""
    if jobs == 1 or len(wanted) < 2:
        before = 0.0
        with torch_threads(1):
            for plan, seed in wanted:
                yield plan, seed, _attempt(plan, seed, partial(_show, show, plan, seed, before))
                before += plan.work
        return
    by_name = {plan.claim.name: plan for plan, _ in wanted}
    units = [_Unit(plan.claim.name, plan.settings, plan.quick, seed) for plan, seed in wanted]
    for unit, made in side_by_side(_elsewhere, units, jobs):
        yield by_name[unit.claim], unit.seed, made


def _show(show: Any, plan: Plan, seed: int, before: float, fraction: float) -> None:
    show(before + fraction * plan.work, _at(plan, seed))


def _attempt(plan: Plan, seed: int, tell: Any) -> Made:
    """The record of a seed, or why there is none."""
    started = time.perf_counter()
    try:
        found = plan.claim.run(plan.settings, seed, tell)
    except TrainingError as error:
        return Diverged(plan.claim.name, seed, str(error))
    return {**plan.key, "seed": seed, **plain(found), "took_s": time.perf_counter() - started}


def _elsewhere(unit: _Unit) -> Made:
    """The record of a seed, made in a process of its own."""
    from baselines.claims.experiments import CLAIMS

    with torch_threads(1):
        return _attempt(Plan(CLAIMS[unit.claim], unit.settings, unit.quick), unit.seed, lambda fraction: None)


def _write(folder: Folder, report: Report) -> None:
    pictures: dict[str, bytes] = {}
    for claim in report.document["claims"]:
        name = f"{claim['name']}.png"
        folder.write(name, picture(claim))
        pictures[name] = (folder.path / name).read_bytes()
    folder.write_text(HTML, page(report.document, pictures))
    folder.write_text(PAGE, report.markdown())
    folder.write_text(REPORT, report.json() + "\n")
    report.written = tuple(folder.written)

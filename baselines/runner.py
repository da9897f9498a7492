"""The loop over families and seeds: records kept as they come, Ctrl-C between them; it knows no family by name."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache, partial
from typing import Any, BinaryIO, NamedTuple

from baselines.checkpoints import Checkpoints, look_through
from baselines.contract import Outcome
from baselines.errors import TrainingError, require_extra
from baselines.figures import DRAWINGS, draw_raster
from baselines.html import page
from baselines.plan import Options, Plan, make_plan
from baselines.pool import side_by_side
from baselines.records import HTML, PAGE, REPORT, Folder
from baselines.report import Diverged, Report, summarise
from baselines.seeds import Tell, run_seed, torch_threads
from baselines.tasks import TASKS
from spikesim.progress import ProgressOption, track

DEFAULT_FAMILY = "mlp"
ANIMATION = "animation.gif"


def compare(families: Sequence[str] = (), options: Options | None = None, progress: ProgressOption = None) -> Report:
    """Train the families and their spiking twins, replay the twins in the core, and report.

    Parameters
    ----------
    families : sequence of str
        Names; none means ``mlp``.
    options : Options or None
        None takes all defaults.
    progress : None, bool or callable
        As in `spikesim.simulate`.

    Returns
    -------
    Report
        Tables, sentences and the JSON document. Ctrl-C ends the comparison early: the report then covers the
        seeds that were finished and says so.

    Raises
    ------
    MissingExtraError
        If torch, snnTorch or scikit-learn are not installed.
    ParameterError
        If a name or a number makes no sense.
    FileError
        If data are missing, or `Options.out` holds something that would be lost.
    TrainingError
        If every training diverged; where some did, the report names them and leaves them out of its figures.
    """
    require_extra()
    options = options or Options()
    plans = [make_plan(name, options) for name in dict.fromkeys(families or (DEFAULT_FAMILY,))]
    drawn = [f"{kind}.png" for kind in DRAWINGS]
    pictures = [f"{plan.family.name}_{kind}" for plan in plans for kind in (*_kinds(plan), *drawn)]
    folder = Folder(options.out, options.overwrite, [p.key for p in plans], pictures) if options.out else None
    if folder:
        look_through(folder.path, [p.key for p in plans], options.overwrite)
    records: list[dict[str, Any]] = []
    diverged: list[Diverged] = []
    try:
        tasks = {plan.task.name: plan.task for plan in plans}
        loaded = {name: task.load() for name, task in tasks.items()}  # damaged files end it before any training
        if options.jobs > 1:
            _run_side_by_side(plans, options, folder, records, diverged, progress)
        else:
            for plan in plans:
                _run_plan(plan, loaded[plan.task.name], folder, records, diverged, progress)
    except KeyboardInterrupt:
        return summarise(plans, records, diverged, interrupted=True, written=folder.written if folder else ())
    if diverged and not records:
        raise TrainingError(f"{diverged[0].family}, seed {diverged[0].seed}: {diverged[0].error}; no seed was finished")
    report = summarise(plans, records, diverged)
    if folder:
        _write(folder, report)
    return report


class _Unit(NamedTuple):
    """A seed for another process: what to do by name, and whether to draw what came out."""

    family: str
    options: Options
    seed: int
    draw: bool


Pictures = dict[str, bytes]


def _run_plan(
    plan: Plan,
    data: Any,
    folder: Folder | None,
    records: list[dict[str, Any]],
    diverged: list[Diverged],
    progress: ProgressOption,
) -> None:
    """All seeds of one family; seeds that `folder` knows already are taken from there."""
    seeds = plan.settings.seeds
    label = f"{plan.family.name} on {plan.task.name}, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    with track(progress, seeds * plan.work, label, "passes") as show, torch_threads(plan.torch_threads):
        for seed in range(seeds):
            checkpoints = Checkpoints(folder.path if folder else None, plan.key, seed)
            known = folder.find(plan.key, seed) if folder else None
            if known is not None:
                checkpoints.clear()
                records.append(known)
                continue
            draw = folder is not None and _undrawn(folder, plan)
            tell = partial(_show_seed, show, seed, plan.work)
            record, pictures = _attempt(plan, data, seed, tell, draw, checkpoints)
            if isinstance(record, Diverged):
                diverged.append(record)
                _show_seed(show, seed, plan.work, plan.work)
                continue
            _keep(folder, record, pictures)
            checkpoints.clear()
            records.append(record)


def _run_side_by_side(
    plans: Sequence[Plan],
    options: Options,
    folder: Folder | None,
    records: list[dict[str, Any]],
    diverged: list[Diverged],
    progress: ProgressOption,
) -> None:
    """The same for all families at once, in `Options.jobs` processes; records in the order of the plans in the end."""
    units = [(plan, seed) for plan in plans for seed in range(plan.settings.seeds)]
    made = {(p.family.name, seed): found for p, seed in units if folder and (found := folder.find(p.key, seed))}
    wanted = [(plan, seed) for plan, seed in units if (plan.family.name, seed) not in made]
    drawn = {plan.family.name: plan.settings.seeds for plan in plans if folder and _undrawn(folder, plan)}
    sent = [_Unit(p.family.name, options, seed, p.family.name in drawn) for p, seed in wanted]
    work, done = {plan.family.name: plan.work for plan in plans}, 0.0
    checkpoints = {(p.family.name, seed): Checkpoints(options.out, p.key, seed) for p, seed in units}
    for finished in made:
        checkpoints[finished].clear()
    label = f"{len(units)} seeds, {options.jobs} at a time"
    try:
        with track(progress, sum(plan.work for plan, _ in wanted), label, "passes") as show:
            for unit, (record, pictures) in side_by_side(_elsewhere, sent, options.jobs) if sent else ():
                done += work[unit.family]
                show(done)
                if isinstance(record, Diverged):
                    diverged.append(record)
                    continue
                made[unit.family, unit.seed] = record
                shown = bool(pictures) and unit.seed < drawn[unit.family]  # the first seed's, unless it diverges
                _keep(folder, record, pictures if shown else {})
                if shown:
                    drawn[unit.family] = unit.seed
                checkpoints[unit.family, unit.seed].clear()
    finally:
        records += [made[plan.family.name, seed] for plan, seed in units if (plan.family.name, seed) in made]


def _elsewhere(unit: _Unit) -> tuple[dict[str, Any] | Diverged, Pictures]:
    """The record of a seed, made in a process of its own."""
    plan = make_plan(unit.family, unit.options)
    with torch_threads(plan.torch_threads):
        checkpoints = Checkpoints(unit.options.out, plan.key, unit.seed)
        return _attempt(plan, _loaded(plan.task.name), unit.seed, lambda done: None, unit.draw, checkpoints)


@cache
def _loaded(task: str) -> Any:
    return TASKS[task].load()


def _attempt(
    plan: Plan, data: Any, seed: int, tell: Tell, draw: bool, checkpoints: Checkpoints
) -> tuple[dict[str, Any] | Diverged, Pictures]:
    """The record of a seed, or why there is none, and pictures if they are wanted."""
    try:
        record, outcomes = run_seed(plan, data, seed, tell, checkpoints)
    except TrainingError as error:
        checkpoints.clear()
        return Diverged(plan.family.name, seed, str(error)), {}
    return record, _pictures(plan, data, outcomes) if draw else {}


def _keep(folder: Folder | None, record: dict[str, Any], pictures: Pictures) -> None:
    if folder:
        folder.add(record)
        for name, picture in pictures.items():
            folder.write(name, partial(_put, picture))


def _put(picture: bytes, file: BinaryIO) -> None:
    file.write(picture)


def _kinds(plan: Plan) -> list[str]:
    return ["raster.png", ANIMATION, *(f"{gallery.name}.png" for gallery in plan.family.galleries)]


def _undrawn(folder: Folder, plan: Plan) -> bool:
    """Whether there is no picture yet of a seed of this family."""
    return not any(folder.has(f"{plan.family.name}_{kind}") for kind in _kinds(plan))


def _pictures(plan: Plan, data: Any, outcomes: dict[str, Outcome]) -> Pictures:
    """What the networks of a seed did and made, by file name."""
    title = f"spiking {plan.family.title}, {plan.task.title}, {plan.engine} engine"
    example, fills = outcomes["replay"].example, {}
    if example:
        fills["raster.png"] = draw_raster(example, title)
    if example and example.animation:
        fills[ANIMATION] = example.animation
    for gallery in plan.family.galleries:
        fills[f"{gallery.name}.png"] = gallery.draw(data, outcomes)
    drawn = {}
    for kind, fill in fills.items():
        with io.BytesIO() as file:
            fill(file)
            drawn[f"{plan.family.name}_{kind}"] = file.getvalue()
    return drawn


def _show_seed(show: Tell, seed: int, work: float, done: float) -> None:
    show(seed * work + done)


def _write(folder: Folder, report: Report) -> None:
    pictures: dict[str, bytes] = {}
    for family in report.families:
        for kind, draw in DRAWINGS.items():
            fill = draw(family)
            if fill is None:
                continue
            name = f"{family['family']}_{kind}.png"
            folder.write(name, fill)
            pictures[name] = (folder.path / name).read_bytes()
        for kind in ("raster.png", ANIMATION, *(f"{gallery}.png" for gallery in family["galleries"])):
            path = folder.path / f"{family['family']}_{kind}"
            if path.exists():
                pictures[path.name] = path.read_bytes()
    folder.write_text(HTML, page(report.families, pictures))
    folder.write_text(PAGE, report.markdown())
    folder.write_text(REPORT, report.json() + "\n")
    report.written = tuple(folder.written)

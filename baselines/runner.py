"""The only training loop: it trains both sides of every family, replays the twin, and knows no family by name."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from baselines.contract import Contestant, Learner, Outcome, Quantisable, SpikingLearner, rival_bits
from baselines.errors import TrainingError, require_extra
from baselines.figures import DRAWINGS, draw_raster
from baselines.html import page
from baselines.plan import Options, Plan, make_plan
from baselines.records import HTML, PAGE, REPORT, Folder, outcome_record, plain
from baselines.report import Diverged, Report, summarise
from spikesim import __version__
from spikesim.progress import ProgressOption, track

DEFAULT_FAMILY = "mlp"
ANIMATION = "animation.gif"
_PACKAGES = ("torch", "snntorch", "scikit-learn", "numpy", "numba")

Tell = Callable[[float], object]  # told which fraction of its part is done


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
    kinds = ("raster.png", ANIMATION, *(f"{kind}.png" for kind in DRAWINGS))
    pictures = [f"{plan.family.name}_{kind}" for plan in plans for kind in (*kinds, *_galleries(plan))]
    folder = Folder(options.out, options.overwrite, [p.key for p in plans], pictures) if options.out else None
    records: list[dict[str, Any]] = []
    diverged: list[Diverged] = []
    try:
        tasks = {plan.task.name: plan.task for plan in plans}
        loaded = {name: task.load() for name, task in tasks.items()}  # damaged files end it before any training
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


def train(learner: Learner, epochs: int, tell: Tell, higher: bool = True) -> dict[str, Any]:
    """Train, and keep the weights of the best validation score.

    Parameters
    ----------
    learner : Learner
    epochs : int
        Passes over the training data.
    tell : callable
        Told which fraction is done after each update.
    higher : bool
        Whether a higher score is better.

    Returns
    -------
    dict
        ``train_s``, ``validation`` (best score), ``best_epoch`` (from 1), ``learning`` (loss and score of each epoch).
    """
    best, best_epoch, kept = -np.inf if higher else np.inf, 0, None
    learning = []
    started = time.perf_counter()
    for epoch in range(epochs):
        losses = []
        for update, loss in enumerate(learner.epoch(), start=1):
            losses.append(loss)
            tell((epoch + update / learner.updates) / epochs)
        score = learner.validate()
        learning.append([float(np.mean(losses)), float(score)])
        if score >= best if higher else score <= best:  # of equals the last, which has learned at lower rates
            best, best_epoch, kept = score, epoch + 1, learner.snapshot()
        if getattr(learner, "finished", False):
            break
    learner.restore(kept)
    took = time.perf_counter() - started
    return {"train_s": took, "validation": float(best), "best_epoch": best_epoch, "learning": learning}


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
            record = folder.find(plan.key, seed) if folder else None
            if record is None:
                try:
                    record, outcomes = _run_seed(plan, data, seed, partial(_show_seed, show, seed, plan.work))
                except TrainingError as error:
                    diverged.append(Diverged(plan.family.name, seed, str(error)))
                    _show_seed(show, seed, plan.work, plan.work)
                    continue
                if folder:
                    folder.add(record)
                    _draw_outcomes(folder, plan, data, outcomes)
            records.append(record)


def _galleries(plan: Plan) -> list[str]:
    return [f"{gallery.name}.png" for gallery in plan.family.galleries]


def _draw_outcomes(folder: Folder, plan: Plan, data: Any, outcomes: dict[str, Outcome]) -> None:
    """Pictures of the first seed that was finished."""
    name, example, fills = plan.family.name, outcomes["replay"].example, {}
    if example:
        fills["raster.png"] = draw_raster(example, _title(plan))
    if example and example.animation:
        fills[ANIMATION] = example.animation
    for gallery in plan.family.galleries:
        fills[f"{gallery.name}.png"] = gallery.draw(data, outcomes)
    for kind, fill in fills.items():
        if not (folder.path / f"{name}_{kind}").exists():
            folder.write(f"{name}_{kind}", fill)


def _show_seed(show: Tell, seed: int, work: float, done: float) -> None:
    show(seed * work + done)


class _Clock:
    """Tells how much of the work of a seed is done, stage by stage."""

    def __init__(self, plan: Plan, tell: Tell) -> None:
        self._stages, self._tell, self._before = iter(plan.stages), tell, 0.0

    def stage(self, name: str, replay: bool = False) -> Tell:
        """What to tell the fraction of the next stage that is done."""
        stage, before = next(self._stages), self._before
        assert (stage.name, stage.replay) == (name, replay), (stage, name, replay)
        self._before += stage.work
        return lambda fraction: self._tell(before + fraction * stage.work)


def _run_seed(plan: Plan, data: Any, seed: int, tell: Tell) -> tuple[dict[str, Any], dict[str, Outcome]]:
    """All sides and the replays for one seed: its record, and all outcomes by side."""
    settings, family, clock = plan.settings, plan.family, _Clock(plan, tell)
    ann = family.ann(data, settings, seed)
    training = train(ann, settings.epochs, clock.stage("ann"), plan.metrics[0].higher)
    outcomes = {"ann": ann.test()}
    bits = rival_bits(settings.steps)
    few_bits = ann.test_quantised(bits) if isinstance(ann, Quantisable) else None
    record = {
        **plan.key,
        "seed": seed,
        "ann": outcome_record(outcomes["ann"]) | training,
        "quantised": {"bits": bits, **outcome_record(few_bits)} if few_bits else None,
    }
    record |= _spiking_record(plan, clock, "snn", family.snn(data, settings, seed), outcomes)
    record["others"] = {o.name: _other_record(plan, clock, o, data, seed, outcomes) for o in family.others}
    tables = {e.name: (e.title, e.show(plan.quick)) for e in family.exhibits} if seed == 0 else {}
    tables |= {title: (title, table) for o in outcomes.values() for title, table in o.tables.items()}
    record["exhibits"] = {name: {"title": title, **plain(table)} for name, (title, table) in tables.items()}
    record |= {
        "threads": {"torch": plan.torch_threads, "core": plan.core_threads},
        "versions": _versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return record, outcomes


def _spiking_record(
    plan: Plan, clock: _Clock, name: str, learner: SpikingLearner, outcomes: dict[str, Outcome]
) -> dict[str, Any]:
    """A spiking network trained, tested and replayed; adds what it did to `outcomes`."""
    training = train(learner, plan.settings.epochs, clock.stage(name), plan.metrics[0].higher)
    outcome, tell, done = learner.test(), clock.stage(name, replay=True), 0
    inferences = min(plan.settings.replayed or outcome.inferences, outcome.inferences)

    def advance(n: int) -> None:
        nonlocal done
        done += n
        tell(done / inferences)

    replayed = learner.replay(plan.engine, plan.core_threads, advance)
    outcomes |= {name: outcome, "replay" if name == "snn" else f"{name} replay": replayed}
    return {
        "snn": outcome_record(outcome) | training,
        "replay": outcome_record(replayed),
        "agreement": agreement(outcome, replayed),
    }


def _other_record(
    plan: Plan, clock: _Clock, other: Contestant, data: Any, seed: int, outcomes: dict[str, Outcome]
) -> dict[str, Any]:
    learner = other.build(data, plan.settings, seed)
    if other.spiking:
        return _spiking_record(plan, clock, other.name, learner, outcomes)
    training = train(learner, plan.settings.epochs, clock.stage(other.name), plan.metrics[0].higher)
    outcomes[other.name] = learner.test()
    return {"ann": outcome_record(outcomes[other.name]) | training}


def agreement(snn: Outcome, replayed: Outcome) -> dict[str, int | float | None]:
    """How far the replay equals torch: equal answers, and spikes of all neurons on both sides.

    Where only the first test inputs were replayed, or the replay came to inputs of its own, torch's are those of the
    same inputs.
    """
    equal = None
    n = replayed.inferences
    expected = snn.predictions[:n] if replayed.expected is None and snn.predictions is not None else replayed.expected
    if expected is not None and replayed.predictions is not None:
        same = expected == replayed.predictions
        equal = int(np.count_nonzero(same.reshape(len(same), -1).all(1)))
    torch = replayed.notes.get("spikes_in_torch", snn.spikes)
    return {"equal": equal, "inferences": n, "spikes_torch": int(torch), "spikes_core": replayed.spikes}


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


def _title(plan: Plan) -> str:
    return f"spiking {plan.family.title}, {plan.task.title}, {plan.engine} engine"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "spikesim": __version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use `threads` threads, and as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)

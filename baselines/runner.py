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

from baselines.contract import Contestant, Example, Learner, Outcome, Quantisable, SpikingLearner, rival_bits
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
    pictures = [f"{plan.family.name}_{kind}" for plan in plans for kind in kinds]
    folder = Folder(options.out, options.overwrite, [p.key for p in plans], pictures) if options.out else None
    records: list[dict[str, Any]] = []
    diverged: list[Diverged] = []
    try:
        for plan in plans:
            _run_plan(plan, folder, records, diverged, progress)
    except KeyboardInterrupt:
        return summarise(plans, records, diverged, interrupted=True, written=folder.written if folder else ())
    if diverged and not records:
        raise TrainingError(f"{diverged[0].family}, seed {diverged[0].seed}: {diverged[0].error}; no seed was finished")
    report = summarise(plans, records, diverged)
    if folder:
        _write(folder, report)
    return report


def train(learner: Learner, epochs: int, tell: Tell) -> dict[str, Any]:
    """Train, and keep the weights of the best validation score.

    Parameters
    ----------
    learner : Learner
    epochs : int
        Passes over the training data.
    tell : callable
        Told which fraction is done after each update.

    Returns
    -------
    dict
        ``train_s``, ``validation`` (best score), ``best_epoch`` (from 1), ``learning`` (loss and score of each epoch).
    """
    best, best_epoch, kept = -np.inf, 0, None
    learning = []
    started = time.perf_counter()
    for epoch in range(epochs):
        losses = []
        for update, loss in enumerate(learner.epoch(), start=1):
            losses.append(loss)
            tell((epoch + update / learner.updates) / epochs)
        score = learner.validate()
        learning.append([float(np.mean(losses)), float(score)])
        if score >= best:  # of equals the last, which has learned at lower rates
            best, best_epoch, kept = score, epoch + 1, learner.snapshot()
        if getattr(learner, "finished", False):
            break
    learner.restore(kept)
    took = time.perf_counter() - started
    return {"train_s": took, "validation": float(best), "best_epoch": best_epoch, "learning": learning}


def _run_plan(
    plan: Plan,
    folder: Folder | None,
    records: list[dict[str, Any]],
    diverged: list[Diverged],
    progress: ProgressOption,
) -> None:
    """All seeds of one family; seeds that `folder` knows already are taken from there."""
    seeds = plan.settings.seeds
    label = f"{plan.family.name} on {plan.task.name}, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    with track(progress, seeds * plan.work, label, "passes") as show, torch_threads(plan.torch_threads):
        data = plan.task.load()
        for seed in range(seeds):
            record = folder.find(plan.key, seed) if folder else None
            if record is None:
                try:
                    record, example = _run_seed(plan, data, seed, partial(_show_seed, show, seed, plan.work))
                except TrainingError as error:
                    diverged.append(Diverged(plan.family.name, seed, str(error)))
                    _show_seed(show, seed, plan.work, plan.work)
                    continue
                if folder:
                    folder.add(record)
                if folder and example:
                    _draw_example(folder, plan, example)
            records.append(record)


def _draw_example(folder: Folder, plan: Plan, example: Example) -> None:
    """Pictures of the first seed that was finished."""
    raster = f"{plan.family.name}_raster.png"
    if (folder.path / raster).exists():
        return
    folder.write(raster, draw_raster(example, _title(plan)))
    if example.animation:
        folder.write(f"{plan.family.name}_{ANIMATION}", example.animation)


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


def _run_seed(plan: Plan, data: Any, seed: int, tell: Tell) -> tuple[dict[str, Any], Example | None]:
    """All sides and the replays for one seed: its record, and one inference to look at."""
    settings, family, clock = plan.settings, plan.family, _Clock(plan, tell)
    ann = family.ann(data, settings, seed)
    training = train(ann, settings.epochs, clock.stage("ann"))
    bits = rival_bits(settings.steps)
    few_bits = ann.test_quantised(bits) if isinstance(ann, Quantisable) else None
    record = {
        **plan.key,
        "seed": seed,
        "ann": outcome_record(ann.test()) | training,
        "quantised": {"bits": bits, **outcome_record(few_bits)} if few_bits else None,
    }
    twin, example = _spiking_record(plan, clock, "snn", family.snn(data, settings, seed))
    record |= twin
    record["others"] = {other.name: _other_record(plan, clock, other, data, seed) for other in family.others}
    if seed == 0:
        record["exhibits"] = {e.name: {"title": e.title, **plain(e.show(plan.quick))} for e in family.exhibits}
    record |= {
        "threads": {"torch": plan.torch_threads, "core": plan.core_threads},
        "versions": _versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return record, example


def _spiking_record(
    plan: Plan, clock: _Clock, name: str, learner: SpikingLearner
) -> tuple[dict[str, Any], Example | None]:
    """A spiking network trained, tested and replayed; and one inference to look at."""
    training = train(learner, plan.settings.epochs, clock.stage(name))
    outcome, tell, done = learner.test(), clock.stage(name, replay=True), 0
    inferences = min(plan.settings.replayed or outcome.inferences, outcome.inferences)

    def advance(n: int) -> None:
        nonlocal done
        done += n
        tell(done / inferences)

    replayed = learner.replay(plan.engine, plan.core_threads, advance)
    record = {
        "snn": outcome_record(outcome) | training,
        "replay": outcome_record(replayed),
        "agreement": agreement(outcome, replayed),
    }
    return record, replayed.example


def _other_record(plan: Plan, clock: _Clock, other: Contestant, data: Any, seed: int) -> dict[str, Any]:
    learner = other.build(data, plan.settings, seed)
    if other.spiking:
        return _spiking_record(plan, clock, other.name, learner)[0]
    training = train(learner, plan.settings.epochs, clock.stage(other.name))
    return {"ann": outcome_record(learner.test()) | training}


def agreement(snn: Outcome, replayed: Outcome) -> dict[str, int | float | None]:
    """How far the replay equals torch: equal answers, and spikes of all neurons on both sides.

    Where only the first test inputs were replayed, or the replay came to inputs of its own, torch's are those of the
    same inputs.
    """
    equal = None
    n = replayed.inferences
    expected = snn.predictions[:n] if replayed.expected is None and snn.predictions is not None else replayed.expected
    if expected is not None and replayed.predictions is not None:
        equal = int(np.count_nonzero(expected == replayed.predictions))
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
        for kind in ("raster.png", ANIMATION):
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

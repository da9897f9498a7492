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

from baselines.contract import Example, Learner, Outcome
from baselines.errors import require_extra
from baselines.figures import draw_comparison, draw_raster
from baselines.plan import Options, Plan, make_plan
from baselines.records import PAGE, REPORT, Folder, outcome_record
from baselines.report import Report, summarise
from spikesim import __version__
from spikesim.progress import ProgressOption, track

DEFAULT_FAMILY = "mlp"
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
    """
    require_extra()
    options = options or Options()
    plans = [make_plan(name, options) for name in dict.fromkeys(families or (DEFAULT_FAMILY,))]
    pictures = [f"{plan.family.name}_{kind}.png" for plan in plans for kind in ("raster", "comparison")]
    folder = Folder(options.out, options.overwrite, [p.key for p in plans], pictures) if options.out else None
    records: list[dict[str, Any]] = []
    try:
        for plan in plans:
            _run_plan(plan, folder, records, progress)
    except KeyboardInterrupt:
        return summarise(plans, records, interrupted=True, written=folder.written if folder else ())
    report = summarise(plans, records)
    if folder:
        _write(folder, report)
    return report


def train(learner: Learner, epochs: int, tell: Tell) -> dict[str, float]:
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
        ``train_s``, ``validation`` (best score) and ``best_epoch`` (from 1).
    """
    best, best_epoch, kept = -np.inf, 0, None
    started = time.perf_counter()
    for epoch in range(epochs):
        for update, _ in enumerate(learner.epoch(), start=1):
            tell((epoch + update / learner.updates) / epochs)
        score = learner.validate()
        if score > best:
            best, best_epoch, kept = score, epoch + 1, learner.snapshot()
    learner.restore(kept)
    return {"train_s": time.perf_counter() - started, "validation": float(best), "best_epoch": best_epoch}


def _run_plan(plan: Plan, folder: Folder | None, records: list[dict[str, Any]], progress: ProgressOption) -> None:
    """All seeds of one family; seeds that `folder` knows already are taken from there."""
    seeds = plan.settings.seeds
    label = f"{plan.family.name} on {plan.task.name}, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    with track(progress, seeds * plan.work, label, "passes") as show, torch_threads(plan.torch_threads):
        data = plan.task.load()
        for seed in range(seeds):
            record = folder.find(plan.key, seed) if folder else None
            if record is None:
                record, example = _run_seed(plan, data, seed, partial(_show_seed, show, seed, plan.work))
                if folder:
                    folder.add(record)
                if folder and seed == 0 and example:
                    folder.write(f"{plan.family.name}_raster.png", draw_raster(example, _title(plan)))
            records.append(record)


def _show_seed(show: Tell, seed: int, work: float, fraction: float) -> None:
    show((seed + fraction) * work)


def _run_seed(plan: Plan, data: Any, seed: int, tell: Tell) -> tuple[dict[str, Any], Example | None]:
    """Both sides and the replay for one seed: its record, and one inference to look at."""
    settings, family = plan.settings, plan.family
    before_snn, before_replay = plan.shares
    ann = family.ann(data, settings, seed)
    ann_training = train(ann, settings.epochs, lambda f: tell(f * before_snn))
    snn = family.snn(data, settings, seed)
    snn_training = train(snn, settings.epochs, lambda f: tell(before_snn + f * (before_replay - before_snn)))
    ann_outcome, snn_outcome = ann.test(), snn.test()
    done = 0

    def advance(inferences: int) -> None:
        nonlocal done
        done += inferences
        tell(before_replay + (1.0 - before_replay) * done / snn_outcome.inferences)

    replayed = snn.replay(plan.engine, plan.core_threads, advance)
    record = {
        **plan.key,
        "seed": seed,
        "ann": outcome_record(ann_outcome) | ann_training,
        "snn": outcome_record(snn_outcome) | snn_training,
        "replay": outcome_record(replayed),
        "agreement": agreement(snn_outcome, replayed),
        "threads": {"torch": plan.torch_threads, "core": plan.core_threads},
        "versions": _versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return record, replayed.example


def agreement(snn: Outcome, replayed: Outcome) -> dict[str, int | None]:
    """How far the replay equals torch: equal answers, and spikes of all neurons on both sides."""
    equal = None
    if snn.predictions is not None and replayed.predictions is not None:
        equal = int(np.count_nonzero(snn.predictions == replayed.predictions))
    return {"equal": equal, "inferences": snn.inferences, "spikes_torch": snn.spikes, "spikes_core": replayed.spikes}


def _write(folder: Folder, report: Report) -> None:
    for family in report.families:
        folder.write(f"{family['family']}_comparison.png", draw_comparison(family))
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

"""One seed of one family: both sides trained and tested, every spiking network replayed in the core."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from baselines.checkpoints import Checkpoints
from baselines.contract import Contestant, Learner, Outcome, Quantisable, SpikingLearner, rival_bits
from baselines.plan import Plan
from baselines.records import outcome_record, plain
from spikesim import __version__

_PACKAGES = ("torch", "snntorch", "scikit-learn", "numpy", "numba")

Tell = Callable[[float], object]  # told which fraction of its part is done


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


class _Stages:
    """The work of a seed, stage by stage: tells how much is done, and trains what was not trained before."""

    def __init__(self, plan: Plan, tell: Tell, checkpoints: Checkpoints) -> None:
        self._plan, self._checkpoints = plan, checkpoints
        self._stages, self._tell, self._before = iter(plan.stages), tell, 0.0

    def train(self, name: str, learner: Learner) -> dict[str, Any]:
        """Train the network of a stage, or take what an interrupted comparison kept of it."""
        tell, known = self.stage(name), self._checkpoints.find(name)
        if known:
            training, snapshot = known
            learner.restore(snapshot)
            tell(1.0)
            return training
        training = train(learner, self._plan.settings.epochs, tell, self._plan.metrics[0].higher)
        self._checkpoints.keep(name, training, learner.snapshot())
        return training

    def stage(self, name: str, replay: bool = False) -> Tell:
        """What to tell the fraction of the next stage that is done."""
        stage, before = next(self._stages), self._before
        assert (stage.name, stage.replay) == (name, replay), (stage, name, replay)
        self._before += stage.work
        return lambda fraction: self._tell(before + fraction * stage.work)


def run_seed(
    plan: Plan, data: Any, seed: int, tell: Tell, checkpoints: Checkpoints | None = None
) -> tuple[dict[str, Any], dict[str, Outcome]]:
    """All sides and the replays for one seed: its record, and all outcomes by side."""
    settings, family = plan.settings, plan.family
    stages = _Stages(plan, tell, checkpoints or Checkpoints(None, plan.key, seed))
    ann = family.ann(data, settings, seed)
    training = stages.train("ann", ann)
    outcomes = {"ann": ann.test()}
    bits = rival_bits(settings.steps)
    few_bits = ann.test_quantised(bits) if isinstance(ann, Quantisable) else None
    record = {
        **plan.key,
        "seed": seed,
        "ann": outcome_record(outcomes["ann"]) | training,
        "quantised": {"bits": bits, **outcome_record(few_bits)} if few_bits else None,
    }
    record |= _spiking_record(plan, stages, "snn", family.snn(data, settings, seed), outcomes)
    record["others"] = {o.name: _other_record(plan, stages, o, data, seed, outcomes) for o in family.others}
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
    plan: Plan, stages: _Stages, name: str, learner: SpikingLearner, outcomes: dict[str, Outcome]
) -> dict[str, Any]:
    """A spiking network trained, tested and replayed; adds what it did to `outcomes`."""
    training = stages.train(name, learner)
    outcome, tell, done = learner.test(), stages.stage(name, replay=True), 0
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
    plan: Plan, stages: _Stages, other: Contestant, data: Any, seed: int, outcomes: dict[str, Outcome]
) -> dict[str, Any]:
    learner = other.build(data, plan.settings, seed)
    if other.spiking:
        return _spiking_record(plan, stages, other.name, learner, outcomes)
    training = stages.train(other.name, learner)
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

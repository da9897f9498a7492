"""Data and networks of the experiments: the learners of the comparison, with what a claim needs besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from baselines.claims.contract import Tell
from baselines.contract import Classification, Split
from baselines.counting import accuracy
from baselines.seeds import train
from baselines.supervised import TEST, Classifier
from baselines.tasks import TASKS
from baselines.twin import SpikingClassifier

_DIVISION, _NOISE = 11, 12  # purposes of random numbers
_STARTS = 1000  # seeds of a claim at most
L = TypeVar("L", bound=Classifier)


@cache
def _whole() -> Classification:
    return TASKS["digits"].load()


def digits(seed: int) -> Classification:
    """The digits: the test part of the task, which nothing is ever chosen on; the rest divided anew for each seed."""
    given = _whole()
    x = np.concatenate((given.train.x, given.validation.x))
    y = np.concatenate((given.train.y, given.validation.y))
    order = np.random.default_rng((_DIVISION, seed)).permutation(len(y))
    parts = np.split(order, [len(given.train.y)])
    return Classification(Split(x[parts[0]], y[parts[0]]), Split(x[parts[1]], y[parts[1]]), given.test, given.classes)


def noisy(x: NDArray[np.float32], level: float, key: Sequence[int]) -> NDArray[np.float32]:
    """Inputs with Gaussian noise of deviation `level`, cut to 0 … 1; the same `key` gives the same noise."""
    noise = np.random.default_rng((_NOISE, *key)).normal(0.0, 1.0, x.shape)
    return np.clip(x + level * noise, 0.0, 1.0).astype(np.float32)


class _Side:
    """What both sides have here besides: accuracy on any data, and noise in training."""

    noise = 0.0  # deviations of the noise in training go from 0 to this

    def accuracy_on(self, split: Split) -> float:
        """Share of right answers."""
        return accuracy(self._predict(split, TEST)[0], split.y)  # type: ignore[attr-defined]

    def prepare(self, x: NDArray[np.float32], purpose: int, number: int) -> Any:
        """Input of the module, with noise where it trains or validates."""
        if self.noise and purpose != TEST:
            key = (self.seed, purpose, number)  # type: ignore[attr-defined]
            level = np.random.default_rng((_NOISE, *key, 1)).uniform(0, self.noise, (len(x), *[1] * (x.ndim - 1)))
            x = np.clip(x + level * np.random.default_rng((_NOISE, *key, 2)).normal(0, 1, x.shape), 0, 1)
        return super().prepare(x.astype(np.float32), purpose, number)  # type: ignore[misc]


class Artificial(_Side, Classifier):
    """An artificial network."""


class Spiking(_Side, SpikingClassifier):
    """A spiking one, without the curves and timings of a comparison."""

    def _curve(self, neurons: int) -> list[dict[str, Any]]:
        return []

    def _speeds(self, shapes: dict[str, tuple[int, ...]]) -> list[dict[str, float]]:
        return []


def parameters(module: nn.Module) -> int:
    """Numbers a network learns."""
    return sum(p.numel() for p in module.parameters())


def part(tell: Tell, start: float, stop: float) -> Tell:
    """What to tell about a part of the work, from `start` to `stop` of the whole."""
    return lambda fraction: tell(start + fraction * (stop - start))


def trained(
    make: Callable[[float, int], L], rates: Sequence[float], seed: int, epochs: int, tell: Tell
) -> tuple[L, float, float]:
    """Train with each learning rate and keep the network of the best validation accuracy, of equals the first.

    Each starts from weights of its own, so that one that begins with silent neurons is not the last word; `make` is
    given the learning rate and what seeds it.

    Returns
    -------
    (learner, float, float)
        The network, its validation accuracy and its learning rate.
    """
    best: tuple[L, float, float] | None = None
    for i, rate in enumerate(rates):
        learner = make(rate, seed + _STARTS * i)
        score = train(learner, epochs, part(tell, i / len(rates), (i + 1) / len(rates)))["validation"]
        if best is None or score > best[1]:
            best = learner, score, rate
    assert best is not None
    return best


def stages(tell: Tell, works: Sequence[float]) -> list[Tell]:
    """What to tell about each of several parts of the work, of sizes `works`."""
    ends = np.cumsum([0.0, *works]) / sum(works)
    return [part(tell, float(a), float(b)) for a, b in pairwise(ends)]


def shortened(twin: Spiking, least: float) -> tuple[Spiking, float]:
    """The twin with the fewest steps whose validation accuracy is at least `least`, else with all; its accuracy."""
    whole = twin.settings.steps
    for steps in range(1, whole + 1):
        twin.settings = replace(twin.settings, steps=steps)
        twin.module.encoder.steps = steps  # type: ignore[assignment]
        for piece in twin.module.encoder.modules():
            if hasattr(piece, "repeats"):
                piece.repeats = steps  # type: ignore[assignment]
        if (score := twin.validate()) >= least or steps == whole:
            return twin, score
    raise AssertionError("a twin has at least one step")

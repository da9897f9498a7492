"""The learner for classification with any torch module."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from baselines.contract import Classification, Outcome, Settings, Split
from baselines.counting import LayerCount, accuracy, ann_operations, more_macs, watched
from baselines.errors import TrainingError
from baselines.quantised import quantised

CHUNK = 250  # test inputs worked off together
TRAIN, VALIDATE, TEST = 0, 1, 2  # purposes of random numbers


class Classifier:
    """Learner for an artificial network: cross-entropy, AdamW, the learning rate falling to 0 along a cosine.

    Parameters
    ----------
    build : callable
        Makes the module; called with torch's random numbers seeded.
    data : Classification
    settings : Settings
    seed : int
    lr, decay : float
        Learning rate at the start, weight decay.
    before : (float, float)
        Products per inference that were computed before the module's input, dense and effective.
    """

    chunk = CHUNK  # test inputs worked off together
    passes = 1  # over the training data in one epoch

    def __init__(
        self,
        build: Callable[[], nn.Module],
        data: Classification,
        settings: Settings,
        seed: int,
        lr: float,
        decay: float = 0.0,
        before: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.before = before
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.module = build()
        self.data, self.settings, self.seed = data, settings, seed
        self._batches = math.ceil(len(data.train.y) / settings.batch_size)
        self.updates = self.passes * self._batches
        self._optimizer = self.optimizer(lr, decay)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, settings.epochs * self.updates)
        self._order = np.random.default_rng((seed, TRAIN))
        self._done = 0

    def optimizer(self, lr: float, decay: float) -> torch.optim.Optimizer:
        """What makes the updates."""
        return torch.optim.AdamW(self.module.parameters(), lr=lr, weight_decay=decay)

    def stand_for(self) -> int:
        """Inferences that the products counted over the test set stand for."""
        return len(self.data.test.y)

    def prepare(self, x: NDArray[np.float32], purpose: int, number: int) -> Tensor:
        """Input of the module; `purpose` and `number` seed what is random about it."""
        return torch.from_numpy(np.ascontiguousarray(x))

    def answer(self, prepared: Tensor) -> Tensor:
        """One number per class, the largest wins, the first of equals."""
        return self.module(prepared)

    def loss(self, answers: Tensor, labels: Tensor) -> Tensor:
        """What the updates make smaller."""
        return functional.cross_entropy(answers, labels)

    def epoch(self) -> Iterator[float]:
        """Learn from the training data; yields the loss after each update."""
        x, y = self.data.train
        orders = (self._order.permutation(len(y)) for _ in range(self.passes))
        batches = (batch for order in orders for batch in np.array_split(order, self._batches))
        self.module.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1_000_003 * (self.seed + 1) + self._done)  # dropout: the same whatever ran before
            for batch in batches:
                prepared = self.prepare(x[batch], TRAIN, self._done)
                loss = self.loss(self.answer(prepared), torch.from_numpy(y[batch]))
                self._optimizer.zero_grad()
                loss.backward()
                self._optimizer.step()
                self._schedule.step()
                self._done += 1
                if not math.isfinite(value := loss.item()):
                    raise TrainingError(
                        f"training diverged at update {self._done} (loss {value}); lower the learning rate"
                    )
                yield value

    def validate(self) -> float:
        """Accuracy on the validation data."""
        return accuracy(self._predict(self.data.validation, VALIDATE)[0], self.data.validation.y)

    def snapshot(self) -> Any:
        """Copy of all parameters."""
        return copy.deepcopy(self.module.state_dict())

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self.module.load_state_dict(snapshot)

    def test(self) -> Outcome:
        """The test set: once for answers and wall time, once more to count."""
        predictions, wall_s = self._predict(self.data.test, TEST)
        return self._outcome(predictions, wall_s, self._count())

    def test_quantised(self, bits: int) -> Outcome:
        """The test set with activations of `bits` bits and weights of 8, ranges from the training data."""
        sample = self.prepare(self.data.train.x[: self.chunk], TRAIN, 0)
        with quantised(self.module.eval(), bits, lambda: self.answer(sample)):
            predictions, wall_s = self._predict(self.data.test, TEST)
            return self._outcome(predictions, wall_s, self._count())

    def _count(self) -> list[LayerCount]:
        test = self.data.test
        self.module.eval()
        with watched(self.module) as layers, torch.inference_mode():
            for number, lo in enumerate(range(0, len(test.y), self.chunk)):
                self.answer(self.prepare(test.x[lo : lo + self.chunk], TEST, number))
        return [layer for layer in layers if layer.rows]

    def _outcome(self, predictions: NDArray[np.int64], wall_s: float, layers: list[LayerCount]) -> Outcome:
        n = self.stand_for()
        dense, effective = self.before
        return Outcome(
            score=accuracy(predictions, self.data.test.y),
            inferences=len(self.data.test.y),
            wall_s=wall_s,
            predictions=predictions,
            confusion=self.confusion(predictions),
            neurons=sum(layer.outputs for layer in layers) // n,
            synapses=sum(layer.dense for layer in layers) // n,
            operations=more_macs(ann_operations(layers, n), dense),
            skipping=more_macs(ann_operations(layers, n, skip_zeros=True), effective),
        )

    def confusion(self, predictions: NDArray[np.int64]) -> list[list[int]]:
        """How often each class (row) was answered as each class (column)."""
        table = np.zeros((self.data.classes, self.data.classes), np.int64)
        np.add.at(table, (self.data.test.y[: len(predictions)], predictions), 1)
        return table.tolist()

    def _predict(self, split: Split, purpose: int) -> tuple[NDArray[np.int64], float]:
        """Answers, and the seconds they took once the inputs were prepared and torch had warmed up."""
        self.module.eval()
        parts, seconds = [], 0.0
        with torch.inference_mode():
            self.answer(self.prepare(split.x[: self.chunk], purpose, 0))
            for number, lo in enumerate(range(0, len(split.y), self.chunk)):
                prepared = self.prepare(split.x[lo : lo + self.chunk], purpose, number)
                started = time.perf_counter()
                parts.append(self.answer(prepared).numpy())
                seconds += time.perf_counter() - started
        return np.concatenate(parts).argmax(axis=1), seconds

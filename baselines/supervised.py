"""The learner for classification with any feed-forward torch module."""

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
from baselines.counting import Watched, accuracy, ann_operations, watched
from baselines.errors import TrainingError

CHUNK = 250  # test inputs worked off together
TRAIN, VALIDATE, TEST = 0, 1, 2  # purposes of random numbers


class Classifier:
    """Learner for an artificial network: cross-entropy, Adam, the learning rate falling to 0 along a cosine.

    Parameters
    ----------
    build : callable
        Makes the module; called with torch's random numbers seeded.
    data : Classification
    settings : Settings
    seed : int
    lr : float
        Learning rate at the start.
    """

    def __init__(
        self, build: Callable[[], nn.Module], data: Classification, settings: Settings, seed: int, lr: float
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.module = build()
        self.data, self.settings, self.seed = data, settings, seed
        self.updates = math.ceil(len(data.train.y) / settings.batch_size)
        self._optimizer = torch.optim.Adam(self.module.parameters(), lr=lr)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, settings.epochs * self.updates)
        self._order = np.random.default_rng((seed, TRAIN))
        self._done = 0

    def prepare(self, x: NDArray[np.float32], purpose: int, number: int) -> Tensor:
        """Input of the module; `purpose` and `number` seed what is random about it."""
        return torch.from_numpy(x)

    def answer(self, prepared: Tensor) -> Tensor:
        """One number per class, the largest wins, the first of equals."""
        return self.module(prepared)

    def epoch(self) -> Iterator[float]:
        """Learn one pass over the training data; yields the loss after each update."""
        x, y = self.data.train
        self.module.train()
        for batch in np.array_split(self._order.permutation(len(y)), self.updates):
            prepared = self.prepare(x[batch], TRAIN, self._done)
            loss = functional.cross_entropy(self.answer(prepared), torch.from_numpy(y[batch]))
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self._schedule.step()
            self._done += 1
            if not math.isfinite(value := loss.item()):
                raise TrainingError(f"training diverged at update {self._done} (loss {value}); lower the learning rate")
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
        test = self.data.test
        predictions, wall_s = self._predict(test, TEST)
        with watched(self.module) as counted, torch.inference_mode():
            for number, lo in enumerate(range(0, len(test.y), CHUNK)):
                self.answer(self.prepare(test.x[lo : lo + CHUNK], TEST, number))
        return Outcome(
            score=accuracy(predictions, test.y),
            inferences=len(test.y),
            wall_s=wall_s,
            predictions=predictions,
            neurons=sum(layer.outputs for layer in counted.layers),
            synapses=sum(layer.inputs * layer.outputs for layer in counted.layers),
            **self.operations(counted, len(test.y)),
        )

    def operations(self, counted: Watched, inferences: int) -> dict[str, Any]:
        """What an `Outcome` tells of operations and spikes."""
        layers = counted.layers
        return {
            "operations": ann_operations(layers, inferences),
            "skipping": ann_operations(layers, inferences, skip_zeros=True),
        }

    def _predict(self, split: Split, purpose: int) -> tuple[NDArray[np.int64], float]:
        """Answers, and the seconds they took once the inputs were prepared and torch had warmed up."""
        self.module.eval()
        parts, seconds = [], 0.0
        with torch.inference_mode():
            self.answer(self.prepare(split.x[:CHUNK], purpose, 0))
            for number, lo in enumerate(range(0, len(split.y), CHUNK)):
                prepared = self.prepare(split.x[lo : lo + CHUNK], purpose, number)
                started = time.perf_counter()
                parts.append(self.answer(prepared).numpy())
                seconds += time.perf_counter() - started
        return np.concatenate(parts).argmax(axis=1), seconds

"""MNIST: the last 5,000 of the 60,000 training digits validate, the published 10,000 test."""

from __future__ import annotations

import numpy as np

from baselines.contract import Classification, Split, Task
from spikesim import datasets

_VALIDATION = 5_000


def load() -> Classification:
    """The published split, with the last part of the training set held out for validation."""
    data = datasets.load("mnist")
    x, y = data.train_images.astype(np.float32) / 255, data.train_labels.astype(np.int64)
    x_test, y_test = data.test_images.astype(np.float32) / 255, data.test_labels.astype(np.int64)
    train, validation = Split(x[:-_VALIDATION], y[:-_VALIDATION]), Split(x[-_VALIDATION:], y[-_VALIDATION:])
    return Classification(train, validation, Split(x_test, y_test), 10)


_DATA = datasets.describe("mnist")
TASK = Task(
    name="mnist",
    title="MNIST, 28 × 28 pixels",
    metric="accuracy",
    licence=_DATA.licence,
    source=_DATA.source,
    split="55,000 train, 5,000 validation (the last of the training set), 10,000 test as published",
    remedy="put its four files into $SPIKESIM_DATA/mnist, or call spikesim.datasets.fetch('mnist')",
    available=lambda: datasets.available("mnist"),
    load=load,
)

"""8 × 8 handwritten digits, embedded in scikit-learn: 1,077 to train, 360 to validate, 360 to test."""

from __future__ import annotations

import numpy as np

from baselines.contract import Classification, Split, Task
from spikesim import datasets

_TEST, _VALIDATION, _SPLIT_SEED = 360, 360, 1


def load() -> Classification:
    """Stratified split that never changes: seeds of a comparison vary the networks, not the data."""
    from sklearn.model_selection import train_test_split

    images, labels = datasets.load("digits")
    x, y = images.astype(np.float32) / 16, labels.astype(np.int64)
    x, x_test, y, y_test = train_test_split(x, y, test_size=_TEST, stratify=y, random_state=_SPLIT_SEED)
    x, x_val, y, y_val = train_test_split(x, y, test_size=_VALIDATION, stratify=y, random_state=_SPLIT_SEED)
    return Classification(Split(x, y), Split(x_val, y_val), Split(x_test, y_test), 10)


_DATA = datasets.describe("digits")
TASK = Task(
    name="digits",
    title="scikit-learn digits, 8 × 8 pixels",
    metric="accuracy",
    licence=_DATA.licence,
    source=_DATA.source,
    split="1,077 train, 360 validation, 360 test, stratified, the same for every seed",
    remedy="they come inside scikit-learn: pip install 'spikesim[baselines]'",
    available=lambda: datasets.available("digits"),
    load=load,
)

"""Braille: which of 27 characters a robot's finger slides over, four sensors, 76 steps."""

from __future__ import annotations

import numpy as np

from baselines.contract import Classification, Split, Task
from spikesim import datasets

_SENSORS, _STEPS = (1, 2, 6, 10), 76
_TEST, _VALIDATION = 40, 35  # repetitions from here on


def load() -> Classification:
    """Readings (k, 76, 4), 1 for full touch; the last ten of fifty repetitions test, the five before validate."""
    data = datasets.load("braille")
    x = 1 - data.touch[:, :_STEPS, list(_SENSORS)].astype(np.float32) / 255
    test = data.repetitions >= _TEST
    validation = (data.repetitions >= _VALIDATION) & ~test
    parts = [Split(x[part], data.labels[part].astype(np.int64)) for part in (~(test | validation), validation, test)]
    return Classification(parts[0], parts[1], parts[2], len(data.names))


_DATA = datasets.describe("braille")
TASK = Task(
    name="braille",
    title="tactile Braille letters",
    metric="accuracy",
    licence=_DATA.licence,
    source=_DATA.source,
    split="945 train, 135 validation, 270 test, by repetition (there is no official split)",
    remedy="put braille.npz into $SPIKESIM_DATA/braille",
    available=lambda: datasets.available("braille"),
    load=load,
)

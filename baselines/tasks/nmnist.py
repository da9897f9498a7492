"""N-MNIST, small part: an event camera's recordings of 1,000 digits to train and 100 to test, in ten frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Classification, Split, Task
from spikesim import datasets

FRAMES, SIDE = 10, 34
_US, _VALIDATION = 30_000, 150


def load() -> Classification:
    """Frames (k, 10, 2, 34, 34) of off and on events, 1 where there was one; 150 training recordings validate."""
    data = datasets.load("nmnist")
    x, y = frames_of(data.train), data.train.labels.astype(np.int64)
    train, validation = Split(x[:-_VALIDATION], y[:-_VALIDATION]), Split(x[-_VALIDATION:], y[-_VALIDATION:])
    return Classification(train, validation, Split(frames_of(data.test), data.test.labels.astype(np.int64)), 10)


def frames_of(recordings: Any) -> NDArray[np.float32]:
    """Whether each pixel saw an event in each 30 ms; what comes after 300 ms belongs to the last frame."""
    r, k = recordings, len(recordings.labels)
    frame = np.minimum(r.t // _US, FRAMES - 1)
    x = np.zeros((k, FRAMES, 2, SIDE, SIDE), np.float32)
    x[np.repeat(np.arange(k), np.diff(r.offsets)), frame, r.p, r.y, r.x] = 1.0
    return x


_DATA = datasets.describe("nmnist")
TASK = Task(
    name="nmnist",
    title="N-MNIST, 1,000 + 100 recordings",
    metric="accuracy",
    licence=_DATA.licence,
    source=_DATA.source,
    split="850 train, 150 validation (the last of the training part), 100 test: too few to compare with published "
    "figures",
    remedy="put its two files into $SPIKESIM_DATA/nmnist",
    available=lambda: datasets.available("nmnist"),
    load=load,
)

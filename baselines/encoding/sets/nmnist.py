"""N-MNIST: event counts on 17 × 17 pixels and two polarities, 10 frames of 30 ms, to be encoded anew."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.encoding.material import Material, Part, Source, limited
from spikesim import datasets

_DATA = datasets.describe("nmnist")
_SIDE, _FRAMES, _US = 17, 10, 30_000
_VALIDATION = 200


def frames_of(r: Any) -> NDArray[Any]:
    """Event counts (recordings, frames, 2 * 17 * 17); later events count in the last frame."""
    k = len(r.labels)
    recording = np.repeat(np.arange(k), np.diff(r.offsets))
    frame = np.minimum(r.t // _US, _FRAMES - 1).astype(np.int64)
    pixel = (r.p.astype(np.int64) * _SIDE + r.y // 2) * _SIDE + r.x // 2
    size = 2 * _SIDE * _SIDE
    counts = np.bincount((recording * _FRAMES + frame) * size + pixel, minlength=k * _FRAMES * size)
    return counts.reshape(k, _FRAMES, size).astype(float)


def load(limit: int, features: str) -> Material:
    """The last 200 of the 1,000 training recordings validate; counts are scaled to 1 at the 99 % quantile."""
    d = datasets.load("nmnist")
    train, test = frames_of(d.train), frames_of(d.test)
    top = max(1.0, float(np.quantile(train[:-_VALIDATION][train[:-_VALIDATION] > 0], 0.99)))
    x, x_test = np.minimum(train / top, 1.0), np.minimum(test / top, 1.0)
    y, y_test = d.train.labels.astype(np.int64), d.test.labels.astype(np.int64)
    train_part, validation = Part(x[:-_VALIDATION], y[:-_VALIDATION]), Part(x[-_VALIDATION:], y[-_VALIDATION:])
    parts = limited([train_part, validation, Part(x_test, y_test)], limit)
    return Material(
        name="nmnist",
        title=f"{_DATA.title}, {_FRAMES} frames of {_US // 1000} ms",
        licence=_DATA.licence,
        source=_DATA.source,
        split=f"{len(parts[0].x)} train, {len(parts[1].x)} validation (the last of the training part), "
        f"{len(parts[2].x)} test; events counted on 17 × 17 pixels, {top:g} or more count as 1",
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        classes=10,
        rows=None,
        budgets=(2, 4),
    )


SOURCE = Source(
    "nmnist", _DATA.title, "put its two files into $SPIKESIM_DATA/nmnist", lambda: datasets.available("nmnist"), load
)

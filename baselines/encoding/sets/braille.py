"""Braille letters: the four sensors that vary, 38 frames of two readings."""

from __future__ import annotations

import numpy as np

from baselines.encoding.material import Material, Part, Source, limited
from spikesim import datasets

_DATA = datasets.describe("braille")
_SENSORS, _JOIN = (1, 2, 6, 10), 2


def load(limit: int, features: str) -> Material:
    """Repetitions 0 … 34 train, 35 … 41 validate, 42 … 49 test."""
    d = datasets.load("braille")
    x = 1 - d.touch[:, : 77 // _JOIN * _JOIN, _SENSORS] / 255
    x = x.reshape(len(x), -1, _JOIN, len(_SENSORS)).mean(axis=2)
    y = d.labels.astype(np.int64)
    order = np.random.default_rng(1).permutation(len(x))  # the file is sorted by letter
    edges = ((0, 35), (35, 42), (42, 50))
    masks = [(d.repetitions[order] >= lo) & (d.repetitions[order] < hi) for lo, hi in edges]
    train, validation, test = limited([Part(x[order[m]], y[order[m]]) for m in masks], limit)
    return Material(
        name="braille",
        title=_DATA.title,
        licence=_DATA.licence,
        source=_DATA.source,
        split=f"repetitions 0 to 34 train ({len(train.x)}), 35 to 41 validate ({len(validation.x)}), 42 to 49 test "
        f"({len(test.x)}); pairs of readings averaged",
        train=train,
        validation=validation,
        test=test,
        classes=27,
        rows=None,
        budgets=(2, 4, 8),
    )


SOURCE = Source(
    "braille", _DATA.title, "put braille.npz into $SPIKESIM_DATA/braille", lambda: datasets.available("braille"), load
)

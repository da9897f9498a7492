"""Yin-Yang: points in a disc that belong to yin, yang or one of the two dots; made from its definition."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset
from spikesim.parameters import as_count

RADIUS, DOT = 0.5, 0.1
SPLITS = {"train": (5000, 42), "validation": (1000, 41), "test": (1000, 40)}  # sizes and seeds
DATASET = Dataset(
    name="yin-yang",
    title="Yin-Yang",
    files=(),
    url="",
    licence="none needed: the points are drawn here",
    source="Kriener, Göltz & Petrovici 2022, The Yin-Yang dataset, doi:10.1145/3517343.3517380",
)


class Split(NamedTuple):
    """Points (k, 4) as (x, y, 1 - x, 1 - y) in [0, 1], and labels (k,): 0 yin, 1 yang, 2 dot."""

    values: NDArray[np.float64]
    labels: NDArray[np.int64]


class YinYang(NamedTuple):
    """The three standard splits."""

    train: Split
    validation: Split
    test: Split


def available() -> bool:
    """Always: nothing has to be fetched."""
    return True


def load() -> YinYang:
    """Training, validation and test set of 5,000, 1,000 and 1,000 points."""
    return YinYang(*(draw(size, seed) for size, seed in SPLITS.values()))


def draw(size: int, seed: int) -> Split:
    """Points drawn so that each class is as likely as any other.

    Raises
    ------
    ParameterError
        If `size` < 1 or `seed` < 0.
    """
    size, rng = as_count(size, "yin-yang: size"), np.random.default_rng(as_count(seed, "yin-yang: seed", 0))
    labels = rng.integers(0, 3, size)
    points = np.empty((size, 2))
    open_ = np.arange(size)
    while open_.size:  # throw a point for every place that has none of its class yet
        xy = rng.uniform(0.0, 2 * RADIUS, (open_.size, 2))
        hit = classify(xy) == labels[open_]
        points[open_[hit]] = xy[hit]
        open_ = open_[~hit]
    return Split(np.hstack((points, 1.0 - points)), labels)


def classify(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Class of points (k, 2): 0 yin, 1 yang, 2 dot, -1 outside the disc."""
    x, y = xy[:, 0], xy[:, 1]
    right = np.hypot(x - 1.5 * RADIUS, y - RADIUS)
    left = np.hypot(x - 0.5 * RADIUS, y - RADIUS)
    yang = (right <= DOT) | ((left > DOT) & (left <= 0.5 * RADIUS)) | ((y > RADIUS) & (right > 0.5 * RADIUS))
    inside = np.hypot(x - RADIUS, y - RADIUS) <= RADIUS
    return np.where(~inside, -1, np.where((right < DOT) | (left < DOT), 2, yang.astype(np.int64)))

"""Karate club: which club each member joins, from four known ones, two of each; six validate, 24 test."""

from __future__ import annotations

import numpy as np

from baselines.contract import Graph, Task
from spikesim import datasets

_KNOWN, _VALIDATION_SEED, _VALIDATION = (0, 1, 32, 33), 1, 6


def load() -> Graph:
    """The graph with one-hot features; a split that never changes."""
    edges, club = datasets.load("karate")
    rest = np.setdiff1d(np.arange(len(club)), _KNOWN)
    rest = np.random.default_rng(_VALIDATION_SEED).permutation(rest)
    parts = np.array(_KNOWN), np.sort(rest[:_VALIDATION]), np.sort(rest[_VALIDATION:])
    return Graph(np.eye(len(club), dtype=np.float32), edges, club, *parts, classes=2)


_DATA = datasets.describe("karate")
TASK = Task(
    name="karate",
    title="Zachary's karate club",
    metric="accuracy",
    licence=_DATA.licence,
    source=_DATA.source,
    split="4 members known (the two leaders and a friend of each), 6 validation, 24 test, the same for every seed",
    remedy="it is part of the package",
    available=lambda: datasets.available("karate"),
    load=load,
)

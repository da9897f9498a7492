"""Cora: the subject of a paper from its words and citations, public split of 140 + 500 + 1,000 papers."""

from __future__ import annotations

import numpy as np

from baselines.contract import Graph, Task
from spikesim import datasets


def load() -> Graph:
    """The citation graph; words of a paper as 0 and 1."""
    data = datasets.load("cora")
    x = data.features.toarray().astype(np.float32)
    return Graph(x, data.edges, data.label, data.train, data.validation, data.test, classes=7)


_DATA = datasets.describe("cora")
TASK = Task(
    name="cora",
    title="Cora citation graph",
    metric="accuracy",
    licence=_DATA.licence,
    source=_DATA.source,
    split="140 train (20 a subject), 500 validation, 1,000 test, the public split",
    remedy="put cora.npz into $SPIKESIM_DATA/planetoid",
    available=lambda: datasets.available("cora"),
    load=load,
)

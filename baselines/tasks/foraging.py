"""Foraging: a row of five cells, food at one end that changes sides after five meals."""

from __future__ import annotations

import importlib.util

from baselines.contract import Task
from baselines.growing.foraging import BEST
from baselines.growing.worlds import FORAGING

TASK = Task(
    name="foraging",
    title=f"foraging with switching food (100 % = {BEST} meals)",
    metric="meals",
    licence="part of the package",
    source="after Plantec et al. 2024, arXiv:2406.09787, section 3",
    split="training, validation (40 lives) and test (100) have seeds of their own; either side is first as often",
    remedy="evolution needs cma: pip install 'spikesim[baselines]'",
    available=lambda: importlib.util.find_spec("cma") is not None,
    load=lambda: FORAGING,
)

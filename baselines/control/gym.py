"""Environments of gymnasium as control tasks."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from baselines.contract import Control

REMEDY = "its environments come with gymnasium: pip install 'spikesim[baselines]'"
LICENCE = "MIT"
SOURCE = "Towers et al. 2024, arXiv:2407.17032 (gymnasium)"
SPLIT = "training, validation (20 episodes) and test (100) start in states of their own, drawn anew for every seed"


def available() -> bool:
    """Whether gymnasium is installed."""
    return importlib.util.find_spec("gymnasium") is not None


def make(name: str, **options: Any) -> Any:
    """A new environment, its own checks left out."""
    import gymnasium

    return gymnasium.make(name, disable_env_checker=True, **options)


def control(name: str, scale: Sequence[float], actions: int, horizon: int, worst: float, best: float) -> Control:
    """A control task by the name gymnasium knows it by."""
    return Control(name, partial(make, name), np.array(scale, np.float32), actions, horizon, worst, best)

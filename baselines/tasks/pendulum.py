"""Pendulum-v1: swing a pendulum up with a motor too weak to lift it, and hold it there; three torques."""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.contract import Control, Task
from baselines.control import gym
from baselines.growing.physics import TORQUES


def _make() -> Any:
    import gymnasium

    return gymnasium.wrappers.TransformAction(
        gym.make("Pendulum-v1"),
        lambda action: TORQUES[[int(action)]].astype(np.float32),
        gymnasium.spaces.Discrete(len(TORQUES)),
    )


def load() -> Control:
    """Cosine, sine and speed of the angle; 200 steps of hanging still cost about 2,000."""
    scale = np.array([1.0, 1.0, 8.0], np.float32)
    return Control("Pendulum-v1", _make, scale, actions=len(TORQUES), horizon=200, worst=-2000.0, best=0.0)


TASK = Task(
    name="pendulum",
    title="Pendulum-v1, three torques (0 % = a return of -2,000, 100 % = 0)",
    metric="return",
    licence=gym.LICENCE,
    source=gym.SOURCE,
    split=gym.SPLIT,
    remedy=gym.REMEDY,
    available=gym.available,
    load=load,
)

"""Acrobot-v1: swing two links, driven at the joint between them, above a line in as few steps as can be."""

from __future__ import annotations

from baselines.contract import Control, Task
from baselines.control import gym


def load() -> Control:
    """Cosines and sines of two angles, and their speeds; every step costs 1, after 500 the time is up."""
    scale = (1.0, 1.0, 1.0, 1.0, 12.57, 28.28)
    return gym.control("Acrobot-v1", scale=scale, actions=3, horizon=500, worst=-500.0, best=0.0)


TASK = Task(
    name="acrobot",
    title="Acrobot-v1 (0 % = a return of -500, 100 % = 0)",
    metric="return",
    licence=gym.LICENCE,
    source=f"Sutton 1995, Advances in Neural Information Processing Systems 8; {gym.SOURCE}",
    split=gym.SPLIT,
    remedy=gym.REMEDY,
    available=gym.available,
    load=load,
)

"""CartPole-v1: keep a pole upright for 500 steps by pushing its cart left or right."""

from __future__ import annotations

from baselines.contract import Control, Task
from baselines.control import gym


def load() -> Control:
    """Position (m), speed, angle (rad), angular speed; a return of 500 is the best there is."""
    return gym.control("CartPole-v1", scale=(2.4, 3.0, 0.21, 3.0), actions=2, horizon=500, worst=0.0, best=500.0)


TASK = Task(
    name="cartpole",
    title="CartPole-v1 (100 % = a return of 500)",
    metric="return",
    licence=gym.LICENCE,
    source=f"Barto, Sutton & Anderson 1983, doi:10.1109/TSMC.1983.6313077; {gym.SOURCE}",
    split=gym.SPLIT,
    remedy=gym.REMEDY,
    available=gym.available,
    load=load,
)

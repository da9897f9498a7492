"""Worlds that networks live in, many lives side by side: what they offer to a life, and which task has which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Control
from baselines.growing.foraging import BEST, STEPS, Foraging
from baselines.growing.genome import Body
from baselines.growing.physics import PHYSICS, Controlled


class World(Protocol):
    """Lives side by side, until they end."""

    def senses(self) -> NDArray[np.float64]:
        """What is noticed (lives, senses), in 0 … 1."""

    def act(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """One step each; rewards (lives,) and whose life has ended."""

    def keep(self, these: NDArray[np.bool_]) -> None:
        """Go on with these lives alone."""


class Habitat(NamedTuple):
    """A task as a world.

    Parameters
    ----------
    name : str
    body : Body
        Senses and actions of a network that lives there.
    horizon : int
        Decisions of a life at most.
    start : callable
        From a seed for each life to a `World`.
    worst, best : float
        Returns that count as 0 and as 1.
    unit : float
        What rewards are divided by before networks are told.
    """

    name: str
    body: Body
    horizon: int
    start: Callable[[Sequence[int]], World]
    worst: float
    best: float
    unit: float = 1.0

    def score(self, returns: NDArray[np.float64]) -> float:
        """Mean return on the scale from worst to best."""
        return float(np.mean(returns) - self.worst) / (self.best - self.worst)


FORAGING = Habitat(
    "foraging", Body(("left end", "right end", "fed", "on"), ("left", "right")), STEPS, Foraging, 0.0, float(BEST)
)


def habitat_of(data: Any) -> Habitat:
    """The world of a task: a habitat is one, of a control task the numbers it shows become pairs of senses."""
    return _controlled(data) if isinstance(data, Control) else data


def _controlled(task: Control) -> Habitat:
    physics = PHYSICS[task.name]
    senses = tuple(f"{sign}{name}" for name in physics.names for sign in "+-")
    return Habitat(
        name=task.name,
        body=Body((*senses, "on"), physics.actions, named=True),
        horizon=task.horizon,
        start=lambda seeds: Controlled(physics, task.scale, task.horizon, seeds),
        worst=task.worst,
        best=task.best,
        unit=max(1.0, (task.best - task.worst) / task.horizon),
    )

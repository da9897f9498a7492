"""Episodes of a control task, many side by side, so that a network answers for all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Control

Policy = Callable[[NDArray[np.float32]], NDArray[np.int64]]  # observations (k, n), scaled, to actions (k,)


class Episodes(NamedTuple):
    """What happened: returns (episodes,), and every decision in the order they were asked for."""

    returns: NDArray[np.float64]
    episode: NDArray[np.int64]
    observations: NDArray[np.float32]
    actions: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of every episode."""
        return np.bincount(self.episode, minlength=len(self.returns))


def scaled(task: Control, observation: Any) -> NDArray[np.float32]:
    """An observation as networks see it."""
    return np.asarray(observation, np.float32) / task.scale


def play(task: Control, policy: Policy, seeds: Sequence[int], tell: Callable[[int], object] | None = None) -> Episodes:
    """One episode for every seed, all in step, none longer than the horizon of the task.

    Parameters
    ----------
    task : Control
    policy : callable
        From observations of the episodes that still run to their actions.
    seeds : sequence of int
        Of the environments: the same seed starts in the same state.
    tell : callable or None
        Told how many episodes have just ended.
    """
    worlds = [task.make() for _ in seeds]
    states = [scaled(task, world.reset(seed=int(seed))[0]) for world, seed in zip(worlds, seeds, strict=True)]
    returns, running = np.zeros(len(seeds)), list(range(len(seeds)))
    met: list[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]] = []
    for _ in range(task.horizon):
        if not running:
            break
        seen = np.stack([states[i] for i in running])
        actions = policy(seen)
        met.append((np.array(running), seen, actions))
        going = []
        for i, action in zip(running, actions, strict=True):
            state, reward, terminated, truncated, _ = worlds[i].step(int(action))
            states[i] = scaled(task, state)
            returns[i] += float(reward)
            if not (terminated or truncated):
                going.append(i)
        if tell and len(going) < len(running):
            tell(len(running) - len(going))
        running = going
    for world in worlds:
        world.close()
    return Episodes(returns, *(np.concatenate(part) for part in zip(*met, strict=True)))

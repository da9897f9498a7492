"""CartPole, Acrobot and Pendulum for many lives at once, step by step what gymnasium computes for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
GAIN = 3.0  # of senses: a third of the scale is as much as they notice
Moved = tuple[Floats, Floats, NDArray[np.bool_]]  # states, rewards, whether it is over


class Physics(NamedTuple):
    """An environment: what is seen, what can be done, how it starts and moves.

    Parameters
    ----------
    names, actions : tuple of str
        Of the numbers that are seen, and of the actions.
    begin : callable
        From random numbers to a state (n,).
    see : callable
        From states (k, n) to what is seen (k, names).
    move : callable
        From states and actions (k,) to what comes next.
    """

    names: tuple[str, ...]
    actions: tuple[str, ...]
    begin: Callable[[np.random.Generator], Floats]
    see: Callable[[Floats], Floats]
    move: Callable[[Floats, NDArray[np.int64]], Moved]


class Controlled:
    """Lives in such an environment; each number is two senses, for what is above and below zero, at most 1.

    Parameters
    ----------
    physics : Physics
    scale : array (names,)
        What numbers are divided by.
    horizon : int
        Steps of a life at most.
    seeds : sequence of int
        One for each life; it starts where gymnasium starts with this seed.
    """

    def __init__(self, physics: Physics, scale: NDArray[np.float32], horizon: int, seeds: Sequence[int]) -> None:
        self.physics, self._scale, self._left = physics, scale.astype(float), horizon
        self.state = np.stack([physics.begin(np.random.default_rng(int(seed))) for seed in seeds])

    def senses(self) -> Floats:
        """What is noticed (lives, 2 names + 1)."""
        seen = np.clip(GAIN * self.physics.see(self.state) / self._scale, -1.0, 1.0)
        both = np.stack([np.maximum(seen, 0.0), np.maximum(-seen, 0.0)], axis=2).reshape(len(seen), -1)
        return np.concatenate([both, np.ones((len(seen), 1))], axis=1)

    def act(self, actions: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
        """One step each; rewards, and whose life has ended."""
        self.state, rewards, over = self.physics.move(self.state, actions)
        self._left -= 1
        return rewards, over | (self._left <= 0)

    def keep(self, these: NDArray[np.bool_]) -> None:
        """Go on with these lives alone."""
        self.state = self.state[these]


# --- CartPole-v1: Barto, Sutton & Anderson 1983, doi:10.1109/TSMC.1983.6313077 ------------------------------

_GRAVITY, _CART, _POLE, _HALF, _FORCE, _TICK = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02  # m/s², kg, kg, m, N, s
_EDGE, _TILT = 2.4, 12 * 2 * np.pi / 360  # m, rad


def _push(s: Floats, actions: NDArray[np.int64]) -> Moved:
    x, v, angle, speed = s.T
    force, mass = _FORCE * (2.0 * actions - 1.0), _CART + _POLE
    temp = (force + _POLE * _HALF * speed**2 * np.sin(angle)) / mass
    turn = (_GRAVITY * np.sin(angle) - np.cos(angle) * temp) / (_HALF * (4.0 / 3.0 - _POLE * np.cos(angle) ** 2 / mass))
    push = temp - _POLE * _HALF * turn * np.cos(angle) / mass
    then = np.stack([x + _TICK * v, v + _TICK * push, angle + _TICK * speed, speed + _TICK * turn], axis=1)
    over = (np.abs(then[:, 0]) > _EDGE) | (np.abs(then[:, 2]) > _TILT)
    return then, np.ones(len(s)), over


# --- Acrobot-v1: Sutton 1995, both links 1 m and 1 kg, moments of inertia 1 kg m² ------------------------------

_DT, _FASTEST = 0.2, np.array([4 * np.pi, 9 * np.pi])  # s, rad/s


def _accelerate(s: Floats, torque: Floats) -> Floats:
    first, second, w1, w2 = s.T
    d1 = 0.25 + 1.0 + 0.25 + np.cos(second) + 2.0
    d2 = 0.25 + 0.5 * np.cos(second) + 1.0
    phi2 = 0.5 * _GRAVITY * np.cos(first + second - np.pi / 2)
    phi1 = -0.5 * w2**2 * np.sin(second) - w2 * w1 * np.sin(second) + 1.5 * _GRAVITY * np.cos(first - np.pi / 2) + phi2
    a2 = (torque + d2 / d1 * phi1 - 0.5 * w1**2 * np.sin(second) - phi2) / (1.25 - d2**2 / d1)
    return np.stack([w1, w2, -(d2 * a2 + phi1) / d1, a2], axis=1)


def _swing(s: Floats, actions: NDArray[np.int64]) -> Moved:
    """One step of the classical Runge-Kutta method."""
    torque = actions.astype(np.float64) - 1.0
    k1 = _accelerate(s, torque)
    k2 = _accelerate(s + _DT / 2 * k1, torque)
    k3 = _accelerate(s + _DT / 2 * k2, torque)
    k4 = _accelerate(s + _DT * k3, torque)
    then = s + _DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    then[:, :2] = (then[:, :2] + np.pi) % (2 * np.pi) - np.pi
    then[:, 2:] = np.clip(then[:, 2:], -_FASTEST, _FASTEST)
    over = -np.cos(then[:, 0]) - np.cos(then[:, 1] + then[:, 0]) > 1.0
    return then, np.where(over, 0.0, -1.0), over


def _links(s: Floats) -> Floats:
    return np.stack([np.cos(s[:, 0]), np.sin(s[:, 0]), np.cos(s[:, 1]), np.sin(s[:, 1]), s[:, 2], s[:, 3]], axis=1)


# --- Pendulum-v1 (gymnasium): 1 m, 1 kg; torques of -2, 0 and 2 N m ------------------------------


def _turn(s: Floats, actions: NDArray[np.int64]) -> Moved:
    angle, speed = s.T
    torque = TORQUES[actions]
    away = (angle + np.pi) % (2 * np.pi) - np.pi
    cost = away**2 + 0.1 * speed**2 + 0.001 * torque**2
    faster = np.clip(speed + (15.0 * np.sin(angle) + 3.0 * torque) * 0.05, -8.0, 8.0)
    return np.stack([angle + 0.05 * faster, faster], axis=1), -cost, np.zeros(len(s), bool)


TORQUES = np.array([-2.0, 0.0, 2.0])

PHYSICS = {
    "CartPole-v1": Physics(
        ("place", "speed", "angle", "turning"),
        ("left", "right"),
        lambda rng: rng.uniform(-0.05, 0.05, 4),
        lambda s: s,
        _push,
    ),
    "Acrobot-v1": Physics(
        ("cos 1", "sin 1", "cos 2", "sin 2", "speed 1", "speed 2"),
        ("back", "none", "forth"),
        lambda rng: rng.uniform(-0.1, 0.1, 4).astype(np.float32).astype(float),
        _links,
        _swing,
    ),
    "Pendulum-v1": Physics(
        ("cos", "sin", "speed"),
        ("back", "none", "forth"),
        lambda rng: rng.uniform(-np.array([np.pi, 1.0]), np.array([np.pi, 1.0])),
        lambda s: np.stack([np.cos(s[:, 0]), np.sin(s[:, 0]), s[:, 1]], axis=1),
        _turn,
    ),
}

"""The genes of a network that develops: one vector of numbers, cut into the weights of small networks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from baselines.growing.foraging import ACTIONS, SENSES

NODES, STATE, EDGE, KEYS = 10, 4, 3, 4  # nodes, numbers of a node, of an edge, of a query
_ABOUT = 5  # edges in and out, sense, action, activity
_MESSAGE = STATE
_SHAPES: dict[str, tuple[int, ...]] = {
    "query": (STATE, KEYS),
    "key": (STATE, KEYS),
    "value": (STATE, _MESSAGE),
    "node": (_ABOUT + _MESSAGE + STATE + 1, 3 * STATE),
    "edge": (2 * STATE + 3 + EDGE + 1, 3 * EDGE),
    "prune": (EDGE + 1, 1),
    "grow": (2 * STATE + 1, 1),
    "birth": (NODES, STATE),
    "density": (3,),
    "spontaneous": (3,),
}
SIZE = sum(math.prod(shape) for shape in _SHAPES.values())

Genes = dict[str, NDArray[np.float64]]


def express(genomes: NDArray[np.float64]) -> Genes:
    """Weights (k, …) by name of genomes (k, SIZE)."""
    found, at = {}, 0
    for name, shape in _SHAPES.items():
        n = math.prod(shape)
        found[name] = genomes[:, at : at + n].reshape(len(genomes), *shape)
        at += n
    return found


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic function."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def gated(x: NDArray[np.float64], h: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gated recurrent unit: states (k, m, d) after inputs (k, m, i); weights (k, i + d + 1, 3 d), a set for each k."""
    d = h.shape[2]
    one = np.ones((*h.shape[:2], 1))
    gates = sigmoid(np.concatenate([x, h, one], axis=2) @ weights[:, :, : 2 * d])
    reset, keep = gates[..., :d], gates[..., d:]
    new = np.tanh(np.concatenate([x, reset * h, one], axis=2) @ weights[:, :, 2 * d :])
    return keep * h + (1.0 - keep) * new


SENSORS = slice(0, SENSES)
MOTORS = slice(NODES - ACTIONS, NODES)


def allowed() -> NDArray[np.bool_]:
    """Where edges may be (from, to): none into senses, none from a node to itself, none from sense to action."""
    mask = ~np.eye(NODES, dtype=bool)
    mask[:, SENSORS] = False
    mask[SENSORS, MOTORS] = False
    mask[MOTORS, :] = False
    return mask

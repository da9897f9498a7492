"""The genes of a network that develops: one vector of numbers, cut into the weights of small networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

STATE, EDGE, KEYS = 4, 3, 4  # numbers of a node, of an edge, of a query
_ABOUT = 5  # edges in and out, sense, action, activity
_MESSAGE = STATE

Genes = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Body:
    """Which nodes a network has: senses first, actions last, hidden ones between them.

    Parameters
    ----------
    senses, actions : tuple of str
        Their names.
    hidden : int
        Nodes that are neither.
    divides : bool
        Whether there are genes by which nodes divide.
    named : bool
        Whether genes give every node its state at birth; otherwise they do so for actions alone, and the states of the
        others are drawn anew in every life, so that genes cannot tell one sense from another.
    """

    senses: tuple[str, ...]
    actions: tuple[str, ...]
    hidden: int = 4
    divides: bool = False
    named: bool = False

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.senses) + self.hidden + len(self.actions)

    @property
    def sensors(self) -> slice:
        """Places of the senses."""
        return slice(0, len(self.senses))

    @property
    def motors(self) -> slice:
        """Places of the actions."""
        return slice(self.nodes - len(self.actions), self.nodes)

    @property
    def known(self) -> slice:
        """Places of the nodes whose state at birth is in the genes."""
        return slice(0, self.nodes) if self.named else self.motors

    @cached_property
    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where edges may be, from and to: none into senses, none to itself, none from sense to action."""
        mask = ~np.eye(self.nodes, dtype=bool)
        mask[:, self.sensors] = False
        mask[self.sensors, self.motors] = False
        mask[self.motors, :] = False
        before, after = np.nonzero(mask)
        return before, after

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the genes by name."""
        division = {"divide": (STATE + 1, 1), "child": (STATE + 1, STATE)} if self.divides else {}
        return {
            "query": (STATE, KEYS),
            "key": (STATE, KEYS),
            "value": (STATE, _MESSAGE),
            "node": (_ABOUT + _MESSAGE + STATE + 1, 3 * STATE),
            "edge": (2 * STATE + 3 + EDGE + 1, 3 * EDGE),
            "prune": (EDGE + 1, 1),
            "grow": (2 * STATE + 1, 1),
            "birth": (self.nodes if self.named else len(self.actions), STATE),
            "density": (3,),
            "spontaneous": (3, len(self.senses)),
            **division,
        }

    @property
    def size(self) -> int:
        """How many genes there are."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def express(self, genomes: NDArray[np.float64]) -> Genes:
        """Weights (k, …) by name of genomes (k, size)."""
        found, at = {}, 0
        for name, shape in self.shapes.items():
            n = math.prod(shape)
            found[name] = genomes[:, at : at + n].reshape(len(genomes), *shape)
            at += n
        return found

    def dense(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Numbers of edges (k, pairs) as matrices (k, from, to)."""
        found = np.zeros((len(values), self.nodes, self.nodes))
        found[:, self.pairs[0], self.pairs[1]] = values
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

"""Networks that grow their nodes by division, and are then fixed: neural developmental programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from baselines.growing.genome import EDGE, sigmoid
from baselines.growing.network import Colony, Floats
from baselines.growing.worlds import Habitat

PLACES = 12  # for nodes that are neither sense nor action; one of them is there at first
_DIVIDE = 0.6


def dividing(habitat: Habitat) -> Habitat:
    """The same world for networks whose nodes divide."""
    return habitat._replace(body=replace(habitat.body, hidden=PLACES, divides=True, named=True))


class Seedling(Colony):
    """A colony of networks that start from senses, actions and one node between them, and grow before birth alone.

    In every step of development, states and edges change as those of `Colony` do; then each node in between whose
    state says so divides while there is room: the child has a state made of its parent's, the edges of its parent, and
    one from it.

    Parameters
    ----------
    habitat : Habitat
        Made by `dividing`.
    genomes, seeds, spiking, steps
        As in `Colony`.

    References
    ----------
    Najarro, Sudhakaran & Risi 2023, arXiv:2307.08197 (NDP); there new nodes get edges to their parent's neighbours,
    and edges get weights from the states of both ends alone.
    """

    def __init__(self, habitat: Habitat, genomes: Floats, seeds: Sequence[int], spiking: bool, steps: int = 4) -> None:
        super().__init__(habitat, genomes, seeds, spiking, plastic=False, spontaneous=False, steps=steps)
        body = self.body
        self._between = slice(body.sensors.stop, body.motors.start)
        self.born = np.ones((self.k, body.nodes), bool)
        self.born[:, self._between] = False
        self.born[:, body.sensors.stop] = True
        self._bury()

    def size(self) -> float:
        """Nodes of a network, mean."""
        return float(self.born.sum(axis=1).mean())

    def develop(self, active: Floats, reward: Floats) -> None:
        """States and edges change, then nodes divide."""
        super().develop(active, reward)
        self._bury()
        self._divide()

    def _bury(self) -> None:
        """Take away what is not born: states, and edges at either end."""
        before, after = self.body.pairs
        self.node *= self.born[..., None]
        self.there &= self.born[:, before] & self.born[:, after]
        self.edge *= self.there[..., None]

    def _divide(self) -> None:
        told = np.concatenate([self.node, np.ones((self.k, self.body.nodes, 1))], axis=2)
        ready = (sigmoid(told @ self.genes["divide"])[..., 0] > _DIVIDE) & self.born
        children = np.tanh(told @ self.genes["child"])
        there, edge = self._matrices()
        for one in range(self.k):
            first = self.body.sensors.stop
            parents = first + np.flatnonzero(ready[one, self._between])
            free = first + np.flatnonzero(~self.born[one, self._between])
            for parent, child in zip(parents, free, strict=False):  # as far as there is room
                self.born[one, child] = True
                self.node[one, child] = children[one, parent]
                for table in (there[one], edge[one]):
                    table[child], table[:, child] = table[parent], table[:, parent]
                there[one, parent, child], edge[one, parent, child] = True, 0.0
                there[one, child, child], edge[one, child, child] = False, 0.0
        before, after = self.body.pairs
        self.there, self.edge = there[:, before, after], edge[:, before, after]

    def _matrices(self) -> tuple[Any, Floats]:
        """Edges that are there, and their states, from node to node."""
        shape, (before, after) = (self.k, self.body.nodes, self.body.nodes), self.body.pairs
        there, edge = np.zeros(shape, bool), np.zeros((*shape, EDGE))
        there[:, before, after], edge[:, before, after] = self.there, self.edge
        return there, edge

    def _keep(self, these: Any) -> None:
        super()._keep(these)
        self.born = self.born[these]

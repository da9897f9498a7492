"""Competition without gradients: the STDP network of the core, and the artificial kind of the same thing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Classification
from spikesim.studies.diehl_cook import LABELLED, TESTED, DiehlCookStudy, Images, Show, labels_of, vote

_START = 31  # purpose of random numbers
Pictures = NDArray[np.float32]
Labels = NDArray[np.int64]


class Competing:
    """Diehl & Cook's network, learning by STDP; between lessons it is frozen and asked.

    Parameters
    ----------
    units : int
        Excitatory neurons.
    data : Classification
        For the size of the pictures alone.
    seed : int
    """

    def __init__(self, units: int, data: Classification, seed: int) -> None:
        size = data.train.x[0].size
        nothing, none = np.zeros((0, size)), np.zeros(0, np.int64)
        self._show = Show(DiehlCookStudy(neurons=units), Images(nothing, none, nothing, none), seed)
        self._labels, self._shown = np.full(units, -1), 0

    def learn(self, x: Pictures) -> None:
        """One pass, in the order of the data."""
        for image in x:
            self._show.present(image.astype(float), self._shown)
            self._shown += 1

    def name(self, x: Pictures, y: Labels) -> None:
        """Give each neuron the label of the pictures it answers most to."""
        self._labels = labels_of(self._asked(x, LABELLED), y)

    def answer(self, x: Pictures) -> Labels:
        """Labels of pictures, those whose neurons answer most."""
        return vote(self._asked(x, TESTED), self._labels)

    def _asked(self, x: Pictures, purpose: int) -> Labels:
        """Spikes (pictures, neurons)."""
        return self._show.ask(x.astype(float), purpose, lambda k: None)


class Prototypes:
    """Points that move towards pictures: the nearest does, distances counted longer for those that have won often.

    Parameters
    ----------
    units : int
        Prototypes.
    data : Classification
        For the size of the pictures alone.
    pull : float
        Part of the way a winner goes.
    seed : int

    References
    ----------
    Ahalt et al. 1990, doi:10.1016/0893-6080(90)90071-R.
    """

    def __init__(self, units: int, data: Classification, pull: float, seed: int) -> None:
        rng = np.random.default_rng((_START, seed))
        self._points, self._won = rng.uniform(0, 0.3, (units, data.train.x[0].size)), np.ones(units)
        self._pull, self._labels = pull, np.full(units, -1)

    def learn(self, x: Pictures) -> None:
        """One pass, in the order of the data."""
        for image in x:
            winner = int(np.argmin(self._won * ((self._points - image) ** 2).sum(1)))
            self._points[winner] += self._pull * (image - self._points[winner])
            self._won[winner] += 1

    def name(self, x: Pictures, y: Labels) -> None:
        """Give each prototype the label of the pictures it is nearest to."""
        nearest = _distances(x, self._points).argmin(1)
        self._labels = labels_of((nearest[:, None] == np.arange(len(self._points))).astype(np.int64), y)

    def answer(self, x: Pictures) -> Labels:
        """Label of the nearest prototype that has one."""
        named = self._labels >= 0
        return self._labels[named][_distances(x, self._points[named]).argmin(1)]


def _distances(x: Pictures, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((x[:, None, :] - points) ** 2).sum(2)

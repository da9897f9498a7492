"""Private Poisson input of neurons on the grid."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.engines.grid_kernels import Drive
from spikesim.engines.layout import Shard
from spikesim.engines.poisson import GUIDE, classes, count_tables, pieces
from spikesim.inputs import PoissonInput
from spikesim.network import Population
from spikesim.rng import make_key

CHUNK = 512  # neurons whose input is worked on at a time


class Item(NamedTuple):
    """One `PoissonInput` of one population, as far as it concerns one shard; times of its pieces are steps."""

    population: Population
    place: int  # of the population within the block
    receptor: int
    key: Any
    weight: Any
    rows: slice  # stimuli of the shard
    cut: slice  # neurons of the shard
    steps: NDArray[np.int64]
    values: list[Any]
    arrivals: NDArray[np.int64]


class PoissonDrive:
    """All Poisson input of a shard; `enter` sets it to the rates that hold from a step on."""

    def __init__(self, shard: Shard, seed: int, dt: float) -> None:
        self.shard, self.dt = shard, dt
        self.arrivals = np.zeros(sum(len(p.inputs) for p in shard.block.populations), np.int64)
        self.items = [
            self._item(p, place, number, seed)
            for place, p in enumerate(shard.block.populations)
            for number, item in enumerate(p.inputs)
            if isinstance(item, PoissonInput) and shard.overlap(p)[0] < shard.overlap(p)[1]
        ]
        for k, item in enumerate(self.items):
            self.items[k] = item._replace(arrivals=self.arrivals[k : k + 1])
        self.words = np.empty(CHUNK // 4 + 2, np.uint64)
        self.entered: list[int] = []
        self.drive = self._lower([], np.zeros(0), [])

    def _item(self, population: Population, place: int, number: int, seed: int) -> Item:
        item = population.inputs[number]
        assert isinstance(item, PoissonInput)
        a, b, _ = self.shard.overlap(population)
        receptors = list(population.model.receptors)  # type: ignore[union-attr]
        times, values = pieces(item.rate)
        receptor = receptors.index(item.receptor or receptors[0])
        key = make_key(seed, "poisson input", population.name, number)
        rows, cut = slice(self.shard.b0, self.shard.b1), slice(a, b)
        steps = np.rint(times / self.dt).astype(np.int64)
        return Item(population, place, receptor, key, item.weight, rows, cut, steps, values, self.arrivals)

    def enter(self, step: int) -> None:
        """Set the rates to those that hold from `step` on."""
        entered = [int(np.searchsorted(item.steps, step, "right")) - 1 for item in self.items]
        if entered == self.entered:
            return
        self.entered = entered
        rates = [self._rates(item, k) for item, k in zip(self.items, entered, strict=True)]
        distinct, klass = classes(np.concatenate(rates)) if rates else (np.zeros(0), np.zeros(0, np.int64))
        self.drive = self._lower(rates, distinct, klass)

    def _rates(self, item: Item, piece: int) -> NDArray[np.float64]:
        value = np.asarray(item.values[piece], dtype=np.float64)
        if value.ndim == 2:
            value = value[item.rows]
        shape = (self.shard.b1 - self.shard.b0, item.cut.stop - item.cut.start)
        return np.broadcast_to(value[..., item.cut] if value.ndim else value, shape).ravel()

    def _lower(self, rates: list[NDArray[np.float64]], distinct: NDArray[np.float64], klass: Any) -> Drive:
        items, stimuli = self.items if rates else [], self.shard.b1 - self.shard.b0
        offset = np.concatenate([[0], np.cumsum([len(r) for r in rates])]).astype(np.int64)
        own_class = np.array(klass, np.int32)
        one_class = [_common(own_class[a:b]) for a, b in pairwise(offset.tolist())]
        numbers = [item.weight if isinstance(item.weight, float) else np.nan for item in items]
        weights = [
            np.full(len(r), w) if w == w else np.tile(item.weight[item.cut], stimuli)
            for item, w, r in zip(items, numbers, rates, strict=True)
        ]
        tables = count_tables(distinct * self.dt * 1e-3) if len(distinct) else _NO_TABLES
        return Drive(  # type: ignore[call-arg]
            *(np.array([getattr(i, name) for i in items], np.int64) for name in ("place", "receptor")),
            np.array([i.key for i in items], np.uint64),
            np.array(one_class, np.int64),
            np.array(numbers, np.float64),
            offset[:-1],
            own_class,
            np.concatenate([np.zeros(0), *weights]),
            *tables,
            self.arrivals,
            self.words,
            self.words.view(np.uint16),
        )


_NO_TABLES = (np.zeros((0, GUIDE), np.int16), np.zeros((0, 1)))


def _common(klass: NDArray[np.int32]) -> int:
    """The class of all, or -2."""
    return int(klass[0]) if (klass == klass[0]).all() else -2

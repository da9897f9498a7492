"""Private Poisson input of neurons on the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines.grid_kernels import Counts, add_poisson
from spikesim.engines.layout import Shard
from spikesim.engines.poisson import classes, count_tables, pieces
from spikesim.inputs import PoissonInput
from spikesim.network import Population
from spikesim.rng import make_key


class PoissonRow:
    """One `PoissonInput` of one population, as far as it concerns one shard."""

    def __init__(self, shard: Shard, population: Population, number: int, seed: int, dt: float) -> None:
        item = population.inputs[number]
        assert isinstance(item, PoissonInput)
        a, b, shift = shard.overlap(population)
        receptors = list(population.model.receptors)  # type: ignore[union-attr]
        self.population, self.dt = population, dt
        self.receptor = receptors.index(item.receptor or receptors[0])
        self.key = make_key(seed, "poisson input", population.name, number)
        stimuli = shard.b1 - shard.b0
        self.shape, self.cut = (stimuli, b - a), (slice(shard.b0, shard.b1), slice(a, b))
        whole = b - a == shard.width == population.size  # then all stimuli follow each other without gaps
        self.length = (stimuli if whole else 1) * (b - a)
        self.segments = [
            (k * shard.width + a + shift, (shard.b0 + k) * population.size + a, k * self.length)
            for k in range(1 if whole else stimuli)
        ]
        self.words = np.empty(512, np.uint64)
        weight = item.weight
        self.weight = weight if isinstance(weight, float) else np.tile(weight[a:b], stimuli)
        times, self.values = pieces(item.rate)
        self.steps = np.rint(times / dt).astype(np.int64)
        self.piece = -1
        self.arrivals = np.zeros(1, np.int64)

    def _enter(self, piece: int) -> None:
        value = np.asarray(self.values[piece], dtype=np.float64)
        if value.ndim == 2:
            value = value[self.cut[0]]
        rates = np.broadcast_to(value[..., self.cut[1]] if value.ndim else value, self.shape).ravel()
        distinct, klass = classes(rates)
        self.klass = klass if len(distinct) > 1 else int(klass[0])
        self.table = Counts(*count_tables(distinct * self.dt * 1e-3))
        self.piece, self.silent = piece, not rates.any()

    def add(self, rows: NDArray[np.float64], first: int, last: int) -> None:
        """Add what arrives in the steps first … last to rows[receptor][step - first]."""
        for step in range(first, last + 1):
            piece = int(np.searchsorted(self.steps, step - 1, "right")) - 1
            if piece != self.piece:
                self._enter(piece)
            if self.silent:
                continue
            row = rows[self.receptor, step - first]
            for local, element, k in self.segments:
                part = row[local : local + self.length]
                klass, weight = _from(self.klass, k, self.length), _from(self.weight, k, self.length)
                self.arrivals += add_poisson(part, self.table, klass, weight, self.key, element, step, self.words)


def _from(value: Any, k: int, length: int) -> Any:
    return value[k : k + length] if isinstance(value, np.ndarray) else value


def poisson_rows(shard: Shard, seed: int, dt: float) -> list[PoissonRow]:
    """All Poisson inputs that concern a shard."""
    return [
        PoissonRow(shard, p, k, seed, dt)
        for p in shard.block.populations
        for k, item in enumerate(p.inputs)
        if isinstance(item, PoissonInput) and shard.overlap(p)[0] < shard.overlap(p)[1]
    ]

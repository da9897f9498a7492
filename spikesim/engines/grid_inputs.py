"""Private Poisson input of neurons on the grid."""

from __future__ import annotations

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
        stimuli = np.arange(shard.b0, shard.b1, dtype=np.int64)
        self.element = (stimuli[:, None] * population.size + np.arange(a, b)).ravel()
        self.shape, self.cut = (len(stimuli), b - a), (slice(shard.b0, shard.b1), slice(a, b))
        # neurons of one population are contiguous unless several stimuli are interleaved with other populations
        self.local = (np.arange(len(stimuli))[:, None] * shard.width + np.arange(a, b) + shift).ravel()
        self.contiguous = bool(np.all(np.diff(self.local) == 1)) if len(self.local) else True
        weight = item.weight
        self.weight = weight if isinstance(weight, float) else np.tile(weight[a:b], len(stimuli))
        times, self.values = pieces(item.rate)
        self.steps = np.rint(times / dt).astype(np.int64)
        self.piece = -1
        self.arrivals = np.zeros(1, np.int64)

    def _enter(self, piece: int) -> None:
        value = np.asarray(self.values[piece], dtype=np.float64)
        if value.ndim == 2:
            value = value[self.cut[0]]
        rates = np.broadcast_to(value[..., self.cut[1]] if value.ndim else value, self.shape).ravel()
        distinct, self.klass = classes(rates)
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
            part = row[self.local[0] : self.local[-1] + 1] if self.contiguous else row[self.local]
            self.arrivals += add_poisson(part, self.table, self.klass, self.weight, self.key, self.element, step)
            if not self.contiguous:
                row[self.local] = part


def poisson_rows(shard: Shard, seed: int, dt: float) -> list[PoissonRow]:
    """All Poisson inputs that concern a shard."""
    return [
        PoissonRow(shard, p, k, seed, dt)
        for p in shard.block.populations
        for k, item in enumerate(p.inputs)
        if isinstance(item, PoissonInput) and shard.overlap(p)[0] < shard.overlap(p)[1]
    ]

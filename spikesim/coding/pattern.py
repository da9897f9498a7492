"""Temporal code: each level of a value is a pattern of spikes over a group of neurons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode
from spikesim.errors import ParameterError
from spikesim.parameters import as_count
from spikesim.rng import make_key, uniforms
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class Pattern(ValueCode):
    """The level ``min(floor(x levels), levels - 1)`` as the pattern of that number in a book of random patterns.

    In a pattern each neuron of the group fires once, at a time the book says; the lowest level is silence. Read as the
    level whose pattern is nearest (a spike that is missing, too many or displaced by more than a fifth of the
    presentation costs the same), as ``(level + 1/2) / levels``: off by at most ``1 / (2 levels)``.

    Parameters
    ----------
    levels : int
        Patterns in the book, >= 2.
    group : int
        Neurons per value, >= 1.
    book : int
        Number of the book: decides its patterns, whatever the seed.
    """

    family = "temporal"
    summary = "which of some spatio-temporal patterns"

    levels: int = 16
    group: int = 4
    book: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("levels", 2), ("group", 1), ("book", 0)):
            object.__setattr__(self, name, as_count(getattr(self, name), f"Pattern.{name}", least))
        if self.dt and self.steps**self.group < 4 * (self.levels - 1):
            raise ParameterError(
                f"Pattern.levels: must be at most a quarter of the {self.steps**self.group} patterns of {self.group} "
                f"neurons in {self.steps} time steps, got {self.levels}"
            )

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """Sixteen levels, fewer where a group has not four times as many patterns."""
        return super().within(steps, **{"levels": max(2, min(16, steps**4 // 4 + 1)), **settings})

    @property
    def neurons(self) -> int:
        """The group."""
        return self.group

    @property
    def bound(self) -> float:
        """Half a level."""
        return 0.5 / self.levels

    def times(self) -> Floats:
        """The book: times in ms, shape (levels, group); infinite where silent."""
        key, element = make_key(self.book, "pattern"), np.arange(self.group, dtype=np.uint64)
        book: dict[tuple[float, ...], None] = {(math.inf,) * self.group: None}
        draw = 0
        while len(book) < self.levels:  # a pattern that is there already is drawn again
            u = uniforms(key, element, np.full(self.group, draw, np.uint64))
            book[tuple(self._placed(u * self.duration).tolist())] = None
            draw += 1
        return np.array(list(book))

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        level = np.minimum(np.floor(x.ravel() * self.levels), self.levels - 1).astype(np.int64)
        fired = np.flatnonzero(level > 0)
        where = (fired[:, None] * self.group + np.arange(self.group)).ravel()
        return where, self.times()[level[fired]].ravel()

    def _values(self, spikes: Spikes, values: int) -> Floats:
        book, far = self.times(), 0.2 * self.duration
        cost = np.zeros((values, self.levels, self.group))
        member, neuron = np.divmod(spikes.ids, self.group)
        best = np.full((values, self.group, self.levels), far)
        distance = np.minimum(np.abs(spikes.times[:, None] - book[:, neuron].T), far)
        np.minimum.at(best, (member, neuron), distance)
        count = spikes.counts().reshape(values, self.group)
        cost = best.transpose(0, 2, 1) + far * np.maximum(count - 1, 0)[:, None, :]
        cost[:, 0] = far * count  # silence: every spike is one too many
        level = np.argmin(cost.sum(axis=2), axis=1)
        return (level + 0.5) / self.levels


CODE = Pattern

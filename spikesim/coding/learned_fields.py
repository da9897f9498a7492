"""Population code: Gaussian fields placed where the data are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from spikesim.coding._contract import Floats, as_floats
from spikesim.coding._fields import FieldCode
from spikesim.errors import ParameterError
from spikesim.parameters import as_count


@dataclass(frozen=True, eq=False, kw_only=True)
class LearnedFields(FieldCode):
    """Gaussian fields at given centres, each as wide as two thirds of the larger gap to its neighbours.

    Fields fire as in `GaussianFields`. `fit` places the centres by Lloyd's algorithm: each is the mean of the values
    nearest to it, so that fields are dense where values are. A value is read as the one, of 1,001 between 0 and 1,
    whose responses differ least from those that fired, and refined by a parabola; no bound is stated.

    Parameters
    ----------
    centres : tuple of float
        At least two different numbers in [0, 1].
    """

    family = "population"
    summary = "latencies of fields placed by the data"

    centres: tuple[float, ...] = (0.0, 1 / 3, 2 / 3, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        centres = np.unique(as_floats(self.centres, "LearnedFields.centres"))
        if len(centres) < 2 or centres[0] < 0 or centres[-1] > 1:
            raise ParameterError(
                f"LearnedFields.centres: must be at least two different numbers in [0, 1], got {self.centres}"
            )
        object.__setattr__(self, "centres", tuple(centres.tolist()))

    @classmethod
    def fit(cls, values: ArrayLike, fields: int = 6, rounds: int = 50, **settings: Any) -> Self:
        """Fields for data: at most `fields` of them, fewer where there are fewer different values."""
        x = np.sort(np.clip(as_floats(values, "LearnedFields.fit").ravel(), 0.0, 1.0))
        count = as_count(fields, "LearnedFields.fit: fields", 2)
        different = np.unique(x)
        if len(different) < 2:
            raise ParameterError("LearnedFields.fit: needs at least two different values in [0, 1]")
        at = np.linspace(0, len(different) - 1, min(count, len(different)))
        centres = np.interp(at, np.arange(len(different)), different)
        for _ in range(rounds):
            edges = np.searchsorted(x, (centres[1:] + centres[:-1]) / 2)
            parts = np.split(x, edges)
            centres = np.array([part.mean() if len(part) else c for part, c in zip(parts, centres, strict=True)])
        return cls(centres=tuple(np.unique(centres.round(12)).tolist()), **settings)

    def adapted(self, data: ArrayLike) -> Self:
        """Fields for data, as many as there are now if the data have so many values."""
        return self.changed(centres=type(self).fit(data, max(2, len(self.centres))).centres)

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """Six fields."""
        return super().within(steps, **{"centres": tuple(np.linspace(0, 1, 6).tolist()), **settings})

    @property
    def neurons(self) -> int:
        """One a field."""
        return len(self.centres)

    @property
    def sigmas(self) -> Floats:
        """Width of each field."""
        gaps = np.diff(self.centres)
        return np.maximum(np.append(gaps, gaps[-1]), np.append(gaps[0], gaps)) / 1.5

    def responses(self, x: Floats) -> Floats:
        """Responses of all fields, shape (…, fields)."""
        return np.exp(-0.5 * ((x[..., None] - np.array(self.centres)) / self.sigmas) ** 2)

    def _read(self, response: Floats, fired: Floats) -> Floats:
        grid = np.linspace(0, 1, 1001)
        table = self.responses(grid)
        table = np.where(table >= self.cutoff, table, 0.0)
        seen = np.where(fired, response, 0.0)
        error = (seen**2).sum(axis=1)[:, None] - 2 * seen @ table.T + (table**2).sum(axis=1)
        best = np.clip(error.argmin(axis=1), 1, len(grid) - 2)
        rows = np.arange(len(seen))
        left, middle, right = (error[rows, best + k] for k in (-1, 0, 1))
        curve = left - 2 * middle + right
        shift = np.where(curve > 1e-15, (left - right) / (2 * np.where(curve > 1e-15, curve, 1.0)), 0.0)
        return grid[best] + np.clip(shift, -1.0, 1.0) * (grid[1] - grid[0])


CODE = LearnedFields

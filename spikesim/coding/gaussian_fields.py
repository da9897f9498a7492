"""Population code: Gaussian receptive fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Floats
from spikesim.coding._fields import FieldCode
from spikesim.errors import ParameterError
from spikesim.parameters import as_count, param


@dataclass(frozen=True, eq=False, kw_only=True)
class GaussianFields(FieldCode):
    """m fields ``exp(-(x - mu_i)^2 / (2 sigma^2))`` with ``mu_i = (2 i - 3) / (2 (m - 2))``, i = 1 … m.

    ``sigma = 1 / (beta (m - 2))``. A field fires at ``(1 - response) duration``, below the cutoff not at all. Zero and
    the maximum are values as any other: none is silent. Logarithms of responses are linear in mu, with slope
    ``x / sigma^2``; that line is fitted to the fields that fired, each weighted with its squared response: exact in
    continuous time where two fields fire. No bound is stated for a time step.

    Parameters
    ----------
    fields : int
        Fields per value m, >= 3.
    beta : float
        Overlap: the larger, the narrower the fields, in (0, 2.1] so that two always fire at the default cutoff.

    References
    ----------
    Bohte, Kok & La Poutre 2002, doi:10.1016/S0925-2312(01)00658-0, section 3.1 (beta 1.5).
    """

    family = "population"
    summary = "latencies of Gaussian fields"

    fields: int = 8
    beta: float = param(1.5, "", "> 0", "overlap", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "fields", as_count(self.fields, "GaussianFields.fields", 3))
        if np.exp(-0.5 * self.beta**2) < self.cutoff:
            raise ParameterError(
                f"GaussianFields.beta: two fields must reach the cutoff ({self.cutoff:g}) everywhere, which needs beta "
                f"<= {np.sqrt(-2 * np.log(self.cutoff)):.3g}, got {self.beta:g}"
            )

    @property
    def neurons(self) -> int:
        """One a field."""
        return self.fields

    @property
    def bound(self) -> float | None:
        """Rounding errors in continuous time."""
        return None if self.dt else 1e-9

    @property
    def centres(self) -> Floats:
        """Centres mu."""
        return (2 * np.arange(1, self.fields + 1) - 3) / (2 * (self.fields - 2))

    @property
    def sigma(self) -> float:
        """Width of all fields."""
        return 1 / (self.beta * (self.fields - 2))

    def responses(self, x: Floats) -> Floats:
        """Responses of all fields, shape (…, fields)."""
        return np.exp(-0.5 * ((x[..., None] - self.centres) / self.sigma) ** 2)

    def _read(self, response: Floats, fired: Floats) -> Floats:
        height = np.log(response) + 0.5 * (self.centres / self.sigma) ** 2
        weight = np.where(fired, response**2, 0.0)
        total = weight.sum(axis=1)
        safe = np.where(total > 0, total, 1.0)
        mean = weight @ self.centres / safe
        away = self.centres - mean[:, None]
        spread = (weight * away**2).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (weight * away * height).sum(axis=1) / spread
        several = fired.sum(axis=1) > 1
        return np.where(several, slope * self.sigma**2, np.where(total > 0, mean, 0.5))


CODE = GaussianFields

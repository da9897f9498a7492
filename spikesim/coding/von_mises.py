"""Population code: fields on a circle, for angles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Floats
from spikesim.coding._fields import FieldCode
from spikesim.errors import ParameterError
from spikesim.parameters import as_count, param


@dataclass(frozen=True, eq=False, kw_only=True)
class VonMises(FieldCode):
    """m fields ``exp(kappa (cos(x - mu_i) - 1))`` with ``mu_i = 2 pi i / m`` for angles x in [0, 2 pi].

    A field fires at ``(1 - response) duration``, below the cutoff not at all; 0 and 2 pi are the same angle and give
    the same spikes. Logarithms of responses are linear in ``(cos mu, sin mu)`` with coefficients kappa (cos x, sin x),
    which are fitted to the fields that fired, each weighted with its squared response: exact in continuous time where
    three fields fire, and an angle in [0, 2 pi). No bound is stated for a time step.

    Parameters
    ----------
    fields : int
        Fields per angle m, >= 3.
    kappa : float
        Concentration, > 0: the larger, the narrower the fields.
    """

    family = "population"
    summary = "latencies of fields on a circle"
    domain = (0.0, 2 * math.pi)
    line = (math.pi / 2, 1.5 * math.pi)

    fields: int = 8
    kappa: float = param(1.5, "", "> 0", "concentration", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "fields", as_count(self.fields, "VonMises.fields", 3))
        third = math.exp(self.kappa * (math.cos(2 * math.pi / self.fields) - 1))  # an angle midway has its third there
        if third < self.cutoff:
            raise ParameterError(
                f"VonMises.kappa: three fields must reach the cutoff ({self.cutoff:g}) everywhere; take fewer than "
                f"{self.kappa:g}, or more fields"
            )

    @property
    def neurons(self) -> int:
        """One a field."""
        return self.fields

    @property
    def centres(self) -> Floats:
        """Preferred angles mu."""
        return 2 * np.pi * np.arange(self.fields) / self.fields

    def responses(self, x: Floats) -> Floats:
        """Responses of all fields, shape (…, fields)."""
        return np.exp(self.kappa * (np.cos(x[..., None] % (2 * np.pi) - self.centres) - 1))

    def _read(self, response: Floats, fired: Floats) -> Floats:
        base = np.column_stack([np.cos(self.centres), np.sin(self.centres)])
        weight = np.where(fired, response**2, 0.0)
        height = np.log(response) + self.kappa
        # two unknowns; where fewer than two fields fired a little of nothing keeps the equations solvable
        left = np.einsum("vf,fi,fj->vij", weight, base, base) + 1e-12 * np.eye(2)
        right = np.einsum("vf,fi->vi", weight * height, base)
        found = np.linalg.solve(left, right[..., None])[..., 0]
        return np.arctan2(found[:, 1], found[:, 0]) % (2 * np.pi)


CODE = VonMises

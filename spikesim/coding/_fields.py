"""What population codes with tuned fields share: response to latency, and reading by least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, first_times
from spikesim.errors import ParameterError
from spikesim.parameters import param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class FieldCode(ValueCode):
    """Each value drives several neurons; one with response r fires once, at ``(1 - r) duration``.

    Responses below `cutoff` are silent.

    Parameters
    ----------
    cutoff : float
        Least response that fires, in (0, 1).
    """

    cutoff: float = param(0.1, "", "> 0", "least response that fires", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cutoff >= 1:
            raise ParameterError(f"{type(self).__name__}.cutoff: must be < 1, got {self.cutoff:g}")

    def responses(self, x: Floats) -> Floats:
        """Responses in 0 … 1 of all fields, shape (…, neurons)."""
        raise NotImplementedError

    def _read(self, response: Floats, fired: Floats) -> Floats:
        """Values from responses (values, neurons); `fired` says which of these there are."""
        raise NotImplementedError

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        response = self.responses(x.ravel()).ravel()
        where = np.flatnonzero(response >= self.cutoff)
        return where, (1 - response[where]) * self.duration

    def _values(self, spikes: Spikes, values: int) -> Floats:
        first = first_times(spikes).reshape(values, self.neurons)
        fired = np.isfinite(first)
        response = np.clip(1 - self._middle(np.where(fired, first, 0.0)) / self.duration, 1e-6, 1.0)
        low, high = self.domain
        return np.clip(self._read(response, fired), low, high)

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """Two products a field (distance squared and scaled), the exponential taken as one more."""
        return {"macs": 3.0 * values * self.neurons, "activation_accesses": float(values)}

"""Weights and delays as a projection takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikesim.connectivity.distributions import Distribution
from spikesim.errors import ParameterError
from spikesim.parameters import as_values


def as_synaptic(value: Any, owner: str, given: int | None, bounds: str) -> Any:
    """A weight or delay: number, distribution, or array with one value per synapse."""
    if isinstance(value, Distribution):
        if bounds and value.low < 0:
            raise ParameterError(f"{owner}: must be {bounds}; give the distribution a lower limit, low=0 or more")
        return value
    if isinstance(value, np.ndarray):
        value = value.ravel()
    values = as_values(value, owner, bounds=bounds, each="synapse")
    if isinstance(values, np.ndarray) and given is None:
        raise ParameterError(f"{owner}: this rule draws its pairs; give a number or a distribution, not an array")
    if isinstance(values, np.ndarray) and len(values) != given:
        raise ParameterError(f"{owner}: needs {given} values (one per synapse), got {len(values)}")
    return values

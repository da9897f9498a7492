"""Weights kept in balance between segments of a run: rates held near a target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import ParameterError
from spikesim.parameters import as_values
from spikesim.simulation import Simulation


def scale_to_rate(
    simulation: Simulation, projection: str, target: float, window: float, strength: float = 0.1
) -> NDArray[np.float64]:
    """Scale the weights onto each neuron towards a target rate; returns the rates (Hz) of the last `window` ms.

    ``w_ij <- w_ij (1 + strength (target - rate_i) / target)``, the factor limited to 0.5 … 2 and weights to the bounds
    of the rule. Inhibitory weights (negative ones) are scaled the other way, by the inverse factor.

    Parameters
    ----------
    simulation : Simulation
        Records the spikes of the projection's targets.
    projection : str
        A projection with plasticity.
    target : float, Hz
        Rate to be held, > 0.
    window : float, ms
        Time before the present in which rates are counted, > 0, not longer than the run so far.
    strength : float
        How much of the relative error is made up for, > 0.

    Raises
    ------
    ParameterError
        If the projection has no plasticity, its targets are not recorded, or a value is not allowed.

    References
    ----------
    Turrigiano et al. 1998, doi:10.1038/36103; van Rossum, Bi & Turrigiano 2000,
    doi:10.1523/JNEUROSCI.20-23-08812.2000, equation 8 (there as a rate of change).
    """
    target = float(as_values(target, "scale_to_rate: target", "Hz", "> 0", scalar=True))
    window = float(as_values(window, "scale_to_rate: window", "ms", "> 0", scalar=True))
    strength = float(as_values(strength, "scale_to_rate: strength", "", "> 0", scalar=True))
    if window > simulation.time:
        raise ParameterError(
            f"scale_to_rate: window: must be <= {simulation.time:g} ms, the time so far, got {window:g} ms"
        )
    _, post, weight = simulation.weights(projection)
    (name,) = (p.post.population.name for p in simulation.network.projections if p.name == projection)  # type: ignore[union-attr]
    result, size = simulation.result(), simulation.network[name].size
    if len(result.spike_ids.get(name, ())) < size:
        raise ParameterError(f"scale_to_rate: record all spikes of {name!r}, whose rates are asked for")
    spikes = result.spikes[name]
    recent = spikes.ids[spikes.times > simulation.time - window]
    rates = np.bincount(result.spike_ids[name][recent], minlength=size) / window * 1e3
    factor = np.clip(1.0 + strength * (target - rates) / target, 0.5, 2.0)
    if (weight < 0.0).any():
        factor = 1.0 / factor
    _scaled(simulation, projection, weight, factor[post])
    return rates


def _scaled(simulation: Simulation, projection: str, weight: NDArray[np.float64], factor: NDArray[np.float64]) -> None:
    """Set weights times factors, within the bounds of the rule."""
    rule = next(p.plasticity for p in simulation.network.projections if p.name == projection)
    low, high = rule.bounds if rule is not None else (0.0, np.inf)
    simulation.set_weights(projection, np.sign(weight) * np.clip(np.abs(weight) * factor, low, high))

"""Injected currents."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.inputs.steps import as_signal
from spikesim.parameters import Part, Values, param


@dataclass(frozen=True, eq=False, repr=False)
class Current(Part):
    """Current injected into every neuron of a population.

    Parameters
    ----------
    value : float, array (n,), array (batch, n) or Steps, pA
        Constant, per neuron, per stimulus of a batch and neuron, or piecewise constant in time
        (``Steps``; sampled signals: ``Steps.sampled``). On the grid, times of steps are rounded to the step.
    """

    value: object = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "value", as_signal(self.value, "Current.value", "pA"))


@dataclass(frozen=True, eq=False, repr=False)
class NoiseCurrent(Part):
    """Gaussian current, one independent value per neuron and interval `dt` (grid engine).

    Parameters
    ----------
    mean, std : float or array (n,), pA
        Mean and standard deviation (>= 0) of the values.
    dt : float, ms
        Interval for which a value holds, > 0; rounded to the time step of the grid.
    """

    mean: Values = param(0.0, "pA", "", "mean current")
    std: Values = param(1.0, "pA", ">= 0", "standard deviation of the current")
    dt: float = param(1.0, "ms", "> 0", "interval for which a value holds", scalar=True)

"""Poisson spike trains: as private input of every neuron, or as a population that others connect to."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.errors import ParameterError
from spikesim.inputs.steps import as_signal
from spikesim.parameters import Part, Values, param


@dataclass(frozen=True, eq=False, repr=False)
class PoissonInput(Part):
    """One independent Poisson train into each neuron of a population.

    Event engine: exact in continuous time. Grid engine: a Poisson number of arrivals per step, mean rate * dt.

    Parameters
    ----------
    rate : float, array (n,), array (batch, n) or Steps, Hz
        Rate of each train, >= 0; constant or piecewise constant in time.
    weight : float or array (n,)
        Weight of each arriving spike, in the unit of the receptor (mV, pA or nS).
    receptor : str or None
        Receptor of the neurons; None for their first.
    """

    rate: object = 0.0
    weight: Values = param(1.0, "", "", "weight of each spike")
    receptor: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rate", as_signal(self.rate, "PoissonInput.rate", "Hz", 0.0))
        if not (self.receptor is None or isinstance(self.receptor, str)):
            raise ParameterError(
                f"PoissonInput.receptor: must be the name of a receptor or None, got {self.receptor!r}"
            )


@dataclass(frozen=True, eq=False, repr=False)
class PoissonSource(Part):
    """Model of a population that emits independent Poisson trains.

    Parameters
    ----------
    rate : float, array (n,), array (batch, n) or Steps, Hz
        Rate of each element, >= 0; constant or piecewise constant in time.
    """

    rate: object = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rate", as_signal(self.rate, "PoissonSource.rate", "Hz", 0.0))

"""The encoders of SpikingJelly, with their own conventions: one spike per step at most, times in steps.

Read in SpikingJelly 2.0 (`spikingjelly.activation_based.encoding`): its documentation and behaviour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, first_times
from spikesim.errors import ParameterError, unknown
from spikesim.parameters import as_count, param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class SpikingjellyPoisson(ValueCode):
    """``PoissonEncoder``: in each step a spike where a uniform number is at most x. Read as count over steps."""

    family = "library"
    summary = "SpikingJelly: number of spikes, one coin a step"
    random = True
    stepped = True

    dt: float = param(1.0, "ms", ">= 0", "time step", scalar=True)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        fired = [np.flatnonzero(draw(step) <= x) for step in range(self.steps)]
        return np.concatenate(fired), np.repeat(np.arange(self.steps) * self.dt, [len(f) for f in fired])

    def _values(self, spikes: Spikes, values: int) -> Floats:
        return spikes.counts() / self.steps

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """One random number a value and step."""
        return {"draws": float(values * self.steps), "activation_accesses": float(values * self.steps)}


@dataclass(frozen=True, eq=False, kw_only=True)
class SpikingjellyLatency(ValueCode):
    """``LatencyEncoder``: one spike at step ``round((T - 1) (1 - x))`` or ``round(T - 1 - ln(a x + 1))``.

    With ``a = exp(T - 1) - 1`` and T steps. Every value fires, zero in the last step, the maximum in the first. Read by
    inverting, silence as 0; linear is off by at most ``1 / (2 (T - 1))``.

    Parameters
    ----------
    curve : str
        ``"linear"`` or ``"log"``.
    """

    family = "library"
    summary = "SpikingJelly: time of the only spike"
    stepped = True

    dt: float = param(1.0, "ms", ">= 0", "time step", scalar=True)
    curve: str = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.curve not in ("linear", "log"):
            raise unknown("SpikingjellyLatency.curve", self.curve, ("linear", "log"))
        if not 2 <= self.steps <= 700:
            raise ParameterError(f"SpikingjellyLatency.duration: must be 2 … 700 steps, got {self.steps}")

    @property
    def bound(self) -> float | None:
        """Half a step of the linear curve."""
        return 0.5 / (self.steps - 1) if self.curve == "linear" else None

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        last = self.steps - 1.0
        linear = self.curve == "linear"
        time = last * (1 - x) if linear else last - np.log((math.exp(last) - 1) * x + 1)
        return np.arange(x.size), np.clip(np.round(time), 0, last).ravel() * self.dt

    def _values(self, spikes: Spikes, values: int) -> Floats:
        first, last = first_times(spikes), self.steps - 1.0
        fired = np.isfinite(first)
        time = np.where(fired, first, 0.0) / self.dt
        linear = self.curve == "linear"
        found = 1 - time / last if linear else np.expm1(last - time) / math.expm1(last)
        return np.where(fired, np.clip(found, 0.0, 1.0), 0.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class SpikingjellyWeightedPhase(ValueCode):
    """``WeightedPhaseEncoder``: the binary digits of x, one a step, step i (0, 1, …) of weight ``2^-(i + 1)``.

    Values above ``1 - 2^-K`` (K steps) are refused there; here they count as that. Read as the sum of weights: off by
    at most ``2^-K``.
    """

    family = "library"
    summary = "SpikingJelly: spikes weighted by their step"
    stepped = True

    dt: float = param(1.0, "ms", ">= 0", "time step", scalar=True)

    @property
    def bound(self) -> float:
        """The last digit."""
        return 0.5**self.steps

    @property
    def strengths(self) -> Floats:
        """Spikes are sent with their weight: 1, 1/2, 1/4 … from step to step."""
        return 0.5 ** np.arange(self.steps)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        rest = np.minimum(x.ravel(), 1 - 0.5**self.steps)
        fired = []
        for step in range(self.steps):
            digit = rest >= 0.5 ** (step + 1)
            rest = rest - 0.5 ** (step + 1) * digit
            fired.append(np.flatnonzero(digit))
        return np.concatenate(fired), np.repeat(np.arange(self.steps) * self.dt, [len(f) for f in fired])

    def _values(self, spikes: Spikes, values: int) -> Floats:
        return np.bincount(spikes.ids, 0.5 ** (1 + np.round(spikes.times / self.dt)), minlength=values)


@dataclass(frozen=True, eq=False, kw_only=True)
class SpikingjellyPopulation(ValueCode):
    """``PopSpikeEncoderDeterministic`` (PopSAN): Gaussian responses, each integrated to the threshold 0.999.

    Response ``exp(-((x - mu_i) / std)^2 / 2)`` with centres evenly from 0 to 1; a neuron adds it up in every step and
    fires where the sum reaches 0.999, which is then subtracted. Read as the mean of the centres weighted with the
    counts; silence as 1/2.

    Parameters
    ----------
    fields : int
        Neurons per value, >= 2.
    std : float
        Width of the responses, > 0.

    References
    ----------
    Tang, Kumar, Yoo & Michmizos 2020, arXiv:2010.09635, section 3.1.
    """

    family = "library"
    summary = "SpikingJelly: rates of Gaussian fields"
    stepped = True

    dt: float = param(1.0, "ms", ">= 0", "time step", scalar=True)
    fields: int = 10
    std: float = param(0.15, "", "> 0", "width of the responses", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "fields", as_count(self.fields, "SpikingjellyPopulation.fields", 2))

    @property
    def neurons(self) -> int:
        """One a field."""
        return self.fields

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        response = np.exp(-0.5 * ((x.ravel()[:, None] - np.linspace(0, 1, self.fields)) / self.std) ** 2).ravel()
        v, fired = np.zeros(response.size), []
        for _ in range(self.steps):
            v = v + response
            spike = v >= 0.999
            v = v - 0.999 * spike
            fired.append(np.flatnonzero(spike))
        return np.concatenate(fired), np.repeat(np.arange(self.steps) * self.dt, [len(f) for f in fired])

    def _values(self, spikes: Spikes, values: int) -> Floats:
        counts = spikes.counts().reshape(values, self.fields)
        total = counts.sum(axis=1)
        return np.where(total > 0, counts @ np.linspace(0, 1, self.fields) / np.maximum(total, 1), 0.5)

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """Three products a field, one neuron update a field and step."""
        fields = float(values * self.fields)
        updates = fields * self.steps
        return {"macs": 3 * fields, "updates": updates, "state_accesses": 2 * updates, "activation_accesses": fields}


CODES = {
    "spikingjelly-poisson": (SpikingjellyPoisson, {}),
    "spikingjelly-latency": (SpikingjellyLatency, {}),
    "spikingjelly-latency-log": (SpikingjellyLatency, {"curve": "log"}),
    "spikingjelly-weighted-phase": (SpikingjellyWeightedPhase, {}),
    "spikingjelly-population": (SpikingjellyPopulation, {}),
}

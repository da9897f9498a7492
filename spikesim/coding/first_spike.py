"""Latency code: the time to the first spike."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, first_times
from spikesim.errors import ParameterError, unknown
from spikesim.parameters import param
from spikesim.spikes import Spikes

_A = 3.0  # steepness of the exponential curve
_P = 2.0  # exponent of the power curve


@dataclass(frozen=True, eq=False, kw_only=True)
class FirstSpike(ValueCode):
    """One spike at ``duration g(x)``, the earlier the larger x; values up to the threshold th are silent.

    ========= ===================================
    curve     g(x)
    ========= ===================================
    linear    (1 - x) / (1 - th)
    log       ln x / ln th  (th > 0)
    exp       (e^(-a u) - e^-a) / (1 - e^-a), a = 3
    power     (1 - u)^2
    ========= ===================================

    with ``u = (x - th) / (1 - th)``. The maximum fires at 0, a value just above the threshold just before the end. Read
    by inverting g at the first spike, silence as th/2: exact in continuous time for values above the threshold;
    off by at most ``dt / (2 duration)`` times the steepest ``|dx/dg|`` with a time step.

    Parameters
    ----------
    curve : str
        ``"linear"``, ``"log"``, ``"exp"`` or ``"power"``.
    threshold : float
        Largest silent value th, in [0, 1).
    """

    family = "latency"
    summary = "time of the first spike"

    curve: str = "linear"
    threshold: float = param(0.0, "", ">= 0", "largest silent value", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.curve not in _CURVES:
            raise unknown("FirstSpike.curve", self.curve, _CURVES)
        if self.threshold >= 1.0 or (self.curve == "log" and self.threshold == 0.0):
            wanted = "in (0, 1) for the curve 'log'" if self.curve == "log" else "in [0, 1)"
            raise ParameterError(f"FirstSpike.threshold: must be {wanted}, got {self.threshold:g}")

    @property
    def bound(self) -> float:
        """Half the largest difference of two values of one step, half the threshold at least."""
        edges = self._inverse(np.arange(self.steps + 1) / self.steps) if self.dt else np.array([0.0])
        middle = self._inverse((np.arange(self.steps) + 0.5) / self.steps) if self.dt else np.array([0.0])
        ends = np.maximum(np.abs(edges[:-1] - middle), np.abs(edges[1:] - middle)) if self.dt else np.zeros(1)
        return float(max(ends.max(), self.threshold / 2))

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        where = np.flatnonzero(x > self.threshold)
        return where, self.duration * _CURVES[self.curve][0](x.ravel()[where], self.threshold)

    def _values(self, spikes: Spikes, values: int) -> Floats:
        first = first_times(spikes)
        fired = np.isfinite(first)
        found = np.full(values, self.threshold / 2)
        found[fired] = self._inverse(self._middle(first[fired]) / self.duration)
        return found

    def _inverse(self, g: Floats) -> Floats:
        return np.clip(_CURVES[self.curve][1](g, self.threshold), 0.0, 1.0)


Curve = Callable[[Floats, float], Floats]


def _unit(x: Floats, th: float) -> Floats:
    return (x - th) / (1 - th)


_END = math.exp(-_A)
_CURVES: dict[str, tuple[Curve, Curve]] = {
    "linear": (lambda x, th: 1 - _unit(x, th), lambda g, th: th + (1 - th) * (1 - g)),
    "log": (lambda x, th: np.log(x) / math.log(th), lambda g, th: th**g),
    "exp": (
        lambda x, th: (np.exp(-_A * _unit(x, th)) - _END) / (1 - _END),
        lambda g, th: th - (1 - th) * np.log(g * (1 - _END) + _END) / _A,
    ),
    "power": (lambda x, th: (1 - _unit(x, th)) ** _P, lambda g, th: th + (1 - th) * (1 - g ** (1 / _P))),
}

CODE = FirstSpike
VARIANTS = {"log": {"curve": "log", "threshold": 0.01}, "exp": {"curve": "exp"}, "power": {"curve": "power"}}

"""Linear membranes: leaky integrate-and-fire and perfect integrator.

Both obey ``dv/dt = -leak (v - v_rest) + i / c_m``. With current synapses they are propagated exactly by both
engines; with conductances the grid engine integrates `derivative`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at
from spikesim.neurons.conductances import AffineRates
from spikesim.parameters import Part, Values, pack, param


class Membrane(Part):
    """Base of membranes: names its variables, of which the first is the potential.

    A user's membrane declares its parameters with `param`, names its `variables` and registers a body for the verb
    `derivative` (or `advance`), and if need be `on_spike`; it then runs in the grid engine.
    """

    variables: tuple[str, ...] = ("v",)
    linear = False
    exact = False

    @property
    def start(self) -> dict[str, Values]:
        """Initial values of the variables where a population gives none."""
        rest = getattr(self, "v_rest", 0.0)
        return {self.variables[0]: rest, **dict.fromkeys(self.variables[1:], 0.0)}


@dataclass(frozen=True, eq=False, repr=False)
class LIF(Membrane):
    """Leaky integrator: ``tau_m dv/dt = -(v - v_rest) + (tau_m / c_m) i``.

    Parameters
    ----------
    tau_m : float or array (n,), ms
        Membrane time constant, > 0.
    v_rest : float or array (n,), mV
        Resting potential, also the default initial value.
    c_m : float or array (n,), pF
        Capacitance, > 0; only the effect of currents depends on it (resistance = tau_m / c_m, in GOhm).

    References
    ----------
    Gerstner, Kistler, Naud & Paninski 2014, Neuronal Dynamics, section 1.3.
    """

    tau_m: Values = param(20.0, "ms", "> 0", "membrane time constant")
    v_rest: Values = param(0.0, "mV", "", "resting potential")
    c_m: Values = param(250.0, "pF", "> 0", "membrane capacitance")

    linear = True
    exact = True

    @property
    def leak(self) -> Values:
        """Leak rate 1/tau_m in 1/ms."""
        return 1.0 / self.tau_m

    def lower(self, setting):
        """Constants of one grid step, or rates."""
        gain = self.tau_m / self.c_m
        if setting.h is None:
            return pack(LeakyEvent, self.leak, self.v_rest, gain)
        if not setting.exact:
            return pack(AffineRates if setting.affine else LinearRates, self.leak, self.v_rest, 1.0 / self.c_m)
        share = -np.expm1(-setting.h * self.leak)
        return pack(LinearStep, share, self.v_rest, gain * share)


@dataclass(frozen=True, eq=False, repr=False)
class IF(Membrane):
    """Perfect integrator: ``c_m dv/dt = i``; the potential stays where inputs leave it.

    Parameters
    ----------
    v_rest : float or array (n,), mV
        Initial potential; nothing pulls back to it.
    c_m : float or array (n,), pF
        Capacitance, > 0.
    """

    v_rest: Values = param(0.0, "mV", "", "initial potential")
    c_m: Values = param(250.0, "pF", "> 0", "membrane capacitance")

    linear = True
    exact = True

    @property
    def leak(self) -> Values:
        """Leak rate, 0."""
        return 0.0

    def lower(self, setting):
        """Constants of one grid step, or rates."""
        if setting.h is None:
            return pack(IntegratorEvent, 1.0 / self.c_m)
        if not setting.exact:
            return pack(AffineRates if setting.affine else LinearRates, 0.0, self.v_rest, 1.0 / self.c_m)
        return pack(LinearStep, 0.0, self.v_rest, setting.h / self.c_m)


class LinearStep(NamedTuple):
    """Share of the way to rest covered in a step, rest, potential per unit of current held over the step."""

    share: float
    v_rest: float
    gain: float


class LinearRates(NamedTuple):
    """Leak rate, rest, 1/capacitance."""

    leak: float
    v_rest: float
    inv_c: float


class LeakyEvent(NamedTuple):
    """Leak rate, rest, resistance."""

    leak: float
    v_rest: float
    gain: float


class IntegratorEvent(NamedTuple):
    """1/capacitance."""

    inv_c: float


@verbs.advance.register(LinearStep)
def _advance(p, x, i, synapses, ys, current, h):
    v = x[0]
    step = (at(p.v_rest, i) - v) * at(p.share, i) + at(p.gain, i) * current
    return (v + (step + verbs.inject_all(synapses, ys, i, v, 0)),)


@verbs.derivative.register(LinearRates)
def _derivative(p, x, i, current):
    return (at(p.leak, i) * (at(p.v_rest, i) - x[0]) + at(p.inv_c, i) * current,)


@verbs.e_leak.register(LeakyEvent)
def _leaky_leak(p, i):
    return at(p.leak, i)


@verbs.e_relax.register(LeakyEvent)
def _leaky_relax(p, v, i, current, dt, em):
    rest = at(p.v_rest, i) + at(p.gain, i) * current
    return rest + (v - rest) * em


@verbs.e_rate.register(LeakyEvent)
def _leaky_rate(p, v, i, current):
    return at(p.leak, i) * (at(p.v_rest, i) + at(p.gain, i) * current - v)


@verbs.e_limit.register(LeakyEvent)
def _leaky_limit(p, v, i, current):
    return at(p.v_rest, i) + at(p.gain, i) * current


@verbs.e_reach.register(LeakyEvent)
def _leaky_reach(p, v, th, i, current):
    rest = at(p.v_rest, i) + at(p.gain, i) * current
    return math.log1p((th - v) / (rest - th)) / at(p.leak, i) if rest > th else np.inf


@verbs.e_leak.register(IntegratorEvent)
def _integrator_leak(p, i):
    return 0.0


@verbs.e_relax.register(IntegratorEvent)
def _integrator_relax(p, v, i, current, dt, em):
    return v + at(p.inv_c, i) * current * dt


@verbs.e_rate.register(IntegratorEvent)
def _integrator_rate(p, v, i, current):
    return at(p.inv_c, i) * current


@verbs.e_limit.register(IntegratorEvent)
def _integrator_limit(p, v, i, current):
    if current == 0.0:
        return v
    return np.inf if current > 0.0 else -np.inf


@verbs.e_reach.register(IntegratorEvent)
def _integrator_reach(p, v, th, i, current):
    return (th - v) / (at(p.inv_c, i) * current) if current > 0.0 else np.inf

"""When a neuron fires: ``v >= v_th`` for a fixed threshold, ``v >= v_th + theta`` for an adaptive one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at
from spikesim.mathkernels import exp_neg
from spikesim.parameters import Part, Values, pack, param


@dataclass(frozen=True, eq=False, repr=False)
class FixedThreshold(Part):
    """Fires when ``v >= v_th``.

    Parameters
    ----------
    v_th : float or array (n,), mV
        Threshold.
    """

    v_th: Values = param(20.0, "mV", "", "threshold")

    variables = ()
    exact = True

    def lower(self, setting):
        """The threshold alone."""
        return pack(FixedKernel, self.v_th)


@dataclass(frozen=True, eq=False, repr=False)
class AdaptiveThreshold(Part):
    """Fires when ``v >= v_th + theta``; a spike adds `jump` to theta, which decays: ``tau_theta dtheta/dt = -theta``.

    Theta also decays during refractoriness. A spike at time t counts with the jump applied right after it.

    Parameters
    ----------
    v_th : float or array (n,), mV
        Threshold without recent spikes.
    jump : float or array (n,), mV
        Added to theta by each spike, >= 0.
    tau_theta : float or array (n,), ms
        Decay time of theta, > 0.

    References
    ----------
    Diehl & Cook 2015, doi:10.3389/fncom.2015.00099, section 2.2.
    """

    v_th: Values = param(20.0, "mV", "", "threshold at theta = 0")
    jump: Values = param(0.05, "mV", ">= 0", "added to theta by a spike")
    tau_theta: Values = param(1e7, "ms", "> 0", "decay time of theta")

    variables = ("theta",)
    exact = True

    def lower(self, setting):
        """Decay per grid step and rate."""
        rate = 1.0 / self.tau_theta
        return pack(AdaptiveKernel, self.v_th, self.jump, rate, np.exp(-rate * (setting.h or 0.0)))


class FixedKernel(NamedTuple):
    """Threshold."""

    v_th: float


class AdaptiveKernel(NamedTuple):
    """Base, jump, decay rate and decay per grid step."""

    v_th: float
    jump: float
    rate: float
    decay: float


@verbs.theta.register(FixedKernel)
def _fixed(p, a, i):
    return at(p.v_th, i)


@verbs.theta_decay.register(FixedKernel)
def _fixed_decay(p, a, i):
    pass


@verbs.theta_spike.register(FixedKernel)
def _fixed_spike(p, a, i):
    pass


@verbs.e_theta.register(FixedKernel)
def _fixed_later(p, a, i, dt):
    return at(p.v_th, i)


@verbs.e_theta_rate.register(FixedKernel)
def _fixed_rate(p, a, i, dt):
    return 0.0


@verbs.e_theta_floor.register(FixedKernel)
def _fixed_floor(p, a, i):
    return at(p.v_th, i)


@verbs.e_theta_advance.register(FixedKernel)
def _fixed_advance(p, a, i, dt):
    pass


@verbs.e_theta_terms.register(FixedKernel)
def _fixed_terms(p, a, i, leak, terms, k):
    return k


@verbs.theta.register(AdaptiveKernel)
def _adaptive(p, a, i):
    return at(p.v_th, i) + a[0][i]


@verbs.theta_decay.register(AdaptiveKernel)
def _adaptive_decay(p, a, i):
    a[0][i] *= at(p.decay, i)


@verbs.theta_spike.register(AdaptiveKernel)
def _adaptive_spike(p, a, i):
    a[0][i] += at(p.jump, i)


@verbs.e_theta.register(AdaptiveKernel)
def _adaptive_later(p, a, i, dt):
    return at(p.v_th, i) + a[0][i] * exp_neg(at(p.rate, i) * dt)


@verbs.e_theta_rate.register(AdaptiveKernel)
def _adaptive_rate(p, a, i, dt):
    return -at(p.rate, i) * a[0][i] * exp_neg(at(p.rate, i) * dt)


@verbs.e_theta_floor.register(AdaptiveKernel)
def _adaptive_floor(p, a, i):
    return at(p.v_th, i) + min(a[0][i], 0.0)


@verbs.e_theta_advance.register(AdaptiveKernel)
def _adaptive_advance(p, a, i, dt):
    a[0][i] *= exp_neg(at(p.rate, i) * dt)


@verbs.e_theta_terms.register(AdaptiveKernel)
def _adaptive_terms(p, a, i, leak, terms, k):
    rate = at(p.rate, i)
    terms[k, 0], terms[k, 1], terms[k, 2] = rate, rate * a[0][i] * (leak - rate), 0.0
    return k + 1

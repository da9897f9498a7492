"""Reward-modulated plasticity: pairs of spikes leave an eligibility, which later rewards turn into changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from spikesim.parameters import param
from spikesim.plasticity.rule import Plasticity, Traces, meanwhile, on_post, on_pre


@dataclass(frozen=True, eq=False, repr=False)
class RewardSTDP(Plasticity):
    """``dw/dt = c (d + baseline)``: the eligibility c of a synapse times the modulator d.

    A target spike at distance s after a source spike adds ``a_plus exp(-s / tau_plus)`` to c, a source spike at
    distance s after a target spike takes away ``a_minus exp(-s / tau_minus)``; ``dc/dt = -c / tau_c``. A reward of size
    r, given by `Simulation.reward`, adds ``r / tau_d`` to d; ``dd/dt = -d / tau_d``. So a reward of 1 moves the weight
    by the mean of the eligibility over the time in which the modulator decays. In between, the product of the two
    exponentials is integrated in closed form, and the weight stays within its bounds.

    Parameters
    ----------
    a_plus, a_minus : float
        Eligibility left by a pair, in the unit of the weight; may be negative.
    tau_plus, tau_minus : float, ms
        Time constants of the traces, > 0.
    tau_c, tau_d : float, ms
        Time constants of eligibility and modulator, > 0.
    baseline : float, 1/ms
        Modulator without reward.
    w_min, w_max : float
        Bounds of the weight, of its absolute value where weights are negative.
    nearest : bool
        Whether a spike sets traces to 1 instead of adding 1.

    References
    ----------
    Izhikevich 2007, doi:10.1093/cercor/bhl152, equations 1 to 3.
    """

    extra = True
    modulated = True

    a_plus: float = param(0.01, "", "", "eligibility of a pair, source first", scalar=True)
    a_minus: float = param(0.015, "", "", "eligibility of a pair, target first, taken away", scalar=True)
    tau_plus: float = param(20.0, "ms", "> 0", "time constant of the source's trace", scalar=True)
    tau_minus: float = param(20.0, "ms", "> 0", "time constant of the target's trace", scalar=True)
    tau_c: float = param(1000.0, "ms", "> 0", "time constant of the eligibility", scalar=True)
    tau_d: float = param(200.0, "ms", "> 0", "time constant of the modulator", scalar=True)
    baseline: float = param(0.0, "1/ms", "", "modulator without reward", scalar=True)
    w_min: float = param(0.0, "", ">= 0", "least weight", scalar=True)
    w_max: float = param(1.0, "", "> 0", "largest weight", scalar=True)
    nearest: bool = False

    def traces(self) -> Traces:
        """One on either side."""
        return Traces(1.0 / self.tau_plus, 0.0, 1.0 / self.tau_minus, 0.0, bool(self.nearest))

    def lower(self, setting=None):
        """Amplitudes, decay rates, bounds."""
        rates = 1.0 / self.tau_c, 1.0 / self.tau_d
        return RewardKernel(self.a_plus, self.a_minus, *rates, self.baseline, self.w_min, self.w_max)


class RewardKernel(NamedTuple):
    """Amplitudes, decay rates of eligibility and modulator, baseline, bounds."""

    a_plus: float
    a_minus: float
    c_rate: float
    d_rate: float
    baseline: float
    w_min: float
    w_max: float


@on_post.register(RewardKernel)
def _on_post(p, w, e, x1, x2, y1, y2):
    return w, e + p.a_plus * x1


@on_pre.register(RewardKernel)
def _on_pre(p, w, e, x1, x2, y1, y2):
    return w, e - p.a_minus * y1


@meanwhile.register(RewardKernel)
def _meanwhile(p, w, e, t0, t1, modulator):
    if e == 0.0 or t1 <= t0:
        return w, e
    k, end = 0, modulator.shape[0]
    while end - k > 1:  # the last row up to t0
        middle = (k + end) // 2
        if modulator[middle, 0] <= t0:
            k = middle
        else:
            end = middle
    now = t0
    while now < t1:
        later = min(t1, modulator[k + 1, 0]) if k + 1 < modulator.shape[0] else t1
        dt = later - now
        if modulator[k, 2] > 0.0:
            both = p.c_rate + p.d_rate
            level = modulator[k, 1] * math.exp(-(now - modulator[k, 0]) * p.d_rate)
            area = -(p.baseline * math.expm1(-p.c_rate * dt) / p.c_rate + level * math.expm1(-both * dt) / both)
            w = min(max(w + e * area, p.w_min), p.w_max)
        e *= math.exp(-p.c_rate * dt)
        now = later
        k += 1
    return w, e

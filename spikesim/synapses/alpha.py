"""Alpha-shaped current synapse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at
from spikesim.mathkernels import exp_neg, filtered, filtered_ramp, on_values
from spikesim.parameters import Part, Values, pack, param
from spikesim.synapses.exponential import peak


@dataclass(frozen=True, eq=False, repr=False)
class Alpha(Part):
    """Alpha current: after a spike of weight w (pA), ``i(t) = w e (t / tau_syn) exp(-t / tau_syn)``, peak w.

    State: ``dg/dt = -g / tau_syn``, ``di/dt = -i / tau_syn + g``, and a spike adds ``w e / tau_syn`` to g.

    Parameters
    ----------
    tau_syn : float or array (n,), ms
        Time from the spike to the peak, > 0; may equal tau_m.

    References
    ----------
    Rotter & Diesmann 1999, doi:10.1007/s004220050570, section 3.
    """

    tau_syn: Values = param(2.0, "ms", "> 0", "time to peak of the current")

    variables = ("i", "g")
    linear = True
    affine = True
    exact = True
    instant = False
    weight_unit = "pA"

    def lower(self, setting):
        """Constants of one grid step, or rates for the event engine."""
        rate, inv_c = 1.0 / self.tau_syn, 1.0 / setting.c_m
        if setting.h is None:
            height = peak(setting.leak, rate) * inv_c
            return pack(AlphaEvent, rate, setting.leak, inv_c, height, inv_c / rate**2 * (1.0 + 1e-9))
        h, es = setting.h, np.exp(-setting.h * rate)
        if not setting.exact:
            half = np.exp(-0.5 * h * rate)
            return pack(AlphaGrid, es, h * es, math.e * rate, 1.0, 0.0, half, 0.5 * h * half, es, h * es)
        em = np.exp(-setting.leak * h)
        by_i = on_values(filtered, setting.leak, rate, h, em, es) * inv_c
        by_g = on_values(filtered_ramp, setting.leak, rate, h, em, es) * inv_c
        return pack(AlphaGrid, es, h * es, math.e * rate, by_i, by_g, 0.0, 0.0, 0.0, 0.0)


class AlphaGrid(NamedTuple):
    """Decay of i and g, transfer g to i, jump of g per weight; what i and g inject at three stages of the step."""

    decay: float
    cross: float
    jump: float
    start_i: float
    start_g: float
    middle_i: float
    middle_g: float
    end_i: float
    end_g: float


class AlphaEvent(NamedTuple):
    """Rates (1/ms), 1/capacitance and bounds of the potential per unit of i and of g."""

    rate: float
    leak: float
    inv_c: float
    peak_i: float
    peak_g: float


@verbs.inject.register(AlphaGrid)
def _inject(p, y, i, v, stage):
    if stage == 0:
        return at(p.start_i, i) * y[0][i] + at(p.start_g, i) * y[1][i]
    if stage == 1:
        return at(p.middle_i, i) * y[0][i] + at(p.middle_g, i) * y[1][i]
    return at(p.end_i, i) * y[0][i] + at(p.end_g, i) * y[1][i]


@verbs.decay.register(AlphaGrid)
def _decay(p, y, i):
    y[0][i] = at(p.decay, i) * y[0][i] + at(p.cross, i) * y[1][i]
    y[1][i] *= at(p.decay, i)


@verbs.receive.register(AlphaGrid)
def _receive(p, y, i, w):
    y[1][i] += w * at(p.jump, i)
    return 0.0


@verbs.e_decay.register(AlphaEvent)
def _e_decay(p, y, i, dt):
    es = exp_neg(at(p.rate, i) * dt)
    y[0][i] = (y[0][i] + y[1][i] * dt) * es
    y[1][i] *= es


@verbs.e_psp.register(AlphaEvent)
def _e_psp(p, y, i, dt, em):
    rate, leak = at(p.rate, i), at(p.leak, i)
    es = exp_neg(rate * dt)
    step = y[0][i] * filtered(leak, rate, dt, em, es) + y[1][i] * filtered_ramp(leak, rate, dt, em, es)
    return step * at(p.inv_c, i)


@verbs.e_drift.register(AlphaEvent)
def _e_drift(p, y, i, dt):
    return (y[0][i] + y[1][i] * dt) * exp_neg(at(p.rate, i) * dt) * at(p.inv_c, i)


@verbs.e_receive.register(AlphaEvent)
def _e_receive(p, y, i, w):
    y[1][i] += w * (math.e * at(p.rate, i))
    return 0.0


@verbs.e_peak.register(AlphaEvent)
def _e_peak(p, y, i):
    return max(y[0][i], 0.0) * at(p.peak_i, i) + max(y[1][i], 0.0) * at(p.peak_g, i)


@verbs.e_slope.register(AlphaEvent)
def _e_slope(p, y, i):
    return (max(y[0][i], 0.0) + max(y[1][i], 0.0) * 0.3679 / at(p.rate, i)) * at(p.inv_c, i)


@verbs.e_terms.register(AlphaEvent)
def _e_terms(p, y, i, terms, k):
    rate, inv_c = at(p.rate, i), at(p.inv_c, i)
    terms[k, 0] = rate
    terms[k, 1] = (y[1][i] - rate * y[0][i]) * inv_c
    terms[k, 2] = -rate * y[1][i] * inv_c
    return k + 1

"""Exponential current synapse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at
from spikesim.mathkernels import exp_neg, filtered, on_values
from spikesim.parameters import Part, Values, pack, param


@dataclass(frozen=True, eq=False, repr=False)
class Exponential(Part):
    """Exponential current: a spike of weight w (pA) adds w to i, and ``tau_syn di/dt = -i``.

    Parameters
    ----------
    tau_syn : float or array (n,), ms
        Decay time, > 0; may equal tau_m.

    References
    ----------
    Rotter & Diesmann 1999, doi:10.1007/s004220050570, section 3.
    """

    tau_syn: Values = param(5.0, "ms", "> 0", "decay time of the current")

    variables = ("i",)
    linear = True
    affine = True
    exact = True
    instant = False
    weight_unit = "pA"

    def lower(self, setting):
        """Constants of one grid step, or rates for the event engine."""
        rate = 1.0 / self.tau_syn
        if setting.h is None:
            return pack(ExponentialEvent, rate, setting.leak, 1.0 / setting.c_m, peak(setting.leak, rate) / setting.c_m)
        h, es = setting.h, np.exp(-setting.h * rate)
        if not setting.exact:
            return pack(ExponentialGrid, es, 1.0, np.exp(-0.5 * h * rate), es)
        em = np.exp(-setting.leak * h)
        return pack(ExponentialGrid, es, on_values(filtered, setting.leak, rate, h, em, es) / setting.c_m, 0.0, 0.0)


def peak(leak, rate):
    """Highest value of the response to exp(-rate t) of a membrane with this leak, a bound safe against rounding."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.equal(leak, 0.0), 0.0, np.divide(leak, rate))
        d = np.subtract(ratio, 1.0)
        general = np.power(ratio, -ratio / np.where(d == 0.0, 1.0, d))
    height = np.where(ratio == 0.0, 1.0, np.where(np.abs(d) < 1e-6, np.exp(-1.0) * (1 + 1e-5), general))
    return height / rate * (1.0 + 1e-9)


class ExponentialGrid(NamedTuple):
    """Decay per step; what i injects at the start, middle and end of the step."""

    decay: float
    start: float
    middle: float
    end: float


class ExponentialEvent(NamedTuple):
    """Rates (1/ms), 1/capacitance and the highest potential per unit of i."""

    rate: float
    leak: float
    inv_c: float
    peak: float


@verbs.inject.register(ExponentialGrid)
def _inject(p, y, i, v, stage):
    if stage == 0:
        return at(p.start, i) * y[0][i]
    if stage == 1:
        return at(p.middle, i) * y[0][i]
    return at(p.end, i) * y[0][i]


@verbs.decay.register(ExponentialGrid)
def _decay(p, y, i):
    y[0][i] *= at(p.decay, i)


@verbs.receive.register(ExponentialGrid)
def _receive(p, y, i, w):
    y[0][i] += w
    return 0.0


@verbs.e_decay.register(ExponentialEvent)
def _e_decay(p, y, i, dt):
    y[0][i] *= exp_neg(at(p.rate, i) * dt)


@verbs.e_psp.register(ExponentialEvent)
def _e_psp(p, y, i, dt, em):
    rate = at(p.rate, i)
    return y[0][i] * at(p.inv_c, i) * filtered(at(p.leak, i), rate, dt, em, exp_neg(rate * dt))


@verbs.e_drift.register(ExponentialEvent)
def _e_drift(p, y, i, dt):
    return y[0][i] * at(p.inv_c, i) * exp_neg(at(p.rate, i) * dt)


@verbs.e_receive.register(ExponentialEvent)
def _e_receive(p, y, i, w):
    y[0][i] += w
    return 0.0


@verbs.e_peak.register(ExponentialEvent)
def _e_peak(p, y, i):
    return max(y[0][i], 0.0) * at(p.peak, i)


@verbs.e_slope.register(ExponentialEvent)
def _e_slope(p, y, i):
    return max(y[0][i], 0.0) * at(p.inv_c, i)


@verbs.e_terms.register(ExponentialEvent)
def _e_terms(p, y, i, terms, k):
    rate = at(p.rate, i)
    terms[k, 0], terms[k, 1], terms[k, 2] = rate, -rate * y[0][i] * at(p.inv_c, i), 0.0
    return k + 1

"""Exponential conductance synapse (grid engine)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import at
from spikesim.parameters import Part, Values, pack, param


@dataclass(frozen=True, eq=False, repr=False)
class ExponentialConductance(Part):
    """Exponential conductance: a spike of weight w (nS) adds w to g, ``tau_syn dg/dt = -g``, current ``g (e_rev - v)``.

    On the grid, g decays exactly; `spikesim.neurons.conductances` tells how IF and LIF neurons follow it, and other
    membranes are integrated with the classical fourth-order Runge-Kutta method.

    Parameters
    ----------
    tau_syn : float or array (n,), ms
        Decay time, > 0.
    e_rev : float or array (n,), mV
        Reversal potential.

    References
    ----------
    Brette et al. 2007, doi:10.1007/s10827-007-0038-6, benchmark 1.
    """

    tau_syn: Values = param(5.0, "ms", "> 0", "decay time of the conductance")
    e_rev: Values = param(0.0, "mV", "", "reversal potential")

    variables = ("g",)
    linear = False
    affine = True
    exact = False
    instant = False
    weight_unit = "nS"

    def lower(self, setting):
        """Decay over half a step and a whole one."""
        rate = 1.0 / self.tau_syn
        return pack(ConductanceGrid, np.exp(-0.5 * setting.h * rate), np.exp(-setting.h * rate), self.e_rev)


class ConductanceGrid(NamedTuple):
    """Decay of g over half a step and a whole one, reversal potential."""

    half: float
    whole: float
    e_rev: float


@verbs.inject.register(ConductanceGrid)
def _inject(p, y, i, v, stage):
    pull = y[0][i] * (at(p.e_rev, i) - v)
    if stage == 0:
        return pull
    if stage == 1:
        return pull * at(p.half, i)
    return pull * at(p.whole, i)


@verbs.conduct.register(ConductanceGrid)
def _conduct(p, y, i, stage):
    if stage == 0:
        return y[0][i]
    if stage == 1:
        return y[0][i] * at(p.half, i)
    return y[0][i] * at(p.whole, i)


@verbs.decay.register(ConductanceGrid)
def _decay(p, y, i):
    y[0][i] *= at(p.whole, i)


@verbs.receive.register(ConductanceGrid)
def _receive(p, y, i, w):
    y[0][i] += w
    return 0.0

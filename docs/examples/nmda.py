"""A synapse of your own: an NMDA-like conductance blocked by magnesium (Jahr & Stevens 1990)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import spikesim as ss
from spikesim.parameters import pack


@dataclass(frozen=True, eq=False, repr=False)
class NMDA(ss.Part):
    """``tau_syn dg/dt = -g``, current ``g (e_rev - v) / (1 + mg exp(-0.062 v) / 3.57)``; a spike adds to g."""

    tau_syn: float = ss.param(100.0, "ms", "> 0", "decay time of the conductance")
    e_rev: float = ss.param(0.0, "mV", "", "reversal potential")
    mg: float = ss.param(1.0, "mM", ">= 0", "magnesium concentration")

    variables = ("g",)
    linear = False  # the current is not a linear function of the state
    exact = False  # no closed form: grid engine only
    weight_unit = "nS"

    def lower(self, setting):
        """Decay over half a step and a whole one, computed once for a step of ``setting.h`` ms."""
        half = math.exp(-0.5 * setting.h / self.tau_syn)
        return pack(NMDAStep, half, half * half, self.e_rev, self.mg)


class NMDAStep(NamedTuple):
    """What the kernels see."""

    half: float
    whole: float
    e_rev: float
    mg: float


@ss.inject.register(NMDAStep)
def _inject(p, y, i, v, stage):
    block = 1.0 / (1.0 + ss.at(p.mg, i) * math.exp(-0.062 * v) / 3.57)
    left = 1.0 if stage == 0 else (ss.at(p.half, i) if stage == 1 else ss.at(p.whole, i))
    return y[0][i] * left * (ss.at(p.e_rev, i) - v) * block


@ss.decay.register(NMDAStep)
def _decay(p, y, i):
    y[0][i] *= ss.at(p.whole, i)


@ss.receive.register(NMDAStep)
def _receive(p, y, i, w):
    y[0][i] += w
    return 0.0

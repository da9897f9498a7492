"""Brunel's network with alpha-shaped currents, as NEST's ``brunel_alpha_nest.py`` has it."""

from __future__ import annotations

import math

from scipy.optimize import minimize_scalar

from benchmarks.case import Case, Variant
from spikesim import (
    LIF,
    Alpha,
    FixedIndegree,
    FixedThreshold,
    Network,
    Neuron,
    PoissonInput,
    Population,
    Projection,
    ResetTo,
)

SIZES = {"exc": 10_000, "inh": 2_500}
P, G, ETA = 0.1, 5.0, 2.0
J, DELAY = 0.1, 1.5  # mV, ms
TAU_M, C_M, TAU_SYN, V_TH = 20.0, 250.0, 0.5, 20.0


def peak() -> float:
    """Largest potential (mV) after one spike of weight 1 pA."""
    a = 1.0 / TAU_SYN - 1.0 / TAU_M

    def potential(t: float) -> float:
        rise = (math.exp(-t / TAU_M) - math.exp(-t / TAU_SYN)) / a - t * math.exp(-t / TAU_SYN)
        return math.e / (TAU_SYN * C_M) * rise / a

    return -float(minimize_scalar(lambda t: -potential(t), bounds=(0.0, 10 * TAU_SYN), options={"xatol": 1e-10}).fun)


def build(scale: float) -> Network:
    """`scale` times the neurons and indegrees; amplitudes and the drive of each neuron stay."""
    sizes = {name: max(10, round(n * scale)) for name, n in SIZES.items()}
    weight = J / peak()
    rate = 1e3 * ETA * V_TH * C_M / (weight * math.e * TAU_M * TAU_SYN)
    neuron = Neuron(LIF(TAU_M, 0.0, C_M), Alpha(TAU_SYN), FixedThreshold(V_TH), ResetTo(0.0), t_ref=2.0)
    drive = PoissonInput(rate=rate, weight=weight)
    exc, inh = (Population(name, n, neuron, inputs=(drive,)) for name, n in sizes.items())
    weights = {"exc": weight, "inh": -G * weight}
    projections = [
        Projection(a, b, FixedIndegree(round(P * a.size)), weights[a.name], DELAY)
        for a in (exc, inh)
        for b in (exc, inh)
    ]
    return Network([exc, inh], projections)


CASE = Case("Brunel 2000, alpha currents, grid of 0.1 ms", (Variant("spikesim grid", "grid", build),))

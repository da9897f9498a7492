"""A neuron of your own: the adaptive exponential integrate-and-fire model (Brette & Gerstner 2005).

Run this file to see it fire: ``python adex.py`` writes ``adex.png``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import spikesim as ss
from spikesim import plotting


@dataclass(frozen=True, eq=False, repr=False)
class AdEx(ss.Membrane):
    """Adaptive exponential membrane.

    ``c_m dv/dt = -g_l (v - v_rest) + g_l delta exp((v - v_t) / delta) - w + i`` and
    ``tau_w dw/dt = a (v - v_rest) - w``; a spike adds `b` to w. doi:10.1152/jn.00686.2005.
    """

    c_m: float = ss.param(281.0, "pF", "> 0", "capacitance")
    g_l: float = ss.param(30.0, "nS", "> 0", "leak conductance")
    v_rest: float = ss.param(-70.6, "mV", "", "resting potential")
    v_t: float = ss.param(-50.4, "mV", "", "potential of exponential growth")
    delta: float = ss.param(2.0, "mV", "> 0", "sharpness of the growth")
    a: float = ss.param(4.0, "nS", "", "adaptation by the potential")
    tau_w: float = ss.param(144.0, "ms", "> 0", "time constant of adaptation")
    b: float = ss.param(80.5, "pA", ">= 0", "adaptation per spike")

    variables = ("v", "w")


@ss.derivative.register(AdEx)
def _derivative(p, x, i, current):
    v, w = min(x[0], 0.0), x[1]  # beyond the cut-off at 0 mV the upstroke would only spoil w
    drive = ss.at(p.g_l, i) * ss.at(p.delta, i) * math.exp((v - ss.at(p.v_t, i)) / ss.at(p.delta, i))
    dv = (ss.at(p.g_l, i) * (ss.at(p.v_rest, i) - v) + drive - w + current) / ss.at(p.c_m, i)
    dw = (ss.at(p.a, i) * (v - ss.at(p.v_rest, i)) - w) / ss.at(p.tau_w, i)
    return dv, dw


@ss.on_spike.register(AdEx)
def _on_spike(p, x, i):
    v, w = x
    return v, w + ss.at(p.b, i)


def network(current: float = 800.0, n: int = 1) -> ss.Network:
    """Cells under constant current (pA); they fire above 0 mV and are reset to rest."""
    model = ss.Neuron(AdEx(), ss.Exponential(5.0), ss.FixedThreshold(0.0), ss.ResetTo(-70.6))
    return ss.Network([ss.Population("cells", n, model, inputs=ss.Current(current))])


if __name__ == "__main__":
    record = ss.Record(states={"cells": ("v", "w")}, interval=0.1)
    result = ss.simulate(network(), 300.0, engine="grid", dt=0.05, record=record)
    plotting.save(plotting.traces(result, "cells", "v").figure, "adex.png", overwrite=True)

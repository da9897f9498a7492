"""Triplet rule: pairs and triplets of spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spikesim.parameters import param
from spikesim.plasticity.rule import Plasticity, Traces, on_post, on_pre


@dataclass(frozen=True, eq=False, repr=False)
class TripletSTDP(Plasticity):
    """Growth grows with the target's, decline with the source's recent rate.

    At a target spike ``dw = x1 (a2_plus + a3_plus y2)``, at a source spike ``dw = -y1 (a2_minus + a3_minus x2)``,
    traces as just before it, weights within bounds. ``a3_minus = 0`` and ``a2_plus = 0`` give the minimal model.
    The defaults are those of the paper's table 4 for the minimal all-to-all model of visual cortex.

    Parameters
    ----------
    a2_plus, a3_plus, a2_minus, a3_minus : float
        Amplitudes of pairs and triplets, in the unit of the weight, >= 0.
    tau_plus, tau_minus : float, ms
        Time constants of x1 and y1, > 0.
    tau_x, tau_y : float, ms
        Time constants of x2 and y2, > 0.
    nearest : bool
        Whether a spike sets traces to 1 instead of adding 1 (nearest-spike model).
    w_min, w_max : float
        Bounds of the weight.

    References
    ----------
    Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006, equations 3 and 4.
    """

    a2_plus: float = param(0.0, "", ">= 0", "growth of a pair", scalar=True)
    a3_plus: float = param(6.5e-3, "", ">= 0", "growth of a triplet", scalar=True)
    a2_minus: float = param(7.1e-3, "", ">= 0", "decline of a pair", scalar=True)
    a3_minus: float = param(0.0, "", ">= 0", "decline of a triplet", scalar=True)
    tau_plus: float = param(16.8, "ms", "> 0", "time constant of x1", scalar=True)
    tau_minus: float = param(33.7, "ms", "> 0", "time constant of y1", scalar=True)
    tau_x: float = param(101.0, "ms", "> 0", "time constant of x2", scalar=True)
    tau_y: float = param(114.0, "ms", "> 0", "time constant of y2", scalar=True)
    w_min: float = param(0.0, "", ">= 0", "least weight", scalar=True)
    w_max: float = param(1.0, "", "> 0", "largest weight", scalar=True)
    nearest: bool = False

    idle = True

    def traces(self) -> Traces:
        """Two on either side."""
        return Traces(1.0 / self.tau_plus, 1.0 / self.tau_x, 1.0 / self.tau_minus, 1.0 / self.tau_y, bool(self.nearest))

    def lower(self, setting=None):
        """Numbers."""
        return TripletKernel(self.a2_plus, self.a3_plus, self.a2_minus, self.a3_minus, self.w_min, self.w_max)


class TripletKernel(NamedTuple):
    """Amplitudes and bounds."""

    a2_plus: float
    a3_plus: float
    a2_minus: float
    a3_minus: float
    w_min: float
    w_max: float


@on_post.register(TripletKernel)
def _on_post(p, w, e, x1, x2, y1, y2):
    return min(w + x1 * (p.a2_plus + p.a3_plus * y2), p.w_max), e


@on_pre.register(TripletKernel)
def _on_pre(p, w, e, x1, x2, y1, y2):
    return max(w - y1 * (p.a2_minus + p.a3_minus * x2), p.w_min), e

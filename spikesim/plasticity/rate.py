"""Rate-based rules, with traces as running estimates of rates: Hebb, Oja, and Bienenstock, Cooper & Munro.

A trace that grows by 1 per spike and decays with tau estimates a rate of trace / tau. The rules move the weight at
spikes of the target, which come at its rate v, so a change of ``eta u f(v)`` per spike is ``eta u v f(v)`` per time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spikesim.parameters import param
from spikesim.plasticity.rule import Plasticity, Traces, on_post, on_pre


@dataclass(frozen=True, eq=False, repr=False)
class Hebb(Plasticity):
    """``dw/dt = eta u v`` with rates u of the source and v of the target (1/ms).

    Parameters
    ----------
    eta : float
        Learning rate, in the unit of the weight times ms, >= 0.
    tau : float, ms
        Time over which the source's rate is estimated, > 0.
    w_min, w_max : float
        Bounds of the weight.

    References
    ----------
    Gerstner et al. 2014, Neuronal Dynamics, section 19.2.
    """

    eta: float = param(0.01, "", ">= 0", "learning rate", scalar=True)
    tau: float = param(100.0, "ms", "> 0", "time of the rate estimate", scalar=True)
    w_min: float = param(0.0, "", ">= 0", "least weight", scalar=True)
    w_max: float = param(1.0, "", "> 0", "largest weight", scalar=True)

    def traces(self) -> Traces:
        """The source's rate."""
        return Traces(1.0 / self.tau, 0.0, 0.0, 0.0, False)

    def lower(self, setting=None):
        """Growth per trace, no decay, no threshold."""
        return RateKernel(self.eta / self.tau, 0.0, 0.0, 0.0, self.w_min, self.w_max)


@dataclass(frozen=True, eq=False, repr=False)
class Oja(Plasticity):
    """``dw/dt = eta v (u - v w)``: Hebb's rule with a decay that bounds the length of the weight vector.

    Parameters
    ----------
    eta : float
        Learning rate, times ms, >= 0; weights and rates are compared as numbers.
    tau : float, ms
        Time over which rates are estimated, > 0.
    w_min, w_max : float
        Bounds of the weight.

    References
    ----------
    Oja 1982, doi:10.1007/BF00275687, equation 2.
    """

    eta: float = param(0.01, "", ">= 0", "learning rate", scalar=True)
    tau: float = param(100.0, "ms", "> 0", "time of the rate estimates", scalar=True)
    w_min: float = param(0.0, "", ">= 0", "least weight", scalar=True)
    w_max: float = param(1.0, "", "> 0", "largest weight", scalar=True)

    def traces(self) -> Traces:
        """The rates of both sides."""
        return Traces(1.0 / self.tau, 0.0, 1.0 / self.tau, 0.0, False)

    def lower(self, setting=None):
        """Growth and decay per trace."""
        return RateKernel(self.eta / self.tau, self.eta / self.tau, 0.0, 0.0, self.w_min, self.w_max)


@dataclass(frozen=True, eq=False, repr=False)
class BCM(Plasticity):
    """``dw/dt = eta u v (v - v_0 (m / v_0)**2)``: m is the target's mean rate over a long time, a sliding threshold.

    Parameters
    ----------
    eta : float
        Learning rate, in the unit of the weight times ms**2, >= 0.
    rate : float, Hz
        The rate v_0 at which threshold and mean agree, > 0.
    tau : float, ms
        Time over which rates are estimated, > 0.
    tau_mean : float, ms
        Time of the target's mean rate, > 0.
    w_min, w_max : float
        Bounds of the weight.

    References
    ----------
    Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982.
    """

    eta: float = param(1.0, "", ">= 0", "learning rate", scalar=True)
    rate: float = param(10.0, "Hz", "> 0", "rate the target is held at", scalar=True)
    tau: float = param(100.0, "ms", "> 0", "time of the rate estimates", scalar=True)
    tau_mean: float = param(10000.0, "ms", "> 0", "time of the mean rate", scalar=True)
    w_min: float = param(0.0, "", ">= 0", "least weight", scalar=True)
    w_max: float = param(1.0, "", "> 0", "largest weight", scalar=True)

    def traces(self) -> Traces:
        """Rates of both sides, and the target's mean rate."""
        return Traces(1.0 / self.tau, 0.0, 1.0 / self.tau, 1.0 / self.tau_mean, False)

    def lower(self, setting=None):
        """Growth per product of traces, threshold per squared mean."""
        per_ms = self.rate / 1000.0
        gain = self.eta / self.tau
        return RateKernel(0.0, 0.0, gain / self.tau, gain / (per_ms * self.tau_mean**2), self.w_min, self.w_max)


class RateKernel(NamedTuple):
    """Change at a target spike: ``hebb x1 - decay y1 w + x1 (bcm y1 - slide y2**2)``; bounds."""

    hebb: float
    decay: float
    bcm: float
    slide: float
    w_min: float
    w_max: float


@on_post.register(RateKernel)
def _on_post(p, w, e, x1, x2, y1, y2):
    change = p.hebb * x1 - p.decay * y1 * w + x1 * (p.bcm * y1 - p.slide * y2 * y2)
    return min(max(w + change, p.w_min), p.w_max), e


@on_pre.register(RateKernel)
def _on_pre(p, w, e, x1, x2, y1, y2):
    return w, e

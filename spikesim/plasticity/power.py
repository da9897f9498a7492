"""Pair-based plasticity whose growth is a power of the weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spikesim.parameters import param
from spikesim.plasticity.rule import Plasticity, Traces, on_post, on_pre


@dataclass(frozen=True, eq=False, repr=False)
class PowerSTDP(Plasticity):
    """``dw = rate w0**(1 - mu) w**mu x`` at a target spike, ``dw = -rate alpha w y`` at a source spike, all pairs.

    Parameters
    ----------
    rate : float
        Learning rate, >= 0.
    alpha : float
        Decline relative to growth, >= 0.
    mu : float
        Exponent of growth, >= 0.
    w0 : float
        Reference weight, in the unit of the weight, > 0.
    tau_plus, tau_minus : float, ms
        Time constants of the traces x and y, > 0.

    References
    ----------
    Morrison, Aertsen & Diesmann 2007, doi:10.1162/neco.2007.19.6.1437.
    """

    rate: float = param(0.1, "", ">= 0", "learning rate", scalar=True)
    alpha: float = param(0.11, "", ">= 0", "decline relative to growth", scalar=True)
    mu: float = param(0.4, "", ">= 0", "exponent of growth", scalar=True)
    w0: float = param(1.0, "", "> 0", "reference weight", scalar=True)
    tau_plus: float = param(20.0, "ms", "> 0", "time constant of x", scalar=True)
    tau_minus: float = param(20.0, "ms", "> 0", "time constant of y", scalar=True)

    @property
    def bounds(self) -> tuple[float, float]:
        """Weights are not bounded above."""
        return 0.0, float("inf")

    idle = True

    def traces(self) -> Traces:
        """One on either side."""
        return Traces(1.0 / self.tau_plus, 0.0, 1.0 / self.tau_minus, 0.0, False)

    def lower(self, setting=None):
        """Factors of growth and decline, exponent."""
        return PowerKernel(self.rate * self.w0 ** (1.0 - self.mu), self.rate * self.alpha, self.mu)


class PowerKernel(NamedTuple):
    """Factors of growth and decline, exponent."""

    up: float
    down: float
    mu: float


@on_post.register(PowerKernel)
def _on_post(p, w, e, x1, x2, y1, y2):
    return w + p.up * w**p.mu * x1, e


@on_pre.register(PowerKernel)
def _on_pre(p, w, e, x1, x2, y1, y2):
    return max(w - p.down * w * y1, 0.0), e

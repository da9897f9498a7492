"""Symmetric plasticity of inhibitory synapses that holds their targets at a rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spikesim.parameters import param
from spikesim.plasticity.rule import Plasticity, Traces, on_post, on_pre


@dataclass(frozen=True, eq=False, repr=False)
class SymmetricSTDP(Plasticity):
    """Near coincidence strengthens, a source spike alone weakens: ``dw = eta x`` and ``dw = eta (y - alpha)``.

    On inhibitory synapses the target comes to fire at ``alpha / (2 tau)``.

    Parameters
    ----------
    eta : float
        Learning rate, in the unit of the weight, >= 0.
    alpha : float
        Decline per source spike, relative to a coincidence, >= 0; ``2 * rate * tau`` for a target rate.
    tau : float, ms
        Time constant of both traces, > 0.
    w_min, w_max : float
        Bounds of the weight, of its absolute value where weights are negative.

    References
    ----------
    Vogels et al. 2011, doi:10.1126/science.1211095, equation 1 of the supplement.
    """

    eta: float = param(0.001, "", ">= 0", "learning rate", scalar=True)
    alpha: float = param(0.12, "", ">= 0", "decline per source spike", scalar=True)
    tau: float = param(20.0, "ms", "> 0", "time constant of the traces", scalar=True)
    w_min: float = param(0.0, "", ">= 0", "least weight", scalar=True)
    w_max: float = param(1.0, "", "> 0", "largest weight", scalar=True)

    def traces(self) -> Traces:
        """One on either side."""
        return Traces(1.0 / self.tau, 0.0, 1.0 / self.tau, 0.0, False)

    def lower(self, setting=None):
        """Numbers."""
        return SymmetricKernel(self.eta, self.alpha, self.w_min, self.w_max)


class SymmetricKernel(NamedTuple):
    """Learning rate, decline, bounds."""

    eta: float
    alpha: float
    w_min: float
    w_max: float


@on_post.register(SymmetricKernel)
def _on_post(p, w, e, x1, x2, y1, y2):
    return min(w + p.eta * x1, p.w_max), e


@on_pre.register(SymmetricKernel)
def _on_pre(p, w, e, x1, x2, y1, y2):
    return min(max(w + p.eta * (y1 - p.alpha), p.w_min), p.w_max), e

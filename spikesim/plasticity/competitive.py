"""The trace rule of Diehl & Cook's network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spikesim.parameters import param
from spikesim.plasticity.rule import Plasticity, Traces, on_post, on_pre


@dataclass(frozen=True, eq=False, repr=False)
class CompetitiveSTDP(Plasticity):
    """``dw = eta_post x1 y2`` at a target spike, ``dw = -eta_pre y1`` at a source spike; spikes set traces to 1.

    Parameters
    ----------
    eta_pre, eta_post : float
        Learning rates, in the unit of the weight, >= 0.
    tau_x, tau_y1, tau_y2 : float, ms
        Time constants of x1, y1 and y2, > 0.
    w_min, w_max : float
        Bounds of the weight.

    References
    ----------
    Diehl & Cook 2015, doi:10.3389/fncom.2015.00099; the form is that of the authors' published program.
    """

    eta_pre: float = param(1e-4, "", ">= 0", "learning rate at source spikes", scalar=True)
    eta_post: float = param(1e-2, "", ">= 0", "learning rate at target spikes", scalar=True)
    tau_x: float = param(20.0, "ms", "> 0", "time constant of x1", scalar=True)
    tau_y1: float = param(20.0, "ms", "> 0", "time constant of y1", scalar=True)
    tau_y2: float = param(40.0, "ms", "> 0", "time constant of y2", scalar=True)
    w_min: float = param(0.0, "", ">= 0", "least weight", scalar=True)
    w_max: float = param(1.0, "", "> 0", "largest weight", scalar=True)

    idle = True

    def traces(self) -> Traces:
        """One of the source, two of the target."""
        return Traces(1.0 / self.tau_x, 0.0, 1.0 / self.tau_y1, 1.0 / self.tau_y2, True)

    def lower(self, setting=None):
        """Numbers."""
        return CompetitiveKernel(self.eta_pre, self.eta_post, self.w_min, self.w_max)


class CompetitiveKernel(NamedTuple):
    """Learning rates and bounds."""

    eta_pre: float
    eta_post: float
    w_min: float
    w_max: float


@on_post.register(CompetitiveKernel)
def _on_post(p, w, e, x1, x2, y1, y2):
    return min(w + p.eta_post * x1 * y2, p.w_max), e


@on_pre.register(CompetitiveKernel)
def _on_pre(p, w, e, x1, x2, y1, y2):
    return max(w - p.eta_pre * y1, p.w_min), e

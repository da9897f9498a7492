"""Pair-based spike-timing-dependent plasticity: additive, multiplicative and what lies between, four ways to pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spikesim._jit import kernel
from spikesim.errors import unknown
from spikesim.parameters import param
from spikesim.plasticity.rule import Additive, Plasticity, Traces, on_post, on_pre

PAIRINGS = {"all": 0.0, "nearest": 1.0, "presynaptic": 2.0, "reduced": 3.0, "postsynaptic": 4.0}


@dataclass(frozen=True, eq=False, repr=False)
class PairSTDP(Plasticity):
    """Each pair of a source and a target spike changes the weight by an exponential of their distance.

    With ``u = (w - w_min) / (w_max - w_min)``, a target spike at distance s after a source spike adds
    ``(w_max - w_min) a_plus (1 - u)**mu_plus exp(-s / tau_plus)``, a source spike at distance s after a target spike
    takes away ``(w_max - w_min) a_minus u**mu_minus exp(-s / tau_minus)``; weights stay within their bounds. Spikes
    count when they are at the synapse. Amplitudes may be negative (anti-Hebbian); growth then goes with ``mu_plus``
    and decline with ``mu_minus`` as before.

    Parameters
    ----------
    a_plus, a_minus : float
        Relative changes of a pair.
    tau_plus, tau_minus : float, ms
        Time constants, > 0.
    mu_plus, mu_minus : float
        0: additive (Song et al. 2000); 1: multiplicative (Rubin et al. 2001); ``mu_plus = 0, mu_minus = 1``: van
        Rossum et al. 2000; between: Gütig et al. 2003.
    w_min, w_max : float
        Bounds of the weight, in its unit, ``w_min >= 0``; of its absolute value where weights are negative.
    pairing : {"all", "nearest", "presynaptic", "reduced", "postsynaptic"}
        Which spikes pair: all; each spike with the nearest earlier one of the other side; each source spike with the
        nearest target spikes before and after it; only immediate neighbours (Morrison et al. 2008, figure 7); each
        target spike with the nearest source spikes before and after it (Masquelier et al. 2008).

    Raises
    ------
    ParameterError
        If a value is out of bounds, or `pairing` is unknown.

    References
    ----------
    Song, Miller & Abbott 2000, doi:10.1038/78829; Gütig et al. 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003;
    Morrison, Diesmann & Gerstner 2008, doi:10.1007/s00422-008-0233-1; Masquelier et al. 2008,
    doi:10.1371/journal.pone.0001377.
    """

    a_plus: float = param(0.005, "", "", "relative growth of a pair", scalar=True)
    a_minus: float = param(0.00525, "", "", "relative decline of a pair", scalar=True)
    tau_plus: float = param(20.0, "ms", "> 0", "time constant of growth", scalar=True)
    tau_minus: float = param(20.0, "ms", "> 0", "time constant of decline", scalar=True)
    mu_plus: float = param(0.0, "", ">= 0", "how growth depends on the weight", scalar=True)
    mu_minus: float = param(0.0, "", ">= 0", "how decline depends on the weight", scalar=True)
    w_min: float = param(0.0, "", ">= 0", "least weight", scalar=True)
    w_max: float = param(1.0, "", "> 0", "largest weight", scalar=True)
    pairing: str = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pairing not in PAIRINGS:
            raise unknown("pairing of PairSTDP", self.pairing, list(PAIRINGS))

    @property
    def extra(self) -> bool:  # type: ignore[override]
        """Whether a synapse must know what target spikes came since the last source spike."""
        return PAIRINGS[self.pairing] >= 2.0

    @property
    def idle(self) -> bool:  # type: ignore[override]
        """Whether source spikes change nothing where no target has fired lately."""
        return not self.extra

    def traces(self) -> Traces:
        """One on either side."""
        rates = 1.0 / self.tau_plus, 0.0, 1.0 / self.tau_minus, 0.0
        return Traces(*rates, nearest=self.pairing != "all", summed=self.pairing == "postsynaptic")

    @property
    def additive(self) -> Additive | None:
        """Whether neither weights nor which spikes pair make a difference to a change."""
        if self.extra or self.mu_plus or self.mu_minus or type(self) is not PairSTDP:
            return None
        span = self.w_max - self.w_min
        return Additive(span * self.a_plus, span * self.a_minus, self.w_min, self.w_max)

    def lower(self, setting=None):
        """Numbers."""
        return PairKernel(
            self.a_plus, self.a_minus, self.mu_plus, self.mu_minus, self.w_min, self.w_max, PAIRINGS[self.pairing],
            self.tau_plus / self.tau_minus,
        )  # fmt: skip


class PairKernel(NamedTuple):
    """Parameters; `pairing` is the position in `PAIRINGS`, `slower` the ratio of the time constants."""

    a_plus: float
    a_minus: float
    mu_plus: float
    mu_minus: float
    w_min: float
    w_max: float
    pairing: float
    slower: float


@kernel(inline=True, inner=True)
def moved(w, a, mu_plus, mu_minus, w_min, w_max):
    """Weight after a relative change `a`, weighted by the room left, within bounds."""
    step = (w_max - w_min) * a
    if a >= 0.0:
        if mu_plus != 0.0:
            left = 1.0 - (w - w_min) / (w_max - w_min)
            step *= left if mu_plus == 1.0 else left**mu_plus
        return min(w + step, w_max)
    if mu_minus != 0.0:
        left = (w - w_min) / (w_max - w_min)
        step *= left if mu_minus == 1.0 else left**mu_minus
    return max(w + step, w_min)


@on_post.register(PairKernel)
def _on_post(p, w, e, x1, x2, y1, y2):
    if p.pairing == 4.0:
        return moved(w, p.a_plus * x1, p.mu_plus, p.mu_minus, p.w_min, p.w_max), e
    if p.pairing >= 2.0 and e > 0.0:  # not the first since the source spike
        return w, 1.0
    return moved(w, p.a_plus * x1, p.mu_plus, p.mu_minus, p.w_min, p.w_max), 1.0


@on_pre.register(PairKernel)
def _on_pre(p, w, e, x1, x2, y1, y2):
    if p.pairing == 4.0:  # e is y as the last source spike met it: the rest of y came since
        since = max(y1 - e * x1**p.slower, 0.0)
        return moved(w, -p.a_minus * since, p.mu_plus, p.mu_minus, p.w_min, p.w_max), y1
    if p.pairing == 3.0 and e == 0.0:  # the target spike has had its pair
        return w, 0.0
    return moved(w, -p.a_minus * y1, p.mu_plus, p.mu_minus, p.w_min, p.w_max), 0.0

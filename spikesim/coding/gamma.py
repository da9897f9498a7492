"""Rate code: a gamma process, between Poisson and regular."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.coding._contract import Draw, Floats, Ints
from spikesim.coding._rates import RateCode
from spikesim.coding.poisson import renewal
from spikesim.parameters import as_count


@dataclass(frozen=True, eq=False, kw_only=True)
class Gamma(RateCode):
    """Intervals are gamma distributed with shape `order` and mean ``1 / (x rate_max)``; stationary from time 0.

    Zero is silent, the maximum fires ``N = rate_max duration`` times on average. Coefficient of variation of the
    intervals ``1 / sqrt(order)``; read by counting, with a variance about `order` times below that of `Poisson`.

    Parameters
    ----------
    order : int
        Shape, >= 1; 1 is a Poisson process.
    """

    family = "rate"
    summary = "number of spikes of a gamma process"
    random = True

    order: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "order", as_count(self.order, "Gamma.order"))

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        return renewal(x.ravel() * self.rate_max * 1e-3, self.duration, draw, self.order)

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """`order` random numbers a spike and one more a value."""
        return {"draws": values + self.order * spikes, "activation_accesses": float(values)}


CODE = Gamma

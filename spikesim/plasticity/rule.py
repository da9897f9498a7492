"""What a plasticity rule is: traces of spikes on both sides, and what a spike of either side does to the weight.

A synapse keeps its weight w and at most one more number e (an eligibility, a count). Spikes leave traces: x1, x2 of
the source, y1, y2 of the target; each decays exponentially, and a spike adds 1 to it or, with nearest-neighbour
traces, sets it to 1. `on_post` and `on_pre` are handed the traces as they were just before the spike. When spikes of
both sides meet at the synapse at the same instant, the target's comes first and they do not see each other's trace,
except where nothing delays the target's spike on its way back to the synapse: then the source's comes first, because
it may be what made the target fire, and the target's sees its trace.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import verb
from spikesim.errors import ParameterError
from spikesim.parameters import Part, as_values


class Traces(NamedTuple):
    """Decay rates (1/ms; 0 for a trace that is not used) of x1, x2, y1, y2; whether a spike sets them to 1.

    With `summed`, this holds for the source's traces only, and those of the target add up.
    """

    x1: float
    x2: float
    y1: float
    y2: float
    nearest: bool
    summed: bool = False


class Additive(NamedTuple):
    """A rule of pairs whose changes do not depend on the weight.

    A target spike adds ``up x1``, a source spike takes away ``down y1``, within bounds.
    """

    up: float
    down: float
    w_min: float
    w_max: float


class Plasticity(Part):
    """Base of plasticity rules; their parameters are numbers, the same for all synapses of a projection.

    A rule declares its parameters with `param(..., scalar=True)`, says which traces it uses (`traces`), lowers itself
    into a named tuple of numbers (`lower`), and registers the verbs `on_pre` and `on_post` for that tuple.
    """

    extra: ClassVar[bool] = False  # whether synapses keep a second number
    idle: ClassVar[bool] = False  # whether source spikes change nothing where no target has fired lately
    modulated: ClassVar[bool] = False  # whether rewards move weights; such a rule has a time constant `tau_d`

    def traces(self) -> Traces:
        """The traces that the rule uses."""
        raise NotImplementedError

    @property
    def additive(self) -> Additive | None:
        """The rule as one that the grid engine can follow without looking at single target spikes, if it is one."""
        return None

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and largest weight; initial weights must lie between."""
        return self.w_min, self.w_max  # type: ignore[attr-defined]

    def check(self, weight: Any, delay: Any, dendritic: Any, where: str) -> float:
        """Raise ParameterError where a projection with these values cannot learn; returns the dendritic delay (ms)."""
        if not isinstance(delay, float):
            raise ParameterError(f"{where}: with plasticity, the delay must be one number for all synapses")
        if dendritic is None:
            dendritic = delay
        dendritic = float(as_values(dendritic, f"{where}: dendritic", "ms", ">= 0", scalar=True))
        if dendritic > delay:
            raise ParameterError(f"{where}: dendritic must be <= delay ({delay:g} ms), got {dendritic:g}")
        if isinstance(weight, (float, np.ndarray)):
            self.check_weights(np.atleast_1d(weight), where)
        return dendritic

    def check_weights(self, weights: NDArray[np.float64], where: str) -> None:
        """Raise ParameterError unless all weights have one sign and lie, without it, within the rule's bounds."""
        lo, hi = self.bounds
        if weights.size and weights.min() < 0.0 < weights.max():
            raise ParameterError(f"{where}: plastic weights must have one sign; split the projection")
        outside = np.flatnonzero((np.abs(weights) < lo) | (np.abs(weights) > hi))
        if len(outside):
            raise ParameterError(
                f"{where}: {len(outside)} of {len(weights)} initial weights lie outside w_min … w_max of "
                f"{type(self).__name__} ({lo:g} … {hi:g}), the first is {weights[outside[0]]:g}"
            )

    def __post_init__(self) -> None:
        super().__post_init__()
        lo, hi = self.bounds
        if not hi > lo:
            raise ParameterError(f"{type(self).__name__}.w_max: must be > w_min ({lo:g}), got {hi:g}")


@verb()
def on_pre(p: Any, w: float, e: float, x1: float, x2: float, y1: float, y2: float) -> Any:
    """Weight and extra number after a spike of the source has come to the synapse."""


@verb()
def on_post(p: Any, w: float, e: float, x1: float, x2: float, y1: float, y2: float) -> Any:
    """Weight and extra number after a spike of the target has come back to the synapse."""


@verb(default=True)
def meanwhile(p: Any, w: float, e: float, t0: float, t1: float, modulator: Any) -> Any:
    """Weight and extra number at t1 when no spike comes between t0 and t1; by default unchanged."""
    return w, e

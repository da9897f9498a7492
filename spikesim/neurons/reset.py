"""What a spike does to the membrane: set it to a value or subtract from it, at once or one lag later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spikesim import verbs
from spikesim._jit import at
from spikesim.parameters import Part, Values, pack, param


@dataclass(frozen=True, eq=False, repr=False)
class ResetTo(Part):
    """A spike sets the membrane to `v_reset`.

    Parameters
    ----------
    v_reset : float or array (n,), mV
        Value after a spike.
    lag : float, ms
        0 resets at once. A positive lag (grid engine: one time step) applies the reset that much later: until
        then the membrane integrates on and cannot fire; at the end of the lag the membrane is set to
        `v_reset` plus the inputs of that instant, then the threshold is tested.
    """

    v_reset: Values = param(0.0, "mV", "", "membrane after a spike")
    lag: float = param(0.0, "ms", ">= 0", "time from the spike to the reset", scalar=True)

    exact = True

    def lower(self, setting):
        """What the spike leaves; the lag is the engines' business."""
        return pack(ResetToKernel, self.v_reset)


@dataclass(frozen=True, eq=False, repr=False)
class ResetBySubtraction(Part):
    """A spike subtracts `amount` from the membrane, so that input beyond the threshold is kept.

    Parameters
    ----------
    amount : float or array (n,), mV
        Subtracted per spike, > 0; usually the distance from rest to threshold.
    lag : float, ms
        0 subtracts at once. A positive lag (grid engine: one time step) subtracts that much later, together
        with the inputs of that instant; until then the neuron cannot fire. With ``lag`` of one step this is
        snnTorch's ``Leaky(reset_mechanism="subtract")``.
    """

    amount: Values = param(20.0, "mV", "> 0", "subtracted by a spike")
    lag: float = param(0.0, "ms", ">= 0", "time from the spike to the reset", scalar=True)

    exact = True

    def lower(self, setting):
        """What the spike leaves; the lag is the engines' business."""
        return pack(SubtractionKernel, self.amount)


class ResetToKernel(NamedTuple):
    """Value after a spike."""

    v_reset: float


class SubtractionKernel(NamedTuple):
    """Amount a spike subtracts."""

    amount: float


@verbs.reset.register(ResetToKernel)
def _to_value(p, v, i):
    return at(p.v_reset, i)


@verbs.reset.register(SubtractionKernel)
def _subtract(p, v, i):
    return v - at(p.amount, i)

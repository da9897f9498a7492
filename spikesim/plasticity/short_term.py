"""Short-term plasticity: synapses that tire and recover, or are eased by recent use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim._jit import kernel
from spikesim.errors import ParameterError
from spikesim.mathkernels import exp_neg
from spikesim.parameters import Part, as_values, param


@dataclass(frozen=True, eq=False, repr=False)
class ShortTerm(Part):
    """Each source spike releases a share u of the resources x; it transmits ``weight u x``.

    Between spikes ``dx/dt = (1 - x) / tau_rec`` and ``du/dt = -u / tau_fac``; at a spike first u grows by
    ``U (1 - u)``, then ``u x`` is transmitted and taken from x. At first ``x = 1, u = 0``. What a synapse was is the
    same for all synapses of a source, and carried from spike to spike in closed form.

    Parameters
    ----------
    U : float
        Growth of u at a spike, > 0, at most 1; the share that a rested synapse releases.
    tau_rec : float, ms
        Time constant of recovery, > 0.
    tau_fac : float, ms
        Time constant of facilitation, >= 0; 0: none, u is U at every spike.

    Raises
    ------
    ParameterError
        If a value is out of bounds.

    References
    ----------
    Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502; Maass & Markram 2002,
    doi:10.1016/S0893-6080(01)00144-7.
    """

    U: float = param(0.5, "", "> 0", "growth of u at a spike", scalar=True)
    tau_rec: float = param(800.0, "ms", "> 0", "time constant of recovery", scalar=True)
    tau_fac: float = param(0.0, "ms", ">= 0", "time constant of facilitation", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.U > 1.0:
            raise ParameterError(f"ShortTerm.U: must be <= 1, got {self.U:g}")

    def lower(self, setting: Any = None) -> ShortTermKernel:
        """Decay rates; that of facilitation is 0 where there is none."""
        return ShortTermKernel(self.U, 1.0 / self.tau_rec, 1.0 / self.tau_fac if self.tau_fac > 0.0 else 0.0)

    def respond(self, times: ArrayLike) -> NDArray[np.float64]:
        """What spikes at `times` (ms, ascending) transmit, relative to the weight: ``u x`` at each.

        Raises
        ------
        ParameterError
            If times are not numbers in ascending order.
        """
        given = np.atleast_1d(np.asarray(as_values(times, "ShortTerm.respond: times", "ms"), dtype=np.float64))
        if (np.diff(given) < 0.0).any():
            raise ParameterError("ShortTerm.respond: times must be ascending")
        found = np.empty(len(given))
        _respond(self.lower(), given, found)
        return found


class ShortTermKernel(NamedTuple):
    """U, decay rates of the two variables."""

    use: float
    recovery: float
    facilitation: float


@kernel(inline=True)
def release(p, u, x, dt):
    """u and x at a spike, before it takes ``u x`` away; those at the spike before, `dt` ms ago, were `u` and `x`."""
    x = 1.0 + (x - x * u - 1.0) * exp_neg(dt * p.recovery)
    eased = u * exp_neg(dt * p.facilitation) if p.facilitation > 0.0 else 0.0
    return eased + p.use * (1.0 - eased), x


@kernel
def _respond(p, times, out):
    u, x, last = 0.0, 1.0, -np.inf
    for k in range(len(times)):
        u, x = release(p, u, x, times[k] - last)
        out[k] = u * x
        last = times[k]

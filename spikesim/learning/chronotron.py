"""The chronotron: spikes at wanted times by descending the Victor-Purpura distance, or by a local rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim._jit import kernel
from spikesim.errors import ParameterError
from spikesim.learning.learner import Trains
from spikesim.learning.spike_trains import SpikeTrainLearner, Vector, traces
from spikesim.parameters import choice, number


@dataclass(eq=False, repr=False)
class Chronotron(SpikeTrainLearner):
    """One neuron that learns to fire at given times, by E-learning or I-learning.

    E-learning: own and wanted spikes are paired as the Victor-Purpura distance with ``q = 1 / tau_q`` pairs them. With
    the normalised response ``L_i(t)`` of synapse i, wanted spikes to be added change its weight by ``rate L_i``, own
    spikes to be removed by ``-rate L_i``, and an own spike t paired with a wanted one t' by
    ``rate (gamma / tau_q²) (t - t') L_i(t)``.

    I-learning: ``rate |w_i| C_i`` for each wanted and the negative for each own spike, with the normalised synaptic
    current C_i; it is local, and weights keep their sign.

    Parameters
    ----------
    n, tau_m, tau_s, v_th, rate, mean, spread, tau_r, seed
        Afferents; neuron; learning rate; initial weights; distance in the history. See `SpikeTrainLearner`.
    rule : {"e", "i"}
    tau_q : float, ms
        Pairs further apart than ``2 tau_q`` are taken for one spike to remove and one to add.
    gamma : float, ms
        Weight of moving a spike against adding or removing one.

    Attributes
    ----------
    weights : array (n,), pA at a resistance of 1 GOhm

    Raises
    ------
    ParameterError
        If a setting is out of bounds, or tau_s equals tau_m.

    References
    ----------
    Florian 2012, doi:10.1371/journal.pone.0040233, sections "E-learning" and "I-learning".
    """

    rule: str = choice("e", ("e", "i"), "E-learning or I-learning")
    tau_q: float = number(10.0, "ms", "> 0", "time scale of pairing")
    gamma: float = number(30.0, "ms", "> 0", "weight of moving a spike")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tau_s == self.tau_m:
            raise ParameterError(f"Chronotron.tau_s: must differ from tau_m ({self.tau_m:g} ms)")

    def change(self, trains: Trains, out: Vector, wanted: Vector) -> Vector:
        """Change by the rule chosen."""
        if self.rule == "i":
            current = [traces(trains.times, trains.ids, self.n, t, self.tau_s).sum(axis=0) for t in (wanted, out)]
            return np.abs(self.weights) * (current[0] - current[1])
        pair = pairs(out, wanted, 1.0 / self.tau_q)
        moved = pair >= 0
        factor = np.full(len(out), -1.0)
        factor[moved] = self.gamma / self.tau_q**2 * (out[moved] - wanted[pair[moved]])
        added = np.setdiff1d(np.arange(len(wanted)), pair[moved])
        return factor @ self._response(trains, out) + self._response(trains, wanted[added]).sum(axis=0)

    def _response(self, trains: Trains, at: Vector) -> Vector:
        """What one unit of each weight adds to the potential at given times, peak 1: (len(at), n)."""
        slow, fast = (traces(trains.times, trains.ids, self.n, at, tau) for tau in (self.tau_m, self.tau_s))
        return (slow - fast) / self._peak()

    def _peak(self) -> float:
        """Highest value of exp(-t / tau_m) - exp(-t / tau_s)."""
        a, b = 1.0 / self.tau_m, 1.0 / self.tau_s
        when = np.log(b / a) / (b - a)
        return float(np.exp(-a * when) - np.exp(-b * when))


@kernel
def pairs(a, b, q):
    """Spike of `b` that each spike of `a` is moved onto at least cost (1 to add or remove, q per ms), or -1."""
    cost = np.zeros((len(a) + 1, len(b) + 1))
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if i == 0 or j == 0:
                cost[i, j] = i + j
            else:
                move = cost[i - 1, j - 1] + q * abs(a[i - 1] - b[j - 1])
                cost[i, j] = min(move, cost[i - 1, j] + 1.0, cost[i, j - 1] + 1.0)
    out = np.full(len(a), -1)
    i, j = len(a), len(b)
    while i > 0 and j > 0:
        if cost[i, j] == cost[i - 1, j] + 1.0:
            i -= 1
        elif cost[i, j] == cost[i, j - 1] + 1.0:
            j -= 1
        else:
            i, j = i - 1, j - 1
            out[i] = j
    return out

"""ReSuMe, the remote supervised method: spikes at wanted times by two opposite learning windows."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.learning.learner import Trains
from spikesim.learning.spike_trains import SpikeTrainLearner, Vector, traces
from spikesim.parameters import number


@dataclass(eq=False, repr=False)
class ReSuMe(SpikeTrainLearner):
    """Wanted spikes potentiate, own spikes depress the synapses that were active shortly before.

    ``dw_i/dt = rate (S_wanted(t) - S_own(t)) (a + integral exp(-s / tau_w) S_i(t - s) ds)`` with spike trains S: all
    is at rest when own and wanted spikes coincide.

    Parameters
    ----------
    n, tau_m, tau_s, v_th, rate, mean, spread, tau_r, seed
        Afferents; neuron; learning rate; initial weights; distance in the history. See `SpikeTrainLearner`.
    tau_w : float, ms
        Time constant of the learning window.
    a : float
        Change per spike whatever the input, which brings the number of spikes near the wanted one.

    Attributes
    ----------
    weights : array (n,), pA at a resistance of 1 GOhm

    Raises
    ------
    ParameterError
        If a setting is out of bounds.

    References
    ----------
    Ponulak & Kasiński 2010, doi:10.1162/neco.2009.11-08-901, equations 2.8 and 2.9.
    """

    tau_w: float = number(5.0, "ms", "> 0", "time constant of the learning window")
    a: float = number(0.05, "", ">= 0", "change per spike whatever the input")

    def change(self, trains: Trains, out: Vector, wanted: Vector) -> Vector:
        """Sum over wanted spikes minus sum over own spikes."""
        plus, minus = (traces(trains.times, trains.ids, self.n, t, self.tau_w) + self.a for t in (wanted, out))
        return plus.sum(axis=0) - minus.sum(axis=0)

"""What the chronotron and ReSuMe share: one neuron that is to answer each pattern with a wanted spike train."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.analysis import van_rossum
from spikesim.errors import ParameterError
from spikesim.learning.learner import Learner, Trains, pack, unpack
from spikesim.learning.lif import Cell, describe, respond
from spikesim.network import Network
from spikesim.parameters import REQUIRED, as_values, count, number
from spikesim.progress import ProgressOption
from spikesim.spikes import Spikes

Vector = NDArray[np.float64]


@dataclass(eq=False, repr=False)
class SpikeTrainLearner(Learner):
    """Base of rules that change the weights of one LIF neuron from its own and the wanted spikes.

    Neuron: ``tau_m dv/dt = -v + i``, ``tau_s di/dt = -i``, reset to 0 at ``v = v_th``, spike times exact.
    """

    n: int = count(REQUIRED, "afferents")
    tau_m: float = number(10.0, "ms", "> 0", "membrane time constant")
    tau_s: float = number(2.5, "ms", "> 0", "synaptic time constant")
    v_th: float = number(1.0, "mV", "> 0", "threshold above rest")
    rate: float = number(0.02, "", "> 0", "learning rate")
    mean: float = number(0.15, "pA", "", "mean of the initial weights")
    spread: float = number(0.1, "pA", ">= 0", "standard deviation of the initial weights")
    tau_r: float = number(10.0, "ms", "> 0", "time constant of the van Rossum distance in the history")
    seed: int = count(0, "decides initial weights", 0)
    weights: Vector = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.weights = np.random.default_rng((self.seed, 0)).normal(self.mean, self.spread, self.n)

    def change(self, trains: Trains, out: Vector, wanted: Vector) -> Vector:
        """Change of the weights (n,), before the learning rate, for one pattern with these output and wanted times."""
        raise NotImplementedError

    def predict(self, inputs: Sequence[Spikes]) -> list[Spikes]:
        """The neuron's answer to each pattern, `Spikes` of one element."""
        trains = pack(inputs, self.n, f"{type(self).__name__}.predict: inputs")
        return unpack(self._respond(trains), 1, inputs)

    def _respond(self, trains: Trains) -> Trains:
        return respond(trains, self.weights[:, None], Cell(self.tau_m, self.tau_s, self.v_th)).trains

    def fit(
        self,
        inputs: Sequence[Spikes],
        targets: Sequence[Spikes],
        epochs: int = 100,
        *,
        tolerance: float = 0.0,
        progress: ProgressOption = None,
    ) -> Self:
        """Learn pattern by pattern, until the mean distance of an epoch is at most `tolerance` or `epochs` are over.

        Parameters
        ----------
        inputs : list of Spikes, n elements each
        targets : list of Spikes, one element each, on the windows of the inputs
        epochs : int
            Most epochs; each adds ``distance``, the mean van Rossum distance with `tau_r` between the answers and
            the targets before the changes of the epoch, to the history.
        tolerance : float
        progress : None, bool or callable
            As in `spikesim.progress.track`.

        Raises
        ------
        ParameterError
            If inputs and targets do not fit each other, a pattern has no spikes, or a target comes before the first.
        KeyboardInterrupt
            On Ctrl-C, between two epochs.
        """
        name = type(self).__name__
        trains = pack(inputs, self.n, f"{name}.fit: inputs", silent=False)
        wanted = self._targets(inputs, targets, f"{name}.fit: targets")
        limit = float(as_values(tolerance, f"{name}.fit: tolerance", "", ">= 0", scalar=True))
        single = [trains.pick(np.array([k])) for k in range(len(inputs))]

        def epoch() -> bool:
            total = 0.0
            for train, target in zip(single, wanted, strict=True):
                out = self._respond(train).times
                total += float(van_rossum(out, target, self.tau_r))
                self.weights += self.rate * self.change(train, out, target)
            self.note(distance=total / len(single))
            return total / len(single) <= limit

        return self.run_epochs(epochs, epoch, progress, name)

    def _targets(self, inputs: Sequence[Spikes], targets: Sequence[Spikes], owner: str) -> list[Vector]:
        packed = pack(targets, 1, owner)
        if len(targets) != len(inputs):
            raise ParameterError(f"{owner}: must be one train per pattern ({len(inputs)}), got {len(targets)}")
        for k, (given, target) in enumerate(zip(inputs, targets, strict=True)):
            if (given.t_start, given.t_stop) != (target.t_start, target.t_stop):
                raise ParameterError(
                    f"{owner}: must cover the window of its pattern, [{given.t_start:g}, {given.t_stop:g}] ms, "
                    f"got [{target.t_start:g}, {target.t_stop:g}] ms (pattern {k})"
                )
            if len(target) and target.times[0] <= given.times[0]:
                raise ParameterError(
                    f"{owner}: cannot come before the first input at {given.times[0]:g} ms, "
                    f"got {target.times[0]:g} ms (pattern {k})"
                )
        return [packed.times[a:b] for a, b in zip(packed.start[:-1], packed.start[1:], strict=True)]

    def network(self, inputs: Sequence[Spikes]) -> Network:
        """The neuron as a `Network` of "input" and "layer1"; run it with ``batch=len(inputs)``."""
        pack(inputs, self.n, f"{type(self).__name__}.network: inputs")
        return describe(inputs, [self.weights[:, None]], self.tau_m, self.tau_s, self.v_th)


@kernel
def traces(times, ids, n, at, tau):
    """Sum of exp(-(t - t_k) / tau) over earlier spikes t_k < t of each of n elements, at sorted times: (len(at), n)."""
    out = np.zeros((len(at), n))
    now, last, e = np.zeros(n), 0.0, 0
    for k in range(len(at)):
        while e < len(times) and times[e] < at[k]:
            now *= math.exp(-(times[e] - last) / tau)
            last = times[e]
            now[ids[e]] += 1.0
            e += 1
        out[k] = now * math.exp(-(at[k] - last) / tau)
    return out

"""The tempotron: a neuron that learns to fire for one class of spike patterns and to be silent for the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim._jit import kernel
from spikesim.errors import ParameterError
from spikesim.learning.learner import Learner, check_labels, pack
from spikesim.learning.lif import describe
from spikesim.network import Network
from spikesim.parameters import REQUIRED, count, number
from spikesim.progress import ProgressOption
from spikesim.spikes import Spikes


@dataclass(eq=False, repr=False)
class Tempotron(Learner):
    """Binary classification by one integrate-and-fire neuron, threshold 1.

    ``v(t) = sum_i w_i sum_k K(t - t_i^k)``, ``K(s) = v_0 (exp(-s/tau_m) - exp(-s/tau_s))`` with peak 1. A pattern
    belongs to the class "fires" where the greatest potential, at t_max within the pattern, reaches the threshold.
    After an error all weights change by ``± rate sum_k K(t_max - t_i^k)``, plus `momentum` times the change before.
    The maxima between spikes are found in closed form: there is no time step.

    Parameters
    ----------
    n : int
        Afferents.
    tau_m, tau_s : float, ms
        Membrane and synaptic time constants, tau_s < tau_m.
    rate : float
        Learning rate.
    momentum : float
        Share of the change before that is made again, 0 … 1.
    spread : float
        Standard deviation of the initial weights, which are normal around 0.
    seed : int
        Decides the initial weights and the order of the patterns.

    Attributes
    ----------
    weights : array (n,), in units of the threshold

    Raises
    ------
    ParameterError
        If a setting is out of bounds, or ``tau_s >= tau_m``.

    References
    ----------
    Gütig & Sompolinsky 2006, doi:10.1038/nn1643, "Methods" and supplementary methods (momentum).
    """

    n: int = count(REQUIRED, "afferents")
    tau_m: float = number(15.0, "ms", "> 0", "membrane time constant")
    tau_s: float = number(3.75, "ms", "> 0", "synaptic time constant")
    rate: float = number(1e-3, "", "> 0", "learning rate")
    momentum: float = number(0.99, "", ">= 0, < 1", "share of the last change that is made again")
    spread: float = number(0.01, "", ">= 0", "standard deviation of the initial weights")
    seed: int = count(0, "decides initial weights and order", 0)
    weights: NDArray[np.float64] = field(init=False)
    arrays = ("weights", "change")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tau_s < self.tau_m:
            raise ParameterError(f"Tempotron.tau_s: must be < tau_m ({self.tau_m:g} ms), got {self.tau_s:g}")
        self.weights = np.random.default_rng((self.seed, 0)).normal(0.0, self.spread, self.n)
        self.change = np.zeros(self.n)

    @property
    def kernel(self) -> Kernel:
        """Constants of the post-synaptic potential, normalised to a peak of 1."""
        peak = math.log(self.tau_m / self.tau_s) / (1.0 / self.tau_s - 1.0 / self.tau_m)
        v_0 = 1.0 / (math.exp(-peak / self.tau_m) - math.exp(-peak / self.tau_s))
        return Kernel(self.tau_m, self.tau_s, v_0)

    def potential(self, inputs: Sequence[Spikes]) -> NDArray[np.float64]:
        """Greatest potential of each pattern, shape (patterns,); without an afferent spike 0."""
        return peaks(pack(inputs, self.n, "Tempotron.potential: inputs"), self.weights, self.kernel)[0]

    def predict(self, inputs: Sequence[Spikes]) -> NDArray[np.int64]:
        """1 where the neuron fires for a pattern, else 0, shape (patterns,)."""
        return (self.potential(inputs) >= 1.0).astype(np.int64)

    def fit(
        self, inputs: Sequence[Spikes], labels: ArrayLike, epochs: int = 100, *, progress: ProgressOption = None
    ) -> Self:
        """Learn from patterns in random order, until an epoch has no error or `epochs` are over.

        Parameters
        ----------
        inputs : list of Spikes, n elements each
        labels : array_like of int, shape (patterns,)
            1 for "fires", 0 for "stays silent".
        epochs : int
            Most epochs. Adds ``errors``, the share of patterns that were wrong when shown, to the history.
        progress : None, bool or callable
            As in `spikesim.progress.track`.

        Raises
        ------
        ParameterError
            If a pattern has no spikes or another size than `n`, or labels are not one of 0 and 1 per pattern.
        KeyboardInterrupt
            On Ctrl-C, between two epochs: weights and history are those of the last one.
        """
        trains = pack(inputs, self.n, "Tempotron.fit: inputs", silent=False)
        wanted = check_labels(labels, len(inputs), 2, "Tempotron.fit: labels")

        def epoch() -> bool:
            order = np.random.default_rng((self.seed, 1, self.epochs)).permutation(len(wanted))
            errors = learn(
                trains, wanted, order, self.weights, self.change, self.kernel, self.rate, self.momentum
            )  # fmt: skip
            self.note(errors=errors / len(wanted))
            return errors == 0

        return self.run_epochs(epochs, epoch, progress, "tempotron")

    def network(self, inputs: Sequence[Spikes]) -> Network:
        """The neuron as a `Network` of "input" and "layer1", one stimulus per pattern; it resets when it fires.

        Where the greatest potential reaches 1 the neuron fires in either engine; run it with ``batch=len(inputs)``.
        """
        pack(inputs, self.n, "Tempotron.network: inputs")
        scale = self.kernel.v_0 * (self.tau_m - self.tau_s) / self.tau_s
        return describe(inputs, [scale * self.weights[:, None]], self.tau_m, self.tau_s, 1.0)


class Kernel(NamedTuple):
    """Constants of the post-synaptic potential."""

    tau_m: float
    tau_s: float
    v_0: float


@kernel
def peak_of(times, ids, lo, hi, stop, weights, p):
    """Greatest potential of one pattern in [first spike, stop] and when it is reached."""
    slow, fast = 0.0, 0.0  # v = slow exp(-u / tau_m) - fast exp(-u / tau_s)
    best, when = 0.0, -1.0
    inverse = 1.0 / (1.0 / p.tau_s - 1.0 / p.tau_m)
    for e in range(lo, hi):
        jump = p.v_0 * weights[ids[e]]
        slow, fast = slow + jump, fast + jump
        gap = (times[e + 1] if e + 1 < hi else max(stop, times[e])) - times[e]
        em, es = math.exp(-gap / p.tau_m), math.exp(-gap / p.tau_s)
        if slow > best and fast > 0.0:  # the potential lies below `slow`
            u = math.log(fast * p.tau_m / (slow * p.tau_s)) * inverse
            if 0.0 < u < gap:
                v = slow * math.exp(-u / p.tau_m) - fast * math.exp(-u / p.tau_s)
                if v > best:
                    best, when = v, times[e] + u
        slow, fast = slow * em, fast * es
        if slow - fast > best:
            best, when = slow - fast, times[e] + gap
    return best, when


@kernel
def peaks(trains, weights, p):
    """Greatest potential of every pattern and when it is reached (-1 where it never rises above 0)."""
    n = len(trains.start) - 1
    best, when = np.empty(n), np.empty(n)
    for k in range(n):
        best[k], when[k] = peak_of(
            trains.times, trains.ids, trains.start[k], trains.start[k + 1], trains.stop[k], weights, p
        )
    return best, when


@kernel
def learn(trains, wanted, order, weights, change, p, rate, momentum):
    """One epoch in the order given; changes `weights` and `change` in place and returns the number of errors."""
    errors = 0
    for k in order:
        lo, hi = trains.start[k], trains.start[k + 1]
        best, when = peak_of(trains.times, trains.ids, lo, hi, trains.stop[k], weights, p)
        if (best >= 1.0) == (wanted[k] == 1):
            continue
        errors += 1
        if when < 0.0:  # nothing rises above rest: act where the spikes end
            when = trains.stop[k]
        for i in range(len(weights)):
            change[i] *= momentum
        sign = rate if wanted[k] == 1 else -rate
        for e in range(lo, hi):
            s = when - trains.times[e]
            if s > 0.0:
                change[trains.ids[e]] += sign * p.v_0 * (math.exp(-s / p.tau_m) - math.exp(-s / p.tau_s))
        for i in range(len(weights)):
            weights[i] += change[i]
    return errors

"""EventProp: layers of integrate-and-fire neurons trained with the exact gradient of their spike times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import ParameterError
from spikesim.learning.eventprop_kernels import adjoint
from spikesim.learning.learner import Learner, Trains, check_labels, check_sizes, pack, unpack
from spikesim.learning.lif import Cell, Fired, describe, respond
from spikesim.learning.optimisers import Adam
from spikesim.network import Network
from spikesim.parameters import as_count, as_values, count, number
from spikesim.progress import ProgressOption
from spikesim.spikes import Spikes

Weights = list[NDArray[np.float64]]
FIRST, LATER = (2.2, 0.3), (4.0, 0.2)  # summed response of all inputs at first, in units of v_th: mean and deviation


@dataclass(eq=False, repr=False)
class EventProp(Learner):
    """Feed-forward layers of LIF neurons with exponential currents; the class is the output neuron that fires first.

    Neurons: ``tau_m dv/dt = -v + i``, ``tau_s di/dt = -i``, reset to 0 at ``v = v_th``; spike times are found to the
    last bits, and a backward pass from spike to spike gives the exact gradient of any function of them, without a time
    step and without surrogate. The loss of a pattern with label y and first output spikes t_k (its end where there
    is none) is ``-log(exp(-t_y / tau_0) / sum_k exp(-t_k / tau_0)) + alpha (exp(t_y / tau_1) - 1)``.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden layers, outputs (classes).
    tau_m, tau_s : float, ms
        Membrane and synaptic time constants, in any relation.
    v_th : float, mV
        Threshold above rest.
    tau_0, tau_1 : float, ms
        Time scales of the two terms of the loss.
    alpha : float
        Weight of the term that draws the right neuron to fire early.
    bump : float, mV
        What all weights of a neuron that stays silent for a whole batch are raised by: it has no gradient.
    seed : int
        Decides initial weights and the order of the patterns.

    Attributes
    ----------
    weights : list of array (n_pre, n_post), pA at a resistance of 1 GOhm
        Normal at first, with means that make nearly all neurons fire; may be overwritten.

    Raises
    ------
    ParameterError
        If a setting is out of bounds.

    References
    ----------
    Wunderlich & Pehle 2021, doi:10.1038/s41598-021-91786-z, table 1 (adjoint), section "Yin-Yang" (loss).
    """

    sizes: Sequence[int] = ()
    tau_m: float = number(20.0, "ms", "> 0", "membrane time constant")
    tau_s: float = number(5.0, "ms", "> 0", "synaptic time constant")
    v_th: float = number(1.0, "mV", "> 0", "threshold above rest")
    tau_0: float = number(0.5, "ms", "> 0", "time scale of the cross entropy")
    tau_1: float = number(6.4, "ms", "> 0", "time scale of the pull to early spikes")
    alpha: float = number(3e-3, "", ">= 0", "weight of the pull to early spikes")
    bump: float = number(0.02, "pA", ">= 0", "added to the weights of silent neurons")
    seed: int = count(0, "decides initial weights and order", 0)
    weights: Weights = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sizes = check_sizes(self.sizes, "EventProp.sizes")
        rng = np.random.default_rng((self.seed, 0))
        gain = self.v_th / psp_peak(self.tau_m, self.tau_s)
        self.weights = []
        for k, (a, b) in enumerate(pairwise(self.sizes)):
            mean, std = FIRST if k == 0 else LATER
            self.weights.append(rng.normal(mean * gain / a, std * gain / np.sqrt(a), (a, b)))

    @property
    def cell(self) -> Cell:
        """Constants of the neurons."""
        return Cell(self.tau_m, self.tau_s, self.v_th)

    def forward(self, trains: Trains, first_only: bool = True) -> list[Fired]:
        """Output of every layer; with `first_only` the last layer stops at the first spike of each neuron."""
        fired: list[Fired] = []
        last = len(self.weights) - 1
        for k, w in enumerate(self.weights):
            fired.append(respond(fired[-1].trains if fired else trains, w, self.cell, first_only and k == last))
        return fired

    def backward(self, trains: Trains, fired: Sequence[Fired], g: NDArray[np.float64]) -> Weights:
        """Gradient of all weights from the derivatives `g` of the loss with respect to the output spike times."""
        gradients: Weights = []
        for k in reversed(range(len(self.weights))):
            given = fired[k - 1].trains if k else trains
            gw, g = adjoint(given, fired[k].trains, fired[k].current, g, self.weights[k], self.cell)
            gradients.insert(0, gw)
        return gradients

    def respond(self, inputs: Sequence[Spikes]) -> list[list[Spikes]]:
        """All spikes: for each layer after the input a list of `Spikes`, one per pattern."""
        trains = pack(inputs, self.sizes[0], "EventProp.respond: inputs")
        fired = self.forward(trains, first_only=False)
        return [unpack(f.trains, n, inputs) for f, n in zip(fired, self.sizes[1:], strict=True)]

    def gradient(self, inputs: Sequence[Spikes], factors: Sequence[ArrayLike]) -> Weights:
        """Exact gradient of ``sum_p sum_k factors[p][k] t_pk`` over all output spikes t_pk of all patterns p.

        Parameters
        ----------
        inputs : list of Spikes
        factors : list of array_like, one per pattern
            One number per spike of the last layer, in the order of ``respond(inputs)[-1]``: the derivative of a loss
            with respect to the time of that spike.

        Returns
        -------
        list of array (n_pre, n_post)
            Derivatives with respect to ``weights``.

        Raises
        ------
        ParameterError
            If there is not one factor per output spike.
        """
        trains = pack(inputs, self.sizes[0], "EventProp.gradient: inputs")
        fired = self.forward(trains, first_only=False)
        sizes = np.diff(fired[-1].trains.start)
        given = [np.atleast_1d(as_values(f, f"EventProp.gradient: factors[{k}]")) for k, f in enumerate(factors)]
        if [f.size for f in given] != sizes.tolist():
            raise ParameterError(
                f"EventProp.gradient: factors must hold one number per output spike, {sizes.tolist()} per pattern, "
                f"got {[f.size for f in given]}"
            )
        return self.backward(trains, fired, np.concatenate(given))

    def first_spikes(self, inputs: Sequence[Spikes]) -> NDArray[np.float64]:
        """First spike of each output neuron, ms from the start of the pattern, inf where silent.

        Returns
        -------
        array (patterns, outputs)
        """
        trains = pack(inputs, self.sizes[0], "EventProp.first_spikes: inputs")
        return self._first(self.forward(trains)[-1].trains, np.inf)[0]

    def predict(self, inputs: Sequence[Spikes]) -> NDArray[np.int64]:
        """Output neuron that fires first, shape (patterns,); -1 where none fires."""
        times = self.first_spikes(inputs)
        return np.where(np.isfinite(times.min(axis=1)), times.argmin(axis=1), -1)

    def _first(self, trains: Trains, missing: float | NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
        """First spikes (patterns, outputs) and their places in `trains`, -1 where there is none."""
        patterns = len(trains.stop)
        times = np.broadcast_to(np.reshape(missing, (-1, 1)), (patterns, self.sizes[-1])).copy()
        place = np.full(times.shape, -1)
        row = np.repeat(np.arange(patterns), np.diff(trains.start))
        times[row[::-1], trains.ids[::-1]] = trains.times[::-1]  # the earliest is written last
        place[row[::-1], trains.ids[::-1]] = np.arange(len(row))[::-1]
        return times, place

    def loss(self, trains: Trains, labels: NDArray[np.int64], out: Trains) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Loss per pattern, derivatives of its mean with respect to the output spikes, and how many are right."""
        times, place = self._first(out, trains.stop)
        rows = np.arange(len(labels))
        score = -times / self.tau_0
        score -= score.max(axis=1, keepdims=True)
        share = np.exp(score)
        share /= share.sum(axis=1, keepdims=True)
        early = np.exp(times[rows, labels] / self.tau_1)
        losses = -np.log(np.maximum(share[rows, labels], 1e-300)) + self.alpha * (early - 1.0)
        slope = -share / self.tau_0
        slope[rows, labels] += 1.0 / self.tau_0 + self.alpha / self.tau_1 * early
        g = np.zeros(len(out.times))
        g[place[place >= 0]] = slope[place >= 0] / len(labels)
        right = (times.argmin(axis=1) == labels) & (place >= 0).any(axis=1)
        return losses, g, int(right.sum())

    def fit(
        self,
        inputs: Sequence[Spikes],
        labels: ArrayLike,
        epochs: int = 50,
        *,
        batch: int = 50,
        optimiser: Adam | None = None,
        decay: float = 1.0,
        validation: tuple[Sequence[Spikes], ArrayLike] | None = None,
        progress: ProgressOption = None,
    ) -> Self:
        """Learn to classify by the first output spike.

        Parameters
        ----------
        inputs : list of Spikes, sizes[0] elements each
        labels : array_like of int, shape (patterns,)
        epochs : int
            Passes over the patterns, in random order. Each adds ``loss`` and ``accuracy`` (on the patterns when
            shown) to the history, and with `validation` ``validation``, the accuracy there.
        batch : int
            Patterns per step.
        optimiser : Adam, optional
            Adam with its defaults if None; keep one to go on where an earlier `fit` ended.
        decay : float
            The learning rate is multiplied by it after each epoch, > 0.
        validation : pair of list of Spikes and labels, optional
        progress : None, bool or callable
            As in `spikesim.progress.track`.

        Raises
        ------
        ParameterError
            If patterns or labels do not fit, or an option is out of bounds.
        KeyboardInterrupt
            On Ctrl-C, between two epochs.
        """
        trains = pack(inputs, self.sizes[0], "EventProp.fit: inputs", silent=False)
        wanted = check_labels(labels, len(inputs), self.sizes[-1], "EventProp.fit: labels")
        batch = min(as_count(batch, "EventProp.fit: batch"), len(wanted))
        decay = float(as_values(decay, "EventProp.fit: decay", "", "> 0", scalar=True))
        adam = Adam() if optimiser is None else optimiser
        held = None
        if validation is not None:
            given = pack(validation[0], self.sizes[0], "EventProp.fit: validation")
            held = given, check_labels(validation[1], len(validation[0]), self.sizes[-1], "EventProp.fit: validation")

        def epoch() -> bool:
            order = np.random.default_rng((self.seed, 1, self.epochs)).permutation(len(wanted))
            total, right = 0.0, 0
            for k in range(0, len(order), batch):
                some = order[k : k + batch]
                losses, good = self._learn(trains.pick(some), wanted[some], adam)
                total, right = total + losses.sum(), right + good
            adam.rate *= decay
            more = {"validation": self._accuracy(*held)} if held else {}
            self.note(loss=total / len(wanted), accuracy=right / len(wanted), **more)
            return False

        return self.run_epochs(epochs, epoch, progress, "EventProp")

    def _learn(self, trains: Trains, labels: NDArray[np.int64], adam: Adam) -> tuple[NDArray[Any], int]:
        fired = self.forward(trains)
        losses, g, right = self.loss(trains, labels, fired[-1].trains)
        adam.step(self.weights, self.backward(trains, fired, g))
        for w, layer in zip(self.weights[:-1], fired[:-1], strict=True):
            w[:, np.bincount(layer.trains.ids, minlength=w.shape[1]) == 0] += self.bump
        missed = self._first(fired[-1].trains, np.inf)[1][np.arange(len(labels)), labels] < 0
        self.weights[-1] += self.bump * np.bincount(labels[missed], minlength=self.sizes[-1]) / len(labels)
        return losses, right

    def _accuracy(self, trains: Trains, labels: NDArray[np.int64]) -> float:
        return self.loss(trains, labels, self.forward(trains)[-1].trains)[2] / len(labels)

    def network(self, inputs: Sequence[Spikes]) -> Network:
        """The same layers as a `Network` with populations "input", "layer1" …, fed by `inputs`.

        Run it with ``batch=len(inputs)``; the event engine gives the spike times of `respond`.
        """
        pack(inputs, self.sizes[0], "EventProp.network: inputs")
        return describe(inputs, self.weights, self.tau_m, self.tau_s, self.v_th)


def psp_peak(tau_m: float, tau_s: float) -> float:
    """Highest potential (mV) after one spike of weight 1 at a resistance of 1 GOhm."""
    ratio = tau_s / tau_m
    return float(ratio ** (1.0 / (1.0 - ratio))) if ratio != 1.0 else float(np.exp(-1.0))

"""SpikeProp: back-propagation through single spike times, with several delayed synapses per connection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim._jit import kernel
from spikesim.errors import ParameterError
from spikesim.learning.learner import Learner, check_sizes, pack
from spikesim.parameters import as_values, count, number
from spikesim.progress import ProgressOption
from spikesim.spikes import Spikes

Times = NDArray[np.float64]
WAKE = 0.2  # what the summed response of a silent neuron grows by per epoch, in units of the threshold


@dataclass(eq=False, repr=False)
class SpikeProp(Learner):
    """Layers of neurons that fire at most once, trained to fire at wanted times.

    ``x_j(t) = sum_i sum_k w_ijk e(t - t_i - d_k)``, ``e(s) = (s / tau) exp(1 - s / tau)``, s > 0; neuron j fires where
    x_j first reaches `v_th`, found in closed form and by Newton's method. The error is ``sum (t - wanted)² / 2`` over
    patterns and outputs; weights follow its gradient after each epoch, with ``dt_j/dw = -e / x_j'``.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden layers, outputs.
    delays : int
        Synapses per connection, with delays of 1, 2, … ms.
    inhibitory : int
        How many neurons of each hidden layer, the last ones, have only negative weights; all others positive ones.
    tau : float, ms
        Time constant of the response.
    v_th : float
        Threshold, in units of a weight's peak response.
    rate : float
        Learning rate.
    spread : float
        Initial weights are uniform between 0 and ``2 spread v_th / (n_pre delays)`` in size.
    slope : float
        Least slope used in the gradient, in units of ``v_th / tau``: it would explode where x grazes the threshold.
    seed : int
        Decides the initial weights.

    Attributes
    ----------
    weights : list of array (n_pre, n_post, delays)

    Raises
    ------
    ParameterError
        If a setting is out of bounds.

    References
    ----------
    Bohte, Kok & La Poutré 2002, doi:10.1016/S0925-2312(01)00658-0, sections 2 to 4.
    """

    sizes: Sequence[int] = ()
    delays: int = count(16, "synapses per connection")
    inhibitory: int = count(0, "inhibitory neurons per hidden layer", 0)
    tau: float = number(7.0, "ms", "> 0", "time constant of the response")
    v_th: float = number(1.0, "", "> 0", "threshold")
    rate: float = number(0.001, "", "> 0", "learning rate")
    spread: float = number(6.0, "", "> 0", "mean initial drive in units of the threshold")
    slope: float = number(1.0, "", ">= 0", "least slope in the gradient")
    seed: int = count(0, "decides initial weights", 0)
    weights: list[Times] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sizes = check_sizes(self.sizes, "SpikeProp.sizes")
        hidden = self.sizes[1:-1]
        if self.inhibitory and (not hidden or self.inhibitory >= min(hidden)):
            raise ParameterError(
                f"SpikeProp.inhibitory: must leave an excitatory neuron in each hidden layer {hidden}, "
                f"got {self.inhibitory}"
            )
        rng = np.random.default_rng((self.seed, 0))
        self.weights = []
        for k, (a, b) in enumerate(zip(self.sizes[:-1], self.sizes[1:], strict=True)):
            top = 2.0 * self.spread * self.v_th / (a * self.delays)
            self.weights.append(rng.uniform(0.0, top, (a, b, self.delays)) * self._signs(k)[:, None, None])

    def _signs(self, layer: int) -> Times:
        signs = np.ones(self.sizes[layer])
        if layer and self.inhibitory:
            signs[-self.inhibitory :] = -1.0
        return signs

    def _given(self, inputs: Sequence[Spikes], owner: str) -> Times:
        """Spike times (patterns, inputs), inf where silent."""
        trains = pack(inputs, self.sizes[0], owner)
        times = np.full((len(inputs), self.sizes[0]), np.inf)
        row = np.repeat(np.arange(len(inputs)), np.diff(trains.start))
        counts = np.zeros(times.shape, np.int64)
        np.add.at(counts, (row, trains.ids), 1)
        if (counts > 1).any():
            p, i = np.argwhere(counts > 1)[0]
            raise ParameterError(f"{owner}: elements fire at most once, got {counts[p, i]} spikes of {i} (pattern {p})")
        times[row, trains.ids] = trains.times
        return times

    def predict(self, inputs: Sequence[Spikes]) -> Times:
        """Spike times of the outputs, ms from the start of each pattern, inf where silent: (patterns, outputs)."""
        return self._forward(self._given(inputs, "SpikeProp.predict: inputs"))[-1][0]

    def _forward(self, times: Times) -> list[tuple[Times, Times]]:
        """Spike times and slopes of each layer, the inputs first."""
        layers = [(times, np.zeros_like(times))]
        for w in self.weights:
            layers.append(respond(layers[-1][0], w, self.tau, self.v_th))
        return layers

    def gradient(self, inputs: Sequence[Spikes], factors: ArrayLike) -> list[Times]:
        """Gradient of ``sum factors * times`` over the output times (patterns, outputs) that exist, without `slope`."""
        layers = self._forward(self._given(inputs, "SpikeProp.gradient: inputs"))
        g = np.asarray(factors, dtype=np.float64)
        if g.shape != layers[-1][0].shape:
            raise ParameterError(f"SpikeProp.gradient: factors must have shape {layers[-1][0].shape}, got {g.shape}")
        return self._backward(layers, g, 0.0)

    def _backward(self, layers: list[tuple[Times, Times]], g: Times, least: float) -> list[Times]:
        gradients: list[Times] = []
        for k in reversed(range(len(self.weights))):
            gw, g = back(layers[k][0], *layers[k + 1], g, self.weights[k], self.tau, least)
            gradients.insert(0, gw)
        return gradients

    def fit(
        self,
        inputs: Sequence[Spikes],
        targets: ArrayLike,
        epochs: int = 250,
        *,
        tolerance: float = 0.0,
        progress: ProgressOption = None,
    ) -> Self:
        """Learn until the error of an epoch is at most `tolerance`, or `epochs` are over.

        Parameters
        ----------
        inputs : list of Spikes, at most one per element
        targets : array_like, shape (patterns, outputs), ms from the start of each pattern
        epochs : int
            Most epochs; each adds ``error``, the sum over patterns and outputs of ``(t - wanted)²`` before the change
            it makes, to the history, with the end of the pattern in place of a missing spike.
        tolerance : float, ms²
        progress : None, bool or callable
            As in `spikesim.progress.track`.

        Raises
        ------
        ParameterError
            If patterns or targets do not fit, an element fires twice, or a target is outside its pattern.
        KeyboardInterrupt
            On Ctrl-C, between two epochs.
        """
        times = self._given(inputs, "SpikeProp.fit: inputs")
        pack(inputs, self.sizes[0], "SpikeProp.fit: inputs", silent=False)
        stop = np.array([s.duration for s in inputs])
        try:
            wanted = np.array(targets, dtype=np.float64)
        except (TypeError, ValueError):
            raise ParameterError(f"SpikeProp.fit: targets must be times in ms, got {targets!r:.60}") from None
        if wanted.shape != (len(inputs), self.sizes[-1]):
            raise ParameterError(
                f"SpikeProp.fit: targets must have shape ({len(inputs)}, {self.sizes[-1]}), got {wanted.shape}"
            )
        bad = ~((wanted >= 0.0) & (wanted <= stop[:, None]))
        if bad.any():
            p, j = np.argwhere(bad)[0]
            raise ParameterError(
                f"SpikeProp.fit: targets must lie in [0, {stop[p]:g}] ms, got {wanted[p, j]} (pattern {p})"
            )
        limit = float(as_values(tolerance, "SpikeProp.fit: tolerance", "ms²", ">= 0", scalar=True))

        def epoch() -> bool:
            layers = self._forward(times)
            out = layers[-1][0]
            off = np.where(np.isfinite(out), out, stop[:, None]) - wanted
            error = float((off * off).sum())
            self.note(error=error)
            if error > limit:
                self._learn(layers, off)
            return error <= limit

        return self.run_epochs(epochs, epoch, progress, "SpikeProp")

    def _learn(self, layers: list[tuple[Times, Times]], off: Times) -> None:
        """One step downhill; the weights of neurons that stay silent are raised, for they have no gradient."""
        for k, gw in enumerate(self._backward(layers, off, self.slope * self.v_th / self.tau)):
            w, signs = self.weights[k], self._signs(k)[:, None, None]
            silent = np.mean(~np.isfinite(layers[k + 1][0]), axis=0)
            w += WAKE * self.v_th / (len(w) * self.delays) * silent[:, None]
            w -= self.rate * gw
            np.maximum(w * signs, 0.0, out=w)
            w *= signs


@kernel
def respond(times, w, tau, v_th):
    """First spikes (patterns, n_post) of a layer, inf where there is none, and the slope of x there."""
    patterns, n_post, delays = len(times), w.shape[1], w.shape[2]
    out, slopes = np.full((patterns, n_post), np.inf), np.zeros((patterns, n_post))
    unit = math.e / tau
    for p in range(patterns):
        given = np.flatnonzero(times[p] < np.inf)
        arrival = np.empty(len(given) * delays)
        for m in range(len(given)):
            for k in range(delays):
                arrival[m * delays + k] = times[p, given[m]] + (k + 1.0)
        order = np.argsort(arrival, kind="mergesort")
        for j in range(n_post):
            a, b = 0.0, 0.0  # x(u) = (a + b u) exp(-u / tau)
            for e in range(len(order)):
                now = arrival[order[e]]
                b += w[given[order[e] // delays], j, order[e] % delays] * unit
                gap = arrival[order[e + 1]] - now if e + 1 < len(order) else np.inf
                u = reach(a, b, tau, v_th, gap)
                if u <= gap and u < np.inf:
                    out[p, j] = now + u
                    slopes[p, j] = (b - (a + b * u) / tau) * math.exp(-u / tau)
                    break
                if gap < np.inf:
                    decay = math.exp(-gap / tau)
                    a, b = (a + b * gap) * decay, b * decay
    return out, slopes


@kernel
def reach(a, b, tau, v_th, within):
    """First u in [0, within] at which (a + b u) exp(-u / tau) reaches the threshold, inf if none."""
    if a >= v_th:
        return 0.0
    if b <= 0.0:
        return np.inf
    top = min(tau - a / b, within)
    if top <= 0.0 or (a + b * top) * math.exp(-top / tau) < v_th:
        return np.inf
    u = 0.0
    for _ in range(200):
        decay = math.exp(-u / tau)
        now = (a + b * u) * decay
        slope = b * decay - now / tau
        if now >= v_th or slope <= 0.0:
            break
        new = min(u + (v_th - now) / slope, top)
        if new <= u:
            break
        u = new
    return u


@kernel
def back(times, out, slopes, g, w, tau, least):
    """Derivatives with respect to weights and input times, from those with respect to the output times."""
    gw, gt = np.zeros_like(w), np.zeros_like(times)
    for p in range(len(times)):
        for j in range(w.shape[1]):
            if not out[p, j] < np.inf:
                continue
            share = g[p, j] / max(slopes[p, j], least)
            for i in range(w.shape[0]):
                for k in range(w.shape[2]):
                    s = (out[p, j] - times[p, i] - (k + 1.0)) / tau
                    if s > 0.0:
                        e = math.exp(1.0 - s)
                        gw[i, j, k] -= share * s * e
                        gt[p, i] += share * w[i, j, k] * (1.0 - s) * e / tau
    return gw, gt

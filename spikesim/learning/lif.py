"""The neuron that most rules train, its exact spikes, and the same layers as a `Network`.

``tau_m dv/dt = -v + i``, ``tau_s di/dt = -i``; a spike of weight w adds w to i; at ``v = v_th`` the neuron fires and
v is reset to 0 while i goes on. In `spikesim` terms: `LIF` with c_m = tau_m in numbers (a resistance of 1 GOhm),
`Exponential`, `FixedThreshold`, `ResetTo(0)`, weights in pA. Between inputs v has one maximum and is concave before
it, so that Newton's method, started where v is below the threshold, comes to the crossing from one side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.connectivity import AllToAll
from spikesim.inputs import SpikeSource
from spikesim.learning.learner import Trains
from spikesim.mathkernels import filtered
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import LIF, FixedThreshold, ResetTo
from spikesim.spikes import Spikes
from spikesim.synapses import Exponential


class Cell(NamedTuple):
    """Constants of the neuron, in ms and mV."""

    tau_m: float
    tau_s: float
    v_th: float


class Fired(NamedTuple):
    """Output spikes of many patterns, laid out as `Trains`, and the current of the neuron at each."""

    trains: Trains
    current: NDArray[np.float64]


def describe(
    inputs: Sequence[Spikes], weights: Sequence[NDArray[np.float64]], tau_m: float, tau_s: float, v_th: float
) -> Network:
    """Layers of this neuron without delay, fed by `inputs` as one batch; populations "input", "layer1", and so on."""
    neuron = Neuron(LIF(tau_m, c_m=tau_m), Exponential(tau_s), FixedThreshold(v_th), ResetTo(0.0))
    batch = tuple(s.shift(-s.t_start) for s in inputs)
    populations = [Population("input", batch[0].n, SpikeSource(batch if len(batch) > 1 else batch[0]))]
    projections = []
    for k, w in enumerate(weights, start=1):
        populations.append(Population(f"layer{k}", w.shape[1], neuron))
        projections.append(Projection(populations[-2], populations[-1], AllToAll(), w, delay=0.0))
    return Network(populations, projections)


@kernel(inline=True)
def current_to_v(cell, dt, em, es):
    """Share of a current that has become potential after dt, given both decays over dt."""
    return filtered(1.0 / cell.tau_m, 1.0 / cell.tau_s, dt, em, es) / cell.tau_m


@kernel
def crossing(cell, v, i, within):
    """Time until v reaches the threshold from below, inf if not in [0, within]."""
    if v >= cell.v_th:
        return 0.0
    d = 1.0 - cell.tau_s / cell.tau_m
    short = 1.0 - v / i
    if d * short >= 1.0:  # v comes from so far below that it rises for ever, to 0
        return np.inf
    top = -math.log1p(-d * short) * cell.tau_s / d if d != 0.0 else cell.tau_s * short
    top = min(top, within)
    em, es = math.exp(-top / cell.tau_m), math.exp(-top / cell.tau_s)
    if v * em + i * current_to_v(cell, top, em, es) < cell.v_th:
        return np.inf
    u = 0.0
    for _ in range(200):
        em, es = math.exp(-u / cell.tau_m), math.exp(-u / cell.tau_s)
        now = v * em + i * current_to_v(cell, u, em, es)
        slope = (i * es - now) / cell.tau_m
        if now >= cell.v_th or slope <= 0.0:
            break
        new = min(u + (cell.v_th - now) / slope, top)
        if new <= u:
            break
        u = new
    return u


@kernel
def gaps(times, lo, hi, stop, cell):
    """Decays of v and i and the coupling from i to v over the time to the next event, from each event lo … hi-1."""
    out = np.empty((3, hi - lo))
    for e in range(lo, hi):
        dt = (times[e + 1] if e + 1 < hi else max(stop, times[e])) - times[e]
        em, es = math.exp(-dt / cell.tau_m), math.exp(-dt / cell.tau_s)
        out[0, e - lo], out[1, e - lo], out[2, e - lo] = em, es, current_to_v(cell, dt, em, es)
    return out


@kernel
def grown(array):
    """A copy with room for twice as many."""
    bigger = np.empty(2 * len(array), array.dtype)
    bigger[: len(array)] = array
    return bigger


@kernel
def fire(trains, w, cell, first_only):
    """All spikes of one layer for every pattern: times, ids, currents (sorted by time) and start of each pattern.

    With `first_only` a neuron is left alone after its first spike.
    """
    n_patterns = len(trains.start) - 1
    room = 4 * w.shape[1] * n_patterns + 16
    times, ids, currents = np.empty(room), np.empty(room, np.int64), np.empty(room)
    start = np.zeros(n_patterns + 1, np.int64)
    n = 0
    for p in range(n_patterns):
        lo, hi, stop = trains.start[p], trains.start[p + 1], trains.stop[p]
        decay = gaps(trains.times, lo, hi, stop, cell)
        for j in range(w.shape[1]):
            v, i = 0.0, 0.0
            done = False
            for e in range(lo, hi):
                i += w[trains.ids[e], j]
                if i > cell.v_th:
                    t = trains.times[e]
                    end = trains.times[e + 1] if e + 1 < hi else max(stop, t)
                    fired = False
                    while i > cell.v_th:
                        u = crossing(cell, v, i, end - t)
                        if u > end - t:
                            break
                        i *= math.exp(-u / cell.tau_s)
                        v, t, fired = 0.0, t + u, True
                        if n == len(times):
                            times, ids, currents = grown(times), grown(ids), grown(currents)
                        times[n], ids[n], currents[n] = t, j, i
                        n += 1
                        if first_only:
                            done = True
                            break
                    if done:
                        break
                    if fired:
                        em, es = math.exp(-(end - t) / cell.tau_m), math.exp(-(end - t) / cell.tau_s)
                        v, i = v * em + i * current_to_v(cell, end - t, em, es), i * es
                        continue
                v, i = v * decay[0, e - lo] + i * decay[2, e - lo], i * decay[1, e - lo]
        order = np.argsort(times[start[p] : n], kind="mergesort") + start[p]
        times[start[p] : n], ids[start[p] : n] = times[order], ids[order]
        currents[start[p] : n] = currents[order]
        start[p + 1] = n
    return times[:n].copy(), ids[:n].copy(), currents[:n].copy(), start


def respond(trains: Trains, w: NDArray[np.float64], cell: Cell, first_only: bool = False) -> Fired:
    """Output of a layer with weights (n_pre, n_post)."""
    times, ids, currents, start = fire(trains, w, cell, first_only)
    return Fired(Trains(times, ids, start, trains.stop), currents)

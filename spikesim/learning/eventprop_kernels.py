"""The backward pass of EventProp: adjoint variables carried from event to event, last to first, in closed form.

Let a_v and a_i be the derivatives of the loss with respect to v and i of one neuron just after time t. Backwards over
a gap dt without events, ``a_i <- a_i exp(-dt/tau_s) + a_v P(dt)`` and ``a_v <- a_v exp(-dt/tau_m)``, where P is what a
unit current adds to v. At a spike of the neuron at t_k, with loss derivative g_k,
``a_v <- (a_v v'(t_k+) - g_k) / v'(t_k-)``. At an arrival of weight w, ``dL/dw += a_i`` and
``dL/dt += w (a_i / tau_s - a_v / tau_m)``, which is what the neuron below is told.
"""

from __future__ import annotations

import math

import numpy as np

from spikesim._jit import kernel
from spikesim.learning.lif import current_to_v, gaps


@kernel
def before(ids, lo, hi, n):
    """Last spike of each of n neurons among lo … hi-1, and for each spike the one before of its neuron; -1 if none."""
    last, previous = np.full(n, -1), np.full(hi - lo, -1)
    for k in range(lo, hi):
        previous[k - lo] = last[ids[k]]
        last[ids[k]] = k
    return last, previous


@kernel
def adjoint(trains, out, current, g, w, cell):
    """Derivatives of the loss with respect to the weights (n_pre, n_post) and the times of the input spikes.

    `out` and `current` are what the forward pass gave for `trains`, `g` the derivatives with respect to `out.times`.
    """
    gw, gt = np.zeros_like(w), np.zeros(len(trains.times))
    for p in range(len(trains.start) - 1):
        lo, hi = trains.start[p], trains.start[p + 1]
        first = out.start[p]
        last, previous = before(out.ids, first, out.start[p + 1], w.shape[1])
        decay = gaps(trains.times, lo, hi, trains.stop[p], cell)
        for j in range(w.shape[1]):
            k = last[j]
            if k < 0:
                continue
            t, a_v, a_i = out.times[k], 0.0, 0.0
            e = lo + np.searchsorted(trains.times[lo:hi], t, side="right") - 1
            while e >= lo:
                now = trains.times[e]
                jumped = False
                while k >= 0 and out.times[k] >= now:
                    a_v, a_i = _back(a_v, a_i, t - out.times[k], cell)
                    t, i = out.times[k], current[k]
                    a_v = (a_v * i / cell.tau_m - g[k]) / ((i - cell.v_th) / cell.tau_m)
                    k = previous[k - first]
                    jumped = True
                if jumped:
                    a_v, a_i = _back(a_v, a_i, t - now, cell)
                else:
                    a_v, a_i = a_v * decay[0, e - lo], a_i * decay[1, e - lo] + a_v * decay[2, e - lo]
                t = now
                gw[trains.ids[e], j] += a_i
                gt[e] += w[trains.ids[e], j] * (a_i / cell.tau_s - a_v / cell.tau_m)
                e -= 1
    return gw, gt


@kernel(inline=True)
def _back(a_v, a_i, dt, cell):
    em, es = math.exp(-dt / cell.tau_m), math.exp(-dt / cell.tau_s)
    return a_v * em, a_i * es + a_v * current_to_v(cell, dt, em, es)

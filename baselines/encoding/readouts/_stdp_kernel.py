"""The loops of the STDP layer: compiled, because they go spike by spike.

The only kernel outside `spikesim`; it is made with the house decorator like all others.
"""

from __future__ import annotations

import numpy as np

from spikesim._jit import kernel


@kernel(inline=True)
def _step(x, s, t, weights, theta, threshold, decay, v, trace):
    """Take up one step of a sample; the neuron that fires, or -1."""
    n, size = weights.shape
    for j in range(size):
        v[j] *= decay
    for i in range(n):
        trace[i] *= decay
        if x[s, t, i] > 0:
            trace[i] = 1.0
            for j in range(size):
                v[j] += x[s, t, i] * weights[i, j]
    best, most = -1, 0.0
    for j in range(size):
        over = v[j] - threshold - theta[j]
        if over >= most:
            best, most = j, over
    if best >= 0:
        for j in range(size):
            v[j] = 0.0
    return best


@kernel
def learn(x, order, weights, theta, threshold, decay, once, rate, growth):
    """Show samples in `order` once; weights (inputs, neurons) and theta (neurons) change in place.

    Weights of a neuron keep their sum, thresholds their mean.
    """
    n, size = weights.shape
    v, trace = np.zeros(size), np.zeros(n)
    for s in order:
        v[:] = 0.0
        trace[:] = 0.0
        for t in range(x.shape[1]):
            j = _step(x, s, t, weights, theta, threshold, decay, v, trace)
            if j < 0:
                continue
            before, after = 0.0, 0.0
            for i in range(n):
                before += weights[i, j]
                weights[i, j] += rate * (trace[i] - weights[i, j])
                after += weights[i, j]
            for i in range(n):
                weights[i, j] *= before / after
            for other in range(size):
                theta[other] -= growth / size
            theta[j] += growth
            if once:
                break


@kernel
def respond(x, weights, theta, threshold, decay, once, out):
    """Spikes (steps, samples, neurons) of samples, nothing learned."""
    v, trace = np.zeros(weights.shape[1]), np.zeros(weights.shape[0])
    for s in range(x.shape[0]):
        v[:] = 0.0
        for t in range(x.shape[1]):
            j = _step(x, s, t, weights, theta, threshold, decay, v, trace)
            if j >= 0:
                out[t, s, j] += 1.0
                if once:
                    break

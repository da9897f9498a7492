"""Small numerical functions shared by kernels: accurate, without fastmath, the same compiled and interpreted."""

from __future__ import annotations

import math

import numpy as np

from spikesim._jit import kernel


@kernel(inline=True)
def exp_small(x):
    """exp(-x) for 0 <= x < 0.03, exact to the last bit or two, in an order that lets the processor work ahead."""
    y = -x
    y2 = y * y
    high = (1 / 24 + y * (1 / 120)) + y2 * (1 / 720 + y * (1 / 5040))
    return 1.0 + (y + y2 * ((0.5 + y * (1 / 6)) + y2 * high))


@kernel(inline=True)
def exp_neg(x):
    """exp(-x) for x >= 0: a polynomial where it is exact to the last bit or two (x < 0.03), else the library's."""
    if x < 0.004:  # terms up to y^5, in an order that lets the processor work on several at once
        y = -x
        y2 = y * y
        return 1.0 + (y + y2 * ((0.5 + y * (1 / 6)) + y2 * (1 / 24 + y * (1 / 120))))
    if x < 0.03:
        return exp_small(x)
    return math.exp(-x)


@kernel(inline=True)
def filtered(leak, rate, dt, em, es):
    """Integral over s in (0, dt) of exp(-leak (dt - s)) exp(-rate s), stable for leak near rate.

    `em` and `es` are exp(-leak dt) and exp(-rate dt).
    """
    d = leak - rate
    z = d * dt
    if abs(z) > 0.1:
        return (es - em) / d
    return em * dt * (math.expm1(z) / z if z != 0.0 else 1.0)


@kernel(inline=True)
def filtered_ramp(leak, rate, dt, em, es):
    """Integral over s in (0, dt) of exp(-leak (dt - s)) s exp(-rate s), stable for leak near rate."""
    d = leak - rate
    z = d * dt
    if abs(z) > 0.5:
        return (es * (z - 1.0) + em) / (d * d)
    total, term = 0.0, 1.0
    for k in range(2, 20):  # sum of z^(k-2) / ((k-2)! k)
        total += term / k
        term *= z / (k - 1)
    return em * dt * dt * total


def on_values(function, *values):
    """Apply a scalar kernel to numbers or per-neuron arrays that broadcast."""
    return np.vectorize(function, otypes=[np.float64])(*values) if any(map(np.ndim, values)) else function(*values)

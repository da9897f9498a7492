"""Compiled loops of the analysis; imported on first use, so that importing the analysis does not load Numba."""

from __future__ import annotations

import math

import numpy as np

from spikesim._jit import kernel


@kernel
def edit_cost(a, b, q):
    """Cheapest way to turn `a` into `b`: 1 for each spike added or removed, q per ms a spike is moved."""
    row = np.arange(len(b) + 1).astype(np.float64)
    for i in range(len(a)):
        diagonal = row[0]
        row[0] = i + 1.0
        for j in range(len(b)):
            moved = diagonal + q * abs(a[i] - b[j])
            diagonal = row[j + 1]
            row[j + 1] = min(moved, row[j + 1] + 1.0, row[j] + 1.0)
    return row[len(b)]


@kernel
def filtered_square(a, b, tau):
    """(1/tau) times the integral of (f - g)**2; every term is >= 0, so nothing cancels."""
    i, j, total, height, last = 0, 0, 0.0, 0.0, 0.0
    while i < len(a) or j < len(b):
        first = j == len(b) or (i < len(a) and a[i] <= b[j])
        now = a[i] if first else b[j]
        if i + j > 0:
            decay = math.expm1(-(now - last) / tau)
            total -= 0.5 * height * height * decay * (2.0 + decay)
            height += height * decay
        height += 1.0 if first else -1.0
        i, j, last = (i + 1, j, now) if first else (i, j + 1, now)
    return total + 0.5 * height * height


@kernel
def nearest(a, b):
    """Distance from each spike of `a` to the nearest of `b`; both sorted, `b` not empty."""
    out = np.empty(len(a))
    j = 0
    for i in range(len(a)):
        while j + 1 < len(b) and abs(b[j + 1] - a[i]) <= abs(b[j] - a[i]):
            j += 1
        out[i] = abs(b[j] - a[i])
    return out


@kernel
def corner(train, gap, i, t):
    """Local dissimilarity of a train at time `t` between its spikes i and i + 1."""
    return (gap[i] * (train[i + 1] - t) + gap[i + 1] * (t - train[i])) / (train[i + 1] - train[i])


@kernel
def spike_integral(a, b, t_start, t_stop):
    """Integral of the SPIKE profile over the window; `a` and `b` carry a spike at or beyond each edge."""
    gap_a, gap_b = nearest(a, b), nearest(b, a)
    for gap in (gap_a, gap_b):
        if len(gap) > 2:  # auxiliary spikes are as far from the other train as their neighbours
            gap[0], gap[-1] = gap[1], gap[-2]
    i, j, t, total = 0, 0, t_start, 0.0
    while t < t_stop:
        while a[i + 1] <= t:
            i += 1
        while b[j + 1] <= t:
            j += 1
        end = min(a[i + 1], b[j + 1], t_stop)
        isi_a, isi_b = a[i + 1] - a[i], b[j + 1] - b[j]
        both_a = corner(a, gap_a, i, t) + corner(a, gap_a, i, end)
        both_b = corner(b, gap_b, j, t) + corner(b, gap_b, j, end)
        total += (both_a * isi_b + both_b * isi_a) / (isi_a + isi_b) ** 2 * (end - t)
        t = end
    return total


@kernel
def correlogram(a, b, width, half):
    """Pairs by lag b - a; bin k - half holds |lag / width - k| < 1/2, ties away from 0."""
    out = np.zeros(2 * half + 1, dtype=np.int64)
    reach = (half + 1.0) * width
    first = 0
    for i in range(len(a)):
        while first < len(b) and b[first] < a[i] - reach:
            first += 1
        for j in range(first, len(b)):
            lag = (b[j] - a[i]) / width
            if lag > half + 1.0:
                break
            k = int(abs(lag) + 0.5 + 1e-9)
            if k <= half:
                out[half + (k if lag > 0 else -k)] += 1
    return out

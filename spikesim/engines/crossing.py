"""When does a neuron next reach its threshold if nothing arrives? No crossing can be missed.

With current synapses, f(u) = v(u) - threshold(u) is a sum of exponential polynomials. Applying d/du and then
(d/du + leak) removes the constant and the membrane's own exponential, and leaves J(u) = sum (a + b u) exp(-rate u)
without any cancellation. By Rolle's theorem the sign changes of J bound the monotone pieces of exp(leak u) f'(u),
those of f' the monotone pieces of f, and in a monotone piece a root is bracketed or absent. The sign changes of J
follow in the same way, one term at a time. (Krishnan et al. 2018, doi:10.3389/fninf.2017.00075, state the problem.)
"""

from __future__ import annotations

import math

import numpy as np

from spikesim import verbs
from spikesim._jit import kernel
from spikesim.mathkernels import exp_neg, filtered, filtered_ramp

LEVELS, TERMS = 24, 12


def scratch():
    """Working memory of one thread: terms by level, two lists of sign changes, number of terms by level."""
    return np.zeros((LEVELS, TERMS, 3)), np.zeros((2, 2 * LEVELS)), np.zeros(LEVELS, np.int64)


@kernel(inline=True, inner=True)
def potential(parts, state, j, v, current, u):
    """v(u) without further input."""
    em = exp_neg(verbs.e_leak(parts.membrane, j) * u)
    free = verbs.e_relax(parts.membrane, v, j, current, u, em)
    return free + verbs.e_psp_all(parts.synapses, state.ys, j, u, em)


@kernel(inner=True)
def _value(which, parts, state, j, v, current, u, terms, k):
    """f (which = 0), f' (1), or the scaled exponential polynomial in the first k rows of `terms` (2)."""
    if which == 2:
        low = terms[0, 0]
        for m in range(1, k):
            low = min(low, terms[m, 0])
        total = 0.0
        for m in range(k):
            total += (terms[m, 1] + terms[m, 2] * u) * math.exp(-(terms[m, 0] - low) * u)
        return total
    if which == 0:
        return potential(parts, state, j, v, current, u) - verbs.e_theta(parts.threshold, state.a, j, u)
    leak = verbs.e_leak(parts.membrane, j)
    total = verbs.e_rate(parts.membrane, v, j, current) + verbs.e_drift_all(parts.synapses, state.ys, j, 0.0)
    em = exp_neg(leak * u)
    total = (total - verbs.e_theta_rate(parts.threshold, state.a, j, 0.0)) * em
    for m in range(k):  # integrating J keeps the sign where v itself has long settled
        es = exp_neg(terms[m, 0] * u)
        total += terms[m, 1] * filtered(leak, terms[m, 0], u, em, es)
        total += terms[m, 2] * filtered_ramp(leak, terms[m, 0], u, em, es)
    return total


@kernel(inner=True)
def _root(which, parts, state, j, v, current, lo, f_lo, hi, f_hi, terms, k):
    """Sign change bracketed by lo and hi, to the last bits (Illinois steps, bisection when they stall)."""
    side = 0
    for step in range(300):
        if hi - lo <= 4e-16 * hi:
            break
        if step % 4 == 3 or f_hi == f_lo:
            mid = 0.5 * (lo + hi)
        else:
            mid = hi - f_hi * (hi - lo) / (f_hi - f_lo)
            if not lo < mid < hi:
                mid = 0.5 * (lo + hi)
        if mid == lo or mid == hi:
            break
        f = _value(which, parts, state, j, v, current, mid, terms, k)
        if (f >= 0.0) == (f_hi >= 0.0):
            hi, f_hi = mid, f
            if side == 1:
                f_lo *= 0.5
            side = 1
        else:
            lo, f_lo = mid, f
            if side == -1:
                f_hi *= 0.5
            side = -1
    return hi


@kernel(inner=True)
def _sign_changes(which, parts, state, j, v, current, end, breaks, n_breaks, found, terms, k):
    """Sign changes in (0, end) of a function monotone (up to a positive factor) between `breaks`; returns how many."""
    n, lo = np.int64(0), 0.0
    f_lo = _value(which, parts, state, j, v, current, 0.0, terms, k)
    for b in range(n_breaks + 1):
        hi = breaks[b] if b < n_breaks else end
        f_hi = _value(which, parts, state, j, v, current, hi, terms, k)
        if f_lo * f_hi < 0.0 or (f_lo == 0.0) != (f_hi == 0.0):
            found[n] = _root(which, parts, state, j, v, current, lo, f_lo, hi, f_hi, terms, k)
            n += 1
        lo, f_lo = hi, f_hi
    return n


@kernel(inner=True)
def _differentiate(terms, level, k):
    """Apply (d/du + rate of the last term) to `terms[level]` into the next level; return its number of terms."""
    top, nxt = terms[level], terms[level + 1]
    rate = top[k - 1, 0]
    n = 0
    for m in range(k):
        slope = rate - top[m, 0]
        a, b = top[m, 2] + slope * top[m, 1], slope * top[m, 2]
        if a != 0.0 or b != 0.0:
            nxt[n, 0], nxt[n, 1], nxt[n, 2] = top[m, 0], a, b
            n += 1
    return n


@kernel(inner=True)
def _breaks_of_terms(parts, state, j, v, current, end, work, k):
    """Sign changes of the exponential polynomial in the first k rows of work[0][0]; returns (row of lists, number)."""
    terms, lists, sizes = work
    which = np.int64(2)  # not a literal: one compilation serves all
    level, row = np.int64(0), np.int64(0)
    sizes[0] = k
    while sizes[level] > 1 or (sizes[level] == 1 and terms[level, 0, 2] != 0.0):
        sizes[level + 1] = _differentiate(terms, level, sizes[level])
        level += 1
    n = np.int64(0)
    while level > 0:
        level -= 1
        n = _sign_changes(
            which, parts, state, j, v, current, end, lists[row], n, lists[1 - row], terms[level], sizes[level]
        )
        row = 1 - row
    return row, n


@kernel(inline=True, inner=True)
def next_crossing(parts, state, j, v, current, within, last, work):
    """Time u until neuron j crosses its threshold upwards, and whether u is exact.

    Not exact means: no crossing within `within`; where `last` is true u is then a lower bound beyond `within`.
    The exact answer is a function of the neuron's state alone (inf if it never crosses).
    """
    limit = verbs.e_limit(parts.membrane, v, j, current)
    floor = verbs.e_theta_floor(parts.threshold, state.a, j)
    if max(v, limit) + verbs.e_peak_all(parts.synapses, state.ys, j) < floor:
        return np.inf, False
    slope = verbs.e_rate(parts.membrane, v, j, current) + verbs.e_slope_all(parts.synapses, state.ys, j)
    if v < floor:
        if slope <= 0.0:
            return np.inf, False
        if (floor - v) > within * slope:
            return (floor - v) / slope, False
    if not last and verbs.e_theta_rate(parts.threshold, state.a, j, 0.0) <= 0.0:
        if v + within * max(slope, 0.0) < verbs.e_theta(parts.threshold, state.a, j, within):
            return np.inf, False
    return exact_crossing(parts, state, j, v, current, limit, work), True


@kernel(inner=True)
def exact_crossing(parts, state, j, v, current, limit, work):
    """Time until the next upward crossing, inf if there is none."""
    terms = work[0]
    leak = verbs.e_leak(parts.membrane, j)
    k = verbs.e_terms_all(parts.synapses, state.ys, j, terms[0], np.int64(0))
    k = verbs.e_theta_terms(parts.threshold, state.a, j, leak, terms[0], k)
    n = np.int64(0)
    for m in range(k):  # drop empty terms
        if terms[0, m, 1] != 0.0 or terms[0, m, 2] != 0.0:
            terms[0, n, 0], terms[0, n, 1], terms[0, n, 2] = terms[0, m, 0], terms[0, m, 1], terms[0, m, 2]
            n += 1
    if n == 0:
        th = verbs.e_theta(parts.threshold, state.a, j, 0.0)
        return verbs.e_reach(parts.membrane, v, th, j, current) if v < th else np.inf
    return _crossing_of_pieces(parts, state, j, v, current, leak, limit, work, n)


@kernel(inner=True)
def _crossing_of_pieces(parts, state, j, v, current, leak, limit, work, k):
    """First upward crossing, from the monotone pieces of f."""
    terms = work[0]
    which = np.int64(0)
    slowest = leak if leak > 0.0 else np.inf
    for m in range(k):
        slowest = min(slowest, terms[0, m, 0])
    end = 60.0 / slowest
    row, n = _breaks_of_terms(parts, state, j, v, current, end, work, k)
    breaks = work[1][1 - row]
    n = _sign_changes(which + 1, parts, state, j, v, current, end, work[1][row], n, breaks, terms[0], k)
    lo, f_lo = 0.0, _value(which, parts, state, j, v, current, 0.0, terms[0], k)
    for b in range(n + 1):
        hi = breaks[b] if b < n else end
        f_hi = _value(which, parts, state, j, v, current, hi, terms[0], k)
        if f_lo < 0.0 and f_hi >= 0.0:
            return _root(which, parts, state, j, v, current, lo, f_lo, hi, f_hi, terms[0], k)
        lo, f_lo = hi, f_hi
    if f_lo < 0.0 and limit == np.inf:  # a perfect integrator with constant current gets there in the end
        hi = 2.0 * lo
        f_hi = _value(which, parts, state, j, v, current, hi, terms[0], k)
        while f_hi < 0.0:
            lo, f_lo, hi = hi, f_hi, 2.0 * hi
            f_hi = _value(which, parts, state, j, v, current, hi, terms[0], k)
        return _root(which, parts, state, j, v, current, lo, f_lo, hi, f_hi, terms[0], k)
    return np.inf

"""Additive pair rules on the grid without a look at single target spikes.

What a source spike does to a synapse depends on the target spikes since the one before only through the sum of
``exp(-(t - since) / tau_plus)``, and on the target's trace. Sums and traces are kept per target, and each synapse
remembers the sum it has taken up, so that a spike costs each of its synapses a few operations and no branch: changes of
one sign that follow each other can be added before they are cut off at a bound.

Sums are counted in frames of fixed place in time, four time constants long, so that no digits are lost: within a
frame a target spike at t counts ``exp(-(t - start) / tau_plus)``. Of closed frames it is known how much they and the
ones after them have come to, in units of each. After `FRAMES` of them nothing is left of a source's trace.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import is_none, kernel, twin
from spikesim.plasticity.learn import NOTHING, Posts, after_spike, decayed
from spikesim.plasticity.rule import Plasticity
from spikesim.rng import U64

FRAMES = 10  # that a sum may lie back, each of NOTHING / FRAMES time constants
LONGEST = 256  # steps that a target spike may take to be counted
LEFT = math.exp(-NOTHING)  # of a trace, where nothing more is said of it


class Sums(NamedTuple):
    """What the spikes of the targets of one store come to; times are whole steps at the synapse."""

    rule: Any  # Additive
    now: Any  # (2 n,) of each target the sum of the present frame and the trace, in units of the trace's frame
    closed: Any  # (FRAMES, n) sum of a closed frame and all closed ones after it, in units of the first
    frame: Any  # (2,) number of the present frame, and that of the trace
    length: Any  # (2,) steps of a frame
    rate: Any  # (2,) decay per step
    lag: Any  # (2,) steps until a target spike is part of the sum, and of the trace
    waiting: Any  # (steps, n) targets that fired in the last steps
    count: Any  # (steps,) how many
    work: Any  # (n,) working memory


def sums_of(rule: Plasticity, n: int, dendritic: float, h: float | None) -> Sums | None:
    """Sums of `n` targets, None where a rule needs more, or times are not whole steps; `dendritic` in steps."""
    form, back = rule.additive, round(2 * dendritic)
    if form is None or h is None or back + 2 > LONGEST:
        return None
    traces = rule.traces()
    rate = h * np.array([traces.x1, traces.y1])
    return Sums(
        form,
        np.zeros(2 * n),
        np.zeros((FRAMES, n)),
        np.full(2, -1),
        np.ceil(NOTHING / FRAMES / rate).astype(np.int64),
        rate,
        np.array([max(back, 1), back + 1]),
        np.zeros((back + 2, n), np.int32),
        np.zeros(back + 2, np.int64),
        np.zeros(n),
    )


# ---------------------------------------------------------------- target spikes


@kernel(inner=True)
def _fired(sums, j, step):
    """Target j fires."""
    k = step % len(sums.count)
    sums.waiting[k, sums.count[k]] = j
    sums.count[k] += 1


@kernel(inner=True)
def _close(store):
    """End of a frame of the sums."""
    sums = store.sums
    f, length, rate, n = sums.frame[0], sums.length[0], sums.rate[0], sums.closed.shape[1]
    for j in range(n):
        sums.work[j] = sums.now[2 * j]
    for r in range(len(store.since)):
        if store.x1[r] > 0.0 and _frame_of(store, store.since[r]) <= f - FRAMES:
            if store.frozen[0] == 0:
                _look_row(store, r, store.own, store.extra)
            store.x1[r] = 0.0
    for back in range(1, FRAMES):
        share, row = math.exp(-rate * length * back), sums.closed[(f - back) % FRAMES]
        for j in range(n):
            row[j] += share * sums.now[2 * j]
    row = sums.closed[f % FRAMES]
    for j in range(n):
        row[j], sums.now[2 * j] = sums.now[2 * j], 0.0
    sums.frame[0] = f + 1


@kernel(inner=True)
def _follow(store, step):
    """Count the target spikes that are to be counted before source spikes arrive at `step`."""
    sums, dendritic = store.sums, np.int64(store.dendritic)
    room = len(sums.count)
    come = step - sums.lag[0] + dendritic
    while come >= (sums.frame[0] + 1) * sums.length[0]:
        _close(store)
    k = (step - sums.lag[0]) % room
    add = math.exp(-sums.rate[0] * (come - sums.frame[0] * sums.length[0]))
    for m in range(sums.count[k]):
        sums.now[2 * sums.waiting[k, m]] += add
    come = step - sums.lag[1] + dendritic
    while come >= (sums.frame[1] + 1) * sums.length[1]:
        share = math.exp(-sums.rate[1] * sums.length[1])
        for j in range(sums.closed.shape[1]):
            left = sums.now[2 * j + 1] * share
            sums.now[2 * j + 1] = left if left > LEFT else 0.0
        sums.frame[1] += 1
    k, nearest = (step - sums.lag[1]) % room, store.posts.nearest_y
    add = math.exp(sums.rate[1] * (come - sums.frame[1] * sums.length[1]))
    for m in range(sums.count[k]):
        i = 2 * sums.waiting[k, m] + 1
        sums.now[i] = add if nearest else sums.now[i] + add
    sums.count[step % room] = 0


# ---------------------------------------------------------------- source spikes


@kernel(inner=True)
def _frame_of(store, since):
    """The frame in whose units the synapses of a source that spiked at `since` remember their sums."""
    return (np.int64(since) - (1 if store.dendritic == 0.0 else 0)) // store.sums.length[0]


@kernel(inner=True)
def _growth(store, r):
    """Frame of the sums that the synapses of row r remember, and what a unit of them is worth now."""
    sums, x1 = store.sums, store.x1[r]
    if x1 == 0.0:
        return sums.frame[0], 0.0
    f, since = _frame_of(store, store.since[r]), store.since[r]
    return f, sums.rule.up * x1 * math.exp(sums.rate[0] * (since - f * sums.length[0]))


@kernel(inline=True, inner=True)
def _within(w, low, high):
    return min(max(w, low), high)


@kernel(inner=True)
def _learn_here(sums, target, own, seen, row, lo, hi, up, down, sign):
    """Synapses lo … hi-1 whose last source spike came in the present frame."""
    low, high, now = sums.rule.w_min, sums.rule.w_max, sums.now
    for s in range(U64(lo), U64(hi)):
        j = U64(target[s])
        total = now[U64(2) * j]
        w = _within(own[s] + up * (total - seen[s]), low, high)
        w = _within(w - down * now[U64(2) * j + U64(1)], low, high)
        own[s], seen[s] = w, total
        row[j] += sign * w


@kernel(inner=True)
def _learn_back(sums, closed, share, target, own, seen, row, lo, hi, up, down, sign):
    """The same where it came in a closed frame; `share` is what a unit of the present one is in units of that."""
    low, high, now = sums.rule.w_min, sums.rule.w_max, sums.now
    for s in range(U64(lo), U64(hi)):
        j = U64(target[s])
        total = now[U64(2) * j]
        w = _within(own[s] + up * (closed[j] + share * total - seen[s]), low, high)
        w = _within(w - down * now[U64(2) * j + U64(1)], low, high)
        own[s], seen[s] = w, total
        row[j] += sign * w


@kernel(inner=True)
def arrive_additive(store, row, r, t, active):
    """Source number r has a spike at the synapses at t: weights follow, and arrive in `row`."""
    sums, sign, lo, hi = store.sums, store.weight[0] if active else 0.0, store.start[r], store.start[r + 1]
    if store.frozen[0] > 0:
        for s in range(U64(lo), U64(hi)):
            row[U64(store.target[s])] += sign * store.own[s]
    else:
        f, up = _growth(store, r)
        down = sums.rule.down * math.exp(-sums.rate[1] * (t - sums.frame[1] * sums.length[1]))
        back = sums.frame[0] - f
        if back == 0:
            _learn_here(sums, store.target, store.own, store.extra, row, lo, hi, up, down, sign)
        else:
            share, closed = math.exp(-sums.rate[0] * sums.length[0] * back), sums.closed[f % FRAMES]
            _learn_back(sums, closed, share, store.target, store.own, store.extra, row, lo, hi, up, down, sign)
    store.x1[r] = after_spike(decayed(store.x1[r], store.posts, 0, t - store.since[r]), store.posts.nearest)
    store.since[r] = t


# ---------------------------------------------------------------- looking in


@kernel(inner=True)
def _totals(store, step):
    """Write to `work` the sum of each target with all spikes that came to the synapses by the end of `step`."""
    sums = store.sums
    for j in range(len(sums.work)):
        sums.work[j] = sums.now[2 * j]
    if store.dendritic == 0.0:
        k = step % len(sums.count)
        for m in range(sums.count[k]):
            sums.work[sums.waiting[k, m]] += math.exp(-sums.rate[0] * (step - sums.frame[0] * sums.length[0]))


@kernel(inner=True)
def _look_row(store, r, own, seen):
    """Write weights of row r and the sums that belong to them to `own` and `seen`."""
    sums = store.sums
    f, up = _growth(store, r)
    back = sums.frame[0] - f
    share, closed = math.exp(-sums.rate[0] * sums.length[0] * back), sums.closed[f % FRAMES]
    for s in range(store.start[r], store.start[r + 1]):
        j = store.target[s]
        total = sums.work[j] if back == 0 else closed[j] + share * sums.work[j]
        own[s] = _within(store.own[s] + up * (total - store.extra[s]), sums.rule.w_min, sums.rule.w_max)
        seen[s] = total


@kernel(lean=True)
def _look(store, step, own, seen):
    _totals(store, step)
    for r in range(len(store.start) - 1):
        _look_row(store, r, own, seen)


def weights(store: Any, step: int) -> NDArray[np.float64]:
    """Size of each weight at the end of a step."""
    own = store.own.copy()
    if store.frozen[0] == 0:
        _look(store, step, own, store.extra.copy())
    return own


def settle(store: Any, step: int) -> None:
    """Have the store hold the weights at the end of a step; while frozen, pass over what happened until then."""
    if store.frozen[0] > 0:
        begin(store, step)
    else:
        _look(store, step, store.own, store.extra)


def begin(store: Any, step: int) -> None:
    """Have all synapses begin at the end of a step with the weights the store holds: nothing before is theirs."""
    _look(store, step, store.own.copy(), store.extra)


def held(sums: Sums) -> dict[str, NDArray[np.float64]]:
    """What is to be kept of each target, (…, n)."""
    return {"sum_now": sums.now.reshape(-1, 2).T, "sum_closed": sums.closed}


def wait_again(sums: Sums, step: int, posts: Posts) -> None:
    """Have the last spikes of the targets wait once more to be counted after `step`."""
    room, kept = len(sums.count), posts.time.shape[1]
    sums.count[:] = 0
    known = np.arange(kept) < np.minimum(posts.count, kept)[:, None]
    for j, k in np.argwhere((posts.time > step + 1 - room) & known).tolist():
        at = int(posts.time[j, k]) % room
        sums.waiting[at, sums.count[at]] = j
        sums.count[at] += 1


# ---------------------------------------------------------------- for all stores of a shard


def fired(store: Any, j: int, step: float) -> None:
    """Target j of a store fires."""
    if store.sums is not None:
        _fired(store.sums, j, int(step))


@twin(fired)
def _fired_twin(store: Any, j: Any, step: Any) -> Any:
    if _is_plain(store):
        return lambda store, j, step: None
    return lambda store, j, step: _fired(store.sums, j, np.int64(step))


def follow(stores: Any, step: int) -> None:
    """Before source spikes arrive at `step`."""
    for store in stores:
        if store.sums is not None:
            _follow(store, step)


@twin(follow)
def _follow_twin(stores: Any, step: Any) -> Any:
    if len(stores) == 0:
        return lambda stores, step: None
    if _is_plain(stores[0]):
        return lambda stores, step: follow(stores[1:], step)

    def more(stores, step):
        _follow(stores[0], step)
        follow(stores[1:], step)

    return more


def _is_plain(store: Any) -> bool:
    """Whether a compiled store has no sums."""
    return is_none(store.types[store.fields.index("sums")])

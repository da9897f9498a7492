"""What neurons in a moving frame have in common: who is watched, who fires, what arrives.

Time is cut into windows of K steps of fixed place. The current or conductance of a receptor is kept as what it was,
or would have been, at the start of the window: in step k it is ``y exp(-rate h k)``, an arrival adds
``w exp(rate h k)``, and nothing has to be decayed. Who is refractory has a `u` that never fires, and what it returns
to in `x`. Neurons that only have currents: `grid_closed`, with conductances: `grid_stepped`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim import verbs
from spikesim._jit import is_none, kernel, twin
from spikesim.engines.grid_deliver import FEW, SPILLED, flush, place_of
from spikesim.engines.grid_kernels import add_poisson
from spikesim.engines.learning import note
from spikesim.rng import U64

PIECE, FEWER = 256, 32  # neurons that are asked together whether any of them fires, then again if one does


class Near(NamedTuple):
    """The neurons that may fire in the next steps, with copies of what they hold, side by side.

    Others cannot, as long as arrivals do not lift the potential by more than `room`; where they do, the neuron is
    watched from then on.
    """

    who: Any  # which neurons
    place: Any  # where each of them is
    left: Any  # what arrivals may still lift each neuron by (mV times `grow`), negative where it is watched
    u: Any
    ys: Any  # a tuple as in `State`
    room: Any
    size: Any  # (2,) how many are watched, and the last step of the window for which they were chosen


@kernel(inner=True)
def watch(near, u, ys, i):
    """From now on neuron i is asked in every step whether it fires."""
    p, j = U64(near.size[0]), U64(i)
    near.who[p], near.place[j], near.u[p], near.left[j] = i, p, u[j], -1.0
    for r in range(len(ys)):
        near.ys[r][0][p] = ys[r][0][j]
    near.size[0] += 1


@kernel(inline=True)
def fires(parts, state, i, v, step, shift, plastic, out, n):
    """Neuron i fires at potential v: what it returns to, when, and its place in the queue and in `out`."""
    state.x[0][i] = verbs.reset(parts.reset, v, i)
    state.until[i] = step + parts.hold
    end = parts.ends[1]
    parts.queue[end] = i
    parts.ends[1] = end + 1 if end + 1 < len(parts.queue) else 0
    note(plastic, i, np.float64(step))
    out[n] = i + shift
    return n + 1


@kernel(inner=True)
def shrink(parts, ys, k):
    """What receptors hold, where the next window begins after step k."""
    for r in range(len(ys)):
        y, share = ys[r][0], 1.0 / parts.swell[k, r]
        for i in range(U64(len(y))):
            y[i] *= share


@kernel(inner=True)
def draw(rows, drive, k, chunks, c, step):
    """Add counted spikes of receptors that come in rows, and Poisson input, to row k for one chunk."""
    lo, hi, population, stimulus = chunks[c, 0], chunks[c, 1], chunks[c, 2], chunks[c, 3]
    for j in range(len(rows.receptor)):
        if rows.pending[j, stimulus] > 0 and rows.direct[j] == 0:
            flush(rows, j, k, lo, hi, population)
    for d in range(len(drive.population)):
        if drive.population[d] == population:
            add_poisson(drive, d, rows.rows[drive.receptor[d], k], lo, hi, chunks[c, 4], chunks[c, 5], step)


@kernel(inner=True)
def receive(synapses, rows, near, y, u, ys, swell, response, grown, r, k, place):
    """Hand what arrives at receptor r in this step over to the neurons; all counts of its channels begin anew."""
    if rows.dense[r] > 0:
        row = rows.rows[r, k]
        for i in range(U64(len(row))):
            given = row[i] * swell
            y[i] += given
            u[i] -= given * response
            row[i] = 0.0
        forget(near)
    for c in range(len(rows.receptor)):
        if rows.receptor[c] != r:
            continue
        for b in range(rows.pending.shape[1]):
            if rows.direct[c] > 0 and rows.pending[c, b] > 0:
                few = rows.late[c] > 0 and rows.pending[c, b] <= FEW
                if few:
                    _receive_few(synapses, rows, near, y, u, ys, swell, response, grown, r, c, b, place[2])
                if not few or rows.direct[c] == SPILLED:
                    _receive_all(rows, y, u, swell, response, c, k, b, place[2])
                    forget(near)
            rows.pending[c, b], rows.load[c, b] = 0, 0
        if rows.direct[c] == SPILLED:
            rows.direct[c] = 1


def forget(near: Any) -> None:
    """Whom to watch is to be chosen anew."""
    if near is not None:
        near.size[1] = -1


@twin(forget)
def _forget(near: Any) -> Any:
    def some(near):
        near.size[1] = -1

    return (lambda near: None) if is_none(near) else some


@kernel(inline=True)
def _follow(near, y, u, ys, i, given, response, gain, r):
    """A neuron has received something: its potential stays as it is, and the copy follows."""
    u[i] -= given * response
    had = near.left[i]
    near.left[i] = had - gain
    if had - gain >= 0.0:
        return
    if had >= 0.0:
        watch(near, u, ys, np.int64(i))
    else:
        p = U64(near.place[i])
        near.ys[r][0][p], near.u[p] = y[i], u[i]


def arrive_at(near: Any, y: Any, u: Any, ys: Any, i: Any, given: float, response: float, gain: float, r: int) -> None:
    """Add to what receptor r of neuron i holds."""
    y[i] += given
    if near is not None:
        _follow(near, y, u, ys, i, given, response, gain, r)


@twin(arrive_at)
def _arrive_at(near: Any, y: Any, u: Any, ys: Any, i: Any, given: Any, response: Any, gain: Any, r: Any) -> Any:
    def stepped(near, y, u, ys, i, given, response, gain, r):
        y[i] += given

    def closed(near, y, u, ys, i, given, response, gain, r):
        y[i] += given
        _follow(near, y, u, ys, i, given, response, gain, r)

    return stepped if is_none(near) else closed


@kernel(inner=True)
def _receive_few(synapses, rows, near, y, u, ys, swell, response, grown, r, c, b, width):
    factor, one = rows.factor[c], True
    for p in range(len(factor)):
        one &= factor[p] == factor[0]
    for m in range(rows.pending[c, b]):
        base, target = rows.waiting[c, b, m, 2], synapses.counted
        first, end = U64(rows.waiting[c, b, m, 0]), U64(rows.waiting[c, b, m, 1])
        if one:
            given = factor[0] * swell
            gain = max(given, 0.0) * grown
            for s in range(first, end):
                arrive_at(near, y, u, ys, U64(base + np.int64(target[s])), given, response, gain, r)
        else:
            for s in range(first, end):
                i = base + np.int64(target[s])
                given = factor[place_of(rows, i - b * width)] * swell
                arrive_at(near, y, u, ys, U64(i), given, response, max(given, 0.0) * grown, r)


@kernel(inner=True)
def _receive_all(rows, y, u, swell, response, c, k, b, width):
    """Spike by spike like the few, so that sums do not depend on how many there are."""
    count, row = rows.counters[c], rows.rows[rows.receptor[c], k]
    for p in range(len(rows.bounds)):
        given = rows.factor[c, p] * swell
        for i in range(U64(b * width + rows.bounds[p, 0]), U64(b * width + rows.bounds[p, 1])):
            spilled = row[i] * swell
            if spilled != 0.0:
                y[i] += spilled
                u[i] -= spilled * response
                row[i] = 0.0
            for _ in range(count[i]):
                y[i] += given
                u[i] -= given * response
            count[i] = 0

"""Short-term plasticity in the grid engine: what a source spike releases goes to all its targets when it arrives.

Tables of such synapses are counted, narrow or wide ones of one projection each, whose spikes are not counted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spikesim._jit import kernel, verb
from spikesim.engines.grid_store import COUNTED, NARROW, Table
from spikesim.plasticity.short_term import ShortTermKernel, release
from spikesim.rng import U64


class Used(NamedTuple):
    """What use has made of the synapses of each source, by stimulus of the shard; a column for each row of a table."""

    column: Any  # (T,) that of the first row, -1 where a table has no short-term plasticity
    rule: Any  # (T, 3)
    active: Any  # (T,) uint8, 0 while paused
    u: Any
    x: Any
    last: Any  # when the last spike arrived, ms
    h: float  # ms of a step


def rested(tables: list[Table], stimuli: int, h: float) -> Used | tuple[()]:
    """Synapses that have not been used; nothing where no table has short-term plasticity."""
    column, rule, n = np.full(len(tables), -1, np.int64), np.zeros((len(tables), 3)), 0
    for t, table in enumerate(tables):
        if table.short_term is not None:
            column[t], rule[t] = n, table.short_term.lower()
            n += table.size
    active, shape = np.ones(len(tables), np.uint8), (stimuli, n)
    return Used(column, rule, active, np.zeros(shape), np.ones(shape), np.full(shape, -np.inf), h) if n else ()


@kernel(inline=True)
def _released(used, t, b, c, time):
    """Share of the weight that a spike transmits."""
    rule = ShortTermKernel(used.rule[t, 0], used.rule[t, 1], used.rule[t, 2])
    u, x = release(rule, used.u[b, c], used.x[b, c], time - used.last[b, c])
    used.u[b, c], used.x[b, c], used.last[b, c] = u, x, time
    return u * x


@kernel(inner=True)
def _add(y, row, t, r, base, share):
    """Add the weights of row r of table t times `share`."""
    at, lo, hi, factor = U64(base), U64(y.start[r]), U64(y.start[r + 1]), y.factor[t, 0]
    if y.kind[t] == COUNTED:
        for s in range(lo, hi):
            row[at + U64(y.counted[s])] += factor * share
    elif y.kind[t] == NARROW:
        for s in range(lo, hi):
            row[at + U64(y.narrow_target[s])] += factor * y.narrow_weight[s] * share
    else:
        for s in range(lo, hi):
            row[at + U64(y.wide_target[s])] += factor * y.wide_weight[s] * share


@verb(default=True)
def transmits(used, synapses, rows, t, r, stimulus, base, first, k, dry):
    """Deliver a spike that comes to row r of table t in step first + k; whether the table has short-term plasticity."""
    return False


@transmits.register(Used)
def _transmits(used, synapses, rows, t, r, stimulus, base, first, k, dry):
    if used.column[t] < 0:
        return False
    if not dry and used.active[t] > 0:
        share = _released(used, t, stimulus, used.column[t] + r - synapses.row[t], (first + k) * used.h)
        _add(synapses, rows.rows[synapses.receptor[t], k], t, r, base, share)
    return True

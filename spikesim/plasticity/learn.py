"""The order of things at one synapse, and rules driven by given trains.

Weights are brought up to date when a source spike passes: first the target spikes since the source's last one, in
order, then the source spike itself. Nothing else can happen to the weight in between, so this is exact, and costs
one visit per synapse and source spike. Times are those at the synapse: a source spike counts `axonal` ms after it was
fired, a target spike `dendritic` ms after. (Morrison, Aertsen & Diesmann 2007, doi:10.1162/neco.2007.19.6.1437.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import is_none, kernel, prefetch, twin
from spikesim.errors import ParameterError
from spikesim.mathkernels import exp_neg
from spikesim.parameters import as_values
from spikesim.plasticity.modulator import opened, with_reward
from spikesim.plasticity.rule import Plasticity, Traces, meanwhile, on_post, on_pre
from spikesim.rng import U64
from spikesim.spikes import Spikes

NOTHING = 40.0  # time constants after which nothing is left of a trace on the grid: it adds nothing to 1 any more
TABLE = 2048  # steps over which what is left of a trace is looked up


class Posts(NamedTuple):
    """Recent spikes of the targets, kept until all synapses have taken them up."""

    time: Any  # (n, room), the spike number k of a neuron at k % room; room is a power of two
    y1: Any  # (n, room) trace just before the spike
    y2: Any
    count: Any  # (n,) spikes so far
    rate: Any  # (4,) decay rates of x1, x2, y1, y2
    table: Any  # (4, steps) what is left of a trace after whole steps; None where times are not whole
    nearest: bool  # whether a spike sets x1, x2 to 1
    nearest_y: bool  # and y1, y2
    latest: Any  # (n,) time of the last spike of each target
    block: Any  # (n room 4,) what time, y1 and y2 are views of, so that a spike's numbers are fetched together


def posts(n: int, room: int, traces: Traces, h: float | None = None) -> Posts:
    """No spikes yet of `n` targets; times in ms, or in steps of `h` ms."""
    block = np.zeros((n, room, 4))
    rate = np.array(traces[:4]) * (1.0 if h is None else h)
    passed = rate[:, None] * np.arange(TABLE)
    table = None if h is None else np.where(passed < NOTHING, np.exp(-passed), 0.0)
    time, y1, y2 = (block[:, :, k] for k in range(3))
    nearest = bool(traces.nearest), bool(traces.nearest and not traces.summed)
    latest = np.full(n, -np.inf)
    return Posts(time, y1, y2, np.zeros(n, np.int64), rate, table, *nearest, latest, block.ravel())


def last_spikes(posts: Posts) -> NDArray[np.float64]:
    """Time of the last spike of each target, -inf where there is none."""
    last = posts.time[np.arange(len(posts.count)), (posts.count - 1) % posts.time.shape[1]]
    return np.where(posts.count > 0, last, -np.inf)


def forgotten(posts: Posts) -> float:
    """How long after its last spike nothing is left of a target's traces, on the grid."""
    used = posts.rate[2:][posts.rate[2:] > 0.0]
    return float(np.ceil(NOTHING / used.min())) if len(used) and posts.table is not None else np.inf


def left(posts: Posts, c: int, dt: float) -> float:
    """What is left of trace number c after `dt`."""
    x = posts.rate[c] * dt
    if posts.table is None or dt >= posts.table.shape[1]:
        return exp_neg(x) if posts.table is None or x < NOTHING else 0.0  # type: ignore[no-any-return]
    return posts.table[c, int(dt)]  # type: ignore[no-any-return]


@twin(left)
def _left(posts: Any, c: Any, dt: Any) -> Any:
    def looked_up(posts, c, dt):
        if dt >= posts.table.shape[1]:
            x = posts.rate[c] * dt
            return exp_neg(x) if x < NOTHING else 0.0
        return posts.table[c, U64(np.int64(dt))]

    if is_none(posts.types[posts.fields.index("table")]):
        return lambda posts, c, dt: exp_neg(posts.rate[c] * dt)
    return looked_up


@kernel(inline=True, inner=True)
def after_spike(trace, nearest):
    """Trace just after a spike."""
    return 1.0 if nearest else trace + 1.0


@kernel(inline=True, inner=True)
def decayed(trace, posts, c, dt):
    """Trace number c `dt` later; a trace that is not used stays."""
    return trace * left(posts, c, dt) if trace != 0.0 else 0.0


@kernel(inline=True, inner=True)
def _place(posts, j, k):
    """Where in `block` spike number k of target j is: unsigned, since a signed number may count from the end."""
    room = U64(posts.time.shape[1])
    return (U64(j) * room + (U64(k) & (room - U64(1)))) << U64(2)


@kernel(inline=True, inner=True)
def fetch(posts, j, further):
    """Start to fetch the last spike of target j, and how many spikes `further` has had."""
    prefetch(posts.count, further)
    last: Any = np.int64(_place(posts, j, max(posts.count[U64(j)], 1) - 1))
    prefetch(posts.block, last)


@kernel(inline=True, inner=True)
def _y_after(posts, i, t):
    """Traces of a target at time t when its spike at place i was its last."""
    dt, nearest = t - posts.block[i], posts.nearest_y
    y1 = decayed(after_spike(posts.block[i + U64(1)], nearest), posts, 2, dt)
    return y1, decayed(after_spike(posts.block[i + U64(2)], nearest), posts, 3, dt)


@kernel(lean=True)
def add_post(posts, j, t):
    """Note a spike of target j."""
    k = posts.count[j]
    y1, y2 = _y_after(posts, _place(posts, j, k - 1), t) if k > 0 else (0.0, 0.0)
    i = _place(posts, j, k)
    posts.block[i], posts.block[i + U64(1)], posts.block[i + U64(2)] = t, y1, y2
    posts.count[j], posts.latest[j] = k + 1, t


@kernel(inline=True, inner=True)
def last_event(posts, j, since, dendritic, t):
    """Time of the last spike of either side that had come to a synapse onto target j by t, 0 if none had."""
    now, k = max(since, 0.0), posts.count[j]
    oldest = max(np.int64(0), k - posts.time.shape[1])
    while k > oldest and posts.block[_place(posts, j, k - 1)] + dendritic > t:
        k -= 1
    if k > oldest:
        now = max(now, posts.block[_place(posts, j, k - 1)] + dendritic)
    return now


@kernel(inline=True, inner=True)
def learn(p, posts, w, e, j, since, done, x1, x2, dendritic, t, spike, modulator, unit):
    """Weight and extra number of a synapse onto target j after the last of its spikes up to time t.

    `w` and `e` are those after the last spike before: of the source at `since`, whose traces were x1, x2 right after
    it, or of the target, whose spikes up to `done` have been taken up. `spike` tells whether another source spike comes
    at t. Both numbers only move from spike to spike, so that they do not depend on when they are asked for. `unit` is
    the length in ms of what times are counted in.
    """
    end = k = posts.count[U64(j)]
    oldest = max(np.int64(0), k - posts.time.shape[1])
    late = max(since, done)
    meets = dendritic == 0.0 and since > done  # a target spike at the instant of the last source spike came after it
    now = max(since, 0.0)
    while k > oldest:
        come = posts.block[_place(posts, j, k - 1)] + dendritic
        if come < late or (come == late and not meets):
            now = max(now, come)
            break
        k -= 1
    while k < end:
        i = _place(posts, j, k)
        come = posts.block[i] + dendritic
        if come > t or (come == t and spike and dendritic == 0.0):
            break
        w, e = meanwhile(p, w, e, now * unit, come * unit, modulator)
        dt = come - since
        second = decayed(x2, posts, 1, dt)
        w, e = on_post(p, w, e, decayed(x1, posts, 0, dt), second, posts.block[i + U64(1)], posts.block[i + U64(2)])
        now = come
        k += 1
    if spike:
        w, e = meanwhile(p, w, e, now * unit, t * unit, modulator)
        while k > oldest and posts.block[_place(posts, j, k - 1)] + dendritic >= t:
            k -= 1
        y1, y2 = _y_after(posts, _place(posts, j, k - 1), t - dendritic) if k > 0 else (0.0, 0.0)
        dt = t - since
        second = decayed(x2, posts, 1, dt)
        w, e = on_pre(p, w, e, decayed(x1, posts, 0, dt), second, y1, y2)
    return w, e


@kernel
def _drive(p, posts, w, pre, post, axonal, dendritic, t_stop, modulator):
    for t in post:
        add_post(posts, np.int64(0), t)
    out = np.empty(len(pre) + 1)
    e, since, x1, x2 = 0.0, -np.inf, 0.0, 0.0
    nearest = posts.nearest
    for k in range(len(pre)):
        t = pre[k] + axonal
        w, e = learn(p, posts, w, e, np.int64(0), since, -np.inf, x1, x2, dendritic, t, True, modulator, 1.0)
        out[k] = w
        x1 = after_spike(decayed(x1, posts, 0, t - since), nearest)
        x2 = after_spike(decayed(x2, posts, 1, t - since), nearest)
        since = t
    w, e = learn(p, posts, w, e, np.int64(0), since, -np.inf, x1, x2, dendritic, t_stop, False, modulator, 1.0)
    now = last_event(posts, np.int64(0), since, dendritic, t_stop)
    out[len(pre)], _ = meanwhile(p, w, e, now, t_stop, modulator)
    return out


def drive(
    rule: Plasticity,
    pre: Spikes | NDArray[np.float64],
    post: Spikes | NDArray[np.float64],
    weight: float = 0.5,
    axonal: float = 0.0,
    dendritic: float = 0.0,
    t_stop: float | None = None,
    rewards: Sequence[tuple[float, float]] = (),
) -> NDArray[np.float64]:
    """Weight of one synapse with given spikes on both sides.

    Parameters
    ----------
    rule : Plasticity
        The rule.
    pre, post : Spikes of one neuron, or times in ms
        Spikes of the source and of the target, when they are fired.
    weight : float
        Initial weight, within the rule's bounds.
    axonal, dendritic : float, ms
        How long a source spike and a target spike take to the synapse.
    t_stop : float or None, ms
        Time of the last value; None: when the last spike has come.
    rewards : pairs of a time (ms) and an amount
        For rules with a modulator.

    Returns
    -------
    array (source spikes + 1,)
        The weight right after each source spike has come, and at `t_stop`.

    Raises
    ------
    ParameterError
        If the weight is out of the rule's bounds, a delay is negative, trains are of several neurons, or the rule has
        no use for rewards.
    """
    if not isinstance(rule, Plasticity):
        raise ParameterError(f"drive: rule must be a plasticity rule such as PairSTDP(), got {rule!r}")
    source, target = _train(pre, "pre"), _train(post, "post")
    axonal = float(as_values(axonal, "drive: axonal", "ms", ">= 0", scalar=True))
    dendritic = float(as_values(dendritic, "drive: dendritic", "ms", ">= 0", scalar=True))
    w = float(as_values(weight, "drive: weight", scalar=True))
    lo, hi = rule.bounds
    if not lo <= w <= hi:
        raise ParameterError(f"drive: weight must lie between w_min and w_max ({lo:g} … {hi:g}), got {w:g}")
    last = float(max([0.0, *(source[-1:] + axonal), *(target[-1:] + dendritic)]))
    end = last if t_stop is None else float(as_values(t_stop, "drive: t_stop", "ms", f">= {last!r}", scalar=True))
    table = posts(1, 1 << max(1, int(np.ceil(np.log2(len(target) + 1)))), rule.traces())
    modulator = opened(rule)
    for at, amount in rewards:
        modulator = with_reward(rule, modulator, amount, at, 0.0, "drive: rewards")
    return _drive(rule.lower(None), table, w, source, target, axonal, dendritic, end, modulator)


def _train(spikes: Any, name: str) -> NDArray[np.float64]:
    """Sorted times of one neuron."""
    if isinstance(spikes, Spikes):
        if len(np.unique(spikes.ids)) > 1:
            raise ParameterError(f"drive: {name} must be spikes of one neuron")
        return np.ascontiguousarray(spikes.times, dtype=np.float64)
    times = np.atleast_1d(np.asarray(as_values(spikes, f"drive: {name}", "ms", ">= 0"), dtype=np.float64))
    return np.sort(times)

"""A slow, readable simulator in plain Python: the specification that both engines are held against.

`simulate_event` works in continuous time, `simulate_grid` in steps. Both take the synapses as an explicit list
(see `synapses_of`), keep one `Cell` per neuron and propagate it with the closed forms written out below. Threshold
crossings between events are separated by the zeros of derivatives (Rolle), so that none can be missed.
"""

import heapq
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from spikesim.inputs import Current, SpikeSource, Steps
from spikesim.neurons import ResetTo
from spikesim.synapses import Alpha, Delta, Exponential, ExponentialConductance


@dataclass
class Outcome:
    """What a run gave; `closest` is the nearest miss of a tie: in time (event) or of v from threshold (both)."""

    spikes: dict = field(default_factory=lambda: defaultdict(list))  # population -> [(time, id)]
    deliveries: Counter = field(default_factory=Counter)  # projection -> count
    v: dict = field(default_factory=lambda: defaultdict(list))  # (population, id) -> v per step; event: final v
    closest: float = math.inf


def synapses_of(network):
    """All synapses as (projection, pre, post, weight, delay); pre and post number neurons of whole populations."""
    found = []
    for p in network.projections:
        pairs = p.rule.pairs(np.uint64(0), len(p.pre), len(p.post), p.same, 0, len(p.post))
        own = 1.0 if pairs.weight is None else pairs.weight
        weight, delay = (x if np.ndim(x) == 0 else x[pairs.index] for x in (p.weight, p.delay))
        columns = np.broadcast_arrays(pairs.pre + p.pre.lo, pairs.post + p.post.lo, weight * own, delay)
        found += [(p, *row) for row in zip(*(c.tolist() for c in columns), strict=True)]
    return found


def moment(k, x):
    """Integral of s**k exp(-x s) over 0 < s < 1 for k = 0, 1; by its series where the closed form would cancel."""
    if k == 0:
        return -math.expm1(-x) / x if x else 1.0
    if abs(x) < 0.5:
        return sum((-x) ** j / (math.factorial(j) * (j + 2)) for j in range(18))
    return (moment(0, x) - math.exp(-x)) / x


class Cell:
    """One neuron: its parameters as numbers and its state at time `t` (ms, on the grid in steps)."""

    def __init__(self, population, k, when, span):
        def own(value):
            return float(np.broadcast_to(value, population.size)[k])

        model, start = population.model, {name: own(x) for name, x in population.initial.items()}
        self.key, self.t = (population.name, k), 0
        self.leak, self.v_rest, self.c_m = own(model.membrane.leak), own(model.membrane.v_rest), own(model.membrane.c_m)
        self.v_th, self.jump = own(model.threshold.v_th), own(getattr(model.threshold, "jump", 0.0))
        self.theta_rate = 1.0 / own(getattr(model.threshold, "tau_theta", math.inf))
        to_value = isinstance(model.reset, ResetTo)  # a reset is v = keep * v + shift
        self.keep, self.shift = (0.0, own(model.reset.v_reset)) if to_value else (1.0, -own(model.reset.amount))
        self.receptors, self.lag = model.receptors, model.reset.lag
        self.pause = span(self.lag or own(model.t_ref))
        self.rate = {r: 1.0 / own(s.tau_syn) for r, s in self.receptors.items() if not isinstance(s, Delta)}
        self.e_rev = {r: own(s.e_rev) for r, s in self.receptors.items() if isinstance(s, ExponentialConductance)}
        self.v, self.theta = start.get("v", self.v_rest), start.get("theta", 0.0)
        self.i = {r: start.get(f"i_{r}", 0.0) for r in self.rate}  # synaptic current
        self.g = {r: start.get(f"g_{r}", 0.0) for r in self.rate}  # what feeds an alpha current, or a conductance
        signals = [x.value for x in population.inputs if isinstance(x, Current)]
        signals = [x if isinstance(x, Steps) else Steps([0.0], [x]) for x in signals]
        self.currents = [[(when(t), own(x)) for t, x in zip(s.times, s.values, strict=True)] for s in signals]
        self.changes = {when(0.0)} | {t for pairs in self.currents for t, _ in pairs}
        self.inbox = defaultdict(list)  # time -> [(projection, receptor, weight)]
        self.release, self.crossing, self.current = -1, None, self.drive(0)  # release: end of refractoriness or lag

    def drive(self, t):
        """Injected current from `t` on."""
        return sum([0.0, *(value for s, value in pairs if s <= t)][-1] for pairs in self.currents)

    def synaptic(self, r, h):
        """States (i, g) of receptor r after h: both decay, and g feeds i (alpha)."""
        decay, feed = math.exp(-h * self.rate[r]), 0.0 if r in self.e_rev else self.g[r] * h
        return (self.i[r] + feed) * decay, self.g[r] * decay

    def v_after(self, h):
        """Membrane after h without further input: the solution of dv/dt = -leak (v - v_rest) + i / c_m."""
        if self.e_rev:
            return self.v_with_conductances(h)
        charge = self.current * h * moment(0, self.leak * h)
        for r, rate in self.rate.items():
            d = rate - self.leak  # zero where tau_syn == tau_m
            integral = self.i[r] * h * moment(0, d * h) + self.g[r] * h * h * moment(1, d * h)
            charge += math.exp(-self.leak * h) * integral
        return self.v_rest + (self.v - self.v_rest) * math.exp(-self.leak * h) + charge / self.c_m

    def v_with_conductances(self, h):
        """Membrane after h with conductances: a step of the Lobatto IIIC method, its three stages solved at once."""

        def both(s):
            states = [(r, *self.synaptic(r, s)) for r in self.rate]
            g = sum(g for r, i, g in states if r in self.e_rev)
            i = self.current + sum(g * self.e_rev[r] if r in self.e_rev else i for r, i, g in states)
            return g / self.c_m + self.leak, i / self.c_m + self.leak * self.v_rest

        g, b = np.transpose([both(0.0), both(h / 2), both(h)])
        table = np.array([[2, -4, 2], [2, 5, -1], [2, 8, 2]]) / 12
        return np.linalg.solve(np.eye(3) + h * table * g, self.v + h * table @ b)[2]

    def act(self, t, dt, emit, outcome):
        """All that happens at time t, in this order: propagate, late reset, receive, test, fire."""
        arrivals, grid, h = self.inbox.pop(t, ()), dt is not None, (t - self.t) * (dt or 1)
        held = not self.lag and t <= self.release
        self.v = self.v if held else self.v_after(h)
        for r in self.rate:
            self.i[r], self.g[r] = self.synaptic(r, h)
        self.theta *= math.exp(-h * self.theta_rate)
        self.t, self.current = t, self.drive(t)
        if self.lag and t == self.release:
            self.v = self.keep * self.v + self.shift
        for name, r, w in arrivals:
            outcome.deliveries[name] += 1
            if isinstance(self.receptors[r], Delta):
                self.v += 0.0 if held else w  # lost
            elif isinstance(self.receptors[r], Exponential):
                self.i[r] += w
            else:
                self.g[r] += w * math.e * self.rate[r] if isinstance(self.receptors[r], Alpha) else w
        crossed = t == self.crossing and not arrivals
        asked = (t > 0 and not held) if grid else (arrivals or t in (0, self.release))
        gap = 0.0 if crossed else self.v - (self.v_th + self.theta)
        fires = crossed or (asked and t >= self.release and gap >= 0)
        outcome.closest = min(outcome.closest, (abs(gap) if asked else 0) or math.inf, h or math.inf)
        if fires:
            emit(t, self.key)
            self.theta += self.jump
            self.release = t + self.pause
            if not self.lag:
                self.v = self.keep * self.v + self.shift
        outcome.v[self.key].append(self.v)

    def plan(self, t, end):
        """Times at which the cell acts next unless inputs reach it before."""
        horizon = min(s for s in {end} | self.changes if s > t or s == end) - t
        rise = self.next_crossing(horizon) if horizon and t >= self.release else None
        self.crossing = None if rise is None else t + rise
        return [s for s in (self.crossing, self.release) if s is not None and s > t]

    def next_crossing(self, horizon):
        """Time until v - v_th - theta next rises through 0, None if it does not within `horizon`.

        The states obey dx/dt = A x. Applying (d/dt + a) to a function c.x gives c(A + a).x, whose zeros separate those
        of c.x; after all decay rates a of A but one, a single exponential is left, which has no zero.
        """
        charge = sum(max(self.i[r], 0) / a + max(self.g[r], 0) / a**2 for r, a in self.rate.items())
        charge += max(self.current, 0) * horizon
        if max(self.v - self.v_rest, 0) + charge / self.c_m < self.v_th + min(self.theta, 0) - self.v_rest:
            return None  # all the charge to come cannot reach the threshold
        active = [r for r in self.rate if self.i[r] or self.g[r]]
        matrix = np.zeros((3 + 2 * len(active),) * 2)  # of the states v, 1, theta, then i and g of each receptor
        matrix[0, :2], matrix[2, 2] = (-self.leak, self.leak * self.v_rest + self.current / self.c_m), -self.theta_rate
        rates = [self.leak, 0.0] + [self.theta_rate] * (self.theta != 0)
        for k, r in enumerate(active):
            j, a = 3 + 2 * k, self.rate[r]
            matrix[0, j], matrix[j, j], matrix[j, j + 1], matrix[j + 1, j + 1] = 1 / self.c_m, -a, 1.0, -a
            rates += [a] * (1 + (self.g[r] != 0))
        rows = [np.array([1.0, -self.v_th, -1.0] + [0.0] * 2 * len(active))]
        for a in rates[:-1]:
            rows.append(rows[-1] @ matrix + a * rows[-1])

        def value(h, row):
            x = [self.v_after(h), 1.0, self.theta * math.exp(-h * self.theta_rate)]
            x += [state for r in active for state in self.synaptic(r, h)]
            return math.fsum(c * y for c, y in zip(row, x, strict=True))

        points = [0.0, horizon]
        for row in reversed([r.tolist() for r in rows]):
            pieces = list(pairwise((h, value(h, row)) for h in points))
            both = [(a, b) for (a, fa), (b, fb) in pieces if fa * fb < 0]
            points = [0.0, *(brentq(value, a, b, (row,), xtol=1e-15, maxiter=500) for a, b in both), horizon]
        rises = [(a, b) for (a, fa), (b, fb) in pieces if fa < 0 <= fb]
        return brentq(value, *rises[0], (row,), xtol=1e-15, maxiter=500) if rises else None


def source_spikes(population, duration):
    """Spikes (time, id) of a source up to `duration`."""
    model, n = population.model, population.size
    if isinstance(model, SpikeSource):
        return [(t, k) for t, k in model.spikes if t <= duration]
    many = range(int(duration / np.min(model.interval)) + 2)
    trains = [np.broadcast_to(model.start + j * model.interval, n).tolist() for j in many]
    return sorted((t, k) for train in trains for k, t in enumerate(train) if t <= duration)


def simulate_event(network, duration, synapses):
    """Continuous time: a cell acts when inputs reach it, at its predicted crossing and when it is released."""
    return simulate_grid(network, duration, None, synapses)


def simulate_grid(network, duration, dt, synapses):
    """Steps of `dt`: every cell acts at every step (None: continuous time)."""
    when = float if dt is None else lambda t: round(t / dt)  # times are ms, or whole steps
    span = float if dt is None else lambda d: max(round(d / dt), int(d > 0))  # delays and pauses, at least one step
    cells = {(p.name, k): Cell(p, k, when, span) for p in network if not p.is_source for k in range(p.size)}
    end, outcome, queue, last = when(duration), Outcome(), [], None
    out, rank = wiring(network, synapses, span)

    def wake(t, key):
        if t <= end:
            heapq.heappush(queue, (t, rank[key[0]], key))

    def emit(t, key):
        outcome.spikes[key[0]].append((t * (dt or 1), key[1]))
        for target, delay, arrival in out[key]:
            cells[target].inbox[t + delay].append(arrival)
            wake(t + delay, target)

    for p in network:
        for t, k in source_spikes(p, duration) if p.is_source else ():
            emit(when(t), (p.name, k))
    for key, cell in cells.items():
        for t in {end} | cell.changes if dt is None else range(1, end + 1):
            wake(t, key)
    while queue:
        t, _, key = heapq.heappop(queue)
        cell, fresh = cells[key], (t, key) != last
        if fresh and (dt is not None or t in cell.inbox or t in cell.changes | {end, cell.crossing, cell.release}):
            cell.act(t, dt, emit, outcome)
            for s in cell.plan(t, end) if dt is None else ():
                wake(s, key)
        last = (t, key)
    return outcome


def wiring(network, synapses, span):
    """Synapses by source, and the order in which populations act at one instant: after all that reach them at once."""
    out, rank, instant = defaultdict(list), {p.name: 0 for p in network}, set()
    for p, pre, post, w, d in synapses:
        source, target = (p.pre.population.name, pre), (p.post.population.name, post)
        out[source].append((target, span(d), (p.name, p.receptor, w)))
        instant |= {(source[0], target[0])} if span(d) == 0 else set()
    for a, b in list(instant) * len(rank):
        rank[b] = max(rank[b], rank[a] + 1)
    return out, rank

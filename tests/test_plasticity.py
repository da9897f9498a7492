"""Plasticity rules against a plain reference that goes from spike to spike, and against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikesim.errors import ParameterError
from spikesim.plasticity import (
    BCM,
    CompetitiveSTDP,
    Hebb,
    Oja,
    PairSTDP,
    Plasticity,
    PowerSTDP,
    SymmetricSTDP,
    TripletSTDP,
    drive,
)


class Trace:
    """A trace by its definition: decays, and jumps at spikes."""

    def __init__(self, tau: float, nearest: bool = False) -> None:
        self.tau, self.nearest, self.value, self.last = tau, nearest, 0.0, 0.0

    def at(self, t: float) -> float:
        return self.value * math.exp(-(t - self.last) / self.tau)

    def spike(self, t: float) -> None:
        self.value = 1.0 if self.nearest else self.at(t) + 1.0
        self.last = t


def clip(w: float, rule: Plasticity) -> float:
    return min(max(w, rule.bounds[0]), rule.bounds[1])


def reference(rule: Plasticity, pre: list[float], post: list[float], w: float, source_first: bool = True) -> float:
    """Weight at the end: all spikes in order; of two at one instant the source's comes first if nothing delays the
    target's on its way back, else the target's, and then neither sees the other's trace."""
    react = (Postsynaptic if getattr(rule, "pairing", "") == "postsynaptic" else REACTIONS[type(rule)])(rule)
    for t in sorted({*pre, *post}):
        react.now = t
        is_pre, is_post = pre.count(t), post.count(t)
        assert is_pre <= 1 and is_post <= 1
        values = {name: trace.at(t) for name, trace in react.traces.items()}
        for side in ("pre", "post") if source_first else ("post", "pre"):
            if not (is_pre if side == "pre" else is_post):
                continue
            seen = {k: v.at(t) for k, v in react.traces.items()} if source_first else values
            w = clip((react.pre if side == "pre" else react.post)(w, seen), rule)
            react.seen(side)
            for name, trace in react.traces.items():
                if name[0] == ("x" if side == "pre" else "y"):
                    trace.spike(t)
    return w


class Reaction:
    """What a rule does, written without regard to speed."""

    def __init__(self, rule: Plasticity) -> None:
        self.rule, self.now = rule, 0.0

    def seen(self, kind: str) -> None:
        """Told what has just come."""


class Pair(Reaction):
    def __init__(self, rule: PairSTDP) -> None:
        super().__init__(rule)
        near = rule.pairing != "all"
        self.traces = {"x": Trace(rule.tau_plus, near), "y": Trace(rule.tau_minus, near)}
        self.paired = False  # a target spike came since the last source spike

    def weight(self, w: float, a: float) -> float:
        r = self.rule
        span = r.w_max - r.w_min
        u = (w - r.w_min) / span
        return w + span * a * ((1 - u) ** r.mu_plus if a >= 0 else u**r.mu_minus)

    def post(self, w: float, v: dict[str, float]) -> float:
        if self.rule.pairing in ("presynaptic", "reduced") and self.paired:
            return w
        return self.weight(w, self.rule.a_plus * v["x"])

    def pre(self, w: float, v: dict[str, float]) -> float:
        if self.rule.pairing == "reduced" and not self.paired:
            return w
        return self.weight(w, -self.rule.a_minus * v["y"])

    def seen(self, kind: str) -> None:
        self.paired = kind == "post"


class Postsynaptic(Pair):
    """Each target spike with the last source spike before and the next one after it."""

    def __init__(self, rule: PairSTDP) -> None:
        super().__init__(rule)
        self.traces["y"] = Trace(rule.tau_minus)
        self.traces["y"].last = -1.0

    def post(self, w: float, v: dict[str, float]) -> float:
        return self.weight(w, self.rule.a_plus * v["x"])

    def pre(self, w: float, v: dict[str, float]) -> float:
        w = self.weight(w, -self.rule.a_minus * v["y"])
        y = self.traces["y"]
        y.value = 1.0 if y.last == self.now and y.value else 0.0  # only one at this instant pairs with a later one
        return w


class Power(Reaction):
    def __init__(self, rule: PowerSTDP) -> None:
        super().__init__(rule)
        self.traces = {"x": Trace(rule.tau_plus), "y": Trace(rule.tau_minus)}

    def post(self, w: float, v: dict[str, float]) -> float:
        r = self.rule
        return w + r.rate * r.w0 ** (1 - r.mu) * w**r.mu * v["x"]

    def pre(self, w: float, v: dict[str, float]) -> float:
        return w - self.rule.rate * self.rule.alpha * w * v["y"]


class Triplet(Reaction):
    def __init__(self, rule: TripletSTDP) -> None:
        super().__init__(rule)
        taus = {"x1": rule.tau_plus, "x2": rule.tau_x, "y1": rule.tau_minus, "y2": rule.tau_y}
        self.traces = {name: Trace(tau, rule.nearest) for name, tau in taus.items()}

    def post(self, w: float, v: dict[str, float]) -> float:
        return w + v["x1"] * (self.rule.a2_plus + self.rule.a3_plus * v["y2"])

    def pre(self, w: float, v: dict[str, float]) -> float:
        return w - v["y1"] * (self.rule.a2_minus + self.rule.a3_minus * v["x2"])


class Symmetric(Reaction):
    def __init__(self, rule: SymmetricSTDP) -> None:
        super().__init__(rule)
        self.traces = {"x": Trace(rule.tau), "y": Trace(rule.tau)}

    def post(self, w: float, v: dict[str, float]) -> float:
        return w + self.rule.eta * v["x"]

    def pre(self, w: float, v: dict[str, float]) -> float:
        return w + self.rule.eta * (v["y"] - self.rule.alpha)


class Competitive(Reaction):
    def __init__(self, rule: CompetitiveSTDP) -> None:
        super().__init__(rule)
        taus = {"x": rule.tau_x, "y1": rule.tau_y1, "y2": rule.tau_y2}
        self.traces = {name: Trace(tau, True) for name, tau in taus.items()}

    def post(self, w: float, v: dict[str, float]) -> float:
        return w + self.rule.eta_post * v["x"] * v["y2"]

    def pre(self, w: float, v: dict[str, float]) -> float:
        return w - self.rule.eta_pre * v["y1"]


class Rates(Reaction):
    def __init__(self, rule: Hebb | Oja | BCM) -> None:
        super().__init__(rule)
        self.traces = {"x": Trace(rule.tau), "y": Trace(rule.tau)}
        if isinstance(rule, BCM):
            self.traces["y2"] = Trace(rule.tau_mean)

    def post(self, w: float, v: dict[str, float]) -> float:
        r = self.rule
        u, rate = v["x"] / r.tau, v["y"] / r.tau
        if isinstance(r, Hebb):
            return w + r.eta * u
        if isinstance(r, Oja):
            return w + r.eta * (u - rate * w)
        mean, goal = v["y2"] / r.tau_mean, r.rate / 1000.0
        return w + r.eta * u * (rate - goal * (mean / goal) ** 2)

    def pre(self, w: float, v: dict[str, float]) -> float:
        return w


REACTIONS: dict[type, Callable[..., Reaction]] = {
    PairSTDP: Pair,
    PowerSTDP: Power,
    TripletSTDP: Triplet,
    SymmetricSTDP: Symmetric,
    CompetitiveSTDP: Competitive,
    Hebb: Rates,
    Oja: Rates,
    BCM: Rates,
}

RULES = {
    "additive": PairSTDP(a_plus=0.03, a_minus=0.04),
    "multiplicative": PairSTDP(a_plus=0.1, a_minus=0.08, mu_plus=1.0, mu_minus=1.0, w_min=0.1),
    "guetig": PairSTDP(a_plus=0.1, a_minus=0.08, mu_plus=0.3, mu_minus=0.6),
    "van rossum": PairSTDP(a_plus=0.02, a_minus=0.08, mu_minus=1.0),
    "anti-Hebbian": PairSTDP(a_plus=-0.02, a_minus=-0.03),
    "nearest": PairSTDP(a_plus=0.03, a_minus=0.04, pairing="nearest"),
    "presynaptic": PairSTDP(a_plus=0.03, a_minus=0.04, pairing="presynaptic"),
    "reduced": PairSTDP(a_plus=0.03, a_minus=0.04, pairing="reduced"),
    "postsynaptic": PairSTDP(a_plus=0.03, a_minus=0.04, tau_minus=33.0, pairing="postsynaptic"),
    "power": PowerSTDP(rate=0.05),
    "triplet": TripletSTDP(a2_plus=0.01, a3_plus=0.02, a2_minus=0.015, a3_minus=0.01),
    "triplet, nearest": TripletSTDP(a2_plus=0.01, a3_plus=0.02, a2_minus=0.015, a3_minus=0.01, nearest=True),
    "triplet, minimal": TripletSTDP(),
    "symmetric": SymmetricSTDP(eta=0.02, alpha=0.7),
    "competitive": CompetitiveSTDP(eta_pre=0.05, eta_post=0.08),
    "hebb": Hebb(eta=0.5),
    "oja": Oja(eta=2.0),
    "bcm": BCM(eta=200.0, tau_mean=300.0),
}

TRAINS = st.lists(st.integers(0, 120), max_size=25, unique=True).map(sorted)


@settings(max_examples=60, deadline=None)
@given(
    pre=TRAINS, post=TRAINS, name=st.sampled_from(sorted(RULES)), axonal=st.integers(0, 3), dendritic=st.integers(0, 4)
)
def test_random_trains_follow_the_reference(
    pre: list[int], post: list[int], name: str, axonal: int, dendritic: int
) -> None:
    come = [t + float(axonal) for t in pre], [t + float(dendritic) for t in post]
    expected = reference(RULES[name], *come, 0.5, source_first=dendritic == 0)
    got = drive(RULES[name], np.array(pre, float), np.array(post, float), 0.5, float(axonal), float(dendritic))
    assert got[-1] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_dense_trains_follow_the_reference(name: str) -> None:
    rng = np.random.default_rng(2)
    pre = np.unique(np.round(rng.uniform(0, 3000, 200), 1))
    post = np.unique(np.concatenate([np.round(rng.uniform(0, 3000, 200), 1), pre[::7]]))
    expected = reference(RULES[name], pre.tolist(), post.tolist(), 0.5)
    assert drive(RULES[name], pre, post, 0.5)[-1] == pytest.approx(expected, rel=1e-11)


def test_window_of_a_pair() -> None:
    rule = PairSTDP(a_plus=0.01, a_minus=0.012, tau_plus=15.0, tau_minus=25.0)
    for s in (1.0, 7.5, 30.0):
        assert drive(rule, [50.0], [50.0 + s])[-1] - 0.5 == pytest.approx(0.01 * math.exp(-s / 15.0), rel=1e-12)
        assert drive(rule, [50.0 + s], [50.0])[-1] - 0.5 == pytest.approx(-0.012 * math.exp(-s / 25.0), rel=1e-12)
    assert drive(rule, [50.0], [50.0])[-1] == 0.5 + 0.01  # the source may be what made the target fire
    assert drive(rule, [51.0], [50.0], dendritic=1.0)[-1] == 0.5


def test_delays_shift_the_window() -> None:
    rule = PairSTDP(a_plus=0.01, a_minus=0.012)
    assert drive(rule, [10.0], [15.0], axonal=2.0, dendritic=3.0)[-1] == pytest.approx(
        0.5 + 0.01 * math.exp(-6.0 / 20.0)
    )
    assert drive(rule, [10.0], [15.0], axonal=8.0)[-1] == pytest.approx(0.5 - 0.012 * math.exp(-3.0 / 20.0))


def paired(rule: Plasticity, lag: float, rate: float) -> float:
    """Change by 60 pairs at a rate, the target `lag` ms after the source (Sjöström et al. 2001)."""
    times = 50.0 + np.arange(60) * 1000.0 / rate
    return float(drive(rule, times, times + lag, 0.5, t_stop=times[-1] + 1000.0)[-1] - 0.5)


def test_triplets_potentiate_above_some_rate() -> None:
    rule = TripletSTDP(w_max=10.0)
    assert abs(paired(rule, 10.0, 0.1)) < 1e-3  # Pfister & Gerstner 2006, figure 5: none at 0.1 Hz
    rates = [10.0, 20.0, 30.0, 40.0, 50.0]
    after, before = [paired(rule, 10.0, r) for r in rates], [paired(rule, -10.0, r) for r in rates]
    assert after[3] > 0.3 and np.all(np.diff(after) > 0)
    crossing = float(np.interp(0.0, before, rates))  # decline turns into growth
    assert before[0] < 0.0 < before[-1] and 20.0 <= crossing <= 40.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PairSTDP(mu_plus=-0.1), "PairSTDP.mu_plus: must be >= 0, got -0.1"),
        (lambda: PairSTDP(w_min=2.0), "PairSTDP.w_max: must be > w_min (2), got 1"),
        (lambda: PairSTDP(tau_plus=0.0), "PairSTDP.tau_plus: must be > 0 ms, got 0.0"),
        (lambda: PairSTDP(pairing="closest"), "closest"),
        (lambda: drive(PairSTDP(), [1.0], [2.0], 1.5), "between w_min and w_max (0 … 1), got 1.5"),
        (lambda: drive(PairSTDP(), [1.0], [2.0], axonal=-1.0), "drive: axonal: must be >= 0 ms, got -1.0"),
        (lambda: drive("stdp", [1.0], [2.0]), "must be a plasticity rule"),
    ],
)
def test_bad_input_is_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        make()
    assert message in str(error.value)

"""Statistics of the random rules: joint distributions of tiny networks, degrees, and the counts behind them."""

import itertools
from collections import Counter
from math import comb

import numpy as np
import pytest
from scipy import stats

from spikesim.connectivity import FixedIndegree, FixedOutdegree, FixedProbability, FixedTotalNumber, outdegree
from spikesim.connectivity.counts import binomial_probability, good_balls
from spikesim.rng import make_key

FLAGS = list(itertools.product([False, True], repeat=2))


def find(case, seed=0):
    """All pairs of a case: rule, sources, targets, whether they are the same elements."""
    rule, n_pre, n_post, same = case
    return rule.pairs(make_key(seed, "pairs"), n_pre, n_post, same, 0, n_post)


def outcomes(rule, n_pre, n_post, same):
    """Probability of every multiset of pairs, from the definition of the rule."""
    pairs = [
        (i, j) for i in range(n_pre) for j in range(n_post) if i != j or not same or getattr(rule, "allow_self", True)
    ]
    if isinstance(rule, FixedProbability):
        subsets = itertools.chain.from_iterable(itertools.combinations(pairs, r) for r in range(len(pairs) + 1))
        return {s: rule.p ** len(s) * (1 - rule.p) ** (len(pairs) - len(s)) for s in subsets}
    choose = (
        (lambda x: itertools.product(x, repeat=rule.k))
        if rule.allow_multiple
        else (lambda x: itertools.combinations(x, rule.k))
    )
    side = {FixedIndegree: 1, FixedOutdegree: 0}.get(type(rule))
    if side is None:
        draws = [tuple(sorted(s)) for s in choose(pairs)]
    else:
        per_element = [list(choose([p for p in pairs if p[side] == e])) for e in range((n_pre, n_post)[side])]
        draws = [tuple(sorted(itertools.chain(*s))) for s in itertools.product(*per_element)]
    return {s: count / len(draws) for s, count in Counter(draws).items()}


TINY = [
    (FixedProbability(0.3), 2, 2, False),
    (FixedProbability(0.7, allow_self=False), 3, 3, True),
    (FixedIndegree(2, allow_multiple=False), 4, 2, False),
    (FixedIndegree(2, allow_self=False), 3, 3, True),
    (FixedIndegree(3), 2, 2, True),
    (FixedOutdegree(2, allow_multiple=False), 2, 4, False),
    (FixedOutdegree(2, allow_self=False), 3, 3, True),
    (FixedOutdegree(1, allow_self=False, allow_multiple=False), 4, 4, True),
    (FixedTotalNumber(3), 2, 3, False),
    (FixedTotalNumber(2, allow_self=False), 3, 3, True),
    (FixedTotalNumber(3, allow_multiple=False), 2, 3, False),
    (FixedTotalNumber(4, allow_self=False, allow_multiple=False), 3, 3, True),
]


SPLIT = [(case, leaf) for case in TINY for leaf in ((0, 32) if isinstance(case[0], FixedOutdegree) else (32,))]


@pytest.mark.parametrize(("case", "leaf"), SPLIT, ids=repr)
def test_every_outcome_has_its_probability(case, leaf, monkeypatch):
    monkeypatch.setattr(outdegree, "_LEAF", leaf)
    expected = outcomes(*case)
    n = 40 * len(expected)
    seen: Counter = Counter()
    for seed in range(n):
        found = find(case, seed)
        seen[tuple(sorted(zip(found.pre.tolist(), found.post.tolist(), strict=True)))] += 1
    assert set(seen) <= set(expected)
    names = sorted(expected, key=expected.get)
    observed = np.array([seen[x] for x in names], dtype=float)
    wanted = n * np.array([expected[x] for x in names])
    group = np.cumsum(wanted) // 10  # rare outcomes together, so that chi-square holds
    observed, wanted = (np.bincount(np.unique(group, return_inverse=True)[1], x) for x in (observed, wanted))
    assert stats.chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue > 0.01


def test_outcomes_of_the_reference_add_up():
    assert len(outcomes(FixedTotalNumber(3, allow_multiple=False), 2, 3, False)) == comb(6, 3)
    assert all(abs(sum(outcomes(*case).values()) - 1) < 1e-12 for case in TINY)


def pvalue(values, reference):
    """Chi-square p-value of whole numbers against a SciPy distribution, tails gathered."""
    lo, hi = int(reference.ppf(0.01)), int(reference.ppf(0.99))
    edges = np.unique(np.linspace(lo, hi, 12).astype(int))
    cumulative = np.concatenate([[0.0], reference.cdf(edges), [1.0]])
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    return stats.chisquare(counts, len(values) * np.diff(cumulative)).pvalue


SIZES = [(300, 400, False), (300, 300, True)]


@pytest.mark.parametrize(("n_pre", "n_post", "same"), SIZES)
@pytest.mark.parametrize("allow_self", [False, True])
def test_degrees_of_fixed_probability(n_pre, n_post, same, allow_self):
    case = (FixedProbability(0.1, allow_self), n_pre, n_post, same)
    skip = same and not allow_self
    found = [find(case, seed) for seed in range(10)]
    indegrees = np.concatenate([np.bincount(f.post, minlength=n_post) for f in found])
    outdegrees = np.concatenate([np.bincount(f.pre, minlength=n_pre) for f in found])
    assert pvalue(indegrees, stats.binom(n_pre - skip, 0.1)) > 0.01
    assert pvalue(outdegrees, stats.binom(n_post - skip, 0.1)) > 0.01


@pytest.mark.parametrize("flags", FLAGS, ids=repr)
@pytest.mark.parametrize("kind", [FixedIndegree, FixedOutdegree])
def test_degrees_of_fixed_degree(kind, flags):
    n, k, seeds = 300, 120, 6
    rule = kind(k, *flags)
    fixed, free = ("post", "pre") if kind is FixedIndegree else ("pre", "post")
    degrees = []
    for seed in range(seeds):
        found = find((rule, n, n, True), seed)
        assert (np.bincount(getattr(found, fixed), minlength=n) == k).all()
        degrees.append(np.bincount(getattr(found, free), minlength=n))
    allow_self, allow_multiple = flags
    m = n - (not allow_self)
    # a degree sums n (or n - 1) independent choices: k draws of 1/m each, or one decision with probability k/m
    reference = stats.binom((m if not allow_self else n) * k, 1 / m) if allow_multiple else stats.binom(m, k / m)
    assert pvalue(np.concatenate(degrees), reference) > 0.01


@pytest.mark.parametrize("flags", FLAGS, ids=repr)
def test_degrees_of_fixed_total_number(flags):
    n, k = 300, 9000
    allow_self, allow_multiple = flags
    m = n - (not allow_self)
    case = (FixedTotalNumber(k, *flags), n, n, True)
    reference = stats.binom(k, 1 / n) if allow_multiple else stats.hypergeom(n * m, m, k)
    for side in ("pre", "post"):
        degrees = np.concatenate([np.bincount(getattr(find(case, s), side), minlength=n) for s in range(20)])
        assert pvalue(degrees, reference) > 0.01


@pytest.mark.parametrize("rule", [FixedIndegree(50), FixedOutdegree(50), FixedTotalNumber(50_000)], ids=repr)
def test_all_pairs_are_equally_likely(rule):
    found = find((rule, 1000, 1000, False))
    cells = np.histogram2d(found.pre, found.post, bins=20, range=[[0, 1000], [0, 1000]])[0]
    assert stats.chisquare(cells.ravel()).pvalue > 0.01


@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (12, 0.05), (40, 0.99), (1000, 0.3), (10**6, 1e-3), (3 * 10**8, 0.5)])
def test_binomial_probability(n, p):
    sd = np.sqrt(n * p * (1 - p))
    values = np.unique(np.clip(np.rint(n * p + sd * np.array([-4, -1, 0, 1, 4])), 0, n))
    found = [binomial_probability(x, float(n), p) for x in values]
    np.testing.assert_allclose(found, stats.binom.pmf(values, n, p), rtol=1e-11)


@pytest.mark.parametrize(
    ("good", "bad", "k", "replace"),
    [
        (0.3, 0.7, 20, True),
        (1.0, 1.0, 1, True),
        (1.0, 9999.0, 50, True),
        (5.0, 3.0, 6, False),
        (300.0, 500.0, 40, False),
        (300.0, 500.0, 790, False),
        (7.0, 7.0, 14, False),
    ],
)
def test_counts_by_inversion_have_exact_probabilities(good, bad, k, replace):
    n = 20_000
    counts = np.bincount([good_balls((i + 0.5) / n, good, bad, float(k), replace) for i in range(n)], minlength=k + 1)
    x = np.arange(k + 1)
    exact = stats.binom.pmf(x, k, good / (good + bad)) if replace else stats.hypergeom.pmf(x, good + bad, good, k)
    assert np.abs(counts / n - exact).max() <= 1.001 / n  # each count owns an interval of u as long as its probability


def test_large_totals_are_split_exactly():
    rule = FixedTotalNumber(2_000_000_000)
    key = make_key(0, "pairs")
    found = rule.pairs(key, 10**5, 10**6, False, 500_000, 500_100)
    degrees = np.bincount(found.post - 500_000)
    assert abs(degrees.mean() - 2000) < 4 * np.sqrt(2000 / 100)
    assert stats.kstest(found.pre, stats.uniform(0, 10**5).cdf).pvalue > 0.01

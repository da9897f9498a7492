"""Distributions: exactness against SciPy, limits, means, independence and reproducibility of draws."""

import math

import numpy as np
import pytest
from scipy import special, stats

from spikesim.connectivity import LogNormal, Normal, Rounded, Uniform
from spikesim.connectivity.normal import quantile, quantiles
from spikesim.errors import ParameterError
from spikesim.rng import make_key

KEY = make_key(7, "weights")
N = 50_000
E = np.arange(N)

CASES = [
    (Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
    (Normal(2.0, 0.5), stats.norm(2.0, 0.5)),
    (Normal(1.0, 2.0, low=0.0), stats.truncnorm(-0.5, math.inf, 1.0, 2.0)),
    (Normal(1.0, 2.0, low=-1.0, high=1.5), stats.truncnorm(-1.0, 0.25, 1.0, 2.0)),
    (Normal(0.0, 1.0, low=6.0), stats.truncnorm(6.0, math.inf)),
    (Normal(0.0, 1.0, low=-12.0, high=-9.0), stats.truncnorm(-12.0, -9.0)),
    (LogNormal(0.3, 0.8), stats.lognorm(0.8, scale=math.exp(0.3))),
]


def test_quantile_has_the_accuracy_of_scipy():
    p = np.concatenate([np.linspace(1e-5, 1 - 1e-5, 20_001), 10.0 ** -np.arange(1.0, 300.0), [0.075, 0.925]])
    out = np.empty_like(p)
    quantiles(p, out)
    expected = special.ndtri(p)
    np.testing.assert_allclose(out, expected, rtol=3e-15, atol=1e-16)
    assert [quantile(x) for x in p[::997]] == list(out[::997])


@pytest.mark.parametrize(("part", "reference"), CASES, ids=[repr(part) for part, _ in CASES])
def test_samples_follow_the_distribution(part, reference):
    values = part.sample(KEY, E, 0)
    assert stats.kstest(values, reference.cdf).pvalue > 0.01
    assert values.min() >= part.low and values.max() <= part.high


@pytest.mark.parametrize(("part", "reference"), CASES, ids=[repr(part) for part, _ in CASES])
def test_mean_value(part, reference):
    assert part.mean_value == pytest.approx(reference.mean(), rel=1e-7)


@pytest.mark.parametrize("side", ["low", "high"])
def test_truncated_lognormal_is_the_lognormal_given_the_limits(side):
    limits = {side: 1.2}
    values = LogNormal(0.0, 0.5, **limits).sample(KEY, E, 0)
    free = stats.lognorm(0.5)
    edge = free.cdf(1.2)
    if side == "low":
        assert stats.kstest(values, lambda x: (free.cdf(x) - edge) / (1 - edge)).pvalue > 0.01
    else:
        assert stats.kstest(values, lambda x: np.minimum(free.cdf(x) / edge, 1)).pvalue > 0.01
    assert LogNormal(0.0, 0.5, **limits).mean_value == pytest.approx(values.mean(), rel=0.01)


@pytest.mark.parametrize(
    "part",
    [
        Normal(1.0, 2.0, low=0.0, high=2.5, outside="clip"),
        Normal(1.0, 2.0, low=0.0, outside="clip"),
        LogNormal(0.0, 1.0, low=0.5, high=2.0, outside="clip"),
    ],
    ids=repr,
)
def test_clipped_values_are_set_to_the_limits(part):
    free = type(part)(*[getattr(part, f) for f in (("mean", "std") if isinstance(part, Normal) else ("mu", "sigma"))])
    expected = np.clip(free.sample(KEY, E, 0), part.low, part.high)
    np.testing.assert_array_equal(part.sample(KEY, E, 0), expected)
    assert part.mean_value == pytest.approx(expected.mean(), rel=0.02)


def test_a_value_depends_on_key_element_and_draw_only():
    part = Normal(0.0, 1.0, low=-2.0)
    elements = np.array([5, 0, 900, 5, 12])
    draws = np.array([0, 3, 7, 1, 0])
    together = part.sample(KEY, elements, draws)
    alone = [part.sample(KEY, elements[i : i + 1], draws[i : i + 1])[0] for i in range(5)]
    assert list(together) == alone
    assert len(set(alone)) == 5
    np.testing.assert_array_equal(together, part.sample(KEY, elements.astype(np.int32), draws.astype(np.int32)))
    assert not np.array_equal(together, part.sample(make_key(8, "weights"), elements, draws))


def test_long_arrays_equal_short_ones_across_blocks():
    part = LogNormal(0.0, 1.0)
    whole = part.sample(KEY, np.arange(1500), 2)
    np.testing.assert_array_equal(whole[500:1100], part.sample(KEY, np.arange(500, 1100), 2))


def test_draws_are_independent():
    part = Normal()
    x = np.array([part.sample(KEY, E, draw) for draw in range(3)])
    lagged = [np.corrcoef(a, b)[0, 1] for a, b in ((x[0], x[1]), (x[0], x[2]), (x[0, :-1], x[0, 1:]))]
    assert np.abs(lagged).max() < 4 / math.sqrt(N)
    cells = np.histogram2d(special.ndtr(x[0]), special.ndtr(x[1]), bins=10, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(cells.ravel()).pvalue > 0.01


def test_one_value_distributions():
    assert set(Uniform(2.0, 2.0).sample(KEY, E[:9], 0)) == {2.0}
    assert set(Normal(3.0, 0.0, low=3.0, high=3.0).sample(KEY, E[:9], 0)) == {3.0}
    assert Normal(3.0, 0.0, low=3.0, high=3.0).mean_value == 3.0
    assert set(Normal(3.0, 0.0, low=4.0, outside="clip").sample(KEY, E[:9], 0)) == {4.0}
    assert set(LogNormal(0.0, 0.0).sample(KEY, E[:9], 0)) == {1.0}
    assert Normal().sample(KEY, [], 0).size == 0


def test_rounded_values_lie_on_the_lattice_next_to_those_of_the_part():
    part, step = Normal(1.5, 0.75, low=0.01), 0.1
    free, rounded = part.sample(KEY, E, 0), Rounded(part, step).sample(KEY, E, 0)
    np.testing.assert_array_equal(rounded, step * np.rint(rounded / step))
    assert np.abs(rounded - free).max() <= 0.5 * step + 0.04 + 1e-12  # the smallest are lifted to one step
    assert rounded.min() == Rounded(part, step).low == step
    both = Rounded(Uniform(-1.0, 1.0), 0.25).sample(KEY, E, 0)
    assert set(both) == {0.25 * k for k in range(-4, 5)}  # 0 of what is negative and next to it
    assert Rounded(Uniform(-1.0, 1.1), 0.25).high == 1.0
    assert Rounded(part, step).mean_value == part.mean_value


def test_description():
    assert repr(Normal(1.0, 2.0, low=0.0)) == "Normal(mean=1, std=2, low=0, high=inf, outside='redraw')"
    assert repr(Uniform(1, 2)) == "Uniform(low=1, high=2)"
    assert LogNormal(1.0, 2.0) == LogNormal(1, 2) != LogNormal(1, 3)
    assert Normal().low == -math.inf and LogNormal().low == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Uniform(2, 1), r"Uniform\.low: must be <= high = 1, got 2"),
        (lambda: Uniform(0, math.inf), r"Uniform\.high: must be a finite number"),
        (lambda: Normal(std=-1), r"Normal\.std: must be >= 0, got -1"),
        (lambda: Normal(math.nan), r"Normal\.mean: must be a finite number, got nan"),
        (lambda: Normal(np.zeros(3)), r"Normal\.mean: must be one number"),
        (lambda: Normal(low="a"), r"Normal\.low: must be a number or infinite, got 'a'"),
        (lambda: Normal(high=math.nan), r"Normal\.high: must be a number or infinite, got nan"),
        (lambda: Normal(low=2, high=1), r"Normal\.low: must be <= high = 1, got 2"),
        (lambda: Normal(outside="wrap"), r"Normal\.outside: must be 'redraw' or 'clip', got 'wrap'"),
        (lambda: Normal(0, 1, low=50), r"Normal: no probability between low = 50 .* outside='clip'"),
        (lambda: Normal(0, 0, low=1), r"Normal: no probability between"),
        (lambda: Rounded(Normal(), 0), r"Rounded\.step: must be > 0, got 0"),
        (lambda: Rounded(1.5), r"Rounded\.part: must be a distribution such as Normal\(\), got 1\.5"),
        (lambda: LogNormal(low=-1), r"LogNormal\.low: must be >= 0 \(values are positive\), got -1"),
        (lambda: LogNormal(800), r"LogNormal\.mu: mu \+ 10 sigma must be <= 700"),
    ],
)
def test_errors_name_field_value_and_remedy(make, message):
    with pytest.raises(ParameterError, match=message):
        make()

"""Random numbers that are functions of their counters: whole numbers without bias."""

import numpy as np
import pytest
from scipy import stats

from spikesim.rng import below, bits, fill_normal, make_key

N = 30_000


@pytest.fixture(scope="module")
def words():
    with np.errstate(over="ignore"):
        return np.array([bits(make_key(1, "words"), i, 0) for i in range(N)], np.uint64)


def drawn(words, n):
    with np.errstate(over="ignore"):
        return np.array([below(np.uint64(w), n) for w in words])


@pytest.mark.parametrize("n", [1, 2, 7, 100_000, 2**31 - 1, 3 * 2**30, 2**32 - 1])
def test_whole_numbers_are_uniform(words, n):
    values = drawn(words, n)
    assert values.min() >= 0 and values.max() < n
    cells = min(n, 100)
    assert stats.chisquare(np.bincount(values * cells // n, minlength=cells)).pvalue > 0.01 or n == 1


def test_large_ranges_have_no_bias(words):
    """Multiply and shift alone gives every third number of 0 … 3 * 2**30 - 1 twice the share of the others."""
    n = 3 * 2**30
    plain = (words >> np.uint64(32)) * np.uint64(n) >> np.uint64(32)
    shares = np.bincount(plain.astype(np.int64) % 3)
    assert shares[0] / N == pytest.approx(0.5, abs=0.02)
    values = drawn(words, n)
    assert stats.chisquare(np.bincount(values % 3)).pvalue > 0.01
    kept = values == plain.astype(np.int64)
    assert kept.mean() == pytest.approx(0.75, abs=0.02)  # one word in four has to give way
    assert np.array_equal(drawn(words, n), values)


def test_normal_numbers_are_normal() -> None:
    out = np.empty(1_000_000)
    fill_normal(make_key(4, "normal"), 3, 10, out)
    assert stats.kstest(out, "norm").pvalue > 1e-3
    assert np.abs(out).max() > 4.0  # the tail is there
    assert (np.abs(out) > 3.6541528853610088).mean() == pytest.approx(2.58e-4, rel=0.25)
    part = np.empty(7)
    fill_normal(make_key(4, "normal"), 3, 110, part)
    assert np.array_equal(part, out[100:107])

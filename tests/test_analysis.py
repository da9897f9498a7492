"""Analysis against closed forms, naive definitions and properties of Poisson and regular trains."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spikesim import analysis
from spikesim.errors import ParameterError
from spikesim.spikes import Spikes

TRAIN = st.lists(st.floats(0.0, 100.0).map(lambda t: round(t, 2)), max_size=8)
EDGES = (0.0, 100.0)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


def poisson(n: int, rate: float, duration: float, seed: int = 1) -> Spikes:
    rng = np.random.default_rng(seed)
    k = rng.poisson(n * rate * duration * 1e-3)
    return Spikes(rng.uniform(0.0, duration, k), rng.integers(0, n, k), n, duration)


def regular(n: int, interval: float, duration: float) -> Spikes:
    times = np.arange(interval / 2, duration, interval)
    return Spikes.from_trains([times] * n, duration)


# --- rates, intervals, counts -------------------------------------------------------------------------------------


def test_rates_count_silent_elements_and_the_whole_window():
    spikes = Spikes([110.0, 120.0, 150.0], [0, 0, 2], n=3, t_stop=300.0, t_start=100.0)
    assert analysis.rates(spikes) == pytest.approx([10.0, 0.0, 5.0])
    assert analysis.mean_rate(spikes) == pytest.approx(5.0)


def test_intervals_per_element():
    spikes = Spikes([1.0, 2.0, 4.0, 7.0], [0, 1, 0, 0], n=3, t_stop=10.0)
    assert [x.tolist() for x in analysis.isi(spikes)] == [[3.0, 3.0], [], []]


def test_cv_of_regular_trains_is_0_and_of_two_intervals_is_by_hand():
    assert analysis.cv_isi(regular(3, 10.0, 500.0)) == pytest.approx([0.0] * 3, abs=1e-12)
    spikes = Spikes.from_trains([[0.0, 1.0, 4.0], [0.0, 1.0], []], 10.0)
    assert analysis.cv_isi(spikes) == pytest.approx([0.5, math.nan, math.nan], nan_ok=True)
    assert np.isnan(analysis.cv_isi(spikes, min_isi=3)).all()


def test_cv_equals_numpy_on_every_train():
    spikes = poisson(20, 30.0, 1000.0)
    expected = [np.std(x) / np.mean(x) for x in analysis.isi(spikes)]
    assert analysis.cv_isi(spikes) == pytest.approx(expected, rel=1e-12)


def test_poisson_trains_have_cv_1_and_fano_1():
    spikes = poisson(200, 40.0, 20_000.0)
    assert np.mean(analysis.cv_isi(spikes)) == pytest.approx(1.0, abs=0.01)
    assert np.mean(analysis.fano(spikes, 100.0)) == pytest.approx(1.0, abs=0.02)


def test_fano_equals_variance_over_mean_and_leaves_the_rest_of_the_window():
    spikes = poisson(10, 50.0, 1050.0)
    counts = np.array([np.histogram(x, np.arange(0.0, 1001.0, 100.0))[0] for x in spikes.trains()])
    assert analysis.fano(spikes, 100.0) == pytest.approx(counts.var(axis=1, ddof=1) / counts.mean(axis=1))
    assert analysis.fano(regular(2, 10.0, 1000.0)) == pytest.approx([0.0, 0.0], abs=1e-12)
    assert np.isnan(analysis.fano(Spikes.empty(2, 1000.0))).all()


def test_psth_keeps_every_spike_and_its_place():
    spikes = Spikes([0.0, 0.3, 0.9999999999999999, 1.0, 3.0], [0, 1, 0, 1, 0], n=2, t_stop=3.0)
    times, rate = analysis.psth(spikes, 1.0)
    assert times.tolist() == [0.5, 1.5, 2.5]
    assert rate.tolist() == [1000.0, 1000.0, 500.0]  # just below 1 is 1; the end of the window is in the last bin
    assert analysis.psth(Spikes([3.0], [0], 1, 3.5), 1.0).rate.tolist() == [0.0, 0.0, 0.0]


def test_grid_times_fall_into_the_bin_they_mean():
    spikes = Spikes(0.1 * np.arange(1000), np.zeros(1000, int), 1, 100.0)
    assert set(analysis.psth(spikes, 0.5).rate) == {5 / 0.5 * 1e3}


def test_smoothing_keeps_the_mean_and_has_the_width_asked_for():
    plain, smooth = (analysis.psth(Spikes([500.5], [0], 1, 1000.0), 1.0, sigma) for sigma in (None, 20.0))
    assert smooth.rate.mean() == pytest.approx(plain.rate.mean())
    spread = np.sqrt(np.average((smooth.times - 500.5) ** 2, weights=smooth.rate))
    assert spread == pytest.approx(20.0, rel=0.01)


def test_spectrum_of_poisson_trains_is_flat_and_of_a_rhythm_peaks():
    flat = analysis.spectrum(poisson(50, 20.0, 60_000.0), bin=2.5)
    inner = flat.power[2:-1]
    assert flat.frequency[-1] == pytest.approx(200.0)
    assert inner.mean() == pytest.approx(2 * 20.0 / 50, rel=0.02)
    peak = analysis.spectrum(regular(5, 25.0, 5000.0), bin=1.0, segment=500.0)
    assert peak.frequency[np.argmax(peak.power)] % 40.0 == pytest.approx(0.0)


# --- correlations -------------------------------------------------------------------------------------------------


def test_count_correlations_equal_numpy_for_all_pairs():
    spikes = poisson(12, 60.0, 1000.0)
    matrix = np.corrcoef(spikes.to_dense(5.0).T)
    found = analysis.count_correlations(spikes, 5.0, pairs=None)
    assert found == pytest.approx(matrix[np.triu_indices(12, 1)], abs=1e-12)


def test_a_sample_of_pairs_is_seeded_distinct_and_drawn_from_all():
    spikes = poisson(12, 60.0, 1000.0)
    everything = analysis.count_correlations(spikes, pairs=None)
    sample = analysis.count_correlations(spikes, pairs=40, seed=3)
    assert len(set(sample)) == 40
    assert np.isin(np.round(sample, 12), np.round(everything, 12)).all()
    assert np.array_equal(sample, analysis.count_correlations(spikes, pairs=40, seed=3))
    assert not np.array_equal(sample, analysis.count_correlations(spikes, pairs=40, seed=4))


def test_shared_spikes_give_the_expected_correlation():
    duration, n = 20_000.0, 20
    own, shared = poisson(n, 30.0, duration, 1), poisson(1, 10.0, duration, 2)
    copies = Spikes(np.tile(shared.times, n), np.repeat(np.arange(n), len(shared)), n, duration)
    assert analysis.mean_correlation(Spikes.merge(own, copies), 10.0) == pytest.approx(10 / 40, abs=0.03)
    assert analysis.mean_correlation(own, 10.0) == pytest.approx(0.0, abs=0.01)


def test_elements_that_never_vary_have_no_correlation():
    spikes = Spikes([1.0, 15.0], [0, 0], n=3, t_stop=20.0)
    assert analysis.count_correlations(spikes, 5.0).size == 0
    assert math.isnan(analysis.mean_correlation(spikes, 5.0))


@given(TRAIN, TRAIN)
@settings(max_examples=50, deadline=None)
def test_cross_correlogram_counts_all_pairs_and_mirrors(a, b):
    lags, counts = analysis.cross_correlogram(a, b, max_lag=10.0, bin=1.0)
    naive = np.zeros(21, int)
    for x in a:
        for y in b:
            k = int(math.copysign(math.floor(abs(y - x) + 0.5 + 1e-9), y - x))
            if abs(k) <= 10:
                naive[k + 10] += 1
    assert lags.tolist() == list(range(-10, 11))
    assert counts.tolist() == naive.tolist()
    assert analysis.cross_correlogram(b, a, max_lag=10.0, bin=1.0).counts.tolist() == naive[::-1].tolist()


def test_autocorrelogram_leaves_out_each_spike_itself():
    counts = analysis.cross_correlogram([0.0, 3.0, 3.0], max_lag=5.0).counts
    assert counts.tolist() == [0, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0]
    pooled = Spikes([0.0, 3.0, 3.0], [0, 1, 0], 2, 5.0)
    assert np.array_equal(analysis.cross_correlogram(pooled, max_lag=5.0).counts, counts)


# --- distances ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "q", "expected"),
    [
        ([], [], 1.0, 0.0),
        ([1.0, 2.0], [], 1.0, 2.0),
        ([10.0], [13.0], 0.1, 0.3),
        ([10.0], [40.0], 0.1, 2.0),
        ([10.0, 20.0], [11.0, 19.0, 50.0], 0.1, 1.2),
    ],
)
def test_victor_purpura_small_cases(a, b, q, expected):
    assert analysis.victor_purpura(a, b, q) == pytest.approx(expected)


@given(TRAIN, TRAIN, TRAIN, st.floats(0.0, 2.0))
@settings(max_examples=80, deadline=None)
def test_victor_purpura_is_a_metric_with_the_right_limits(a, b, c, q):
    ab, bc, ac = (analysis.victor_purpura(x, y, q) for x, y in ((a, b), (b, c), (a, c)))
    assert ac <= ab + bc + 1e-9
    assert analysis.victor_purpura(b, a, q) == pytest.approx(ab)
    assert analysis.victor_purpura(a, a, q) == 0.0
    assert analysis.victor_purpura(a, b, 0.0) == abs(len(a) - len(b))
    apart = [t + 0.005 for t in b]  # times have two decimals: no spike of `a` can coincide
    assert analysis.victor_purpura(a, apart, 1e6) == len(a) + len(b)


@given(st.floats(0.0, 50.0), st.floats(0.5, 100.0))
@settings(max_examples=50, deadline=None)
def test_van_rossum_of_two_single_spikes(gap, tau):
    expected = math.sqrt(-math.expm1(-gap / tau))
    assert analysis.van_rossum([30.0], [30.0 + gap], tau) == pytest.approx(expected, rel=1e-9, abs=1e-7)


@given(TRAIN, TRAIN, st.floats(0.5, 100.0))
@settings(max_examples=80, deadline=None)
def test_van_rossum_equals_the_double_sum_of_its_definition(a, b, tau):
    def product(x, y):
        return sum(math.exp(-abs(s - t) / tau) for s in x for t in y)

    squared = 0.5 * (product(a, a) + product(b, b) - 2 * product(a, b))
    assert analysis.van_rossum(a, b, tau) ** 2 == pytest.approx(squared, rel=1e-9, abs=1e-9)
    assert analysis.van_rossum(a, a, tau) == 0.0
    assert analysis.van_rossum(a, b, 1e12) ** 2 == pytest.approx((len(a) - len(b)) ** 2 / 2, abs=1e-6)


def naive_spike_distance(a, b, steps=20_000):
    """Time average of the SPIKE profile at the middles of many small steps, straight from its definition."""

    def continued(train):
        x = sorted(set(train))
        if not x:
            return list(EDGES)
        first, last = (x[1] - x[0], x[-1] - x[-2]) if len(x) > 1 else (0.0, 0.0)
        return [min(EDGES[0], x[0] - first), *x, max(EDGES[1], x[-1] + last)]

    def local(t, own, other, empty):
        k = max(i for i, s in enumerate(own) if s <= t)
        before, after = own[k], own[k + 1]
        d_before, d_after = (min(abs(s - u) for u in other) for s in (before, after))
        if not empty:
            d_before = d_after if k == 0 else d_before
            d_after = d_before if k + 2 == len(own) else d_after
        isi = after - before
        return (d_before * (after - t) + d_after * (t - before)) / isi, isi

    x, y = continued(a), continued(b)
    total = 0.0
    for t in (np.arange(steps) + 0.5) * (EDGES[1] - EDGES[0]) / steps:
        (s_x, isi_x), (s_y, isi_y) = local(t, x, y, not a), local(t, y, x, not b)
        total += (s_x * isi_y + s_y * isi_x) / (2 * ((isi_x + isi_y) / 2) ** 2)
    return total / steps


@pytest.mark.parametrize("seed", range(6))
def test_spike_distance_equals_numeric_integration_of_its_definition(seed):
    rng = np.random.default_rng(seed)
    a, b = (np.sort(rng.uniform(*EDGES, k)).tolist() for k in rng.integers(0, 7, 2))
    assert analysis.spike_distance(a, b, EDGES) == pytest.approx(naive_spike_distance(a, b), abs=2e-4)


@given(TRAIN, TRAIN)
@settings(max_examples=150, deadline=None)
def test_spike_distance_is_symmetric_within_0_and_1_and_0_for_equal_trains(a, b):
    distance = analysis.spike_distance(a, b, EDGES)
    assert 0.0 <= distance <= 1.0 + 1e-12
    assert analysis.spike_distance(b, a, EDGES) == pytest.approx(distance, abs=1e-12)
    assert analysis.spike_distance(a, a, EDGES) == 0.0


def test_spike_distance_by_hand():
    # each spike is 20 ms from the other train and S = 40 / (x_a + x_b): 40 + 60, 60 + 60 and 60 + 40 ms in turn
    assert analysis.spike_distance([40.0], [60.0], EDGES) == pytest.approx(0.4 * 0.4 + 0.2 / 3 + 0.4 * 0.4)
    assert analysis.spike_distance([], [], EDGES) == 0.0


def test_distances_of_spikes_are_those_of_their_elements():
    a, b = poisson(5, 40.0, 300.0, 1), poisson(5, 40.0, 300.0, 2)
    window = (0.0, 300.0)
    for found, single in (
        (analysis.victor_purpura(a, b, 0.1), lambda x, y: analysis.victor_purpura(x, y, 0.1)),
        (analysis.van_rossum(a, b, 10.0), lambda x, y: analysis.van_rossum(x, y, 10.0)),
        (analysis.spike_distance(a, b), lambda x, y: analysis.spike_distance(x, y, window)),
    ):
        expected = [single(x, y) for x, y in zip(a.trains(), b.trains(), strict=True)]
        assert found.each.tolist() == expected
        assert found.mean == pytest.approx(np.mean(expected))


def test_spike_distance_of_many_trains_is_the_mean_over_pairs():
    spikes = poisson(4, 40.0, 300.0)
    trains, window = spikes.trains(), (0.0, 300.0)
    pairs = [analysis.spike_distance(trains[i], trains[j], window) for i in range(4) for j in range(i)]
    assert analysis.spike_distance_multi(spikes) == pytest.approx(np.mean(pairs))
    assert analysis.spike_distance_multi(trains, window) == pytest.approx(np.mean(pairs))


# --- theory -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("g", "eta", "v_reset", "expected"),
    [
        (5.0, 2.0, 0.0, 32.03),
        (5.0, 2.0, 10.0, 37.95),
        (6.0, 4.0, 0.0, 49.1),
        (6.0, 4.0, 10.0, 55.84),
        (4.5, 0.9, 0.0, 5.83),
        (4.5, 0.9, 10.0, 6.52),
        (8.0, 1.5, 0.0, 7.80),
        (8.0, 1.5, 10.0, 8.08),
    ],
)
def test_brunel_rates(g, eta, v_reset, expected):
    threshold_rate = 1e3 * 20.0 / (0.1 * 1000 * 20.0)
    rate = analysis.brunel_rate(g=g, rate_ext=eta * threshold_rate * 1000, v_reset=v_reset)
    assert rate == pytest.approx(expected, rel=2e-3)


@given(st.floats(-40.0, 60.0), st.floats(1.0, 30.0), st.floats(0.1, 19.0))
@settings(max_examples=60, deadline=None)
def test_siegert_equals_plain_quadrature_where_that_works(mu, sigma, v_reset):
    low, high = (v_reset - mu) / sigma, (20.0 - mu) / sigma
    assume(high < 20.0 and low > -20.0)  # beyond, the plain integrand leaves the range of floating point
    u = low + (NODES + 1) * (high - low) / 2
    integrand = [math.exp(x * x) * math.erfc(-x) for x in u]
    integral = float(np.dot(WEIGHTS, integrand)) * (high - low) / 2
    expected = 1e3 / (2.0 + 20.0 * math.sqrt(math.pi) * integral)
    assert analysis.siegert(mu, sigma, 20.0, 20.0, v_reset, 2.0) == pytest.approx(expected, rel=1e-7)


def test_siegert_limits():
    noiseless = 1e3 / (2.0 + 20.0 * math.log(30.0 / 10.0))
    assert analysis.siegert(30.0, 0.0, 20.0, 20.0, 0.0, 2.0) == pytest.approx(noiseless, rel=1e-14)
    assert analysis.siegert(30.0, 1e-9, 20.0, 20.0, 0.0, 2.0) == pytest.approx(noiseless, rel=1e-9)
    assert analysis.siegert(20.0, 0.0, 20.0, 20.0, 0.0) == 0.0
    assert analysis.siegert(-1e6, 1.0, 20.0, 20.0, 0.0) == 0.0
    rising = analysis.siegert(np.linspace(-10.0, 60.0, 50), 5.0, 20.0, 20.0, 0.0, 2.0)
    assert rising.shape == (50,)
    assert (np.diff(rising) > 0).all()


def test_brunel_rate_without_drive_is_0_and_the_lowest_of_several():
    assert analysis.brunel_rate(rate_ext=0.0) == 0.0
    assert analysis.brunel_rate(g=3.0, rate_ext=5000.0, v_reset=10.0) < 1.0
    assert analysis.brunel_rate(g=3.0, rate_ext=20_000.0, v_reset=10.0) == pytest.approx(327.0, rel=1e-3)
    assert analysis.brunel_rate(c_e=0, c_i=0, rate_ext=20_000.0) == pytest.approx(
        analysis.siegert(40.0, math.sqrt(4.0), 20.0, 20.0, 0.0, 2.0)
    )


# --- bad input ----------------------------------------------------------------------------------------------------

ONE = Spikes([1.0, 2.0, 5.0], [0, 0, 1], 2, 10.0)
BAD = {
    "not spikes": (lambda: analysis.rates([1.0, 2.0]), "must get Spikes"),
    "a batch": (lambda: analysis.mean_rate((ONE, ONE)), "take one stimulus"),
    "no element": (lambda: analysis.cv_isi(Spikes.empty(0, 10.0)), "at least one element"),
    "empty window": (lambda: analysis.mean_rate(Spikes.empty(2, 5.0, 5.0)), "window longer than 0 ms"),
    "one interval": (lambda: analysis.cv_isi(ONE, 1), "min_isi: must be >= 2"),
    "one fano window": (lambda: analysis.fano(ONE, 8.0), "at least 2 must fit"),
    "bin 0": (lambda: analysis.psth(ONE, 0.0), "psth.bin: must be > 0 ms"),
    "bin too wide": (lambda: analysis.psth(ONE, 20.0), "must fit into the window"),
    "sigma NaN": (lambda: analysis.psth(ONE, 1.0, math.nan), "psth.sigma"),
    "segment too long": (lambda: analysis.spectrum(ONE, 1.0, 50.0), "spectrum.segment"),
    "no pairs": (lambda: analysis.count_correlations(ONE, 1.0, 0), "pairs: must be >= 1"),
    "lag below bin": (lambda: analysis.cross_correlogram([1.0], [2.0], 0.4, 1.0), "max_lag: must be >= bin"),
    "NaN time": (lambda: analysis.van_rossum([1.0, math.nan], [2.0], 1.0), r"nan \(spike 1\)"),
    "no times": (lambda: analysis.van_rossum("abc", [2.0], 1.0), "must be spike times"),
    "two axes": (lambda: analysis.van_rossum([[1.0]], [2.0], 1.0), "vector of spike times"),
    "tau negative": (lambda: analysis.van_rossum([1.0], [2.0], -1.0), "van_rossum.tau: must be > 0 ms"),
    "q negative": (lambda: analysis.victor_purpura([1.0], [2.0], -0.1), "q: must be >= 0 1/ms"),
    "sizes differ": (lambda: analysis.van_rossum(ONE, Spikes.empty(3, 10.0), 1.0), "as many elements, got 2 and 3"),
    "windows differ": (lambda: analysis.van_rossum(ONE, Spikes.empty(2, 11.0), 1.0), "same window"),
    "array and Spikes": (lambda: analysis.van_rossum(ONE, [1.0], 1.0), "one of each"),
    "no window": (lambda: analysis.spike_distance([1.0], [2.0]), "need a window"),
    "two windows": (lambda: analysis.spike_distance(ONE, ONE, (0.0, 1.0)), "bring their own"),
    "window reversed": (lambda: analysis.spike_distance([1.0], [2.0], (5.0, 0.0)), "t_stop > t_start"),
    "spike outside": (lambda: analysis.spike_distance([1.0], [9.0], (0.0, 5.0)), "got 9 ms"),
    "one train": (lambda: analysis.spike_distance_multi([[1.0]], (0.0, 5.0)), "at least two trains"),
    "reset above": (lambda: analysis.siegert(1.0, 1.0, 20.0, 20.0, 30.0), "must be below v_th"),
    "sigma negative": (lambda: analysis.siegert(1.0, -1.0, 20.0, 20.0, 0.0), "siegert.sigma"),
    "lengths differ": (lambda: analysis.siegert([1.0, 2.0], [1.0] * 3, 20.0, 20.0, 0.0), "as long as mu"),
    "jump 0": (lambda: analysis.brunel_rate(j=0.0), "brunel_rate.j"),
    "no ceiling": (lambda: analysis.brunel_rate(g=0.0, t_ref=0.0), "give t_ref > 0 ms"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_says_what_is_wrong(case):
    call, message = BAD[case]
    with pytest.raises(ParameterError, match=message):
        call()

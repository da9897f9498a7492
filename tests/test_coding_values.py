"""Codes of values: bounds, ranges, independence of the batch, and the laws each code promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spikesim import analysis, coding
from spikesim.errors import ParameterError
from spikesim.spikes import Spikes

VALUE_CODES = {name: made for name, made in coding.codes().items() if issubclass(made[0], coding.ValueCode)}
UNIT = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


def scaled(code, unit):
    """Numbers in 0 … 1 stretched over the domain of `code`."""
    low, high = code.domain
    return low + (high - low) * np.array(unit)


def variants(name):
    """The code in continuous time where it has one, and on the laboratory's time step."""
    kind, given_ = VALUE_CODES[name]
    made = [kind.within(steps, **given_) for steps in (4, 8, 16, 31)]
    return made if kind.stepped else [coding.make(name), *made]


@pytest.fixture(params=VALUE_CODES)
def name(request):
    """Each code in turn."""
    return request.param


# ---------------------------------------------------------------- what all codes promise


@given(st.sampled_from(list(VALUE_CODES)), UNIT, st.integers(0, 3))
@settings(max_examples=300)
def test_decoding_stays_within_the_stated_bound(name, unit, which):
    code = variants(name)[which % len(variants(name))]
    x = scaled(code, unit)
    spikes = code.encode(x, seed=3)
    assert spikes.n == code.size(x.size) and code.values(spikes.n) == x.size
    assert spikes.t_stop == code.duration
    assert np.all((spikes.times >= 0) & (spikes.times < code.duration))
    found = code.decode(spikes)
    assert found.shape == x.shape and np.isfinite(found).all()
    if code.bound is not None:
        assert np.abs(found - x).max() <= code.bound + 1e-9


def test_on_a_time_step_spikes_lie_on_it_and_dense_arrays_bring_them_back(name, rng):
    kind, given_ = VALUE_CODES[name]
    code = kind.within(16, **given_)
    spikes = code.encode(scaled(code, rng.random(20)))
    assert np.allclose(spikes.times, np.round(spikes.times))
    assert Spikes.from_dense(spikes.to_dense(1.0), 1.0) == spikes


def test_a_sample_has_the_same_spikes_alone_and_in_any_batch(name, rng):
    code = coding.make(name)
    x = scaled(code, rng.random((7, 11)))
    batch = code.encode_batch(x, seed=5)
    assert batch == [code.encode(row, seed=5, sample=k) for k, row in enumerate(x)]
    assert batch[3:] == code.encode_batch(x[3:], seed=5, first=3)
    other = code.encode_batch(x, seed=6)
    assert (other != batch) == code.random


def test_more_values_do_not_change_the_spikes_of_the_first(name, rng):
    if name in ("rank-order", "k-winners", "reference"):
        pytest.skip("what others are is the code")
    code = coding.make(name)
    x = scaled(code, rng.random(9))
    few = code.size(5)
    assert code.encode(x).select(range(few)) == code.encode(x[:5])


def test_wrong_values_are_refused_by_name(name):
    code = coding.make(name)
    owner = type(code).__name__
    low, high = code.domain
    with pytest.raises(ParameterError, match=rf"{owner}\.encode: must be finite numbers, got nan at \[0, 1\]"):
        code.encode([low, np.nan])
    with pytest.raises(ParameterError, match=rf"{owner}\.encode: values must lie in .*value 1.*clip"):
        code.encode([low, high + 0.5])
    with pytest.raises(ParameterError, match="at least one value"):
        code.encode([])
    with pytest.raises(ParameterError, match="array of numbers"):
        code.encode(["a"])
    with pytest.raises(ParameterError, match=rf"{owner}\.duration: must be > 0 ms, got 0"):
        code.changed(duration=0.0)
    with pytest.raises(ParameterError, match="out_of_range"):
        code.changed(out_of_range="ignore")
    with pytest.raises(ParameterError, match="parameter of"):
        code.changed(durations=1.0)
    clipping = code.changed(out_of_range="clip")
    assert clipping.encode([low - 1, high + 1]) == code.encode([low, high])
    with pytest.raises(ParameterError, match=r"spikes must last"):
        code.decode(Spikes.empty(code.size(2), code.duration * 2))
    with pytest.raises(ParameterError, match="must be Spikes"):
        code.decode([1.0])


def test_unknown_code_lists_the_known():
    with pytest.raises(ParameterError, match=r"unknown code 'poison' \(did you mean 'poisson'\?\).*rank-order"):
        coding.make("poison")


def test_dt_must_divide_the_duration():
    with pytest.raises(ParameterError, match=r"Regular\.dt: must divide the duration"):
        coding.make("regular", duration=10.0, dt=3.0)
    with pytest.raises(ParameterError, match=r"Bernoulli\.dt: must be > 0 ms"):
        coding.make("bernoulli", dt=0.0)


# ---------------------------------------------------------------- rate codes


@given(st.floats(0.0, 1.0), st.integers(1, 60))
def test_regular_trains_have_equal_intervals_and_an_error_of_half_a_spike(x, n):
    code = coding.make("regular", duration=50.0, rate_max=n * 20.0)
    spikes = code.encode([x])
    gaps = np.diff(spikes.times)
    assert np.allclose(gaps, gaps[0]) if len(gaps) else True
    assert abs(code.decode(spikes)[0] - x) <= 0.5 / n + 1e-12


def test_count_error_falls_as_1_over_n_and_1_over_the_root_of_n(rng):
    x = rng.uniform(0.2, 0.8, 4000)
    slopes = {}
    for name in ("regular", "poisson"):
        sizes = np.array([16, 64, 256])
        errors = []
        for n in sizes:
            code = coding.make(name, duration=100.0, rate_max=n * 10.0)
            errors.append(np.sqrt(np.mean((code.decode(code.encode(x)) - x) ** 2)))
        slopes[name] = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert slopes["regular"] == pytest.approx(-1.0, abs=0.05)
    assert slopes["poisson"] == pytest.approx(-0.5, abs=0.05)


def test_poisson_intervals_are_exponential_and_counts_poisson():
    code = coding.make("poisson", duration=2000.0, rate_max=100.0)
    spikes = code.encode(np.full(400, 0.5), seed=1)
    intervals = np.concatenate(analysis.isi(spikes))
    assert stats.kstest(intervals, "expon", args=(0, 20.0)).pvalue > 0.01
    assert stats.kstest(spikes.times, "uniform", args=(0, 2000.0)).pvalue > 0.01
    counts = spikes.counts()
    assert counts.mean() == pytest.approx(100.0, abs=4 * 10 / 20)
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / 400))


@pytest.mark.parametrize("order", [1, 3, 8])
def test_gamma_intervals_and_stationarity(order):
    code = coding.make("gamma", duration=2000.0, rate_max=100.0, order=order)
    spikes = code.encode(np.full(400, 0.5), seed=2)
    intervals = np.concatenate(analysis.isi(spikes))
    # long intervals are less likely to fit the window: compare where that does not matter
    assert intervals.std() / intervals.mean() == pytest.approx(1 / np.sqrt(order), rel=0.04)
    assert stats.kstest(spikes.times, "uniform", args=(0, 2000.0)).pvalue > 0.01
    assert spikes.counts().mean() == pytest.approx(100.0, abs=4 * 10 / 20)


def test_bernoulli_counts_are_binomial(rng):
    code = coding.make("bernoulli", duration=50.0, rate_max=1000.0)
    counts = code.encode(np.full(4000, 0.3), seed=4).counts()
    assert counts.mean() == pytest.approx(15.0, abs=4 * np.sqrt(50 * 0.21 / 4000))
    assert counts.var() == pytest.approx(50 * 0.21, rel=0.1)
    assert code.encode([0.0, 1.0]).counts().tolist() == [0, 50]


def test_rates_above_one_per_step_are_refused():
    with pytest.raises(ParameterError, match=r"Bernoulli\.rate_max: must be at most one spike per step \(1000 Hz"):
        coding.make("bernoulli", rate_max=1001.0)


def test_window_and_trace_read_a_regular_rate():
    code = coding.make("regular", duration=1000.0, rate_max=500.0)
    spikes = code.encode([0.0, 0.4, 1.0])
    times, values = code.from_window(spikes, width=100.0, every=50.0)
    assert times[0] == 100.0 and times[-1] == 1000.0
    assert np.abs(values - [0.0, 0.4, 1.0]).max() <= 1 / 50 + 1e-9
    read = code.from_trace(spikes, tau=50.0, times=[600.0, 999.0])
    assert read == pytest.approx(np.array([[0.0, 0.4, 1.0]] * 2), abs=0.06)
    with pytest.raises(ParameterError, match="width"):
        code.from_window(spikes, width=2000.0, every=1.0)


def test_trace_of_a_poisson_train_has_the_stated_variance():
    code = coding.make("poisson", duration=400.0, rate_max=100.0)
    read = code.from_trace(code.encode(np.ones(4000), seed=3), tau=20.0, times=[390.0])[0]
    assert read.mean() == pytest.approx(1.0, abs=4 * 0.5 / np.sqrt(4000))
    assert read.var() == pytest.approx(1 / (2 * 0.1 * 20.0), rel=0.1)


# ---------------------------------------------------------------- binary codes


@given(st.lists(st.integers(0, 255), min_size=1, max_size=20))
def test_binary_words_are_exact(words):
    code = coding.make("words", bits=8)
    assert (code.decode(code.encode((np.array(words) + 0.5) / 256)) * 256 - 0.5).round(9).tolist() == words
    assert code.encode([0.0, 1.0]).counts().tolist() == [0, 8]


@given(st.lists(st.integers(0, 255), min_size=1, max_size=20), st.integers(1, 3))
def test_weighted_phase_is_exact_on_its_grid(words, periods):
    code = coding.make("weighted-phase", bits=8, periods=periods, duration=48.0)
    x = np.array(words) / 256
    assert code.decode(code.encode(x)).tolist() == x.tolist()


def test_all_or_none_and_sign():
    code = coding.make("all-or-none", threshold=0.4, count=3)
    spikes = code.encode([0.0, 0.39, 0.4, 1.0])
    assert spikes.counts().tolist() == [0, 0, 3, 3] and code.decode(spikes).tolist() == [0, 0, 1, 1]
    code = coding.make("sign", dead=0.1)
    assert code.encode([-1.0, -0.1, 0.0, 0.2]).ids.tolist() == [1, 6]
    assert code.decode(code.encode([-1.0, -0.1, 0.0, 0.2])).tolist() == [-1, 0, 0, 1]


# ---------------------------------------------------------------- latency and order


@pytest.mark.parametrize("curve", ["linear", "log", "exp", "power"])
def test_larger_values_fire_earlier_and_zero_is_silent(curve, rng):
    code = coding.make("first-spike", curve=curve, threshold=0.01)
    x = np.sort(rng.uniform(0.02, 1.0, 50))
    spikes = code.encode(x)
    assert np.all(np.diff(spikes.times[np.argsort(spikes.ids)]) < 0)
    assert code.encode([0.0, 0.01]).counts().tolist() == [0, 0]
    assert code.encode([1.0]).times.tolist() == [0.0]
    assert code.decode(spikes) == pytest.approx(x, abs=1e-9)


def test_first_spike_ignores_later_ones():
    code = coding.make("first-spike", duration=10.0)
    late = Spikes([2.0, 5.0, 9.0], [0, 0, 0], 1, 10.0)
    assert code.decode(late).tolist() == [0.8]


@given(st.lists(st.just(0.0) | st.floats(0.05, 1.0), min_size=2, max_size=30), st.floats(0.2, 5.0))
def test_rank_order_is_invariant_to_monotone_contrast(values, gamma):
    x = np.round(np.array(values), 3)  # rounding: powers keep numbers apart that were apart
    code = coding.make("rank-order")
    assert code.encode(x) == code.encode(x**gamma)


def test_rank_order_reads_powers_of_the_modulation():
    code = coding.make("rank-order", modulation=0.5)
    assert code.decode(code.encode([0.2, 0.9, 0.0, 0.4])).tolist() == [0.25, 1.0, 0.0, 0.5]
    together = Spikes([1.0, 1.0, 2.0], [0, 1, 2], 3, code.duration)
    assert code.decode(together) == pytest.approx([0.5**0.5, 0.5**0.5, 0.25])


def test_k_winners():
    code = coding.make("k-winners", share=0.5)
    assert code.encode([0.1, 0.9, 0.0, 0.5]).ids.tolist() == [1, 3]
    assert code.encode([0.0, 0.0, 0.0, 0.5]).ids.tolist() == [3]


# ---------------------------------------------------------------- phase and bursts


@given(UNIT, st.integers(1, 5))
def test_phase_is_exact_and_survives_a_missing_cycle(unit, cycles):
    code = coding.make("phase", duration=10.0 * cycles, period=10.0)
    spikes = code.encode(unit)
    assert spikes.counts().tolist() == [cycles * (x > 1e-12) for x in unit]
    assert code.decode(spikes) == pytest.approx(unit, abs=1e-9)
    if cycles > 1:
        kept = spikes.window(10.0, code.duration)
        rest = Spikes(kept.times, kept.ids, kept.n, code.duration)
        assert code.decode(rest) == pytest.approx(unit, abs=1e-9)


def test_phase_needs_whole_cycles():
    with pytest.raises(ParameterError, match=r"Phase\.period: a whole number of cycles"):
        coding.make("phase", duration=25.0, period=10.0)


def test_burst_by_the_definition():
    code = coding.make("burst", spikes_max=5, isi_min=2, isi_max=10, duration=50.0)
    for x, count, isi in ((1.0, 5, 2), (0.5, 3, 6), (0.1, 1, None), (0.75, 4, 4), (0.0, 0, None)):
        train = code.encode([x]).times
        assert len(train) == count
        if isi:
            assert np.diff(train).tolist() == [isi] * (count - 1)
    with pytest.raises(ParameterError, match=r"Burst\.duration: must exceed the longest burst"):
        code.changed(duration=10.0)


# ---------------------------------------------------------------- reference, patterns, populations, currents


@given(UNIT, st.floats(0.0, 3.0))
def test_only_differences_to_the_reference_count(unit, late):
    code = coding.make("reference", duration=20.0, margin=5.0, onset=1.0)
    spikes = code.encode(unit)
    moved = Spikes(spikes.times + late, spikes.ids, spikes.n, 20.0)
    assert code.decode(moved) == pytest.approx(unit, abs=1e-9)
    lost = Spikes(spikes.times[spikes.ids < len(unit)], spikes.ids[spikes.ids < len(unit)], spikes.n, 20.0)
    assert not code.decode(lost).any()


def test_patterns_survive_a_lost_and_a_jittered_spike(rng):
    code = coding.make("pattern", levels=8, group=6, duration=20.0)
    x = (np.arange(1, 8) + 0.5) / 8
    spikes = code.encode(x)
    assert spikes.counts().tolist() == [1] * 42
    keep = np.ones(len(spikes), bool)
    keep[[np.flatnonzero(spikes.ids == 6 * k)[0] for k in range(7)]] = False
    times = np.clip(spikes.times[keep] + rng.normal(0, 0.3, keep.sum()), 0, 20)
    assert code.decode(Spikes(times, spikes.ids[keep], 42, 20.0)).tolist() == x.tolist()
    with pytest.raises(ParameterError, match=r"Pattern\.levels: must be at most a quarter of the 4 patterns"):
        coding.make("pattern", levels=4, group=1, duration=4.0, dt=1.0)


def test_gaussian_fields_by_the_definition():
    code = coding.make("gaussian-fields", fields=6, duration=10.0)
    assert code.centres == pytest.approx([-0.125, 0.125, 0.375, 0.625, 0.875, 1.125])
    assert code.sigma == pytest.approx(1 / 6)
    spikes = code.encode([0.375])
    fired = dict(zip(spikes.ids.tolist(), spikes.times.tolist(), strict=True))
    assert fired[2] == 0.0 and fired[1] == pytest.approx(10 * (1 - np.exp(-0.5 * 1.5**2)))
    assert sorted(fired) == [1, 2, 3]
    with pytest.raises(ParameterError, match=r"GaussianFields\.beta: two fields must reach the cutoff"):
        coding.make("gaussian-fields", beta=3.0)


@given(st.lists(st.floats(0.0, 6.2831), min_size=1, max_size=10))
def test_von_mises_reads_angles_exactly(angles):
    code = coding.make("von-mises")
    error = code.decode(code.encode(angles)) - np.array(angles)
    assert np.abs(np.angle(np.exp(1j * error))).max() < 1e-6
    assert code.encode([0.0]) == code.encode([2 * np.pi])


def test_learned_fields_lie_where_the_data_lie(rng):
    from spikesim.coding.learned_fields import LearnedFields

    data = np.concatenate([rng.normal(0.2, 0.02, 900), rng.uniform(0, 1, 100)]).clip(0, 1)
    code = LearnedFields.fit(data, 8)
    assert np.sum(np.abs(np.array(code.centres) - 0.2) < 0.1) >= 3
    assert np.abs(code.decode(code.encode(data[:200])) - data[:200]).max() < 2e-3
    assert LearnedFields.fit([0.0, 1.0, 1.0], 5).centres == (0.0, 1.0)
    with pytest.raises(ParameterError, match="two different values"):
        LearnedFields.fit([0.5, 0.5])


def test_current_fires_as_the_event_engine_does():
    import spikesim as ss

    code = coding.make("current", duration=50.0, gain=3.0, tau_m=10.0, t_ref=2.0)
    x = np.array([0.2, 0.4, 0.7, 1.0])
    neuron = ss.Neuron(
        ss.LIF(tau_m=10.0, c_m=10.0, v_rest=0.0), ss.Delta(), ss.FixedThreshold(1.0), ss.ResetTo(0.0), t_ref=2.0
    )
    out = ss.Population("out", 4, neuron, inputs=ss.Current(3.0 * x))  # g_l = 1 nS: pA are mV
    result = ss.simulate(ss.Network([out], []), 50.0)
    expected, found = result.spikes["out"], code.encode(x)
    assert found.ids.tolist() == expected.ids.tolist()
    assert found.times == pytest.approx(expected.times, abs=1e-9)


def test_rate_neurons_give_the_rate_their_spikes_have():
    x = np.array([0.0, 0.2, 0.4, 0.7, 1.0])
    for code in (
        coding.make("regular", duration=10_000.0),
        coding.make("current", duration=10_000.0, t_ref=2.0, gain=3.0),
    ):
        assert code.rates(x) == pytest.approx(code.encode(x).counts() / 10.0, abs=0.1)
    assert coding.make("current", gain=3.0).rates([0.33, 0.34])[0] == 0.0


def test_bits_of_output_trains():
    spikes = Spikes([0.0, 4.9, 5.0, 12.0, 14.0, 21.0], [0, 1, 0, 1, 1, 0], 2, 22.0)
    assert coding.read_bits(spikes, 5.0).tolist() == [[1, 1], [1, 0], [0, 1], [0, 0]]
    assert coding.read_bits(spikes, 5.0, at_least=2).sum() == 1
    with pytest.raises(ParameterError, match=r"read_bits\.window: must be <= the duration"):
        coding.read_bits(spikes, 30.0)


def test_weighted_spikes_sum_to_the_value():
    for name in ("weighted-phase", "spikingjelly-weighted-phase"):
        code = VALUE_CODES[name][0].within(8)
        x = np.array([0.0, 3 / 256, 0.5, 255 / 256])
        assert code.strengths @ code.encode(x).to_dense(1.0) / 2 == pytest.approx(x)
    assert coding.make("words").strengths is None

"""Codes of signals: what is read back, against the definitions step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikesim import coding
from spikesim.errors import ParameterError
from spikesim.spikes import Spikes

SIGNAL_CODES = {name: made for name, made in coding.codes().items() if issubclass(made[0], coding.SignalCode)}
DELTA = ("send-on-delta", "step-forward", "moving-window", "threshold-based")
SERIES = arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=st.floats(0.0, 1.0))


def slow(steps: int = 400) -> np.ndarray:
    """Two slow waves in 0.1 … 0.9 that start at 0.5."""
    t = np.arange(steps) / steps
    return np.column_stack([0.5 + 0.4 * np.sin(4 * np.pi * t), 0.5 - 0.3 * np.sin(10 * np.pi * t)])


@pytest.fixture(params=SIGNAL_CODES)
def name(request):
    """Each code in turn."""
    return request.param


def test_spikes_lie_inside_and_batches_are_samples(name, rng):
    code = coding.make(name)
    x = rng.random((5, 60, 3))
    batch = code.encode_batch(x)
    assert batch == [code.encode(row) for row in x]
    assert all(s.n == code.size(3) and s.t_stop == 60.0 for s in batch)
    assert all(np.all((s.times >= 0) & (s.times < 60.0)) for s in batch)
    assert code.decode(batch[0]).shape == (60, 3)
    assert code.encode(x[0, :, 0]) == code.encode(x[0, :, :1])


def test_slow_waves_are_read_back(name):
    x = slow()
    limits = {
        "moving-window": 0.35,
        "threshold-based": 0.5,
        "bens-spiker": 0.08,
        "pulse-width": 0.06,
        "snntorch-delta": 0.5,
    }
    code = coding.make(name)
    if name in DELTA:
        code = code.changed(threshold=0.02 if name in DELTA[:2] else 0.005, start=0.5)
    error = code.decode(code.encode(x)) - x
    assert np.sqrt(np.mean(error[20:-20] ** 2)) < limits.get(name, 0.05)


def test_the_sampling_interval_only_stretches_time(name):
    x = slow(100)
    one, two = coding.make(name).changed(dt=1.0), coding.make(name).changed(dt=2.0)
    if name == "integrate-and-fire":
        two = two.changed(rate_max=500.0)
    a, b = one.encode(x), two.encode(x)
    assert a.ids.tolist() == b.ids.tolist() and a.times * 2 == pytest.approx(b.times)
    assert one.decode(a) == pytest.approx(two.decode(b))


def test_wrong_signals_are_refused(name):
    code = coding.make(name)
    owner = type(code).__name__
    with pytest.raises(ParameterError, match=rf"{owner}\.encode: must be finite"):
        code.encode([0.1, np.nan])
    with pytest.raises(ParameterError, match="at least one sample"):
        code.encode([])
    with pytest.raises(ParameterError, match=r"shape \(steps,\) or \(steps, channels\)"):
        code.encode(np.zeros((2, 2, 2)))
    with pytest.raises(ParameterError, match=rf"{owner}\.dt: must be > 0 ms"):
        code.changed(dt=0.0)
    if np.isfinite(code.domain[1]):
        with pytest.raises(ParameterError, match=r"samples must lie in \[0, 1\], got 1.5 \(step 1\)"):
            code.encode([0.0, 1.5] + [0.0] * 20)
        clipped = code.changed(out_of_range="clip")
        assert clipped.encode([0.0, 1.5] + [0.0] * 20) == code.encode([0.0, 1.0] + [0.0] * 20)
    if code.neurons == 2:
        with pytest.raises(ParameterError, match="multiple of 2 neurons"):
            code.decode(Spikes.empty(3, 10.0))


@given(SERIES, st.floats(0.01, 2.0), st.floats(-1.0, 1.0))
def test_send_on_delta_error_is_below_the_threshold(x, threshold, start):
    code = coding.make("send-on-delta", threshold=threshold, start=start)
    assert np.abs(code.decode(code.encode(x)) - x).max() < threshold * (1 + 1e-9)


@given(SERIES, st.floats(0.01, 1.0))
def test_delta_codes_follow_their_definitions(x, threshold):
    column = x[:, 0]
    made = {name: coding.make(name, threshold=threshold) for name in DELTA}
    signs = {name: code.encode(column) for name, code in made.items()}
    base, expected = 0.0, {name: [] for name in DELTA[1:]}
    for s, value in enumerate(column):
        move = int(value / threshold > base + 1) - int(value / threshold < base - 1)
        base += move
        expected["step-forward"].append(move)
        mean = np.mean(np.concatenate([np.zeros(4), column])[s : s + 4])
        expected["moving-window"].append(int(value - mean > threshold) - int(value - mean < -threshold))
        change = value - (column[s - 1] if s else 0.0)
        expected["threshold-based"].append(int(change > threshold) - int(change < -threshold))
    for name, moves in expected.items():
        dense = signs[name].to_dense(1.0)
        assert (dense[:, 0] - dense[:, 1]).tolist() == moves


def test_threshold_from_data():
    from spikesim.coding.threshold_based import ThresholdBased

    x = np.array([[0.0], [0.2], [0.2], [0.8]])
    change = np.array([0.2, 0.0, 0.6])
    assert ThresholdBased.fit(x, factor=0.5).threshold == pytest.approx(change.mean() + 0.5 * change.std())
    with pytest.raises(ParameterError, match="do not change"):
        ThresholdBased.fit(np.ones((5, 2)))


@given(SERIES)
def test_integrate_and_fire_counts_the_integral(x):
    code = coding.make("integrate-and-fire", rate_max=700.0)
    spikes = code.encode(x)
    assert spikes.counts().tolist() == np.floor(0.7 * x.sum(axis=0) + 1e-9).astype(int).tolist()
    for c, train in enumerate(spikes.trains()):
        steps = train.astype(int).clip(0, len(x) - 1)
        integral = 0.7 * (np.concatenate([[0.0], np.cumsum(x[:, c])])[steps] + (train - steps) * x[steps, c])
        assert integral == pytest.approx(np.arange(1, len(train) + 1), abs=1e-6)


def test_bens_spiker_against_a_direct_computation(rng):
    x = rng.random(50)
    code = coding.make("bens-spiker", taps=5, threshold=0.3)
    residual, expected = np.concatenate([x, np.zeros(5)]), []
    for s in range(50):
        ahead = residual[s : s + 5]
        spike = np.abs(ahead - code.filter).sum() <= np.abs(ahead).sum() - 0.3 + 1e-12
        expected.append(int(spike))
        residual[s : s + 5] -= spike * code.filter
    found = code.encode(x)
    assert found.to_dense(1.0)[:, 0].tolist() == expected
    assert code.decode(found)[:, 0] == pytest.approx(np.convolve(expected, code.filter)[:50])
    assert code.filter.sum() == pytest.approx(1.0)
    assert len(code.encode(np.zeros(30))) == 0


@given(st.floats(0.0, 1.0))
def test_pulse_width_of_a_constant_is_exact(value):
    code = coding.make("pulse-width", samples=10)
    spikes = code.encode(np.full(40, value))
    assert len(spikes) == (8 if value > 0 else 0)
    assert np.abs(code.decode(spikes) - value).max() < 1e-9


def test_frames_are_presentations_one_after_the_other(rng):
    code = coding.make("poisson", duration=10.0)
    x = rng.random((4, 3))
    spikes = coding.encode_frames(code, x, seed=2, sample=5)
    assert spikes.t_stop == 40.0
    part = spikes.window(20.0, 30.0).shift(-20.0)
    alone = code.encode(x[2], seed=2, sample=5 * 4 + 2)
    assert part.ids.tolist() == alone.ids.tolist() and part.times == pytest.approx(alone.times)
    exact = coding.make("phase", duration=10.0)
    assert coding.decode_frames(exact, coding.encode_frames(exact, x)) == pytest.approx(x)
    with pytest.raises(ParameterError, match="whole number of presentations"):
        coding.decode_frames(exact, Spikes.empty(3, 15.0))


def test_hold_reaches_each_frame_at_its_last_sample(rng):
    x = rng.random((2, 5, 3))
    long = coding.hold(x, 4)
    assert long.shape == (2, 20, 3)
    assert long[:, 3::4] == pytest.approx(x)
    assert long[:, :4] == pytest.approx(x[:, :1] * np.arange(1, 5)[:, None] / 4)

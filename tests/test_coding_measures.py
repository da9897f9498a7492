"""Error, information and faults."""

from __future__ import annotations

import numpy as np
import pytest

from spikesim import coding
from spikesim.coding import measures, perturb
from spikesim.errors import ParameterError
from spikesim.spikes import Spikes


def test_error_and_signal_to_noise():
    x, y = np.array([1.0, -1.0, 2.0, 0.0]), np.array([1.0, -1.0, 2.0, 0.5])
    assert measures.rmse(x, y) == pytest.approx(0.25)
    assert measures.snr_db(x, y) == pytest.approx(10 * np.log10(6 / 0.25))
    assert measures.snr_db(x, x) == np.inf
    for function in (measures.rmse, measures.snr_db, measures.mutual_information):
        with pytest.raises(ParameterError, match="same shape and not empty"):
            function([1.0], [1.0, 2.0])


def test_information_of_a_copy_is_the_entropy_and_of_chance_nothing(rng):
    x = rng.integers(0, 8, 20_000) / 8
    assert measures.mutual_information(x, x) == pytest.approx(3.0, abs=0.01)
    assert measures.mutual_information(x, 1 - x) == pytest.approx(3.0, abs=0.01)
    assert measures.mutual_information(x, x >= 0.5) == pytest.approx(1.0, abs=0.01)
    few = rng.random((2, 300))
    assert measures.mutual_information(*few, bins=16) < 0.1  # the plug-in estimate alone gives about 0.5
    assert measures.mutual_information(x, np.zeros_like(x)) == 0.0


def test_information_of_a_noisy_bit(rng):
    x = rng.integers(0, 2, 50_000)
    y = x ^ (rng.random(50_000) < 0.11)
    h = -0.11 * np.log2(0.11) - 0.89 * np.log2(0.89)
    assert measures.mutual_information(x, y) == pytest.approx(1 - h, abs=0.01)


@pytest.fixture
def spikes(rng):
    """Five thousand spikes of 50 neurons."""
    return Spikes(rng.uniform(0, 100, 5000), rng.integers(0, 50, 5000), 50, 100.0)


def test_faults(spikes):
    moved = perturb.jitter(spikes, 2.0, seed=1)
    assert len(moved) == 5000 and np.array_equal(moved.counts(), spikes.counts())
    one = perturb.jitter(Spikes(np.full(5000, 50.0), np.zeros(5000, int), 1, 100.0), 2.0)
    assert one.times.std() == pytest.approx(2.0, rel=0.05)
    assert len(perturb.delete(spikes, 0.3)) == pytest.approx(3500, abs=4 * np.sqrt(5000 * 0.21))
    more = perturb.insert(spikes, 0.2)
    assert len(more) == 6000 and set(spikes) <= set(more)
    quiet = perturb.silence(spikes, 0.2)
    assert np.count_nonzero(quiet.counts()) == 40
    pooled = perturb.silence(spikes, 0.2, size=10)
    assert np.count_nonzero(pooled.counts().reshape(5, 10).sum(axis=0)) == 8
    for fault, values in ((perturb.delete, (0.0, 1.0)), (perturb.silence, (0.0, 1.0))):
        assert fault(spikes, values[0]) == spikes and len(fault(spikes, values[1])) == 0
    assert perturb.jitter(spikes, 0.0) == spikes and perturb.insert(spikes, 0.0) == spikes
    assert perturb.jitter(spikes, 500.0).times.max() < 100.0


def test_faults_depend_on_the_seed_alone(spikes):
    for fault in (perturb.jitter, perturb.delete, perturb.insert, perturb.silence):
        assert fault(spikes, 0.5, seed=3) == fault(spikes, 0.5, seed=3) != fault(spikes, 0.5, seed=4)


def test_wrong_faults_are_refused(spikes):
    with pytest.raises(ParameterError, match=r"delete\.share: must be in \[0, 1\], got 1.5"):
        perturb.delete(spikes, 1.5)
    with pytest.raises(ParameterError, match=r"jitter\.sigma: must be >= 0 ms"):
        perturb.jitter(spikes, -1.0)
    with pytest.raises(ParameterError, match=r"silence\.size"):
        perturb.silence(spikes, 0.5, size=7)


def test_phase_bears_a_lost_spike_better_than_latency(rng):
    x = rng.random(400)
    errors = {}
    for name in ("first-spike", "phase"):
        code = coding.make(name, duration=40.0)
        errors[name] = measures.rmse(x, code.decode(perturb.delete(code.encode(x), 0.2)))
    assert errors["phase"] < 0.5 * errors["first-spike"]

"""Codes named after other libraries give the spikes of those libraries; where one is not installed that is said."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import pytest

from spikesim import coding
from spikesim.errors import ParameterError

torch = pytest.importorskip("torch", reason="torch is not installed: no library to compare with")
X = np.random.default_rng(8).random((3, 40)).astype(np.float32)


def library(name):
    """A module of another library, or a skip that says why."""
    root = name.partition(".")[0]
    if importlib.util.find_spec(root) is None:
        pytest.skip(f"{root} is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def dense(code, x=X):
    """Spikes (steps, samples, neurons) of a code."""
    return np.stack([s.to_dense(code.dt) for s in code.encode_batch(x)], axis=1)


# ---------------------------------------------------------------- snnTorch


def test_snntorch_rate():
    spikegen = library("snntorch.spikegen")
    code = coding.make("snntorch-rate", duration=400.0, gain=0.8, offset=0.1, first_spike_time=50)
    torch.manual_seed(1)
    theirs = spikegen.rate(torch.from_numpy(X), 400, gain=0.8, offset=0.1, first_spike_time=50).numpy()
    ours = dense(code)
    assert not ours[:50].any() and not theirs[:50].any()
    p = 0.8 * X + 0.1
    spread = 5 * np.sqrt(p * (1 - p) / 350)
    for found in (ours, theirs):
        assert np.all(np.abs(found[50:].mean(axis=0) - p) < spread + 1e-9)
    read = np.stack([code.decode(s) for s in code.encode_batch(X)])
    assert np.abs(read - X).max() < (spread / 0.8).max()


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("threshold", [0.01, 0.3])
def test_snntorch_latency(linear, clip, threshold):
    spikegen = library("snntorch.spikegen")
    settings = {"linear": linear, "clip": clip, "threshold": threshold}
    code = coding.make("snntorch-latency", duration=30.0, first_spike_time=2, **settings)
    for row in X:  # one call a sample: theirs depends on the batch
        theirs = spikegen.latency(torch.from_numpy(row), 30, normalize=True, first_spike_time=2, **settings).numpy()
        assert np.array_equal(code.encode(row).to_dense(1.0), theirs)
    plain = coding.make("snntorch-latency", duration=100.0, normalize=False, tau=5.0, **settings)
    theirs = spikegen.latency(torch.from_numpy(X), 100, tau=5, **settings).numpy()
    assert np.array_equal(dense(plain), theirs)


def test_snntorch_latency_beyond_the_last_step_is_refused():
    with pytest.raises(ParameterError, match=r"SnntorchLatency\.tau: a spike would lie at step"):
        coding.make("snntorch-latency", duration=10.0, normalize=False, tau=5.0).encode([0.0])


@pytest.mark.parametrize("padding", [True, False])
@pytest.mark.parametrize("off_spike", [True, False])
def test_snntorch_delta(padding, off_spike):
    spikegen = library("snntorch.spikegen")
    x = np.random.default_rng(2).random((50, 4)).astype(np.float32)
    code = coding.make("snntorch-delta", threshold=0.25, padding=padding, off_spike=off_spike)
    theirs = spikegen.delta(torch.from_numpy(x), threshold=0.25, padding=padding, off_spike=off_spike).numpy()
    ours = code.encode(x).to_dense(1.0)
    assert np.array_equal(ours[:, ::2] - ours[:, 1::2], theirs)


# ---------------------------------------------------------------- SpikingJelly


def test_spikingjelly_poisson():
    encoding = library("spikingjelly.activation_based.encoding")
    torch.manual_seed(1)
    encoder = encoding.PoissonEncoder()
    theirs = np.stack([encoder(torch.from_numpy(X)).numpy() for _ in range(400)])
    ours = dense(coding.make("spikingjelly-poisson", duration=400.0))
    spread = 5 * np.sqrt(X * (1 - X) / 400) + 1e-9
    assert np.all(np.abs(ours.mean(axis=0) - X) < spread) and np.all(np.abs(theirs.mean(axis=0) - X) < spread)


@pytest.mark.parametrize("curve", ["linear", "log"])
def test_spikingjelly_latency(curve):
    encoding = library("spikingjelly.activation_based.encoding")
    x = np.concatenate([X, np.zeros((1, 40), np.float32), np.ones((1, 40), np.float32)])
    encoder = encoding.LatencyEncoder(20, enc_function=curve)
    theirs = np.stack([encoder(torch.from_numpy(x)).numpy() for _ in range(20)])
    code = coding.make("spikingjelly-latency", curve=curve, duration=20.0)
    assert np.array_equal(dense(code, x), theirs)
    if curve == "linear":
        assert np.abs(np.stack([code.decode(s) for s in code.encode_batch(x)]) - x).max() <= code.bound + 1e-9


def test_spikingjelly_weighted_phase():
    encoding = library("spikingjelly.activation_based.encoding")
    encoder = encoding.WeightedPhaseEncoder(6)
    x = np.minimum(X, 1 - 2**-6)
    theirs = np.stack([encoder(torch.from_numpy(x)).numpy() for _ in range(6)])
    assert np.array_equal(dense(coding.make("spikingjelly-weighted-phase", duration=6.0), x), theirs)


def test_spikingjelly_population():
    encoding = library("spikingjelly.activation_based.encoding")
    encoder = encoding.PopSpikeEncoderDeterministic(40, 10, 16, (0.0, 1.0), 0.15)
    with torch.no_grad():
        theirs = encoder(torch.from_numpy(X)).numpy()
    assert np.array_equal(dense(coding.make("spikingjelly-population", duration=16.0)), theirs)


# ---------------------------------------------------------------- Norse


def test_norse_poisson():
    encode = library("norse.torch.functional.encode")
    torch.manual_seed(1)
    theirs = encode.poisson_encode(torch.from_numpy(X), 4000, f_max=300).numpy()
    ours = dense(coding.make("norse-poisson", duration=4000.0, rate_max=300.0))
    p = 0.3 * X
    spread = 5 * np.sqrt(p * (1 - p) / 4000) + 1e-9
    assert np.all(np.abs(ours.mean(axis=0) - p) < spread) and np.all(np.abs(theirs.mean(axis=0) - p) < spread)


@pytest.mark.parametrize("only_first", [True, False])
def test_norse_lif(only_first):
    encode = library("norse.torch.functional.encode")
    theirs = encode.spike_latency_lif_encode if only_first else encode.constant_current_lif_encode
    expected = theirs(4 * torch.from_numpy(X), 60).numpy()
    code = coding.make("norse-lif", duration=60.0, only_first=only_first)
    assert np.array_equal(dense(code), expected)
    read = np.stack([code.decode(s) for s in code.encode_batch(X)])
    assert np.abs(read - X)[X > 0.3].mean() < 0.03 + 0.02 * only_first

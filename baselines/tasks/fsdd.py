"""FSDD: spoken digits as log-mel spectra of 40 frames, official test part (recordings 0 to 4 of each)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Classification, Split, Task
from spikesim import datasets

FRAMES, MELS = 40, 24
_WINDOW, _HOP = 256, 128  # samples: 32 and 16 ms
_LOW, _HIGH = 100.0, 4000.0  # Hz


def load() -> Classification:
    """Spectra (k, 40, 24) in 0 … 1; recordings 5 to 9 of each digit and speaker validate."""
    data = datasets.load("fsdd")
    bank = mel_bank(data.sample_rate)
    pieces = zip(data.offsets[:-1], data.offsets[1:], strict=True)
    x = np.stack([spectrum(data.samples[a:b], bank) for a, b in pieces])
    test, validation = data.takes < 5, (data.takes >= 5) & (data.takes < 10)
    train = ~(test | validation)
    low, high = np.quantile(x[train], (0.01, 0.999))
    x = np.clip((x - low) / (high - low), 0, 1).astype(np.float32)
    parts = [Split(x[part], data.labels[part].astype(np.int64)) for part in (train, validation, test)]
    return Classification(parts[0], parts[1], parts[2], 10)


def mel_bank(rate: int) -> NDArray[np.float64]:
    """Triangular filters (24, 129), equally spaced in mel: 2595 log10(1 + f / 700)."""
    low, high = 2595 * np.log10(1 + np.array([_LOW, _HIGH]) / 700)
    edges = np.linspace(low, high, MELS + 2)
    hertz = 700 * (10 ** (edges / 2595) - 1)
    f = np.fft.rfftfreq(_WINDOW, 1 / rate)
    rise = (f - hertz[:-2, None]) / np.diff(hertz)[:-1, None]
    fall = (hertz[2:, None] - f) / np.diff(hertz)[1:, None]
    return np.maximum(0, np.minimum(rise, fall))


def spectrum(samples: NDArray[np.int16], bank: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-mel energies (40, 24) of the first 0.66 s, silence after the end; the recording scaled to its largest."""
    length = _HOP * (FRAMES - 1) + _WINDOW
    y = np.zeros(length)
    n = min(length, len(samples))
    y[:n] = samples[:n] / max(1, np.abs(samples.astype(int)).max())
    frames = np.lib.stride_tricks.sliding_window_view(y, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW))) ** 2
    return np.log10(power @ bank.T + 1e-4)


_DATA = datasets.describe("fsdd")
TASK = Task(
    name="fsdd",
    title="Free Spoken Digit Dataset",
    metric="accuracy",
    licence=_DATA.licence,
    source=_DATA.source,
    split="2,400 train, 300 validation (recordings 5 to 9), 300 test (recordings 0 to 4, the official part)",
    remedy="put fsdd.npz into $SPIKESIM_DATA/fsdd",
    available=lambda: datasets.available("fsdd"),
    load=load,
)

"""Sound: files, mel bands, a cochlea-like filter bank, and speech2spikes."""

from __future__ import annotations

import os
import warnings
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.coding._contract import as_floats
from spikesim.coding.step_forward import StepForward
from spikesim.errors import FileError, ParameterError
from spikesim.parameters import as_count, as_values
from spikesim.spikes import Spikes

Floats = NDArray[Any]


def read_wav(path: str | os.PathLike[str]) -> tuple[Floats, float]:
    """Samples in -1 … 1 and sampling rate in Hz of a mono WAV file.

    Raises
    ------
    FileError
        If the file is missing, no WAV file, cut short, empty, or has more than one channel.
    """
    from scipy.io import wavfile

    target = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rate, raw = wavfile.read(target)
    except FileNotFoundError:
        raise FileError(f"{target} does not exist") from None
    except wavfile.WavFileWarning as warning:
        raise FileError(f"{target}: is cut short or damaged ({warning})") from None
    except Exception as error:  # scipy raises many kinds for damaged headers
        raise FileError(f"{target}: is not a readable WAV file ({error})") from None
    if raw.ndim != 1:
        raise FileError(f"{target}: has {raw.shape[1]} channels; mix them to one first")
    if not raw.size:
        raise FileError(f"{target}: holds no samples")
    if raw.dtype.kind == "u":
        return raw / 128.0 - 1.0, float(rate)
    return (raw / float(-np.iinfo(raw.dtype).min) if raw.dtype.kind == "i" else raw.astype(float)), float(rate)


def log_mel(
    x: ArrayLike,
    rate: float,
    *,
    bands: int = 20,
    low: float = 20.0,
    high: float = 4000.0,
    window: int = 512,
    hop: int = 80,
    floor: float = 1e-6,
) -> Floats:
    """Logarithm of the power in mel bands over time.

    Power spectra of Hann windows, weighted with triangles evenly spaced on the mel scale ``2595 log10(1 + f / 700)``;
    ``ln(power + floor)``.

    Parameters
    ----------
    x : array_like (samples,)
        Sound.
    rate : float
        Sampling rate in Hz.
    bands : int
        Number of bands.
    low, high : float
        Lower edge of the first and upper edge of the last band in Hz; `high` is lowered to half the rate.
    window, hop : int
        Samples in a window (and Fourier transform), and from one window to the next.
    floor : float
        Added to the power.

    Returns
    -------
    ndarray (frames, bands)
        ``1 + samples // hop`` frames, centred on samples ``0, hop, 2 hop …``; the ends are reflected.
    """
    sound = _sound(x, rate, "log_mel")
    bands, window, hop = (as_count(v, f"log_mel.{n}") for v, n in ((bands, "bands"), (window, "window"), (hop, "hop")))
    high = min(high, rate / 2)
    if not 0 <= low < high:
        raise ParameterError(f"log_mel.low: must be in [0, high = {high:g} Hz), got {low:g}")
    half = min(window // 2, len(sound) - 1)
    padded = np.pad(np.pad(sound, half, mode="reflect"), window // 2 - half)
    starts = np.arange(1 + len(sound) // hop) * hop
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(padded, (0, window)), window)[starts]
    power = np.abs(np.fft.rfft(frames * np.hanning(window + 1)[:-1], axis=1)) ** 2
    return np.log(power @ _triangles(bands, low, high, window, rate) + floor)


def _triangles(bands: int, low: float, high: float, window: int, rate: float) -> Floats:
    """Weights (frequencies, bands)."""
    ends = [2595 * np.log10(1 + f / 700) for f in (low, high)]
    edges = 700 * (10 ** (np.linspace(ends[0], ends[1], bands + 2) / 2595) - 1)
    f = np.fft.rfftfreq(window, 1 / rate)[:, None]
    rise = (f - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - f) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall))


def cochlea(
    x: ArrayLike, rate: float, *, channels: int = 32, low: float = 100.0, high: float = 3600.0, hop: float = 10.0
) -> Floats:
    """What hair cells along a cochlea pass on: gammatone filters, half-wave rectified, averaged, compressed.

    Centre frequencies are evenly spaced on the ERB-rate scale ``21.4 log10(1 + 0.00437 f)``; the mean of the positive
    half-waves over `hop` is raised to the power 1/3.

    Parameters
    ----------
    x : array_like (samples,)
        Sound.
    rate : float
        Sampling rate in Hz.
    channels : int
        Filters, the lowest first.
    low, high : float
        First and last centre frequency in Hz; `high` is lowered to 0.45 of the rate.
    hop : float
        Length of a frame in ms.

    Returns
    -------
    ndarray (frames, channels)
        At least one frame; what is left over at the end is dropped.

    References
    ----------
    Patterson et al. 1992 (gammatone); Glasberg & Moore 1990, doi:10.1016/0378-5955(90)90170-T (ERB).
    """
    from scipy.signal import gammatone, lfilter

    sound = _sound(x, rate, "cochlea")
    channels = as_count(channels, "cochlea.channels")
    high = min(high, 0.45 * rate)
    if not 0 < low < high:
        raise ParameterError(f"cochlea.low: must be in (0, high = {high:g} Hz), got {low:g}")
    width = max(1, round(float(as_values(hop, "cochlea.hop", "ms", "> 0", scalar=True)) * rate / 1e3))
    ends = [21.4 * np.log10(1 + 0.00437 * f) for f in (low, high)]
    scale = np.linspace(ends[0], ends[1], channels)
    frames = max(1, len(sound) // width)
    sound = np.pad(sound, (0, max(0, width - len(sound))))
    out = np.empty((frames, channels))
    for c, centre in enumerate((10 ** (scale / 21.4) - 1) / 0.00437):
        b, a = gammatone(centre, "iir", fs=rate)
        heard = np.maximum(lfilter(b, a, sound)[: frames * width], 0.0)
        out[:, c] = heard.reshape(frames, width).mean(axis=1)
    return np.cbrt(out)


def speech2spikes(x: ArrayLike, rate: float) -> tuple[Spikes, StepForward]:
    """Log-mel bands as step-forward spikes, with the settings of the paper.

    At 16 kHz (other rates are resampled) 20 bands from 20 to 4000 Hz, windows of 512 and hops of 80 samples (5 ms); in
    each band a spike up or down where the logarithm has left the reference by more than 1, which then moves by 1. The
    reference starts at the first frame, so what is read back is relative to it. The optional accumulated features of
    the paper are left out.

    Returns
    -------
    spikes : Spikes
        40 neurons: up and down of each band; one frame is 5 ms.
    code : StepForward
        Its ``decode(spikes)`` gives the bands relative to the first frame.

    References
    ----------
    Stewart et al. 2023, doi:10.1145/3584954.3584995.
    """
    from scipy.signal import resample_poly

    sound = _sound(x, rate, "speech2spikes")
    if rate != 16_000:
        common = gcd(16_000, round(rate))
        sound = resample_poly(sound, 16_000 // common, round(rate) // common)
    bands = log_mel(sound, 16_000.0)
    code = StepForward(threshold=1.0, dt=5.0)
    return code.encode(bands - bands[0]), code


def unit_range(x: ArrayLike, low: ArrayLike, high: ArrayLike) -> Floats:
    """``(x - low) / (high - low)``, cut to 0 … 1, and 0 where both are equal; take them from training data alone."""
    values, least, most = as_floats(x, "unit_range"), np.asarray(low, float), np.asarray(high, float)
    span = np.where(most > least, most - least, np.inf)
    return np.clip((values - least) / span, 0.0, 1.0)


def _sound(x: ArrayLike, rate: float, owner: str) -> Floats:
    sound = as_floats(x, f"{owner}: x")
    if sound.ndim != 1 or sound.size < 2:
        raise ParameterError(f"{owner}: x must have shape (samples,) with two samples or more, got {sound.shape}")
    as_values(rate, f"{owner}: rate", "Hz", "> 0", scalar=True)
    return sound

"""Value codes on signals, and signal codes on what stands still."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from spikesim.coding._contract import Floats, ValueCode, as_floats
from spikesim.errors import ParameterError
from spikesim.parameters import as_count
from spikesim.spikes import Spikes


def encode_frames(code: ValueCode, signal: ArrayLike, seed: int = 0, sample: int = 0) -> Spikes:
    """Spikes of a sequence of frames (frames, channels), one presentation of `code` after the other.

    Frame f is ``code.encode(signal[f], seed, sample * frames + f)``, later by f presentations.
    """
    x = as_floats(signal, "encode_frames")
    if x.ndim < 2 or not x.size:
        raise ParameterError(f"encode_frames: must have shape (frames, channels …) and values, got {x.shape}")
    return join(code.encode_batch(x, seed, sample * len(x)))


def join(parts: list[Spikes]) -> Spikes:
    """Observations of the same neurons, one after the other."""
    starts = np.concatenate([[0.0], np.cumsum([p.duration for p in parts])])
    times = np.concatenate([p.times - p.t_start + t for p, t in zip(parts, starts[:-1], strict=True)])
    return Spikes(times, np.concatenate([p.ids for p in parts]), parts[0].n, float(starts[-1]))


def decode_frames(code: ValueCode, spikes: Spikes) -> Floats:
    """Frames (frames, values) read from spikes of `encode_frames`.

    Raises
    ------
    ParameterError
        If the duration is not a whole number of presentations.
    """
    frames = round(spikes.duration / code.duration)
    if frames < 1 or abs(frames * code.duration - spikes.duration) > 1e-6 * code.duration:
        raise ParameterError(
            f"decode_frames: spikes must last a whole number of presentations of {code.duration:g} ms, got "
            f"{spikes.duration:g} ms"
        )
    index = np.minimum(((spikes.times - spikes.t_start) / code.duration + 1e-9).astype(np.int64), frames - 1)
    edges = np.searchsorted(index, np.arange(frames + 1))
    shifted = np.clip(spikes.times - spikes.t_start - index * code.duration, 0.0, code.duration)
    parts = [Spikes(shifted[lo:hi], spikes.ids[lo:hi], spikes.n, code.duration) for lo, hi in pairwise(edges)]
    return np.stack([code.decode(part) for part in parts])


def hold(frames: ArrayLike, steps: int) -> Floats:
    """Frames (…, frames, channels) drawn out to `steps` samples each, along straight lines from 0.

    Frame f is reached at the last of its samples, number ``(f + 1) steps - 1``.
    """
    x = as_floats(frames, "hold")
    steps = as_count(steps, "hold: steps")
    if x.ndim < 2:
        raise ParameterError(f"hold: must have shape (…, frames, channels), got {x.shape}")
    before = np.concatenate([np.zeros_like(x[..., :1, :]), x[..., :-1, :]], axis=-2)
    part = ((np.arange(steps) + 1) / steps)[:, None]
    lines = before[..., None, :] + (x - before)[..., None, :] * part
    return lines.reshape(*x.shape[:-2], x.shape[-2] * steps, x.shape[-1])

"""Faults: spikes displaced, lost, added, and neurons that stay silent."""

from __future__ import annotations

import numpy as np

from spikesim.errors import ParameterError
from spikesim.parameters import as_values
from spikesim.spikes import Spikes


def jitter(spikes: Spikes, sigma: float, seed: int = 0) -> Spikes:
    """Each spike displaced by a normal number with standard deviation `sigma` ms; at the ends it is reflected."""
    width = float(as_values(sigma, "jitter.sigma", "ms", ">= 0", scalar=True))
    rng = np.random.default_rng(seed)
    times = spikes.times - spikes.t_start + rng.normal(0.0, width, len(spikes))
    span = spikes.duration
    times = np.abs(times) % (2 * span) if span else np.zeros(len(spikes))
    times = np.where(times > span, 2 * span - times, times)
    return _made(spikes, np.clip(times, 0.0, np.nextafter(span, 0.0)) + spikes.t_start, spikes.ids)


def delete(spikes: Spikes, share: float, seed: int = 0) -> Spikes:
    """Each spike lost with probability `share`."""
    p = _share(share, "delete.share")
    keep = np.random.default_rng(seed).random(len(spikes)) >= p
    return _made(spikes, spikes.times[keep], spikes.ids[keep])


def insert(spikes: Spikes, share: float, seed: int = 0) -> Spikes:
    """Spikes added anywhere, as many as `share` of those there are: uniform over neurons and time."""
    p = float(as_values(share, "insert.share", "", ">= 0", scalar=True))
    rng = np.random.default_rng(seed)
    more = round(p * len(spikes))
    times = spikes.t_start + rng.random(more) * spikes.duration
    ids = rng.integers(0, max(1, spikes.n), more)
    return _made(spikes, np.concatenate([spikes.times, times]), np.concatenate([spikes.ids, ids]))


def silence(spikes: Spikes, share: float, seed: int = 0, size: int | None = None) -> Spikes:
    """A random `share` of the neurons never fires; `size` neurons repeat where samples are pooled (`encode_pooled`)."""
    p = _share(share, "silence.share")
    size = spikes.n if size is None else size
    if size < 1 or spikes.n % size:
        raise ParameterError(f"silence.size: must divide the number of neurons ({spikes.n}), got {size}")
    dead = np.zeros(size, dtype=bool)
    dead[np.random.default_rng(seed).permutation(size)[: round(p * size)]] = True
    keep = ~dead[spikes.ids % size]
    return _made(spikes, spikes.times[keep], spikes.ids[keep])


def _share(value: float, owner: str) -> float:
    p = float(as_values(value, owner, "", ">= 0", scalar=True))
    if p > 1:
        raise ParameterError(f"{owner}: must be in [0, 1], got {p:g}")
    return p


def _made(spikes: Spikes, times: np.ndarray, ids: np.ndarray) -> Spikes:
    return Spikes(times, ids, spikes.n, spikes.t_stop, spikes.t_start)

"""What is done to inputs and spikes to see how much a code bears."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from baselines.encoding.material import Floats
from spikesim.coding import perturb
from spikesim.spikes import Spikes

JITTER, SHARE = 1.0, 0.2  # ms; share of spikes or neurons
Damage = Callable[[Spikes, int, int], Spikes]  # spikes of all samples, seed, neurons of a sample

SPIKES: dict[str, Damage] = {
    f"jitter {JITTER:g} ms": lambda spikes, seed, size: perturb.jitter(_centred(spikes), JITTER, seed),
    f"{SHARE:.0%} lost": lambda spikes, seed, size: perturb.delete(spikes, SHARE, seed),
    f"{SHARE:.0%} added": lambda spikes, seed, size: perturb.insert(spikes, SHARE, seed),
    f"{SHARE:.0%} dead": lambda spikes, seed, size: perturb.silence(spikes, SHARE, seed, size),
}


def _centred(spikes: Spikes) -> Spikes:
    """Spikes in the middle of their steps of 1 ms, so that rounding down afterwards has no bias."""
    return Spikes(spikes.times + 0.5, spikes.ids, spikes.n, spikes.t_stop)


def noisy(x: Floats, level: float, seed: int) -> Floats:
    """Values with normal noise, cut to 0 … 1."""
    return np.clip(x + np.random.default_rng((seed, 77)).normal(0.0, level, x.shape), 0.0, 1.0)

"""Injected currents of a shard at a given time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.engines.layout import Shard
from spikesim.inputs import Current, NoiseCurrent, Steps
from spikesim.network import Population
from spikesim.rng import fill_normal, make_key


def total_current(shard: Shard, time: float, seed: int, batch: int) -> float | NDArray[np.float64]:
    """Current (pA) that holds from `time` on: 0.0 where nothing is injected at all, else a local vector."""
    values: dict[int, Any] = {}
    for k, p in enumerate(shard.block.populations):
        parts = [_value(shard, p, m, item, time, seed, batch) for m, item in enumerate(p.inputs) if _injects(item)]
        if parts:
            values[k] = sum(parts)
    return shard.gather(values) if values else 0.0


def _injects(item: Any) -> bool:
    return isinstance(item, (Current, NoiseCurrent))


def _value(shard: Shard, population: Population, number: int, item: Any, time: float, seed: int, batch: int) -> Any:
    if isinstance(item, Current):
        return item.value(time) if isinstance(item.value, Steps) else item.value
    draw = int(np.floor(time / item.dt + 1e-9))
    key = make_key(seed, "noise", population.name, number)
    a, b, _ = shard.overlap(population)
    noise = np.zeros((batch, population.size))
    for k in range(shard.b0, shard.b1 if a < b else shard.b0):
        with np.errstate(over="ignore"):
            fill_normal(key, draw, k * population.size + a, noise[k, a:b])
    return item.mean + item.std * noise


def next_change(populations: list[Population], changes: NDArray[np.float64], time: float) -> float:
    """Next time after `time` (ms) at which an injected current may change; inf if none."""
    later = changes[np.searchsorted(changes, time + 1e-9) :]
    soonest = float(later[0]) if later.size else np.inf
    for p in populations:
        for item in p.inputs:
            if isinstance(item, NoiseCurrent):
                soonest = min(soonest, (np.floor(time / item.dt + 1e-6) + 1) * item.dt)
    return soonest

"""Small recurrent networks with every synapse given, and how spikes of two simulators are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikesim import (
    LIF,
    Alpha,
    Current,
    Delta,
    Exponential,
    ExponentialConductance,
    FixedThreshold,
    Network,
    Neuron,
    Pairwise,
    Population,
    Projection,
    ResetTo,
    Spikes,
    SpikeSource,
)

DT = 0.1
DURATION = 300.0
TAU_M = 20.0

# In continuous time NEST still keeps delays and refractory periods in whole steps. A step of 1/8 ms makes our float
# sums of delays as exact as NEST's, so that spikes meant to coincide (two paths of equal length) do. Delays of an even
# and a refractory period of an odd number of steps keep spikes from arriving exactly when refractoriness ends: those
# are lost in our engines and in NEST's grid models, but count in its precise ones (nestkernel/slice_ring_buffer.h).
DT_PRECISE = 0.125

# receptors, weights (excitatory, inhibitory), membrane after a spike
SYNAPSES: dict[str, tuple[dict[str, Any], tuple[float, float], float]] = {
    "delta": ({"syn": Delta()}, (0.6, -3.0), 0.0),
    "exp": ({"exc": Exponential(5.0), "inh": Exponential(10.0)}, (15.0, -60.0), 0.0),
    "exp_equal": ({"exc": Exponential(TAU_M), "inh": Exponential(10.0)}, (10.0, -60.0), 0.0),
    "alpha": ({"exc": Alpha(2.0), "inh": Alpha(3.0)}, (15.0, -60.0), 0.0),
    "alpha_equal": ({"exc": Alpha(2.0), "inh": Alpha(TAU_M)}, (20.0, -15.0), 0.0),
    "cond": ({"exc": ExponentialConductance(5.0, 70.0), "inh": ExponentialConductance(10.0, -10.0)}, (0.6, 3.0), 5.0),
}


def recurrent(kind: str, precise: bool = False, t_ref: float | None = None) -> Network:
    """128 excitatory and 32 inhibitory neurons, connected at random, driven by a current and 40 given spike trains.

    Every synapse has its own weight and its own delay of up to 4 ms (10 if `precise`); about one pair in seven is
    connected, some twice, some neurons to themselves. Given spikes lie on the step unless `precise`.
    """
    rng = np.random.default_rng(1)
    receptors, (excitatory, inhibitory), v_reset = SYNAPSES[kind]
    unit, usual = (2 * DT_PRECISE, 17 * DT_PRECISE) if precise else (DT, 2.0)
    t_ref = usual if t_ref is None else t_ref
    neuron = Neuron(LIF(TAU_M, 0.0, 250.0), receptors, FixedThreshold(20.0), ResetTo(v_reset), t_ref)
    exc, inh = (
        Population(name, n, neuron, {"v": rng.uniform(0.0, 19.0, n)}, Current(180.0))
        for name, n in (("exc", 128), ("inh", 32))
    )
    source = Population("source", 40, SpikeSource(_trains(rng, 40, precise)))
    first, last = next(iter(receptors)), list(receptors)[-1]
    projections = [
        _random(rng, pre, post, weight, receptor, unit)
        for post in (exc, inh)
        for pre, weight, receptor in (
            (exc, excitatory, first),
            (inh, inhibitory, last),
            (source, 3 * excitatory, first),
        )
    ]
    return Network([exc, inh, source], projections)


def _trains(rng: np.random.Generator, n: int, precise: bool) -> Spikes:
    trains = [np.sort(rng.uniform(DT, DURATION, rng.poisson(0.06 * DURATION))) for _ in range(n)]
    if not precise:
        trains = [np.unique(np.round(train / DT)) * DT for train in trains]
    return Spikes.from_trains(trains, DURATION + DT)


def _random(
    rng: np.random.Generator, pre: Population, post: Population, weight: float, receptor: str, unit: float
) -> Projection:
    size = round(0.15 * pre.size * post.size)
    weights, delays = weight * rng.uniform(0.5, 1.5, size), rng.integers(1, 41, size) * unit
    pairs = Pairwise(rng.integers(0, pre.size, size), rng.integers(0, post.size, size))
    return Projection(pre, post, pairs, weights, delays, receptor)


def assert_same_steps(ours: Mapping[str, Spikes], theirs: Mapping[str, Spikes]) -> None:
    """The same neurons fire in the same steps, from the first spike to the last."""
    assert_active(theirs)
    for name, expected in theirs.items():
        _assert_equal(name, _steps(ours[name]), _steps(expected))


def _steps(spikes: Spikes) -> list[tuple[int, int]]:
    return sorted(zip(np.rint(spikes.times / DT).astype(int).tolist(), spikes.ids.tolist(), strict=True))


def assert_same_times(ours: Mapping[str, Spikes], theirs: Mapping[str, Spikes], tolerance: float) -> None:
    """The same neurons fire equally often, at times that differ by less than `tolerance` (ms)."""
    assert_active(theirs)
    for name, expected in theirs.items():
        _assert_equal(f"{name}, spikes per neuron", ours[name].counts().tolist(), expected.counts().tolist())
        for k, (a, b) in enumerate(zip(ours[name].trains(), expected.trains(), strict=True)):
            np.testing.assert_allclose(a, b, rtol=0.0, atol=tolerance, err_msg=f"{name}, neuron {k}")


def assert_active(spikes: Mapping[str, Spikes]) -> None:
    """The network speaks: an agreement on silence proves nothing."""
    for name, train in spikes.items():
        rate = len(train) / train.n / train.duration * 1e3
        assert 5.0 < rate < 120.0, f"{name} fires at {rate:.1f} Hz"


def _assert_equal(what: str, ours: list[Any], theirs: list[Any]) -> None:
    different = next(
        (k for k, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
    )
    assert ours == theirs, (
        f"{what}: {different} equal, then {ours[different : different + 3]} != {theirs[different : different + 3]}"
    )

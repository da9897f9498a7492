"""What a time step cannot do: times of too many steps, too many arrivals, large conductances, states that blow up."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from spikesim.connectivity.distributions import Distribution
from spikesim.errors import ParameterError, SimulationError
from spikesim.inputs import Steps
from spikesim.network import Network, Projection

MOST_STEPS = 2**31 - 1  # of a delay or a refractory period
MOST_ARRIVALS = 30_000.0  # of one Poisson train in a step, in the mean
STABLE = 2.785  # Runge-Kutta method of order 4: steps of a decay, in time constants, beyond which it grows


def check_step(network: Network, dt: float) -> None:
    """Raise where times or rates are too large for a time step of `dt` ms."""
    times = {f"delay of projection {p.name!r}": getattr(p.delay, "largest", p.delay) for p in network.projections}
    rates = {}
    for q in network.populations:
        times[f"t_ref of population {q.name!r}"] = getattr(q.model, "t_ref", 0.0)
        for item in (q.model, *q.inputs):
            rate: Any = getattr(item, "rate", 0.0)
            rates[f"rate of population {q.name!r}"] = rate.values if isinstance(rate, Steps) else rate
    for owner, value in times.items():
        longest = float(np.max(value, initial=0.0))
        if longest / dt > MOST_STEPS:
            raise ParameterError(f"simulate: dt: must be > {longest / MOST_STEPS:.3g} ms for {owner}, got {dt:g} ms")
    for owner, value in rates.items():
        most = float(np.max(value, initial=0.0))
        if most * dt * 1e-3 > MOST_ARRIVALS:
            limit = MOST_ARRIVALS / most * 1e3
            raise ParameterError(f"simulate: dt: must be < {limit:.3g} ms for {owner} ({most:g} Hz), got {dt:g} ms")


def report_stiff(network: Network, dt: float) -> None:
    """Warn once about conductances that a single spike makes too large for a time step of `dt` ms."""
    stiff = {p.name: _share(p, dt) for p in network.projections}
    names = [str(name) for name, share in stiff.items() if share > STABLE]
    if names:
        worst = max(stiff.values())
        warnings.warn(
            f"grid engine: a spike through {', '.join(names[:5])}{' …' if len(names) > 5 else ''} moves the membrane "
            f"faster than a time step of {dt:g} ms can follow (dt * weight / c_m is up to {worst:.3g}, stable below "
            f"{STABLE}), results will be wrong; use a smaller dt or smaller weights",
            stacklevel=4,
        )


def _share(projection: Projection, dt: float) -> float:
    """Time step in units of the membrane's time constant while one spike's conductance is open; 0 where any will do."""
    model: Any = projection.post.population.model  # type: ignore[union-attr]
    if model.membrane.linear and all(getattr(s, "affine", False) for s in model.receptors.values()):
        return 0.0
    if model.receptors[projection.receptor].weight_unit != "nS" or not hasattr(model.membrane, "c_m"):
        return 0.0
    return dt * _largest(projection) / float(np.min(model.membrane.c_m))


def _largest(projection: Projection) -> float:
    """Largest conductance of one spike."""
    weight, carried = projection.weight, projection.rule.weights
    if isinstance(weight, Distribution):
        weight = weight.largest
    return float(
        np.max(np.abs(weight), initial=0.0) * (1.0 if carried is None else np.max(np.abs(carried), initial=0.0))
    )


def check_finite(run: Any, time: float) -> None:
    """Raise SimulationError where a state of a nonlinear neuron is infinite or no number at `time` ms."""
    for state in (s for shards in run.shards.values() for s in shards):
        model = state.neuron
        if model.membrane.linear and all(synapse.linear for synapse in model.receptors.values()):
            continue  # propagated exactly
        for name, values in state.variables().items():
            bad = np.flatnonzero(~np.isfinite(values))
            if bad.size:
                _refuse(state.shard, name, values, int(bad[0]), run.dt, time)


def _refuse(shard: Any, name: str, values: Any, local: int, dt: float, time: float) -> None:
    stimulus, i = divmod(local, shard.width)
    for p in shard.block.populations:
        a, b, shift = shard.overlap(p)
        if a <= i - shift < b:
            where = f"neuron {i - shift}" + (f", stimulus {stimulus + shard.b0}" if shard.b1 - shard.b0 > 1 else "")
            raise SimulationError(
                f"Population {p.name!r}: {name} has become {values[local]} by {time:g} ms ({where}); "
                f"its input is too strong for a time step of {dt:g} ms; use a smaller dt, or smaller weights"
            )

"""Structural plasticity between segments of a run: synapses are pruned, and grow at other places."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import ParameterError
from spikesim.parameters import as_count, as_values
from spikesim.simulation import Simulation


def prune(simulation: Simulation, projection: str, below: float) -> int:
    """Remove the synapses of a projection whose weights are of a size less than `below`; returns how many.

    Raises
    ------
    ParameterError
        If the projection has no plasticity, or `below` is not > 0.
    """
    below = float(as_values(below, "prune: below", "", "> 0", scalar=True))
    keep = np.abs(simulation.weights(projection)[2]) >= below
    simulation.restructure(projection, keep)
    return int((~keep).sum())


def grow(simulation: Simulation, projection: str, indegree: int, weight: float, seed: int = 0) -> int:
    """Add synapses until each target of a projection has `indegree` of them; returns how many.

    New sources are drawn evenly from those a target has none of yet (and not from itself, where the connection rule
    says so), each at most once; where too few are left, it gets those.

    Parameters
    ----------
    simulation : Simulation
    projection : str
        A projection with plasticity.
    indegree : int
        Wanted number of synapses of each target, >= 0; none is removed.
    weight : float
        Of the new synapses, of the sign the projection has and within the bounds of its rule.
    seed : int
        Decides, with the seed of the simulation and its time, which grow.

    Raises
    ------
    ParameterError
        If the projection has no plasticity, or a value is not allowed.
    """
    indegree = as_count(indegree, "grow: indegree", 0)
    p, post = _projection(simulation, projection), simulation.weights(projection)[1]
    wanted = np.full(p.post.population.size, indegree)
    return _grown(simulation, projection, wanted - np.bincount(post, minlength=len(wanted)), weight, seed)


def rewire(simulation: Simulation, projection: str, below: float, weight: float, seed: int = 0) -> int:
    """Move weak synapses: prune those below `below`, and let as many grow onto the same targets; returns how many.

    Parameters and errors are those of `prune` and `grow`; each target keeps its number of synapses.
    """
    post = simulation.weights(projection)[1]
    size = _projection(simulation, projection).post.population.size
    before = np.bincount(post, minlength=size)
    prune(simulation, projection, below)
    after = np.bincount(simulation.weights(projection)[1], minlength=size)
    return _grown(simulation, projection, before - after, weight, seed)


def _grown(simulation: Simulation, projection: str, lacking: NDArray[np.int64], weight: float, seed: int) -> int:
    """Add as many synapses to each target as it lacks."""
    p, (pre, post, _) = _projection(simulation, projection), simulation.weights(projection)
    seeds = (simulation.seed, as_count(seed, "grow: seed", 0), int(np.float64(simulation.time).view(np.uint64)))
    rng = np.random.default_rng(seeds)
    alone = p.same and not getattr(p.rule, "allow_self", True)
    order = np.argsort(post, kind="stable")
    ends = np.searchsorted(post[order], np.arange(p.post.lo, p.post.hi + 1))
    sources, targets = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for j, lo, hi in zip(range(p.post.lo, p.post.hi), ends[:-1], ends[1:], strict=True):
        if lacking[j] > 0:
            taken = np.append(pre[order[lo:hi]], j) if alone else pre[order[lo:hi]]
            free = np.setdiff1d(np.arange(p.pre.lo, p.pre.hi), taken)
            sources.append(rng.choice(free, min(int(lacking[j]), len(free)), replace=False))
            targets.append(np.full(len(sources[-1]), j))
    new = np.concatenate(sources)
    simulation.restructure(projection, True, new, np.concatenate(targets), weight)
    return len(new)


def _projection(simulation: Simulation, name: str) -> Any:
    """The projection of that name, which has plasticity."""
    simulation.weights(name)  # an unknown name lists the valid ones
    found = next(p for p in simulation.network.projections if p.name == name)
    if found.plasticity is None:
        raise ParameterError(f"structural plasticity: projection {name!r} has no plasticity")
    return found

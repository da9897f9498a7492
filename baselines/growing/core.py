"""Lives in the core: every decision is a run of all networks side by side, with the weights they have at that time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from baselines.contract import Advance
from baselines.growing.genome import Body
from baselines.growing.network import BELOW, BETA, Life, sensed
from baselines.lowering import STEP, core_neuron
from baselines.replay import Replayed
from baselines.spiking import Leaky
from spikesim import Network, Population, Projection, Record, Sparse, Spikes, SpikeSource, simulate


def replayed(life: Life, body: Body, steps: int, engine: str, threads: int, advance: Advance) -> Replayed:
    """Actions and counts of all decisions of `life`, which kept its weights."""
    total, chosen = Replayed(np.empty(0, np.int64)), []
    for seen, weights in zip(life.senses, life.weights, strict=True):
        record = Record(spikes=False, states={"nodes": ("v",)}, interval=steps * STEP)
        result = simulate(
            network_of(body, steps, seen, weights),
            steps * STEP,
            engine=engine,
            dt=STEP,
            threads=threads,
            record=record,
            progress=False,
        )
        shape = (len(seen), body.nodes - len(body.senses))
        counts = np.asarray(result.spike_counts["nodes"]).reshape(shape)[:, -len(body.actions) :]
        v = result.states["nodes"]["v"][-1].reshape(shape)[:, -len(body.actions) :]
        below = np.where(v > 1.0, 0.0, v)  # a spike of the last step
        chosen.append((counts / steps + BELOW * np.tanh(below)).argmax(axis=1))
        total.input_spikes += int(result.counts.spikes["input"])
        total.neuron_spikes += int(result.counts.spikes["nodes"])
        total.neuron_updates += int(result.counts.neuron_updates["nodes"])
        total.synaptic_events += sum(int(k) for k in result.counts.synaptic_events.values())
        total.wall_s += result.timing["run_s"]
        advance(len(seen))
    total.outputs = np.concatenate(chosen)
    return total


def watched(life: Life, body: Body, steps: int, engine: str) -> dict[str, Spikes]:
    """Spikes of the first life's network in a decision in the middle of its life."""
    middle = sum(0 in alive for alive in life.alive) // 2
    network = network_of(body, steps, life.senses[middle][:1], life.weights[middle][:1])
    result = simulate(network, steps * STEP, engine=engine, dt=STEP, progress=False)
    return {p.name: result.spikes[p.name] for p in network}


def network_of(body: Body, steps: int, seen: NDArray[np.float64], weights: NDArray[np.float64]) -> Network:
    """All networks as one: senses (k, n) that fire as often as they are strong, weights (k, pairs)."""
    k, first, dense = len(seen), len(body.senses), body.dense(weights)
    when, who = np.nonzero(sensed(seen, steps).reshape(steps, -1))
    spikes = Spikes((when + 1.0) * STEP, who, k * first, steps * STEP)
    source = Population("input", k * first, SpikeSource(spikes))
    nodes = Population("nodes", k * (body.nodes - first), core_neuron(Leaky(BETA, reset="zero")))
    inward = sparse.block_diag([sparse.csr_array(w[:first, first:]) for w in dense], format="csr")
    among = sparse.block_diag([sparse.csr_array(w[first:, first:]) for w in dense], format="csr")
    projections = [
        Projection(a, nodes, Sparse(sparse.csr_array(m)), 1.0, STEP, name=name)
        for a, m, name in ((source, inward, "senses"), (nodes, among, "edges"))
        if m.nnz
    ]
    return Network([source, nodes], projections)

"""Lives in the core: every decision is a run of all networks side by side, with the weights they have at that time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from baselines.contract import Advance
from baselines.growing.foraging import ACTIONS, SENSES
from baselines.growing.genome import NODES
from baselines.growing.network import BELOW, BETA, ITERATIONS, Life
from baselines.lowering import STEP, core_neuron
from baselines.replay import Replayed
from baselines.spiking import Leaky
from spikesim import Network, Population, Projection, Record, Sparse, Spikes, SpikeSource, simulate

_OWN = NODES - SENSES


def replayed(life: Life, engine: str, threads: int, advance: Advance) -> Replayed:
    """Actions and counts of all decisions of `life`, which kept its weights."""
    total = Replayed(np.empty(0, np.int64))
    chosen: list[NDArray[np.int64]] = []
    lives = life.meals.size
    for step, weights in enumerate(life.weights):
        network = network_of(life.senses[step], weights)
        record = Record(spikes=False, states={"nodes": ("v",)}, interval=ITERATIONS * STEP)
        result = simulate(
            network, ITERATIONS * STEP, engine=engine, dt=STEP, threads=threads, record=record, progress=False
        )
        counts = np.asarray(result.spike_counts["nodes"]).reshape(lives, _OWN)[:, -ACTIONS:]
        v = result.states["nodes"]["v"][-1].reshape(lives, _OWN)[:, -ACTIONS:]
        below = np.where(v > 1.0, 0.0, v)  # a spike of the last step
        chosen.append((counts / ITERATIONS + BELOW * np.tanh(below)).argmax(axis=1))
        total.input_spikes += int(result.counts.spikes["input"])
        total.neuron_spikes += int(result.counts.spikes["nodes"])
        total.neuron_updates += int(result.counts.neuron_updates["nodes"])
        total.synaptic_events += sum(int(k) for k in result.counts.synaptic_events.values())
        total.wall_s += result.timing["run_s"]
        advance(lives)
    total.outputs = np.stack(chosen).T.reshape(-1)
    return total


def watched(life: Life, engine: str) -> dict[str, Spikes]:
    """Spikes of the first life's network in a decision in the middle of its life."""
    middle = len(life.weights) // 2
    network = network_of(life.senses[middle][:1], life.weights[middle][:1])
    result = simulate(network, ITERATIONS * STEP, engine=engine, dt=STEP, progress=False)
    return {p.name: result.spikes[p.name] for p in network}


def network_of(senses: NDArray[np.float64], weights: NDArray[np.float64]) -> Network:
    """All networks as one: senses (k, 4) that fire in every step where they are 1, weights (k, nodes, nodes)."""
    k = len(senses)
    active = np.flatnonzero(senses.reshape(-1))
    times = np.repeat(np.arange(1, ITERATIONS + 1) * STEP, len(active))
    spikes = Spikes(times, np.tile(active, ITERATIONS), k * SENSES, ITERATIONS * STEP)
    source = Population("input", k * SENSES, SpikeSource(spikes))
    nodes = Population("nodes", k * _OWN, core_neuron(Leaky(BETA, reset="zero")))
    inward = sparse.block_diag([sparse.csr_array(w[:SENSES, SENSES:]) for w in weights], format="csr")
    among = sparse.block_diag([sparse.csr_array(w[SENSES:, SENSES:]) for w in weights], format="csr")
    projections = [
        Projection(a, nodes, Sparse(sparse.csr_array(m)), 1.0, STEP, name=name)
        for a, m, name in ((source, inward, "senses"), (nodes, among, "edges"))
        if m.nnz
    ]
    return Network([source, nodes], projections)

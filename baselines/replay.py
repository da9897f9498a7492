"""All test inputs through the core, batch by batch, and what the core counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Advance
from baselines.lowering import BIAS, STEP, Build
from spikesim import Network, Record, Result, Spikes, simulate


@dataclass
class Replayed:
    """Counts summed over all stimuli; `outputs` (stimuli, n) are the spikes of the last population per stimulus."""

    outputs: NDArray[np.int64]
    input_spikes: int = 0
    neuron_spikes: int = 0
    synaptic_events: int = 0
    biases: int = 0
    neuron_updates: int = 0
    synapses: int = 0
    wall_s: float = 0.0
    timing: dict[str, float] = field(default_factory=dict)
    spikes: dict[str, int] = field(default_factory=dict)


def replay(
    build: Build,
    chunks: Iterable[Sequence[Spikes]],
    duration: float,
    engine: str,
    threads: int,
    advance: Advance,
) -> Replayed:
    """Run all stimuli through the core, one batch per chunk.

    Parameters
    ----------
    build : callable
        From the stimuli of a chunk to a network whose population ``input`` replays them; the last population answers.
    chunks : iterable of sequences of Spikes
        The stimuli.
    duration : float
        Length of a stimulus in ms.
    engine, threads
        As in `spikesim.simulate`; the grid engine takes steps of 1 ms.
    advance : callable
        Told how many stimuli have just been done.

    Returns
    -------
    Replayed
        `wall_s` is the time of the runs; `timing` has build and compilation beside it.
    """
    total, outputs, record = Replayed(np.empty((0, 0), np.int64)), [], Record(spikes=False)
    for inputs in chunks:
        network, batch = build(inputs), len(inputs)
        result = simulate(
            network, duration, engine=engine, dt=STEP, threads=threads, batch=batch, record=record, progress=False
        )
        _add(total, network, result)
        outputs.append(np.atleast_2d(result.spike_counts[network.populations[-1].name]))
        advance(batch)
    total.outputs = np.concatenate(outputs)
    return total


def answer_by(
    total: Replayed, network: Network, batch: int, duration: float, engine: str, threads: int
) -> NDArray[np.float64]:
    """Membranes (batch, n) of the last population at the end; what was counted is added to `total`."""
    last = network.populations[-1].name
    record = Record(spikes=False, states={last: ("v",)}, interval=duration)
    result = simulate(
        network, duration, engine=engine, dt=STEP, threads=threads, batch=batch, record=record, progress=False
    )
    _add(total, network, result)
    held = result.states[last]["v"]
    return held[None, -1] if batch == 1 else held[:, -1]


def _add(total: Replayed, network: Network, result: Result) -> None:
    counts = result.counts
    total.input_spikes += int(counts.spikes["input"])
    total.synapses = 0
    for population in network:
        if not population.is_source:
            spikes = int(counts.spikes[population.name])
            total.neuron_spikes += spikes
            total.spikes[population.name] = total.spikes.get(population.name, 0) + spikes
            total.neuron_updates += int(counts.neuron_updates[population.name])
    for projection in network.projections:
        name = str(projection.name)
        events = int(counts.synaptic_events[name])
        if name.startswith(BIAS):
            total.biases += events
        else:
            total.synaptic_events += events
            total.synapses += round(projection.synapses)
    total.wall_s += result.timing["run_s"]
    for phase, seconds in result.timing.items():
        total.timing[phase] = total.timing.get(phase, 0.0) + seconds


def watch(network: Network, duration: float, engine: str) -> dict[str, Spikes]:
    """Spikes of every population but the bias for one stimulus."""
    result = simulate(network, duration, engine=engine, dt=STEP, progress=False)
    return {p.name: result.spikes[p.name] for p in network if p.name != BIAS}

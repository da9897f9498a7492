"""The spiking twin in spikesim's core: same weights, same input spikes, same conventions as snnTorch.

`snntorch.Leaky` with delayed subtraction computes ``U[t] = beta U[t-1] + I[t] - S[t-1] theta`` and
``S[t] = U[t] > theta``. With one step of 1 ms that is a LIF membrane with delta synapses, ``tau_m = -1 / ln beta``,
a subtraction reset that lags one step, and a threshold one rounding step above theta (the core fires at ``v >= v_th``).
Projections have no delay, so that a layer sees the spikes the layer before fired in the same step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Advance
from spikesim import (
    LIF,
    AllToAll,
    Delta,
    FixedThreshold,
    Network,
    Neuron,
    Population,
    Projection,
    Record,
    RegularSource,
    ResetBySubtraction,
    Result,
    Spikes,
    SpikeSource,
    simulate,
)

STEP = 1.0  # ms of one time step
BIAS = "bias"


class DenseLayer(NamedTuple):
    """A fully connected layer of `snntorch.Leaky` neurons: weight (n_in, n_out), bias (n_out,)."""

    name: str
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    beta: float
    threshold: float


def dense_layer(name: str, linear: Any, leaky: Any) -> DenseLayer:
    """Layer of the core from an ``nn.Linear`` and the ``snntorch.Leaky`` behind it."""
    weight, bias = linear.weight.detach().double().numpy().T, linear.bias.detach().double().numpy()
    return DenseLayer(name, weight, bias, float(leaky.beta), float(leaky.threshold))


def leaky_neuron(beta: float, threshold: float) -> Neuron:
    """The core's neuron that equals ``snntorch.Leaky(beta, threshold, reset_mechanism="subtract")``."""
    return Neuron(
        LIF(tau_m=-STEP / math.log(beta)),
        Delta(),
        FixedThreshold(float(np.nextafter(threshold, np.inf))),
        ResetBySubtraction(amount=threshold, lag=STEP),
    )


def dense_network(layers: Sequence[DenseLayer], inputs: Sequence[Spikes]) -> Network:
    """Network of fully connected layers; populations are named ``input``, ``bias`` and as the layers.

    Parameters
    ----------
    layers : sequence of DenseLayer
        From the first hidden layer to the output.
    inputs : sequence of Spikes
        One stimulus each of a batch.
    """
    source = Population("input", inputs[0].n, SpikeSource(tuple(inputs)))
    clock = Population(BIAS, 1, RegularSource(interval=STEP, start=STEP))
    populations, projections, pre = [source, clock], [], source
    for layer in layers:
        post = Population(layer.name, len(layer.bias), leaky_neuron(layer.beta, layer.threshold))
        projections.append(Projection(pre, post, AllToAll(), weight=layer.weight, delay=0.0))
        projections.append(Projection(clock, post, AllToAll(), weight=layer.bias[None, :], delay=0.0))
        populations.append(post)
        pre = post
    return Network(populations, projections)


@dataclass
class Replayed:
    """Counts summed over all stimuli; `outputs` (stimuli, n) are the spikes of the last population per stimulus."""

    outputs: NDArray[np.int64]
    input_spikes: int = 0
    neuron_spikes: int = 0
    synaptic_events: int = 0
    biases: int = 0
    neuron_updates: int = 0
    wall_s: float = 0.0
    timing: dict[str, float] = field(default_factory=dict)


def replay(
    build: Callable[[Sequence[Spikes]], Network],
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


def _add(total: Replayed, network: Network, result: Result) -> None:
    counts = result.counts
    total.input_spikes += int(counts.spikes["input"])
    for population in network:
        if not population.is_source:
            total.neuron_spikes += int(counts.spikes[population.name])
            total.neuron_updates += int(counts.neuron_updates[population.name])
    for projection in network.projections:
        name = str(projection.name)
        events = int(counts.synaptic_events[name])
        if name.startswith(BIAS):
            total.biases += events
        else:
            total.synaptic_events += events
    total.wall_s += result.timing["run_s"]
    for phase, seconds in result.timing.items():
        total.timing[phase] = total.timing.get(phase, 0.0) + seconds


def watch(network: Network, duration: float, engine: str) -> dict[str, Spikes]:
    """Spikes of every population but the bias for one stimulus."""
    result = simulate(network, duration, engine=engine, dt=STEP, progress=False)
    return {p.name: result.spikes[p.name] for p in network if p.name != BIAS}

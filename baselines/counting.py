"""Operations of one inference: multiplications watched in torch, or events counted by the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import snntorch as snn
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikesim.energy import Operations


@dataclass
class LayerCount:
    """What one layer of weights did: `rows` inputs in all, `active` products of a weight with a non-zero input."""

    inputs: int
    outputs: int
    rows: int = 0
    active: int = 0

    @property
    def dense(self) -> int:
        """Products if zeros are multiplied too."""
        return self.rows * self.inputs * self.outputs


@dataclass
class Watched:
    """Counts of the layers of weights, first to last, and spikes of all neurons."""

    layers: list[LayerCount] = field(default_factory=list)
    spikes: int = 0


@contextmanager
def watched(module: nn.Module) -> Iterator[Watched]:
    """Count products of every `nn.Linear` and spikes of every snnTorch neuron in `module` while the context lasts."""
    watch, hooks = Watched(), []

    def multiplied(count: LayerCount) -> Callable[..., None]:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
            count.rows += inputs[0].numel() // count.inputs
            count.active += int(torch.count_nonzero(inputs[0])) * count.outputs

        return hook

    def fired(_: nn.Module, __: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        watch.spikes += int(torch.count_nonzero(outputs[0]))

    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            watch.layers.append(LayerCount(layer.in_features, layer.out_features))
            hooks.append(layer.register_forward_hook(multiplied(watch.layers[-1])))
        elif isinstance(layer, snn.SpikingNeuron):
            hooks.append(layer.register_forward_hook(fired))
    try:
        yield watch
    finally:
        for hook in hooks:
            hook.remove()


def ann_operations(layers: list[LayerCount], inferences: int, skip_zeros: bool = False) -> Operations:
    """A rectified feed-forward network, one input at a time; every activation is written once and read once.

    Parameters
    ----------
    layers : list of LayerCount
        Counts of `inferences` inferences, from the first layer to the last.
    inferences : int
    skip_zeros : bool
        Whether products with an input of zero, and the reads of their weights, are spared.
    """
    macs = sum(layer.active if skip_zeros else layer.dense for layer in layers) / inferences
    hidden = sum(layer.outputs for layer in layers[:-1])
    return Operations(
        macs=macs,
        biases=sum(layer.outputs for layer in layers),
        activations=hidden,
        weight_reads=macs,
        activation_accesses=layers[0].inputs + 2 * hidden + layers[-1].outputs,
        **_sizes(layers),
    )


def stepped_operations(layers: list[LayerCount], steps: int, inferences: int) -> Operations:
    """A spiking network as torch computes it: every weight multiplied in every step, spike or not."""
    macs = sum(layer.dense for layer in layers) / inferences
    neurons, inputs = sum(layer.outputs for layer in layers), sum(layer.inputs for layer in layers)
    return Operations(
        macs=macs,
        biases=steps * neurons,
        updates=steps * neurons,
        draws=steps * layers[0].inputs,
        weight_reads=macs,
        state_accesses=2 * steps * neurons,
        activation_accesses=steps * (layers[0].inputs + inputs + neurons),
        **_sizes(layers),
        states=neurons,
    )


def spiking_operations(
    layers: list[LayerCount],
    steps: int,
    *,
    synaptic_events: float,
    biases: float,
    updates: float,
    spikes: float,
    input_spikes: float,
) -> Operations:
    """A spiking network on hardware that works per event; all counts per inference.

    In every step the encoder reads each input and draws one number for it; the address of a spike is written once
    and read once; an update reads and writes one membrane.
    """
    return Operations(
        synaptic_events=synaptic_events,
        biases=biases,
        updates=updates,
        spikes=spikes,
        draws=steps * layers[0].inputs,
        weight_reads=synaptic_events,
        state_accesses=2 * updates,
        activation_accesses=steps * layers[0].inputs,
        spike_accesses=2 * (spikes + input_spikes),
        **_sizes(layers),
        states=sum(layer.outputs for layer in layers),
    )


def _sizes(layers: list[LayerCount]) -> dict[str, float]:
    return {
        "weights": sum((layer.inputs + 1) * layer.outputs for layer in layers),
        "activation_words": layers[0].inputs + sum(layer.outputs for layer in layers),
    }


def accuracy(predictions: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Fraction of equal entries."""
    return float(np.mean(predictions == labels))

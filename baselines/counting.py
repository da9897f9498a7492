"""Operations of one inference: multiplications watched in torch, or events counted by the core.

A layer is counted by what goes in: a product is dense whatever its factors are, effective if neither is zero. The
effective products of a call whose inputs are all 0 or 1 are accumulates, those of other calls multiply-accumulates
(as in NeuroBench's `SynapticOperations`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from spikesim.energy import Operations


@dataclass
class LayerCount:
    """What one layer of weights did, all calls together.

    Parameters
    ----------
    name : str
        Its place in the module.
    weights, biases : int
        Sizes of the layer.
    rows : int
        Inputs it was given.
    inputs, outputs : int
        Words in and out, all rows together.
    dense : int
        Products, zeros multiplied too.
    active, spiked : int
        Products of which neither factor is zero, by calls with real inputs and by calls whose inputs were all 0 or 1.
    added : int
        Additions of a bias.
    """

    name: str
    weights: int
    biases: int
    rows: int = 0
    inputs: int = 0
    outputs: int = 0
    dense: int = 0
    active: int = 0
    spiked: int = 0
    added: int = 0

    @property
    def effective(self) -> int:
        """Products of which neither factor is zero."""
        return self.active + self.spiked


Products = tuple[int, int, int]  # rows, dense, effective


def _binary(x: Tensor) -> bool:
    """Whether all entries are 0 or 1: of finite numbers only these are their own squares."""
    return torch.equal(x * x, x)


def _occurrences(rows: Tensor, binary: bool) -> Tensor:
    """How many rows have each entry that is not zero; sums of ones are exact, and ten times as fast as comparing."""
    return (rows if binary else (rows != 0).to(rows.dtype)).sum(0).double()


def _linear(layer: nn.Linear, x: Tensor, binary: bool) -> Products:
    rows = x.reshape(-1, layer.in_features)
    nonzero = torch.count_nonzero(layer.weight, 0)
    return len(rows), len(rows) * layer.weight.numel(), int((_occurrences(rows, binary) * nonzero).sum())


def _conv(layer: nn.Conv1d | nn.Conv2d, x: Tensor, binary: bool) -> Products:
    convolve = functional.conv2d if isinstance(layer, nn.Conv2d) else functional.conv1d
    rows = x[None] if x.ndim == layer.weight.ndim - 1 else x
    options: dict[str, Any] = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}

    def count(inputs: Tensor, weights: Tensor) -> int:
        return int(convolve(inputs[None].double(), weights.sum(0, keepdim=True).double(), **options).sum().round())

    ones = torch.ones_like(layer.weight)
    dense = len(rows) * count(torch.ones_like(rows[0]), ones)
    return len(rows), dense, count(_occurrences(rows, binary), layer.weight != 0)


_COUNTERS: dict[type, Callable[[Any, Any, bool], Products]] = {nn.Linear: _linear, nn.Conv1d: _conv, nn.Conv2d: _conv}


@contextmanager
def watched(module: nn.Module) -> Iterator[list[LayerCount]]:
    """Count the products of every layer in `module` while the context lasts.

    Known are linear and convolution layers, and modules with a method ``products(*inputs, output)`` that returns rows,
    dense and effective products. A layer that stands for `repeats` equal calls (a still image shown for many steps)
    says so by an attribute of that name.
    """
    layers: list[LayerCount] = []
    hooks = []

    def counts(layer: LayerCount) -> Callable[..., None]:
        def hook(part: Any, inputs: tuple[Tensor, ...], output: Any) -> None:
            binary = all(map(_binary, inputs))
            if hasattr(part, "products"):
                rows, dense, effective = part.products(*inputs, output)
            else:
                rows, dense, effective = _COUNTERS[type(part)](part, inputs[0], binary)
            repeats = getattr(part, "repeats", 1)
            out = output[0] if isinstance(output, tuple) else output
            layer.rows += repeats * rows
            layer.inputs += repeats * sum(x.numel() for x in inputs)
            layer.outputs += repeats * out.numel()
            layer.dense += repeats * dense
            layer.added += repeats * out.numel() if layer.biases else 0
            if binary:
                layer.spiked += repeats * effective
            else:
                layer.active += repeats * effective

        return hook

    for name, part in module.named_modules():
        if type(part) in _COUNTERS or hasattr(part, "products"):
            own = dict(part.named_parameters(recurse=False))
            biases = sum(p.numel() for key, p in own.items() if "bias" in key)
            layers.append(LayerCount(name, sum(p.numel() for p in own.values()) - biases, biases))
            hooks.append(part.register_forward_hook(counts(layers[-1])))
    try:
        yield layers
    finally:
        for hook in hooks:
            hook.remove()


def ann_operations(layers: Sequence[LayerCount], inferences: int, skip_zeros: bool = False) -> Operations:
    """A rectified network, one input at a time; every activation is written once, and read once by each layer.

    Parameters
    ----------
    layers : sequence of LayerCount
        Counts of `inferences` inferences, from the first layer to the last.
    inferences : int
    skip_zeros : bool
        Whether products with a factor of zero, and the reads of their weights, are spared.
    """
    n = inferences
    macs = sum(layer.effective if skip_zeros else layer.dense for layer in layers) / n
    hidden = sum(layer.outputs for layer in layers[:-1]) / n
    words = sum(layer.inputs + layer.outputs for layer in layers) / n
    return Operations(
        macs=macs,
        biases=sum(layer.added for layer in layers) / n,
        activations=hidden,
        decodes=layers[-1].outputs / n,
        addresses=words,
        weight_reads=macs,
        activation_accesses=words,
        weights=_weights(layers),
        activation_words=(layers[0].inputs + sum(layer.outputs for layer in layers)) / n,
    )


def stepped_operations(layers: Sequence[LayerCount], steps: int, neurons: int, inferences: int) -> Operations:
    """A spiking network as torch computes it: every weight multiplied in every step, spike or not."""
    n = inferences
    macs = sum(layer.dense for layer in layers) / n
    return Operations(
        macs=macs,
        biases=sum(layer.added for layer in layers) / n,
        updates=steps * neurons,
        addresses=sum(layer.inputs + layer.outputs for layer in layers) / n,
        weight_reads=macs,
        state_accesses=2 * steps * neurons,
        activation_accesses=sum(layer.inputs + layer.outputs for layer in layers) / n,
        weights=_weights(layers),
        states=neurons,
        activation_words=neurons + layers[0].inputs / n / steps,
        steps=steps,
    )


@dataclass(frozen=True)
class Events:
    """What happened in a spiking network, all inferences together.

    Parameters
    ----------
    synaptic_events, biases, updates : int
        Deliveries of spikes, additions of biases, changes of membranes.
    spikes, input_spikes, output_spikes : int
        Spikes of all neurons, of the encoder, and of the neurons that answer (part of `spikes`).
    """

    synaptic_events: int
    biases: int
    updates: int
    spikes: int
    input_spikes: int
    output_spikes: int


def event_operations(
    layers: Sequence[LayerCount],
    events: Events,
    *,
    steps: int,
    neurons: int,
    draws: int,
    classes: int,
    inferences: int,
) -> Operations:
    """A spiking network on hardware that works per event.

    Multiply-accumulates are those of `layers` with real inputs (a direct-coded first layer in every step, sums of
    spikes that are no spikes), zeros skipped. An encoder that draws reads each input and draws one number for it in
    every step; the address of a spike is written once and read once; an update reads and writes one membrane.

    Parameters
    ----------
    layers : sequence of LayerCount
        Counts in torch, for sizes and layers with real inputs.
    events : Events
        Everything else.
    steps, neurons, draws, classes, inferences : int
        Time steps; neurons; numbers the encoder draws in a step; outputs; test inputs.
    """
    n = inferences
    real = [layer for layer in layers if layer.active]
    macs = sum(layer.active for layer in real) / n
    words = sum(layer.inputs + layer.outputs for layer in real) / n
    spikes, input_spikes = events.spikes / n, events.input_spikes / n
    return Operations(
        macs=macs,
        synaptic_events=events.synaptic_events / n,
        biases=events.biases / n + sum(layer.added for layer in real) / n,
        updates=events.updates / n,
        spikes=spikes,
        draws=steps * draws,
        decodes=events.output_spikes / n + classes,
        addresses=words,
        weight_reads=events.synaptic_events / n + macs,
        state_accesses=2 * events.updates / n,
        activation_accesses=steps * draws + words,
        spike_accesses=2 * (spikes + input_spikes),
        weights=_weights(layers),
        states=neurons,
        activation_words=neurons + (layers[0].inputs / n / steps if layers else draws),
        steps=steps,
    )


def more_macs(operations: Operations, macs: float) -> Operations:
    """The same with `macs` more multiply-accumulates, and the reads of their factors."""
    return replace(
        operations,
        macs=operations.macs + macs,
        weight_reads=operations.weight_reads + macs,
        activation_accesses=operations.activation_accesses + macs,
    )


def _weights(layers: Sequence[LayerCount]) -> int:
    return sum(layer.weights + layer.biases for layer in layers)


def accuracy(predictions: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Fraction of equal entries."""
    return float(np.mean(predictions == labels))

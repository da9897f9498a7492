"""From a trained spiking graph to populations and projections of spikesim: same weights, same conventions.

`snntorch.Leaky` with delayed subtraction computes ``U[t] = beta U[t-1] + I[t] - S[t-1] theta`` and
``S[t] = U[t] > theta``. With one step of 1 ms that is a LIF membrane with delta synapses, ``tau_m = -1 / ln beta``,
a subtraction reset that lags one step, and a threshold one rounding step above theta (the core fires at ``v >= v_th``).
Projections have no delay, so that a layer sees the spikes the layer before fired in the same step; recurrent ones have
a delay of one step. Batch normalisation is folded into the weights before it. A map that is no plain layer is probed
with unit vectors and becomes a sparse matrix.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn

from baselines.graph import INPUT, Select, SpikingGraph, Wire
from baselines.spiking import AdaptiveLeaky, Converted, Gate, Leaky, Membrane
from spikesim import (
    IF,
    LIF,
    AdaptiveThreshold,
    AllToAll,
    Convolution,
    Delta,
    FixedThreshold,
    Network,
    Neuron,
    OneToOne,
    Pooling,
    Population,
    Projection,
    RegularSource,
    ResetBySubtraction,
    ResetTo,
    Sparse,
    Spikes,
    SpikeSource,
)

STEP = 1.0  # ms of one time step
BIAS = "bias"
_FORGETFUL = LIF(tau_m=0.01)  # ms: nothing is left of a membrane one step later
_SILENT = (nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout)


class Lowered(NamedTuple):
    """A linear map in the core: a rule with its weights, and the bias of each target (None for none)."""

    rule: Any
    weight: Any
    bias: NDArray[np.float64] | None


def core_neuron(neuron: nn.Module) -> Neuron:
    """The core's neuron that equals a neuron in torch."""
    if isinstance(neuron, Gate):
        return Neuron(_FORGETFUL, Delta(), FixedThreshold(neuron.needed - 0.5), ResetTo(0.0))
    if isinstance(neuron, Converted):
        theta = neuron.threshold
        return Neuron(IF(), Delta(), FixedThreshold(theta), ResetBySubtraction(amount=theta, lag=STEP))
    if isinstance(neuron, Membrane):
        held = IF() if neuron.beta == 1.0 else LIF(tau_m=_tau(neuron.beta))
        return Neuron(held, Delta(), FixedThreshold(_NEVER), ResetTo(0.0))
    assert isinstance(neuron, (Leaky, AdaptiveLeaky))
    membrane = IF() if neuron.beta == 1.0 else LIF(tau_m=_tau(neuron.beta))
    theta = float(np.nextafter(neuron.threshold, np.inf))
    subtract = ResetBySubtraction(amount=neuron.threshold, lag=STEP)
    if isinstance(neuron, AdaptiveLeaky):
        return Neuron(membrane, Delta(), AdaptiveThreshold(theta, neuron.jump, _tau(neuron.rho)), subtract)
    reset = subtract if neuron.reset == "subtract" else ResetTo(0.0, lag=STEP)
    return Neuron(membrane, Delta(), FixedThreshold(theta), reset)


def _tau(decay: float) -> float:
    return -STEP / math.log(decay)


def lower_map(module: nn.Module, in_shape: Any) -> Lowered:
    """Rule, weights and bias of a linear map of inputs `in_shape`; the module is of 64 bits and does not train."""
    parts = _leaves(module)
    while parts and isinstance(parts[0], _SILENT):  # a new shape of the input changes no connection
        in_shape = tuple(parts.pop(0)(torch.zeros(1, *in_shape)).shape[1:])
    parts = [p for p in parts if not isinstance(p, (nn.Identity, nn.Dropout))]
    kinds = tuple(type(p) for p in parts)
    if not parts:
        return Lowered(OneToOne(), 1.0, None)
    first: Any = parts[0]
    if kinds == (nn.Linear,) and (first.in_features,) == in_shape:
        return Lowered(AllToAll(), _array(first.weight).T, _given(first.bias))
    if kinds in ((nn.Conv2d,), (nn.Conv2d, nn.BatchNorm2d)) and first.groups == 1 and len(in_shape) == 3:
        return _convolution(first, parts[1] if len(parts) > 1 else None, in_shape)
    if kinds in ((nn.MaxPool2d,), (nn.AvgPool2d,)) and not first.padding:
        kind = "sum" if kinds == (nn.MaxPool2d,) else "mean"  # of spikes, any is a sum that is not nothing
        return Lowered(Pooling(in_shape, first.kernel_size, first.stride, kind), 1.0, None)
    return _probe(nn.Sequential(*parts), in_shape)


def _convolution(conv: nn.Conv2d, norm: Any, in_shape: Any) -> Lowered:
    kernel, bias = _array(conv.weight), _array(conv.bias) if conv.bias is not None else np.zeros(conv.out_channels)
    if norm is not None:
        scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
        kernel = kernel * scale[:, None, None, None]
        bias = (bias - _array(norm.running_mean)) * scale + _array(norm.bias)
    rule = Convolution(kernel, in_shape, conv.stride, conv.padding)
    return Lowered(rule, 1.0, np.repeat(bias, math.prod(rule.out_shape[1:])))


def _probe(module: nn.Module, in_shape: tuple[int, ...]) -> Lowered:
    n, first = math.prod(in_shape), next(iter(module.children()))
    start, stop = (first.start, first.stop) if isinstance(first, Select) else (0, n)
    with torch.inference_mode():
        bias = module(torch.zeros(1, *in_shape, dtype=torch.float64)).reshape(-1).numpy()
        rows = [sparse.csr_array((start, len(bias)))]
        for lo in range(start, stop, _PROBED):
            units = torch.zeros(min(_PROBED, stop - lo), n, dtype=torch.float64)
            units[torch.arange(len(units)), torch.arange(lo, lo + len(units))] = 1.0
            rows.append(sparse.csr_array(module(units.reshape(-1, *in_shape)).reshape(len(units), -1).numpy() - bias))
    matrix = sparse.csr_array(sparse.vstack([*rows, sparse.csr_array((n - stop, len(bias)))], format="csr"))
    size = np.abs(matrix.data)
    matrix.data[size < _NOTHING * size.max(initial=0.0)] = 0.0  # what is left of a bias after subtracting it
    matrix.eliminate_zeros()
    return Lowered(Sparse(matrix), 1.0, bias)


_PROBED = 256  # unit vectors at a time
_NOTHING = 1e-13
_NEVER = 1e12  # a threshold no membrane reaches


def _leaves(module: nn.Module) -> list[nn.Module]:
    if isinstance(module, nn.Sequential):
        return [leaf for child in module for leaf in _leaves(child)]
    return [module]


def _array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().numpy()


def _given(bias: Tensor | None) -> NDArray[np.float64] | None:
    return None if bias is None else _array(bias)


class Blueprint:
    """A trained graph, lowered once; `network` adds the stimuli.

    Parameters
    ----------
    graph : SpikingGraph
        Trained; a copy of 64 bits is made of it.
    shapes : mapping
        Shape of one step of every cell, by name.
    """

    def __init__(self, graph: SpikingGraph, shapes: dict[str, tuple[int, ...]]) -> None:
        graph = copy.deepcopy(graph).double().eval()
        self.size = {name: math.prod(shape) for name, shape in shapes.items()}
        self.populations = {c.name: (self.size[c.name], core_neuron(graph.neurons[c.name])) for c in graph.cells}
        self.initial = {c.name: float(getattr(graph.neurons[c.name], "initial", 0.0)) for c in graph.cells}  # type: ignore[arg-type]
        self.projections: list[tuple[str, str, Any, Any, float]] = []
        self.biases: dict[str, NDArray[np.float64]] = {}
        for cell in graph.cells:
            for wire in cell.wires:
                self._add(graph, cell.name, wire, shapes)
        self.populations = {name: self.populations[name] for name in self._order()}

    def _add(self, graph: SpikingGraph, name: str, wire: Wire, shapes: dict[str, tuple[int, ...]]) -> None:
        module: Any = graph.map_of(wire)
        if hasattr(module, "lower"):  # a product of spikes: gates between the sources and the cell
            gates = f"{name}.gates"
            incoming, outgoing, needed = module.lower(*(shapes[s] for s in wire.sources))
            self.size[gates] = outgoing.matrix.shape[0]
            self.populations[gates] = (self.size[gates], core_neuron(Gate(needed)))
            for source, rule in zip(wire.sources, incoming, strict=True):
                self.projections.append((source, gates, rule, 1.0, 0.0))
            self.projections.append((gates, name, outgoing, 1.0, 0.0))
            return
        lowered = lower_map(module, shapes[wire.sources[0]])
        for source in wire.sources:
            self.projections.append((source, name, lowered.rule, lowered.weight, wire.delay * STEP))
        if lowered.bias is not None and np.any(lowered.bias):
            self.biases[name] = self.biases.get(name, 0.0) + lowered.bias

    def _order(self) -> list[str]:
        """Gates before the cells they drive, the answering cell last."""
        names = list(self.populations)
        return sorted(names, key=lambda n: (self._rank(n), not n.endswith(".gates")))

    def _rank(self, name: str) -> int:
        return list(self.size).index(name.removesuffix(".gates"))

    @property
    def neurons(self) -> int:
        """Neurons, inputs not counted."""
        return sum(size for size, _ in self.populations.values())

    def network(self, inputs: Sequence[Spikes]) -> Network:
        """The network with one stimulus each of a batch; populations are named ``input``, ``bias`` and as the cells."""
        made = {INPUT: Population(INPUT, inputs[0].n, SpikeSource(tuple(inputs)))}
        clock = Population(BIAS, 1, RegularSource(interval=STEP, start=STEP))
        projections: list[Projection] = []
        for name, (size, neuron) in self.populations.items():
            made[name] = Population(name, size, neuron, initial={"v": self.initial.get(name, 0.0)})
        for i, (pre, post, rule, weight, delay) in enumerate(self.projections):
            projections.append(Projection(made[pre], made[post], rule, weight, delay, name=f"{pre}->{post} {i}"))
        for name, bias in self.biases.items():
            weight = np.ascontiguousarray(bias[None, :])
            projections.append(Projection(clock, made[name], AllToAll(), weight, 0.0, name=f"{BIAS}->{name}"))
        return Network([clock, *made.values()] if self.biases else list(made.values()), projections)


Build = Callable[[Sequence[Spikes]], Network]

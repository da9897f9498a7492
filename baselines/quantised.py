"""The rival that a spiking network of T steps has to beat: the same network with activations of ceil(log2(T + 1)) bits.

A neuron that fires at most once in each of T steps tells one of T + 1 values, as an activation of that many bits does
(Yan, Bai & Wong 2024, arXiv:2409.08290, section 3). Weights get 8 bits, symmetric, one scale per output; activations
are unsigned where they are never negative, else signed, one scale per layer from the largest value met in training
data. No retraining.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

WEIGHT_BITS = 8
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)


@contextmanager
def quantised(module: nn.Module, bits: int, calibrate: Callable[[], object]) -> Iterator[None]:
    """Round weights and inputs of every linear and convolution layer of `module` while the context lasts.

    Parameters
    ----------
    module : nn.Module
    bits : int
        Bits of activations, 1 … 8.
    calibrate : callable
        Runs the module on training data, so that ranges are known.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, LAYERS)]
    low, high = dict.fromkeys(layers, 0.0), dict.fromkeys(layers, 0.0)

    def observe(layer: Any, inputs: tuple[Tensor, ...]) -> None:
        low[layer] = min(low[layer], float(inputs[0].min()))
        high[layer] = max(high[layer], float(inputs[0].max()))

    def round_input(layer: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (_round(inputs[0], bits, low[layer], high[layer]), *inputs[1:])

    with torch.inference_mode():
        hooks = [layer.register_forward_pre_hook(observe) for layer in layers]
        calibrate()
        for hook in hooks:
            hook.remove()
    kept = [layer.weight.data for layer in layers]
    hooks = [layer.register_forward_pre_hook(round_input) for layer in layers]
    try:
        for layer in layers:
            layer.weight.data = _round_weight(layer.weight.data)
        yield
    finally:
        for layer, weight in zip(layers, kept, strict=True):
            layer.weight.data = weight
        for hook in hooks:
            hook.remove()


def _round(x: Tensor, bits: int, low: float, high: float) -> Tensor:
    if low >= 0.0:
        step = (high or 1.0) / (2**bits - 1)
        return (x / step).round().clamp(0, 2**bits - 1) * step
    top = max(1, 2 ** (bits - 1) - 1)
    step = max(-low, high) / top
    return (x / step).round().clamp(-top, top) * step


def _round_weight(weight: Tensor) -> Tensor:
    top = 2 ** (WEIGHT_BITS - 1) - 1
    step = weight.abs().flatten(1).amax(1).clamp_min(1e-12) / top
    step = step.reshape(-1, *[1] * (weight.ndim - 1))
    return (weight / step).round() * step

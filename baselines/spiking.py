"""The spiking side in torch: rate encoding, and a stack of layers run over time with snnTorch's neurons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import snntorch as snn
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikesim.spikes import Spikes


def rate_encode(x: NDArray[np.float32], steps: int, seed: Sequence[int]) -> NDArray[np.bool_]:
    """Bernoulli rate code: in each step an input of value p fires with probability p.

    Parameters
    ----------
    x : array (k, …)
        Values in 0 … 1; all axes but the first are flattened.
    steps : int
        Time steps T.
    seed : sequence of int
        The same seed gives the same spikes, whoever asks: torch and core see identical input.

    Returns
    -------
    array (k, T, n) of bool
    """
    flat = x.reshape(len(x), 1, -1)
    return np.random.default_rng(seed).random((len(x), steps, flat.shape[2]), dtype=np.float32) < flat


def to_spikes(encoded: NDArray[np.bool_]) -> Spikes:
    """`Spikes` of one encoded input (T, n): the spike of step k (0, 1, …) lies at k + 1 ms, the end of that step."""
    step, ids = np.nonzero(encoded)
    return Spikes(step + 1.0, ids, encoded.shape[1], float(len(encoded)))


class SpikingStack(nn.Module):
    """Feed-forward layers over time; each layer works off all steps before the next, which changes no result.

    Parameters
    ----------
    *layers : nn.Module
        `snntorch.Leaky` layers with stateless layers (`nn.Linear` …) between them.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        snn.SpikingNeuron.instances.clear()  # snnTorch keeps every neuron layer ever made alive in this list

    def forward(self, spikes: Tensor) -> list[Tensor]:
        """Spikes (T, batch, …) of each `Leaky` layer for input spikes (T, batch, …)."""
        fired = []
        for layer in self.layers:
            if isinstance(layer, snn.Leaky):
                spikes = _over_time(layer, spikes)
                fired.append(spikes)
            else:
                spikes = layer(spikes.flatten(0, 1)).unflatten(0, spikes.shape[:2])
        return fired


def _over_time(layer: snn.Leaky, current: Tensor) -> Tensor:
    membrane, fired = torch.zeros_like(current[0]), []
    for step in current:
        spike, membrane = layer(step, membrane)
        fired.append(spike)
    return torch.stack(fired).to(current)  # surrogates answer in 32 bits

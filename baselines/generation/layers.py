"""Small modules of networks that make images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Flat(nn.Module):
    """One number for each input."""

    def forward(self, x: Tensor) -> Tensor:
        """(k, 1) to (k,)."""
        return x.flatten()


class Image(nn.Module):
    """Images with a channel."""

    def forward(self, x: Tensor) -> Tensor:
        """(k, height, width) to (k, 1, height, width)."""
        return x[:, None]


class Spread(nn.Module):
    """One number for each channel, at every place of its map.

    Parameters
    ----------
    size : int
        Height and width of a map.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(k, channels) to (k, channels, size, size)."""
        return x[:, :, None, None].expand(-1, -1, self.size, self.size)


class Rectifier(nn.Module):
    """What stands for a neuron in an artificial network of one step."""

    def forward(self, currents: Tensor, feedback: object = None) -> Tensor:
        """Currents where they are positive."""
        return currents.relu()


class NoisyImage(nn.Module):
    """Encoder of a noisy image and the time of its noise.

    The image drives a first layer of neurons by real currents in every step; of the times, one neuron each, the one
    that is meant fires in every step.

    Parameters
    ----------
    layer : nn.Module
        Weights of the first layer.
    neuron : nn.Module
    steps, size, times : int
        Time steps; height and width of an image; times of the noise.
    """

    def __init__(self, layer: nn.Module, neuron: nn.Module, steps: int, size: int, times: int) -> None:
        super().__init__()
        self.layer, self.neuron, self.steps, self.size, self.times = layer, neuron, steps, size, times
        for part in layer.modules():
            part.repeats = steps  # type: ignore[assignment]

    def forward(self, prepared: Tensor) -> Tensor:
        """Spikes (T, k, first layer and times) of images, flat, with the time behind them (k, pixels + 1)."""
        current = self.layer(prepared[:, :-1].reshape(-1, 1, self.size, self.size))
        spikes = self.neuron(current[None].expand(self.steps, *current.shape)).flatten(2)
        time = functional.one_hot(prepared[:, -1].long(), self.times).to(spikes)
        return torch.cat([spikes, time[None].expand(self.steps, *time.shape)], 2)

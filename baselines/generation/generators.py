"""Generators and discriminators, artificial and spiking, by the same sizes."""

from __future__ import annotations

import itertools

from torch import nn

from baselines.contract import Classification
from baselines.generation.adversarial import GanSettings
from baselines.generation.layers import Flat, Image
from baselines.generation.spiking import Critic, Painter
from baselines.graph import INPUT, SpikingGraph
from baselines.spiking import Direct, Leaky, Membrane

SETTINGS = {
    "mnist": GanSettings(
        seeds=1, epochs=12, steps=4, batch_size=128, lr_ann=3e-4, lr_snn=5e-4, lr_critic=1e-3, noise=0.3, gain=5.0,
        latent=32, hidden=256, passes=1, replayed=2000, judged=2000,
    ),
    "digits": GanSettings(
        seeds=3, epochs=40, steps=4, batch_size=64, lr_ann=5e-4, lr_snn=1e-3, lr_critic=2e-3, noise=0.3, gain=5.0,
        passes=5, quick_epochs=20,
    ),
}  # fmt: skip


def _size(data: Classification) -> int:
    return data.train.x.shape[1]


def _normal(n_in: int, n_out: int) -> nn.Module:
    """A linear layer, its outputs normalised over the batch."""
    return nn.Sequential(nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out))


def mlp_generator(data: Classification, s: GanSettings) -> nn.Module:
    """Three linear layers, pixels by a logistic function."""
    n = _size(data)
    return nn.Sequential(
        _normal(s.latent, s.hidden), nn.ReLU(), _normal(s.hidden, s.hidden), nn.ReLU(),
        nn.Linear(s.hidden, n * n), nn.Sigmoid(), nn.Unflatten(1, (n, n)),
    )  # fmt: skip


def mlp_discriminator(data: Classification, s: GanSettings) -> nn.Module:
    """Three linear layers."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(_size(data) ** 2, s.hidden), nn.LeakyReLU(0.2), nn.Linear(s.hidden, s.hidden),
        nn.LeakyReLU(0.2), nn.Linear(s.hidden, 1), Flat(),
    )  # fmt: skip


def stages(data: Classification, s: GanSettings) -> list[int]:
    """Channels from the smallest maps to the largest."""
    return [s.channels, s.channels // 2] if _size(data) <= 8 else [s.channels, s.channels // 2, s.channels // 4]


def dc_generator(data: Classification, s: GanSettings) -> nn.Module:
    """A linear layer to small maps, then upsampling and convolution until the image is there."""
    channels, n = stages(data, s), _size(data)
    small = n >> (len(channels) - 1)
    layers: list[nn.Module] = [
        _normal(s.latent, channels[0] * small**2), nn.ReLU(), nn.Unflatten(1, (channels[0], small, small)),
    ]  # fmt: skip
    for before, after in itertools.pairwise(channels):
        layers += [
            nn.Upsample(scale_factor=2),
            nn.Conv2d(before, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 3, padding=1), nn.Sigmoid(), nn.Flatten(1, 2))


def dc_discriminator(data: Classification, s: GanSettings) -> nn.Module:
    """Two convolutions of stride 2, one linear layer."""
    small = -(-_size(data) // 4)
    half = s.channels // 2
    return nn.Sequential(
        Image(), nn.Conv2d(1, half, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(half, s.channels, 3, 2, 1),
        nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(s.channels * small**2, 1), Flat(),
    )  # fmt: skip


def spiking_mlp_generator(data: Classification, s: GanSettings) -> Painter:
    """The same sizes, leaky neurons, membranes for pixels."""
    n = _size(data)
    g = SpikingGraph(Direct(_normal(s.latent, s.hidden), Leaky(s.beta), s.steps))
    g.add("hidden", Leaky(s.beta), g.wire(_normal(s.hidden, s.hidden), INPUT))
    g.add("image", Membrane(), g.wire(nn.Linear(s.hidden, n * n), "hidden"))
    return Painter(g, (n, n), s.gain)


def spiking_mlp_discriminator(data: Classification, s: GanSettings) -> Critic:
    """The same sizes, leaky neurons, a membrane that answers."""
    first = nn.Sequential(nn.Flatten(), nn.Linear(_size(data) ** 2, s.hidden))
    g = SpikingGraph(Direct(first, Leaky(s.beta), s.steps))
    g.add("hidden", Leaky(s.beta), g.wire(nn.Linear(s.hidden, s.hidden), INPUT))
    g.add("answer", Membrane(), g.wire(nn.Linear(s.hidden, 1), "hidden"))
    return Critic(g)


def spiking_dc_generator(data: Classification, s: GanSettings) -> Painter:
    """The same maps, leaky neurons, membranes for pixels."""
    channels, n = stages(data, s), _size(data)
    small = n >> (len(channels) - 1)
    shape = (channels[0], small, small)
    first = nn.Sequential(_normal(s.latent, channels[0] * small**2), nn.Unflatten(1, shape))
    g, last = SpikingGraph(Direct(first, Leaky(s.beta), s.steps)), INPUT
    for i, (before, after) in enumerate(itertools.pairwise(channels)):
        grow = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after))
        last = g.add(f"maps{i}", Leaky(s.beta), g.wire(grow, last))
    g.add("image", Membrane(), g.wire(nn.Conv2d(channels[-1], 1, 3, padding=1), last))
    return Painter(g, (n, n), s.gain)


def spiking_dc_discriminator(data: Classification, s: GanSettings) -> Critic:
    """The same maps, leaky neurons, a membrane that answers."""
    small, half = -(-_size(data) // 4), s.channels // 2
    g = SpikingGraph(Direct(nn.Sequential(Image(), nn.Conv2d(1, half, 3, 2, 1)), Leaky(s.beta), s.steps))
    g.add("maps", Leaky(s.beta), g.wire(nn.Conv2d(half, s.channels, 3, 2, 1), INPUT))
    last = nn.Sequential(nn.Flatten(), nn.Linear(s.channels * small**2, 1))
    g.add("answer", Membrane(), g.wire(last, "maps"))
    return Critic(g)

"""Diffusion and its spiking twin: one U-Net of residual currents, rectifiers or spiking neurons in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from baselines.contract import Classification, Contestant, Family
from baselines.generation import generators
from baselines.generation.adversarial import Adversary, RealImages, judged_alike
from baselines.generation.denoising import Denoiser, DiffusionSettings
from baselines.generation.judge import DISTANCE, METRICS
from baselines.generation.layers import NoisyImage, Rectifier, Spread
from baselines.generation.pictures import BETWEEN, CHAIN, NEAREST, SAMPLES
from baselines.generation.spiking_denoising import SpikingDenoiser
from baselines.graph import INPUT, Select, SpikingGraph, Wire
from baselines.spiking import Leaky, Membrane

DEVIATIONS = (
    "an inference is one image: all steps of denoising, and in each the time steps of the twin, which start from rest",
    "distances are those of the family gan and compare with nothing else",
    "residuals are currents before the neurons (pre-spike, as SDDPM, arXiv:2306.17046), on both sides; neither has "
    "attention; the twin's answer is the mean over time steps of the last membrane",
    "both sides are asked for the velocity (arXiv:2202.00512); SDDPM's network for the noise",
    "the time of the noise is one neuron of many that fires in every step, a learned current for each channel; SDDPM "
    "uses a dense embedding and learns a factor for each time step",
    "the core makes the first images of each twin, and torch in 64 bits the same; the others are made by torch in 32 "
    "bits, and the distance is that of all",
    "noise along a cosine in 100 steps, taken away in 25, on digits with new noise in each (DDPM), on MNIST without "
    "(DDIM); the network judged is an average over updates, its batch statistics its own",
    "on MNIST four pixels share a place in the largest maps, and a linear layer, the same for all channels, mixes the "
    "places of the smallest (as in arXiv:2105.01601), where other U-Nets have attention",
)
Cell = Callable[[], nn.Module]


def unet(data: Classification, s: DiffusionSettings, neuron: Cell, steps: int) -> SpikingGraph:
    """Two sizes of maps, three residual blocks, a way around the smaller maps; the last cell holds the velocity."""
    c, patch, pixels = s.channels, s.patch, data.train.x.shape[1]
    size = pixels // patch
    maps = c * size * size
    stem = nn.Sequential(nn.Conv2d(1, c, patch + 2, patch, padding=1), nn.BatchNorm2d(c))
    g = SpikingGraph(NoisyImage(stem, neuron(), steps, pixels, s.times))

    def conv(source: str, before: int, after: int, stride: int = 1) -> Wire:
        given = [Select(0, maps), nn.Unflatten(1, (c, size, size))] if source == INPUT else []
        weights = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        return g.wire(nn.Sequential(*given, weights, nn.BatchNorm2d(after)), source)

    def time(channels: int, width: int) -> Wire:
        table = nn.Linear(s.times, channels, bias=False)
        return g.wire(nn.Sequential(Select(maps, maps + s.times), table, Spread(width)), INPUT)

    large = [conv(INPUT, c, c), time(c, size)]
    g.add("large_1", neuron(), *large)
    large.append(conv("large_1", c, c))
    g.add("large_2", neuron(), *large)
    small = [conv("large_2", c, 2 * c, stride=2), time(2 * c, size // 2)]
    g.add("small_1", neuron(), *small)
    small.append(conv("small_1", 2 * c, 2 * c))
    if s.mixed:
        small.append(g.wire(mixer(2 * c, size // 2), "small_1"))
    g.add("small_2", neuron(), *small)
    grow = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(2 * c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c))
    back = [g.wire(grow, "small_2"), conv("large_2", c, c), time(c, size)]
    g.add("back_1", neuron(), *back)
    back.append(conv("back_1", c, c))
    g.add("back_2", neuron(), *back)
    paint: nn.Module = nn.Conv2d(c, patch**2, 3, padding=1)
    if patch > 1:
        paint = nn.Sequential(paint, nn.PixelShuffle(patch))
    g.add("velocity", Membrane(), g.wire(paint, "back_2"))
    return g


def mixer(channels: int, size: int) -> nn.Module:
    """Every place of a map from all places, the same weights for all channels."""
    weights = nn.Linear(size**2, size**2, bias=False)
    return nn.Sequential(nn.Flatten(2), weights, nn.Unflatten(2, (size, size)), nn.BatchNorm2d(channels))


def ann(data: Classification, s: DiffusionSettings, seed: int) -> Denoiser:
    """The network of rectifiers as a learner: one step, no time."""
    return Denoiser(lambda: unet(data, s, Rectifier, 1), data, s, seed, s.lr_ann)


def twin(data: Classification, s: DiffusionSettings, seed: int) -> SpikingDenoiser:
    """The spiking network as a learner."""
    return SpikingDenoiser(lambda: unet(data, s, lambda: Leaky(s.beta), s.steps), data, s, seed, s.lr_snn)


def longer(data: Classification, s: DiffusionSettings, seed: int) -> SpikingDenoiser:
    """The same with twice the time steps."""
    return twin(data, replace(s, steps=2 * s.steps), seed)


def adversary(data: Classification, s: DiffusionSettings, seed: int) -> Adversary:
    """The generator of the family gan, with its own settings and all the updates it makes there."""
    settings = generators.SETTINGS["digits" if data.train.x.shape[1] == 8 else "mnist"]
    passes = max(1, round(settings.passes * settings.epochs / s.epochs))
    settings = replace(settings, passes=passes, epochs=s.epochs, judged=s.judged)
    return Adversary(generators.mlp_generator, generators.mlp_discriminator, data, settings, seed, settings.lr_ann)


def judge(f: Mapping[str, Any]) -> list[str]:
    """Against the floor, and against the adversarial network."""
    rival = f["others"]["gan"][DISTANCE]
    found = judged_alike(f)
    for who, side in (("ANN", "ann"), ("twin", "replay")):
        better = "better" if f[side][DISTANCE] < rival else "NOT better"
        found.append(f"The {who} is {better} than the GAN ({f[side][DISTANCE]:.3g} and {rival:.3g}).")
    return found


FAMILY = Family(
    name="diffusion",
    title="diffusion model",
    settings={
        "mnist": DiffusionSettings(
            seeds=1, epochs=4, steps=4, batch_size=32, lr_ann=5e-3, lr_snn=5e-3, patch=2, mixed=True, passes=1,
            replayed=6, judged=2000,
        ),
        "digits": DiffusionSettings(
            seeds=3, epochs=24, steps=4, batch_size=64, lr_ann=3e-3, lr_snn=3e-3, fresh=1.0, replayed=4,
            quick_epochs=1,
        ),
    },
    ann=ann,
    snn=twin,
    twin="spiking U-Net",
    others=(
        Contestant("twice_the_steps", "spiking U-Net, twice the time steps", longer, spiking=True),
        Contestant("gan", "GAN", adversary),
        Contestant("real", "training images (the floor)", RealImages),
    ),
    deviations=DEVIATIONS,
    metrics=METRICS,
    validated="squared error of the velocity, validation",
    galleries=(SAMPLES, NEAREST, BETWEEN, CHAIN),
    judge=judge,
)  # fmt: skip

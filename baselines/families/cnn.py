"""Convolutional network of LeNet's class and its spiking twin: two convolutions, two poolings, two full layers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from baselines.contract import Classification, Family, Settings
from baselines.graph import INPUT, SpikingGraph
from baselines.spiking import Bernoulli, Direct, Events, Gate, Leaky
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier

DEVIATIONS = (
    "LeNet-5 with ReLU, maximum pooling, batch normalisation and two full layers; the twin has the same sizes",
    "the twin sees each input as Bernoulli spikes (probability = pixel); all its layers work on spikes, the first too",
    "of an event camera (N-MNIST) the twin sees the events as they come, 30 ms in a step; the network sees in how many "
    "steps each pixel had one",
    "pooling of the twin: a cell fires when any cell of its window does (the maximum of spikes)",
    "the twin's batch normalisation is folded into the convolutions before the replay",
    "validation data choose settings and the best epoch; no augmentation of the data",
)


@dataclass(frozen=True)
class CNNSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    channels : (int, int)
        Feature maps of the two convolutions.
    kernel : int
        Rows and columns of their kernels.
    hidden : int
        Neurons of the first full layer.
    beta : float
        Decay of the twin's membranes per time step.
    direct : bool
        Whether the pixels drive the first convolution in every step, instead of Bernoulli spikes.
    """

    channels: tuple[int, int] = (12, 24)
    kernel: int = 3
    hidden: int = 64
    beta: float = 0.8
    direct: bool = False


def convolution(c_in: int, c_out: int, kernel: int) -> nn.Sequential:
    """Convolution that keeps rows and columns, and batch normalisation."""
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(c_out))


class OverTime(nn.Module):
    """What is left of frames without their order: in what part of them a pixel saw an event."""

    def forward(self, x: Tensor) -> Tensor:
        """(k, frames, channels, rows, columns) to (k, channels, rows, columns)."""
        return x.mean(1)


def channels_in(data: Classification) -> int:
    """Channels of an input: one of a picture, two of an event camera."""
    shape = data.train.x[0].shape
    return shape[1] if len(shape) == 4 else 1


def picture(data: Classification, over_time: nn.Module) -> nn.Module:
    """Pictures get a channel, frames go through `over_time`."""
    shape = data.train.x[0].shape
    return over_time if len(shape) == 4 else nn.Unflatten(1, (1, shape[0]))


def flattened(data: Classification, s: CNNSettings) -> int:
    """Values after the second pooling."""
    rows, columns = data.train.x[0].shape[-2:]
    return s.channels[1] * (rows // 4) * (columns // 4)


def build_ann(data: Classification, s: CNNSettings) -> nn.Module:
    """Convolution, pooling, twice; linear, linear."""
    a, b = s.channels
    return nn.Sequential(
        picture(data, OverTime()),
        *(convolution(channels_in(data), a, s.kernel), nn.ReLU(), nn.MaxPool2d(2)),
        *(convolution(a, b, s.kernel), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(flattened(data, s), s.hidden), nn.ReLU(), nn.Linear(s.hidden, data.classes)),
    )


def encoder(first: nn.Module, s: CNNSettings) -> nn.Module:
    """Events as they come, Bernoulli spikes, or pixels that drive the first convolution."""
    if s.frames:
        return Events(s.steps, s.frames)
    return Direct(first, Leaky(s.beta), s.steps) if s.direct else Bernoulli(s.steps)


def build_snn(data: Classification, s: CNNSettings) -> SpikingGraph:
    """The same with leaky neurons for ReLU and gates for maxima."""
    a, b = s.channels
    first = nn.Sequential(picture(data, nn.Identity()), *convolution(channels_in(data), a, s.kernel))
    g = SpikingGraph(encoder(first, s))
    seen = INPUT if s.direct else g.add("conv1", Leaky(s.beta), g.wire(first, INPUT))
    g.add("pool1", Gate(), g.wire(nn.MaxPool2d(2), seen))
    g.add("conv2", Leaky(s.beta), g.wire(convolution(a, b, s.kernel), "pool1"))
    g.add("pool2", Gate(), g.wire(nn.MaxPool2d(2), "conv2"))
    full = nn.Sequential(nn.Flatten(), nn.Linear(flattened(data, s), s.hidden))
    g.add("hidden", Leaky(s.beta), g.wire(full, "pool2"))
    g.add("output", Leaky(s.beta), g.wire(nn.Linear(s.hidden, data.classes), "hidden"))
    return g


def ann(data: Classification, s: CNNSettings, seed: int) -> Classifier:
    """The convolutional network as a learner."""
    return Classifier(lambda: build_ann(data, s), data, s, seed, s.lr_ann, s.decay_ann)


def twin(data: Classification, s: CNNSettings, seed: int) -> SpikingClassifier:
    """The spiking twin as a learner."""
    return SpikingClassifier(lambda: build_snn(data, s), data, s, seed, s.lr_snn, s.decay_snn)


FAMILY = Family(
    name="cnn",
    title="convolutional network",
    settings={
        "mnist": CNNSettings(
            seeds=1, epochs=3, steps=6, batch_size=100, lr_ann=3e-3, lr_snn=3e-3, kernel=5, replayed=1000
        ),
        "nmnist": CNNSettings(
            seeds=3, epochs=20, steps=10, frames=10, batch_size=50, lr_ann=3e-3, lr_snn=3e-3, kernel=5
        ),
        "digits": CNNSettings(seeds=3, epochs=24, steps=8, lr_ann=3e-3, lr_snn=5e-3, gain=5.0, quick_epochs=12),
    },
    ann=ann,
    snn=twin,
    targets={"mnist": {"ann": 0.99, "snn": 0.985}},
    deviations=DEVIATIONS,
)

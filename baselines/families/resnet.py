"""Residual network of eight layers, and spiking twins with membrane (MS) and spike-element-wise (SEW) shortcuts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from baselines.contract import Classification, Contestant, Family, Settings
from baselines.graph import INPUT, SpikingGraph, Wire
from baselines.spiking import Direct, Leaky
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier

DEVIATIONS = (
    "ResNet-8: a first convolution, three blocks of two convolutions, one linear layer; strides 1, 2, 2; on MNIST the "
    "first convolution has stride 2, as that of the large ResNets",
    "twins are direct-coded: the first convolution sees the pixels in every step (multiply-accumulates × steps), its "
    "spikes are the input of the replay",
    "MS (Hu et al. 2024, arXiv:2112.08954): currents are added before the neuron, so that all layers send spikes; "
    "where the size changes the shortcut is a convolution of spikes",
    "SEW (Fang et al. 2021, arXiv:2102.04159): spikes are added after the neuron; sums above 1 are no spikes, and "
    "their products count as multiply-accumulates by tensors; in the core each spike of a sum is delivered by itself",
    "the twins answer with four output neurons a class, since counts of four steps tie too often",
    "batch normalisation is folded into the convolutions before the replay; no augmentation of the data",
)


@dataclass(frozen=True)
class ResNetSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    channels : (int, int, int)
        Feature maps of the three blocks.
    beta : float
        Decay of the twins' membranes per time step.
    voters : int
        Output neurons of the twins for each class.
    stem : int
        Stride of the first convolution.
    """

    channels: tuple[int, int, int] = (12, 24, 48)
    beta: float = 0.7
    voters: int = 1
    stem: int = 1


def convolution(c_in: int, c_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution and batch normalisation."""
    conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out))


def blocks(s: ResNetSettings) -> list[tuple[int, int, int]]:
    """Channels in and out, and stride, of the three blocks."""
    a, b, c = s.channels
    return [(a, a, 1), (a, b, 2), (b, c, 2)]


def first(data: Classification, s: ResNetSettings) -> nn.Sequential:
    """The convolution of the pixels."""
    return nn.Sequential(nn.Unflatten(1, (1, data.train.x[0].shape[0])), convolution(1, s.channels[0], 3, s.stem))


class Block(nn.Module):
    """``relu(x + conv(relu(conv(x))))``, the shortcut a convolution where the size changes."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(convolution(c_in, c_out, 3, stride), nn.ReLU(), convolution(c_out, c_out))
        self.shortcut = nn.Identity() if stride == 1 else convolution(c_in, c_out, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(k, c_in, rows, columns) to (k, c_out, …)."""
        return (self.shortcut(x) + self.inner(x)).relu()


def head(data: Classification, s: ResNetSettings, voters: int = 1) -> nn.Sequential:
    """Mean over pixels, linear."""
    rows = -(-data.train.x[0].shape[0] // (4 * s.stem))
    return nn.Sequential(nn.AvgPool2d(rows), nn.Flatten(), nn.Linear(s.channels[2], voters * data.classes))


def build_ann(data: Classification, s: ResNetSettings) -> nn.Module:
    """Convolution, three blocks, mean, linear."""
    return nn.Sequential(first(data, s), nn.ReLU(), *(Block(*b) for b in blocks(s)), head(data, s))


def start(data: Classification, s: ResNetSettings) -> SpikingGraph:
    """Graph with the direct-coded first convolution."""
    return SpikingGraph(Direct(first(data, s), Leaky(s.beta), s.steps))


def build_ms(data: Classification, s: ResNetSettings) -> SpikingGraph:
    """Shortcuts of membrane currents: what adds up is currents, what travels is spikes."""
    g = start(data, s)
    fired = INPUT
    stream: list[Wire] = [g.wire(nn.Identity(), INPUT)]
    for i, (c_in, c_out, stride) in enumerate(blocks(s)):
        if stride > 1:
            stream = [g.wire(convolution(c_in, c_out, 1, stride), fired)]
        inner = g.add(f"block{i}a", Leaky(s.beta), g.wire(convolution(c_in, c_out, 3, stride), fired))
        stream = [*stream, g.wire(convolution(c_out, c_out), inner)]
        fired = g.add(f"block{i}b", Leaky(s.beta), *stream)
    g.add("output", Leaky(s.beta), g.wire(head(data, s, s.voters), fired))
    return g


def build_sew(data: Classification, s: ResNetSettings) -> SpikingGraph:
    """Shortcuts of spikes: what adds up is spikes, so that 2 and more travel."""
    g = start(data, s)
    fired: tuple[str, ...] = (INPUT,)
    for i, (c_in, c_out, stride) in enumerate(blocks(s)):
        inner = g.add(f"block{i}a", Leaky(s.beta), g.wire(convolution(c_in, c_out, 3, stride), *fired))
        outer = g.add(f"block{i}b", Leaky(s.beta), g.wire(convolution(c_out, c_out), inner))
        if stride > 1:
            shortcut = g.wire(convolution(c_in, c_out, 1, stride), *fired)
            fired = (g.add(f"block{i}s", Leaky(s.beta), shortcut),)
        fired = (*fired, outer)
    g.add("output", Leaky(s.beta), g.wire(head(data, s, s.voters), *fired))
    return g


def ann(data: Classification, s: ResNetSettings, seed: int) -> Classifier:
    """The residual network as a learner."""
    return Classifier(lambda: build_ann(data, s), data, s, seed, s.lr_ann, s.decay_ann)


def membrane(data: Classification, s: ResNetSettings, seed: int) -> SpikingClassifier:
    """The MS twin as a learner."""
    return SpikingClassifier(lambda: build_ms(data, s), data, s, seed, s.lr_snn, s.decay_snn)


def elementwise(data: Classification, s: ResNetSettings, seed: int) -> SpikingClassifier:
    """The SEW twin as a learner."""
    return SpikingClassifier(lambda: build_sew(data, s), data, s, seed, s.lr_snn, s.decay_snn)


FAMILY = Family(
    name="resnet",
    title="residual network",
    settings={
        "mnist": ResNetSettings(
            seeds=1,
            epochs=3,
            steps=4,
            batch_size=100,
            lr_ann=5e-3,
            lr_snn=5e-3,
            voters=4,
            stem=2,
            replayed=500,
        ),
        "digits": ResNetSettings(seeds=3, epochs=20, steps=4, lr_ann=5e-3, lr_snn=5e-3, voters=4, quick_epochs=8),
    },
    ann=ann,
    snn=membrane,
    twin="MS twin",
    others=(Contestant("sew", "SEW twin", elementwise, spiking=True),),
    targets={"mnist": {"ann": 0.99, "snn": 0.985, "sew": 0.985}},
    deviations=DEVIATIONS,
)

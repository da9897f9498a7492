"""Multilayer perceptron and its spiking twin: one hidden layer, fully connected, equal sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from baselines.contract import Classification, Contestant, Family, Settings
from baselines.graph import INPUT, SpikingGraph
from baselines.spiking import Bernoulli, Converted, Direct, Leaky
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier

DEVIATIONS = (
    "the twin has the sizes of the perceptron; ReLU becomes a leaky integrate-and-fire neuron with threshold 1",
    "the twin sees each input as Bernoulli spikes (probability = pixel), the perceptron sees the pixels",
    "the twin answers with the spike counts of its outputs, the first of equals; the perceptron with logits",
    "both train with cross-entropy, Adam and a cosine schedule; validation data choose settings and the best epoch",
    "the noise of the input spikes also augments the twin's training data; the perceptron gets no such help",
    "converted twins train as artificial networks with activations between 0 and 1 (their outputs too), without "
    "spikes; 8 steps, pixels as real currents; QCFS (Bu et al. 2022, arXiv:2303.04347) has 8 levels, threshold 1",
)
CONVERTED_STEPS = 8


@dataclass(frozen=True)
class MLPSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    hidden : int
        Neurons of the hidden layer, both sides.
    beta : float
        Decay of the twin's membranes per time step, 0 … 1.
    """

    hidden: int = 128
    beta: float = 0.9


def build_ann(data: Classification, s: MLPSettings) -> nn.Module:
    """Linear, ReLU, linear."""
    n = data.train.x[0].size
    return nn.Sequential(nn.Flatten(), nn.Linear(n, s.hidden), nn.ReLU(), nn.Linear(s.hidden, data.classes))


def build_snn(data: Classification, s: MLPSettings) -> SpikingGraph:
    """Linear, leaky, linear, leaky."""
    n = data.train.x[0].size
    g = SpikingGraph(Bernoulli(s.steps))
    g.add("hidden", Leaky(s.beta), g.wire(nn.Sequential(nn.Flatten(), nn.Linear(n, s.hidden)), INPUT))
    g.add("output", Leaky(s.beta), g.wire(nn.Linear(s.hidden, data.classes), "hidden"))
    return g


def build_converted(data: Classification, s: MLPSettings, levels: int) -> SpikingGraph:
    """Linear, activation, twice; the activations become neurons without leak, the pixels stay real."""
    first = nn.Sequential(nn.Flatten(), nn.Linear(data.train.x[0].size, s.hidden))
    g = SpikingGraph(Direct(first, Converted(levels), CONVERTED_STEPS))
    g.add("output", Converted(levels), g.wire(nn.Linear(s.hidden, data.classes), INPUT))
    return g


def ann(data: Classification, s: MLPSettings, seed: int) -> Classifier:
    """The perceptron as a learner."""
    return Classifier(lambda: build_ann(data, s), data, s, seed, s.lr_ann, s.decay_ann)


def twin(data: Classification, s: MLPSettings, seed: int) -> SpikingClassifier:
    """The spiking twin as a learner."""
    return SpikingClassifier(lambda: build_snn(data, s), data, s, seed, s.lr_snn, s.decay_snn)


def converted(data: Classification, s: MLPSettings, seed: int, levels: int = 0) -> SpikingClassifier:
    """A network trained without spikes and then converted, as a learner."""
    s = replace(s, steps=CONVERTED_STEPS)
    return SpikingClassifier(lambda: build_converted(data, s, levels), data, s, seed, s.lr_snn, s.decay_snn)


def qcfs(data: Classification, s: MLPSettings, seed: int) -> SpikingClassifier:
    """The same, trained with activations of as many levels as there are steps."""
    return converted(data, s, seed, CONVERTED_STEPS)


FAMILY = Family(
    name="mlp",
    title="multilayer perceptron",
    settings={  # chosen on validation data; steps: the fewest that lose no accuracy there
        "mnist": MLPSettings(
            seeds=1, epochs=8, steps=10, batch_size=128, hidden=256, lr_ann=1e-2, lr_snn=2e-3, gain=10.0
        ),
        "digits": MLPSettings(
            seeds=3, epochs=40, steps=15, batch_size=64, hidden=128, lr_ann=1e-2, lr_snn=5e-3, gain=15.0
        ),
    },
    ann=ann,
    snn=twin,
    others=(
        Contestant("converted", "rate-converted twin", converted, spiking=True, within=0.005),
        Contestant("qcfs", "QCFS-converted twin", qcfs, spiking=True, within=0.005),
    ),
    targets={"mnist": {"ann": 0.98, "snn": 0.97}},
    deviations=DEVIATIONS,
)

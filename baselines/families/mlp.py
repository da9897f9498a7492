"""Multilayer perceptron and its spiking twin: one hidden layer, fully connected, equal sizes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from baselines.contract import Classification, Family, Settings
from baselines.graph import INPUT, SpikingGraph
from baselines.spiking import Bernoulli, Leaky
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier

DEVIATIONS = (
    "the twin has the sizes of the perceptron; ReLU becomes a leaky integrate-and-fire neuron with threshold 1",
    "the twin sees each input as Bernoulli spikes (probability = pixel), the perceptron sees the pixels",
    "the twin answers with the spike counts of its outputs, the first of equals; the perceptron with logits",
    "both train with cross-entropy, Adam and a cosine schedule; validation data choose settings and the best epoch",
    "the noise of the input spikes also augments the twin's training data; the perceptron gets no such help",
)


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


def ann(data: Classification, s: MLPSettings, seed: int) -> Classifier:
    """The perceptron as a learner."""
    return Classifier(lambda: build_ann(data, s), data, s, seed, s.lr_ann, s.decay_ann)


def twin(data: Classification, s: MLPSettings, seed: int) -> SpikingClassifier:
    """The spiking twin as a learner."""
    return SpikingClassifier(lambda: build_snn(data, s), data, s, seed, s.lr_snn, s.decay_snn)


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
    targets={"mnist": {"ann": 0.98, "snn": 0.97}},
    deviations=DEVIATIONS,
)

"""Multilayer perceptron and its spiking twin: one hidden layer, fully connected, equal sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import snntorch as snn
from snntorch import surrogate
from torch import nn

from baselines.contract import Classification, Family, Settings
from baselines.replay import dense_layer, dense_network
from baselines.spiking import SpikingStack
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier
from spikesim import Network, Spikes

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


def build_snn(data: Classification, s: MLPSettings) -> SpikingStack:
    """Linear, leaky, linear, leaky."""
    n = data.train.x[0].size
    return SpikingStack(nn.Linear(n, s.hidden), _leaky(s), nn.Linear(s.hidden, data.classes), _leaky(s))


def _leaky(s: MLPSettings) -> snn.Leaky:
    return snn.Leaky(beta=s.beta, spike_grad=surrogate.atan(), reset_mechanism="subtract")


def network(stack: SpikingStack, inputs: Sequence[Spikes]) -> Network:
    """The trained twin in spikesim: same weights, biases, decay and threshold."""
    modules, layers = list(stack.layers), []
    for name, linear, leaky in zip(("hidden", "output"), modules[::2], modules[1::2], strict=True):
        layers.append(dense_layer(name, linear, leaky))
    return dense_network(layers, inputs)


def ann(data: Classification, s: MLPSettings, seed: int) -> Classifier:
    """The perceptron as a learner."""
    return Classifier(lambda: build_ann(data, s), data, s, seed, s.lr_ann)


def twin(data: Classification, s: MLPSettings, seed: int) -> SpikingClassifier:
    """The spiking twin as a learner."""
    return SpikingClassifier(lambda: build_snn(data, s), data, s, seed, s.lr_snn, network)


FAMILY = Family(
    name="mlp",
    title="multilayer perceptron",
    settings={  # chosen on validation data; steps: the fewest that lose no accuracy there
        "mnist": MLPSettings(seeds=1, epochs=8, steps=10, batch_size=128, hidden=256, lr_ann=1e-2, lr_snn=2e-3),
        "digits": MLPSettings(seeds=3, epochs=40, steps=15, batch_size=64, hidden=128, lr_ann=1e-2, lr_snn=5e-3),
    },
    ann=ann,
    snn=twin,
    deviations=DEVIATIONS,
)

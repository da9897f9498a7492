"""LSTM and GRU, a recurrent spiking twin with adaptive thresholds, and a control that sees no time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from baselines.contract import Classification, Contestant, Family, Settings
from baselines.graph import INPUT, SpikingGraph
from baselines.spiking import AdaptiveLeaky, Direct, Leaky
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier

DEVIATIONS = (
    "one recurrent layer on every side; LSTM and GRU answer from the mean of their states over time and the last one",
    "the twin is direct-coded: real inputs drive a first layer of leaky neurons in every step (multiply-accumulates); "
    "its spikes drive a recurrent layer whose thresholds adapt (Bellec et al. 2018, arXiv:1803.09574)",
    "batch normalisation of the features every side sees, and before the twin's neurons, where it is folded into the "
    "weights for the replay",
    "the spikes of the first layer are the input of the replay; the core runs the recurrent layer and the answer",
    "the control sees the mean of each input over time and nothing of its order: what it reaches needs no recurrence",
    "validation data choose settings and the best epoch; no augmentation of the data",
)


@dataclass(frozen=True)
class LSTMSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    hidden : int
        Units of the recurrent layers.
    first : int
        Neurons of the twin's first layer.
    beta, rho, jump : float
        Decay of the twin's membranes and thresholds per step, and the jump of a threshold at a spike.
    dropout : float
        Before the answer of LSTM and GRU.
    """

    hidden: int = 64
    first: int = 64
    beta: float = 0.8
    rho: float = 0.95
    jump: float = 0.2
    dropout: float = 0.2


class Recurrent(nn.Module):
    """LSTM or GRU over (k, frames, features), made of linear layers so that every product is counted.

    Parameters
    ----------
    n_in, hidden : int
        Features and units.
    gated : bool
        A GRU instead of an LSTM.
    """

    def __init__(self, n_in: int, hidden: int, gated: bool = False) -> None:
        super().__init__()
        self.gated, self.hidden = gated, hidden
        self.from_input = nn.Linear(n_in, (3 if gated else 4) * hidden)
        self.from_state = nn.Linear(hidden, (3 if gated else 4) * hidden, bias=gated)
        nn.init.orthogonal_(self.from_state.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Mean of the states over time, and the last one (k, 2 hidden)."""
        given = self.from_input(x)
        h = torch.zeros(len(x), self.hidden, dtype=x.dtype)
        c, total = h, h
        for t in range(x.shape[1]):
            h, c = self._gru(given[:, t], h) if self.gated else self._lstm(given[:, t], h, c)
            total = total + h
        return torch.cat([total / x.shape[1], h], 1)

    def _lstm(self, given: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, o, g = (given + self.from_state(h)).chunk(4, 1)
        c = torch.sigmoid(f + 1.0) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def _gru(self, given: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        (r, z, n), (hr, hz, hn) = given.chunk(3, 1), self.from_state(h).chunk(3, 1)
        z = torch.sigmoid(z + hz)
        h = (1 - z) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + z * h
        return h, h


class Normalised(nn.Module):
    """Batch normalisation of every feature over inputs and time.

    Parameters
    ----------
    n : int
        Features.
    """

    def __init__(self, n: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(n)

    def forward(self, x: Tensor) -> Tensor:
        """(k, frames, n), the same shape."""
        return self.norm(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class MeanOverTime(nn.Module):
    """What is left of a sequence without its order."""

    def forward(self, x: Tensor) -> Tensor:
        """(k, frames, features) to (k, features)."""
        return x.mean(1)


def build_ann(data: Classification, s: LSTMSettings, gated: bool = False) -> nn.Module:
    """Normalisation, recurrent layer, linear."""
    n = data.train.x.shape[2]
    answer = nn.Sequential(nn.Dropout(s.dropout), nn.Linear(2 * s.hidden, data.classes))
    return nn.Sequential(Normalised(n), Recurrent(n, s.hidden, gated), answer)


def normalised(n_in: int, n_out: int) -> nn.Sequential:
    """Linear map and batch normalisation, which is folded into it before the replay."""
    return nn.Sequential(nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out))


def build_snn(data: Classification, s: LSTMSettings) -> SpikingGraph:
    """Leaky neurons on real inputs, recurrent adaptive neurons, leaky neurons that answer."""
    n = data.train.x.shape[2]
    g = SpikingGraph(Direct(normalised(n, s.first), Leaky(s.beta), s.steps, s.frames))
    back = nn.Linear(s.hidden, s.hidden, bias=False)
    nn.init.orthogonal_(back.weight, gain=0.5)
    forth = g.wire(normalised(s.first, s.hidden), INPUT)
    g.add("recurrent", AdaptiveLeaky(s.beta, s.rho, s.jump), forth, g.wire(back, "recurrent", delay=1))
    g.add("output", Leaky(s.beta), g.wire(normalised(s.hidden, data.classes), "recurrent"))
    return g


def ann(data: Classification, s: LSTMSettings, seed: int) -> Classifier:
    """The LSTM as a learner."""
    return Classifier(lambda: build_ann(data, s), data, s, seed, s.lr_ann, s.decay_ann)


def gru(data: Classification, s: LSTMSettings, seed: int) -> Classifier:
    """The GRU as a learner."""
    return Classifier(lambda: build_ann(data, s, gated=True), data, s, seed, s.lr_ann, s.decay_ann)


def control(data: Classification, s: LSTMSettings, seed: int) -> Classifier:
    """A perceptron of one hidden layer on means over time."""

    def build() -> nn.Module:
        n = data.train.x.shape[2]
        layers = nn.Linear(n, 2 * s.hidden), nn.ReLU(), nn.Linear(2 * s.hidden, data.classes)
        return nn.Sequential(Normalised(n), MeanOverTime(), *layers)

    return Classifier(build, data, s, seed, s.lr_ann, s.decay_ann)


def twin(data: Classification, s: LSTMSettings, seed: int) -> SpikingClassifier:
    """The recurrent spiking twin as a learner."""
    return SpikingClassifier(lambda: build_snn(data, s), data, s, seed, s.lr_snn, s.decay_snn)


FAMILY = Family(
    name="lstm",
    title="LSTM",
    settings={
        "fsdd": LSTMSettings(
            seeds=3, epochs=16, steps=40, frames=40, hidden=128, first=128, lr_ann=3e-3, lr_snn=5e-3, gain=20.0
        ),
        "braille": LSTMSettings(
            seeds=3, epochs=40, steps=76, frames=76, hidden=128, lr_ann=5e-3, lr_snn=2e-3, gain=20.0
        ),
        "digits": LSTMSettings(
            seeds=3, epochs=30, steps=16, frames=8, hidden=128, first=128, lr_ann=1e-2, lr_snn=1e-2, quick_epochs=15
        ),
    },
    ann=ann,
    snn=twin,
    twin="recurrent adaptive twin",
    others=(Contestant("gru", "GRU", gru), Contestant("control", "control without time", control)),
    targets={"fsdd": {"ann": 0.97, "snn": 0.92}},
    deviations=DEVIATIONS,
)

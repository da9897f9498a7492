"""More robust to noise: accuracy under Gaussian noise, without and with noise in the training of both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.claims.contract import Chart, Claim, Found, Question, Settings, Tell, more
from baselines.claims.sides import Artificial, Spiking, digits, noisy, stages, trained
from baselines.contract import Split
from baselines.families.mlp import MLPSettings, build_ann, build_snn
from baselines.spiking import rate_encode

_KEPT = {"ANN": "ann", "ANN of spike counts": "counts", "twin": "twin"}


@dataclass(frozen=True)
class NoiseSettings(Settings):
    """Settings of this experiment.

    Parameters
    ----------
    hidden, epochs, steps : int
        Neurons of the hidden layer, passes, time steps.
    levels : tuple of float
        Deviations of the noise in the test; the range of the pixels is 0 … 1.
    trained : float
        Greatest deviation in training, where there is noise.
    rates_ann, rates_snn : tuple of float
        Learning rates to choose from on validation data.
    """

    hidden: int = 128
    epochs: int = 30
    steps: int = 15
    levels: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    trained: float = 0.4
    rates_ann: tuple[float, ...] = (3e-3, 1e-2)
    rates_snn: tuple[float, ...] = (5e-3,)


class Counts(Artificial):
    """An artificial network that sees how often each input of the twin fires, not the pixel itself."""

    def prepare(self, x: NDArray[np.float32], purpose: int, number: int) -> Tensor:
        """Spikes per step of every pixel."""
        given = super().prepare(x, purpose, number).numpy()
        spikes = rate_encode(given, self.settings.steps, (self.seed, purpose, number))
        return torch.from_numpy(spikes.mean(1, dtype=np.float32).reshape(x.shape))


def run(s: NoiseSettings, seed: int, tell: Tell) -> Found:
    """Train three networks twice, and test all with the same noise."""
    data = digits(seed)
    m = MLPSettings(epochs=s.epochs, hidden=s.hidden, steps=s.steps, gain=15.0)
    kinds: dict[str, Any] = {
        "ANN": (Artificial, build_ann, s.rates_ann),
        "ANN of spike counts": (Counts, build_ann, s.rates_ann),
        "twin": (Spiking, build_snn, s.rates_snn),
    }
    tells = iter(stages(tell, [1.0, 2.0, s.steps] * 2))
    values, curves = {}, {}
    axis = (0.0, *s.levels)
    tests = [Split(noisy(data.test.x, level, (seed, k)), data.test.y) for k, level in enumerate(axis)]
    for suffix, title, noise in (("", "", 0.0), ("+", ", noise in training", s.trained)):
        for kind, (side, build, rates) in kinds.items():

            def make(rate: float, start: int, side: Any = side, build: Any = build, noise: float = noise) -> Any:
                learner = side(lambda: build(data, m), data, m, start, rate)
                learner.noise = noise
                return learner

            learner, *_ = trained(make, rates, seed, s.epochs, next(tells))
            curve = [learner.accuracy_on(test) for test in tests]
            curves[kind + title] = curve
            values[f"{_KEPT[kind]}{suffix} clean"] = curve[0]
            values[f"{_KEPT[kind]}{suffix}"] = float(np.mean(curve[1:]))
    return Found(values, axis, curves)


CLAIM = Claim(
    name="noise",
    title="A spiking network is more robust to noise",
    task="digits, 8 × 8 pixels; one hidden layer; accuracy under Gaussian noise, mean over its deviations 0.1 … 0.6",
    settings=NoiseSettings(),
    quick={"epochs": 8, "rates_ann": (1e-2,), "levels": (0.2, 0.5), "seeds": 3},
    work=15.0,
    run=run,
    questions=(
        Question("no noise in training: the twin is better than the ANN under noise", more("twin", "ann")),
        Question("noise in the training of both: the twin is better than the ANN", more("twin+", "ann+")),
        Question(
            "no noise: the twin is better than an ANN that sees counts of its spikes",
            more("twin", "counts"),
            decides=False,
        ),
        Question(
            "noise in the training of both: better than an ANN of spike counts", more("twin+", "counts+"), decides=False
        ),
        Question(
            "without any noise, untouched by it: the twin is better than the ANN",
            more("twin clean", "ann clean"),
            decides=False,
        ),
    ),
    measures={
        f"{key}{suffix}{end}": f"{title}{trained_}{clean}"
        for suffix, trained_ in (("", ""), ("+", ", noise in training"))
        for title, key in _KEPT.items()
        for end, clean in ((" clean", ": clean"), ("", ": under noise"))
    },
    chances=(
        "the same hidden layer; the best epoch chosen on validation data, which has noise where training has",
        "the same noisy pixels for all, cut to 0 … 1; the noise in training is drawn anew for every batch, its "
        "deviation for every image between 0 and 0.4",
        "the twin's Bernoulli spikes are noise in training already: an ANN that sees their counts gets the same",
    ),
    chart=Chart("accuracy under noise", "deviation of the noise (pixels: 0 … 1)", "accuracy"),
)

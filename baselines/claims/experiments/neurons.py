"""Fewer neurons: accuracy against the size of the hidden layer, both sides with as many neurons and parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from baselines.claims.contract import Chart, Claim, Found, Question, Settings, Tell, Values, more
from baselines.claims.sides import Artificial, Spiking, digits, parameters, stages, trained
from baselines.families.mlp import MLPSettings, build_ann, build_snn


@dataclass(frozen=True)
class NeuronsSettings(Settings):
    """Settings of this experiment.

    Parameters
    ----------
    sizes : tuple of int
        Neurons of the hidden layer.
    wanted : float
        Validation accuracy that the smallest size has to reach.
    epochs, steps : int
        Passes, time steps.
    rates_ann, rates_snn : tuple of float
        Learning rates to choose from on validation data.
    """

    sizes: tuple[int, ...] = (4, 8, 16, 32, 64)
    wanted: float = 0.95
    epochs: int = 20
    steps: int = 10
    rates_ann: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    rates_snn: tuple[float, ...] = (3e-3, 1e-2, 3e-2)


def run(s: NeuronsSettings, seed: int, tell: Tell) -> Found:
    """Train both sides at every size."""
    data = digits(seed)
    tells = iter(stages(tell, [1.0, s.steps] * len(s.sizes)))
    whole = MLPSettings(epochs=s.epochs, steps=s.steps, gain=15.0)
    found: dict[str, list[float]] = {"ANN": [], "twin": []}
    validated: dict[str, list[float]] = {"ANN": [], "twin": []}
    notes = {}
    for size in s.sizes:
        m = replace(whole, hidden=size)

        def ann(rate: float, start: int, m: MLPSettings = m) -> Artificial:
            return Artificial(lambda: build_ann(data, m), data, m, start, rate)

        def twin(rate: float, start: int, m: MLPSettings = m) -> Spiking:
            return Spiking(lambda: build_snn(data, m), data, m, start, rate)

        one, level, _ = trained(ann, s.rates_ann, seed, s.epochs, next(tells))
        other, reached, _ = trained(twin, s.rates_snn, seed, s.epochs, next(tells))
        assert parameters(one.module) == parameters(other.module)
        notes[f"parameters with {size} neurons"] = parameters(one.module)
        for key, learner, score in (("ANN", one, level), ("twin", other, reached)):
            found[key].append(learner.accuracy_on(data.test))
            validated[key].append(score)
    values = {f"{key} mean": sum(scores) / len(scores) for key, scores in found.items()}
    values |= {f"{key} {size}": found[key][i] for key in found for i, size in enumerate(s.sizes)}
    values |= {f"{key} smallest": smallest(s.sizes, validated[key], s.wanted) for key in found}
    return Found(values, s.sizes, found, notes)


def smallest(sizes: Sequence[int], scores: Sequence[float], wanted: float) -> float:
    """Smallest size that reaches a validation accuracy; twice the largest where none does."""
    return float(next((size for size, score in zip(sizes, scores, strict=True) if score >= wanted), 2 * sizes[-1]))


def _fewer(v: Values) -> float:
    return math.log(v["ANN smallest"] / v["twin smallest"])


CLAIM = Claim(
    name="neurons",
    title="A spiking network needs fewer neurons",
    task="digits, 8 × 8 pixels; one hidden layer of 4 to 64 neurons; accuracy, and the smallest layer that "
    "reaches 95 % on validation data",
    settings=NeuronsSettings(),
    quick={"sizes": (8, 32), "epochs": 10, "rates_ann": (2e-2,), "rates_snn": (2e-2,), "seeds": 3},
    work=25.0,
    run=run,
    questions=(
        Question(
            "the twin reaches 95 % with fewer neurons than the ANN (neurons of the ANN / the twin)",
            _fewer,
            0.0,
            "factor",
        ),
        Question("at equal sizes, mean over them: the twin is better than the ANN", more("twin mean", "ANN mean")),
        Question("at the smallest size: the twin is better than the ANN", lambda v: _at(v, 0), decides=False),
        Question("at the largest size: the twin is better than the ANN", lambda v: _at(v, -1), decides=False),
    ),
    measures={
        "ANN mean": "ANN: accuracy, mean over sizes",
        "twin mean": "twin: accuracy, mean over sizes",
        "ANN smallest": "ANN: neurons of the smallest layer",
        "twin smallest": "twin: neurons of the smallest layer",
    },
    chances=(
        "as many neurons, weights and biases on both sides, output included; the learning rate (and first weights) "
        "chosen on validation data for every size from three for each side",
        "the twin uses its neurons in 10 time steps, the ANN once: a neuron counts once all the same",
    ),
    chart=Chart("accuracy and size", "neurons of the hidden layer", "accuracy", log=True),
)


def _at(v: Values, place: int) -> float:
    sizes = sorted(int(key.split()[1]) for key in v if key.startswith("ANN ") and key.split()[1].isdigit())
    return v[f"twin {sizes[place]}"] - v[f"ANN {sizes[place]}"]

"""Better on temporal data: a recurrent spiking network against LSTM, GRU and a control that sees no order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from torch import nn

from baselines.claims.contract import Claim, Found, Question, Settings, Tell, more
from baselines.claims.sides import Artificial, Spiking, digits, parameters, stages, trained
from baselines.contract import Classification, Split
from baselines.families.lstm import LSTMSettings, MeanOverTime, Normalised, build_ann, build_snn

_ORDER = 41  # purpose of random numbers
_LARGEST = 1024  # units of a network that is made as large as another


@dataclass(frozen=True)
class TemporalSettings(Settings):
    """Settings of this experiment.

    Parameters
    ----------
    neurons : int
        Of each of the twin's two layers; the others get as many parameters.
    epochs, hold : int
        Passes; time steps the twin sees each frame for.
    sequences, channels, frames, ordered : int
        The generated task: sequences to train, to validate and to test in all, of channels and frames; the
        number of channels whose order is asked for.
    rates_ann, rates_snn : tuple of float
        Learning rates to choose from on validation data.
    """

    neurons: int = 64
    epochs: int = 20
    hold: int = 2
    sequences: int = 1800
    channels: int = 8
    frames: int = 12
    ordered: int = 4
    rates_ann: tuple[float, ...] = (1e-2,)
    rates_snn: tuple[float, ...] = (1e-2,)


def order(s: TemporalSettings, seed: int) -> Classification:
    """Sequences in which every channel is on once; the class is the order of the first `ordered` of them.

    The mean over time is the same for all of them: who sees only how much there was of each channel can but guess. A
    sixth validates, a third tests; every seed has sequences of its own.
    """
    rng = np.random.default_rng((_ORDER, seed))
    at = rng.permuted(np.tile(np.arange(s.frames), (s.sequences, 1)), axis=1)[:, : s.channels]
    x = np.zeros((s.sequences, s.frames, s.channels), np.float32)
    np.put_along_axis(x, at[:, None, :], 1.0, axis=1)
    classes = {p: k for k, p in enumerate(permutations(range(s.ordered)))}
    y = np.array([classes[tuple(np.argsort(row[: s.ordered]))] for row in at], np.int64)
    ends = s.sequences // 2, s.sequences * 2 // 3
    parts = [Split(a, b) for a, b in zip(np.split(x, ends), np.split(y, ends), strict=True)]
    return Classification(parts[0], parts[1], parts[2], len(classes))


def run(s: TemporalSettings, seed: int, tell: Tell) -> Found:
    """Every network on both tasks."""
    values: dict[str, float] = {}
    notes: dict[str, float] = {}
    tasks = {"rows": digits(seed), "order": order(s, seed)}
    tells = iter(stages(tell, [s.hold, 1.0, 1.0, 0.1] * len(tasks)))
    for task, data in tasks.items():
        frames = data.train.x.shape[1]
        m = LSTMSettings(epochs=s.epochs, steps=s.hold * frames, frames=frames, hidden=s.neurons, first=s.neurons)

        def twin(rate: float, start: int, data: Classification = data, m: LSTMSettings = m) -> Spiking:
            return Spiking(lambda: build_snn(data, m), data, m, start, rate)

        spiking, *_ = trained(twin, s.rates_snn, seed, s.epochs, next(tells))
        budget = parameters(spiking.module)
        values[f"{task} twin"] = spiking.accuracy_on(data.test)
        notes[f"{task}: parameters of the twin"] = budget
        gated: list[tuple[float, float]] = []
        for name, build in _BUILDERS.items():
            own = as_large(build, data, m, budget)

            def rival(
                rate: float, start: int, build: Build = build, data: Classification = data, own: LSTMSettings = own
            ) -> Artificial:
                return Artificial(lambda: build(data, own), data, own, start, rate)

            learner, level, _ = trained(rival, s.rates_ann, seed, s.epochs, next(tells))
            values[f"{task} {name}"] = learner.accuracy_on(data.test)
            notes[f"{task}: parameters of the {name}"] = parameters(learner.module)
            if name != "control":
                gated.append((level, values[f"{task} {name}"]))
        values[f"{task} gated"] = max(gated, key=lambda pair: pair[0])[1]
    return Found(values, notes=notes)


Build = Callable[[Classification, LSTMSettings], nn.Module]


def control(data: Classification, m: LSTMSettings) -> nn.Module:
    """A perceptron on means over time."""
    n = data.train.x.shape[2]
    layers = nn.Linear(n, m.hidden), nn.ReLU(), nn.Linear(m.hidden, data.classes)
    return nn.Sequential(Normalised(n), MeanOverTime(), *layers)


_BUILDERS: dict[str, Build] = {
    "LSTM": build_ann,
    "GRU": lambda data, m: build_ann(data, m, gated=True),
    "control": control,
}


def as_large(build: Build, data: Classification, m: LSTMSettings, budget: int) -> LSTMSettings:
    """Settings with the most units of a network that has no more parameters than `budget`."""
    low, high = 1, _LARGEST
    while low < high:
        middle = (low + high + 1) // 2
        fits = parameters(build(data, replace(m, hidden=middle))) <= budget
        low, high = (middle, high) if fits else (low, middle - 1)
    return replace(m, hidden=low)


CLAIM = Claim(
    name="temporal",
    title="A spiking network is better on temporal data",
    task="rows of digits, one after the other; and generated sequences whose class is the order of four pulses among "
    "eight; accuracy",
    settings=TemporalSettings(),
    quick={"neurons": 32, "epochs": 6, "sequences": 900, "seeds": 3},
    work=15.0,
    run=run,
    questions=(
        Question("rows of digits: the twin is better than the better of LSTM and GRU", more("rows twin", "rows gated")),
        Question("order of pulses: the twin is better than the better of the two", more("order twin", "order gated")),
        Question("rows of digits: the twin is better than the control without order", more("rows twin", "rows control"),
                 decides=False),
        Question("order of pulses: the twin is better than the control", more("order twin", "order control"),
                 decides=False),
    ),
    measures={
        f"{task} {name}": f"{title}: {name}"
        for task, title in (("rows", "rows of digits"), ("order", "order of pulses"))
        for name in ("twin", "LSTM", "GRU", "control")
    },
    chances=(
        "as many parameters on every side (the largest network that has no more than the twin); one recurrent layer; "
        "the same passes and learning rates; LSTM and GRU answer from the mean of their states and the last one",
        "the twin: real inputs, two time steps a frame, drive leaky neurons, these a recurrent layer of neurons with "
        "adaptive thresholds (Bellec et al. 2018); surrogate gradients",
        "of LSTM and GRU that counts which did better on validation data",
        "the control sees the mean of each sequence over time: on the generated task it can but guess",
    ),
)  # fmt: skip

"""Only the output layer needs training: a liquid, a random network of tanh, the pixels, and networks trained whole."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from baselines.claims.contract import POINT, Chart, Claim, Found, Question, Settings, Tell, more
from baselines.claims.sides import Artificial, Spiking, digits, stages, trained
from baselines.contract import Classification
from baselines.families.lstm import LSTMSettings, build_ann, build_snn
from spikesim import Spikes, simulate
from spikesim.learning import Liquid, RidgeReadout
from spikesim.learning.liquid import stacked

_DT = 0.5  # ms
_RESERVOIR = 51  # purpose of random numbers
PENALTIES = (0.001, 0.01, 0.1, 1.0)  # of the ridge, relative to the variance of a feature
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class ReadoutSettings(Settings):
    """Settings of this experiment.

    Parameters
    ----------
    sizes : tuple of int
        Neurons of both reservoirs; the last decides.
    row : float
        Milliseconds a row of pixels is shown for.
    most : int
        Spikes of the brightest pixel in that time.
    fan_in : int
        Synapses per neuron of the liquid from the input.
    synapses : float
        Synaptic time constant (ms) of the liquid.
    weights : tuple of float
        Input weights (pA) of the liquid to choose from on validation data.
    taus : tuple of float
        Time constants (ms) of the traces that are read, to choose from.
    radii, scales, leaks : tuple of float
        Spectral radius, input weights and leak of the network of tanh, to choose from.
    neurons, epochs, hold : int
        The networks that are trained whole: size, passes, time steps of the twin for each row.
    """

    sizes: tuple[int, ...] = (50, 100, 200, 400)
    row: float = 15.0
    most: int = 2
    fan_in: int = 2
    synapses: float = 15.0
    weights: tuple[float, ...] = (3.0, 6.0)
    taus: tuple[float, ...] = (60.0, 150.0)
    radii: tuple[float, ...] = (0.6, 0.95)
    scales: tuple[float, ...] = (0.3, 1.0)
    leaks: tuple[float, ...] = (0.5, 1.0)
    neurons: int = 128
    epochs: int = 20
    hold: int = 2


def run(s: ReadoutSettings, seed: int, tell: Tell) -> Found:
    """Reservoirs of all sizes with a ridge readout, the pixels with one, and the trained networks."""
    data = digits(seed)
    tells = iter(stages(tell, [*s.sizes, 100.0, 300.0]))
    shown = [spikes_of(part.x, s) for part in data[:3]]
    found: dict[str, list[float]] = {"liquid": [], "network of tanh": []}
    for size in s.sizes:
        found["liquid"].append(_best(data, _liquids(shown, s, size, seed)))
        found["network of tanh"].append(_best(data, _echoes(data, s, size, seed)))
        next(tells)(1.0)
    pixels = _best(data, iter([[part.x.reshape(len(part.x), -1).astype(float) for part in data[:3]]]))
    frames = data.train.x.shape[1]
    m = LSTMSettings(
        epochs=s.epochs, steps=s.hold * frames, frames=frames, hidden=s.neurons, first=s.neurons, gain=10.0
    )
    lstm, *_ = trained(
        lambda rate, start: Artificial(lambda: build_ann(data, m), data, m, start, rate),
        (1e-2,),
        seed,
        s.epochs,
        next(tells),
    )
    twin, *_ = trained(
        lambda rate, start: Spiking(lambda: build_snn(data, m), data, m, start, rate),
        (1e-2,),
        seed,
        s.epochs,
        next(tells),
    )
    values = {
        "liquid": found["liquid"][-1],
        "tanh": found["network of tanh"][-1],
        "pixels": pixels,
        "lstm": lstm.accuracy_on(data.test),
        "twin": twin.accuracy_on(data.test),
    }
    flat = {"ridge on the pixels": "pixels", "recurrent twin, trained whole": "twin", "LSTM, trained whole": "lstm"}
    curves = found | {title: [values[key]] * len(s.sizes) for title, key in flat.items()}
    return Found(values, s.sizes, curves)


def spikes_of(x: NDArray[np.float32], s: ReadoutSettings) -> list[Spikes]:
    """Regular spikes: of the two inputs for a pixel of value p one fires ``round(p most)`` times, the other the rest.

    Spikes are evenly spaced while the row is shown.
    """
    counts = np.rint(np.concatenate((x, 1 - x), 2) * s.most).astype(int)
    found = []
    for one in counts:
        k = np.arange(s.most)
        frame, ids, number = np.nonzero(k < one[..., None])
        times = s.row * (frame + (number + 0.5) / one[frame, ids])
        at = np.argsort(times, kind="stable")
        found.append(Spikes(times[at], ids[at], counts.shape[2], s.row * x.shape[1]))
    return found


def _liquids(shown: Sequence[list[Spikes]], s: ReadoutSettings, size: int, seed: int) -> Iterator[list[Matrix]]:
    """Traces of liquids at the end of each pattern, for training, validation and test."""
    ends = np.cumsum([len(part) for part in shown])[:-1]
    every = [one for part in shown for one in part]
    for weight in s.weights:
        states = respond(Liquid(every[0].n, size, s.fan_in, w_in=weight, tau_s=s.synapses, seed=seed), every)
        for tau in s.taus:
            yield np.split(RidgeReadout(size, tau=tau).traces(states), ends)


def respond(liquid: Liquid, inputs: Sequence[Spikes]) -> list[Spikes]:
    """What `Liquid.respond` answers, on the grid: ten times as fast where every neuron is driven all the time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # delays are rounded to whole steps
        result = simulate(
            liquid.network(inputs), inputs[0].duration, batch=len(inputs), seed=liquid.seed, engine="grid", dt=_DT,
            threads=1, progress=False,
        )  # fmt: skip
    return [stacked(*pair) for pair in zip(result.spikes["exc"], result.spikes["inh"], strict=True)]


def _echoes(data: Classification, s: ReadoutSettings, size: int, seed: int) -> Iterator[list[Matrix]]:
    """Last states of networks of tanh: ``x' = (1 - a) x + a tanh(W x + V u + b)`` (Jaeger 2001, GMD report 148)."""
    rng = np.random.default_rng((_RESERVOIR, seed, size))
    back = rng.normal(0, 1, (size, size)) * (rng.random((size, size)) < min(1.0, 20 / size))
    back /= np.abs(np.linalg.eigvals(back)).max()
    forth, bias = rng.normal(0, 1, (data.train.x.shape[2], size)), rng.uniform(-0.2, 0.2, size)
    for radius, scale, leak in product(s.radii, s.scales, s.leaks):
        states = []
        for part in data[:3]:
            x = np.zeros((len(part.y), size))
            for frame in np.swapaxes(part.x, 0, 1):
                x = (1 - leak) * x + leak * np.tanh(radius * x @ back + scale * frame @ forth + bias)
            states.append(x)
        yield states


def _best(data: Classification, features: Iterator[list[Matrix]]) -> float:
    """Test accuracy of a ridge readout; features and penalty of the best validation accuracy."""
    best = (-1.0, 0.0)
    for train, validation, test in features:
        mean, std = train.mean(0), train.std(0)
        std[std < 1e-9] = np.inf
        x = (train - mean) / std
        y = np.where(np.arange(data.classes) == data.train.y[:, None], 1.0, -1.0)
        offset, square, cross = y.mean(0), x.T @ x, x.T @ (y - y.mean(0))
        for penalty in PENALTIES:
            w = np.linalg.solve(square + penalty * len(x) * np.eye(len(square)), cross)
            scores = [
                float(np.mean(((given - mean) / std @ w + offset).argmax(1) == labels))
                for given, labels in ((validation, data.validation.y), (test, data.test.y))
            ]
            best = max(best, (scores[0], scores[1]), key=lambda pair: pair[0])
    return best[1]


CLAIM = Claim(
    name="readout",
    title="Of a spiking network only the output layer needs training",
    task="rows of digits, one after the other; a readout of what is left at the end; accuracy",
    settings=ReadoutSettings(),
    quick={"sizes": (50, 100), "weights": (6.0,), "neurons": 32, "epochs": 6, "seeds": 3},
    work=25.0,
    run=run,
    questions=(
        Question("the liquid is less than a point below the twin trained whole", more("liquid", "twin"), -POINT),
        Question("the liquid is better than a random network of tanh of its size", more("liquid", "tanh")),
        Question("the liquid is better than the same readout of the pixels", more("liquid", "pixels")),
        Question("the network of tanh is less than a point below the LSTM trained whole", more("tanh", "lstm"),
                 -POINT, decides=False),
    ),
    measures={
        "liquid": "liquid, largest, ridge readout",
        "tanh": "random network of tanh, largest, ridge readout",
        "pixels": "all pixels at once, ridge readout",
        "twin": "recurrent twin, trained whole",
        "lstm": "LSTM, trained whole",
    },
    chances=(
        "reservoirs of equal size; the same ridge readout (penalty chosen on validation data) of what is left after "
        "the last row: exponential traces of the liquid's spikes, states of the network of tanh",
        "chosen on validation data: input weights and time constants of the liquid; spectral radius, input weights and "
        "leak of the network of tanh",
        "the liquid sees every pixel and its complement as regular spikes; that, its synaptic time constant and number "
        "of inputs were chosen on validation data of the first seed; the network of tanh got no such help",
        "the readout of the pixels sees all rows at once and needs no memory",
    ),
    chart=Chart("what a readout gets", "neurons of the reservoir", "accuracy", log=True),
)  # fmt: skip

"""Perceptron and McCulloch-Pitts neuron beside one layer of spiking neurons; gates, margins and capacities."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from baselines import linear
from baselines.contract import Classification, Exhibit, Family, Settings, Table
from baselines.graph import INPUT, SpikingGraph
from baselines.spiking import Bernoulli, Leaky
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier
from spikesim import (
    LIF,
    AllToAll,
    Delta,
    FixedThreshold,
    Network,
    Neuron,
    Population,
    Projection,
    Spikes,
    SpikeSource,
    simulate,
)
from spikesim.learning import Tempotron

DEVIATIONS = (
    "on images the perceptron is a softmax layer, its twin a layer of leaky neurons on Bernoulli spikes",
    "gates are learned by Rosenblatt's rule with a constant input, and run in the core as one neuron without memory "
    "whose inputs fire together",
    "the tempotron (`spikesim.learning`) is replayed in the core as a leaky neuron with exponential currents, in "
    "continuous time; epochs are limited, so its capacity is a lower bound",
)
GATES = {
    "AND": (0, 0, 0, 1), "OR": (0, 1, 1, 1), "NAND": (1, 1, 1, 0), "NOR": (1, 0, 0, 0),
    "a": (0, 0, 1, 1), "b": (0, 1, 0, 1), "not a": (1, 1, 0, 0), "not b": (1, 0, 1, 0),
    "a and not b": (0, 0, 1, 0), "b and not a": (0, 1, 0, 0), "a or not b": (1, 0, 1, 1), "b or not a": (1, 1, 0, 1),
    "true": (1, 1, 1, 1), "false": (0, 0, 0, 0), "XOR": (0, 1, 1, 0), "XNOR": (1, 0, 0, 1),
}  # fmt: skip
_INPUTS = np.array(list(itertools.product((0, 1), repeat=2)))
_STEP = 10.0  # ms from one line of the truth table to the next


@dataclass(frozen=True)
class PerceptronSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    beta : float
        Decay of the twin's membranes per time step.
    """

    beta: float = 0.8


def build_ann(data: Classification, s: PerceptronSettings) -> nn.Module:
    """One linear layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(data.train.x[0].size, data.classes))


def build_snn(data: Classification, s: PerceptronSettings) -> SpikingGraph:
    """One linear layer, leaky neurons."""
    g = SpikingGraph(Bernoulli(s.steps))
    linear = nn.Sequential(nn.Flatten(), nn.Linear(data.train.x[0].size, data.classes))
    g.add("output", Leaky(s.beta), g.wire(linear, INPUT))
    return g


def ann(data: Classification, s: PerceptronSettings, seed: int) -> Classifier:
    """The perceptron as a learner."""
    return Classifier(lambda: build_ann(data, s), data, s, seed, s.lr_ann, s.decay_ann)


def twin(data: Classification, s: PerceptronSettings, seed: int) -> SpikingClassifier:
    """The layer of spiking neurons as a learner."""
    return SpikingClassifier(lambda: build_snn(data, s), data, s, seed, s.lr_snn, s.decay_snn)


# --- gates -----------------------------------------------------------------------------------------------------------


def gate_in_core(weights: NDArray[np.float64]) -> list[int]:
    """Answers of one neuron in the core to the lines of a truth table: a, b and a constant input fire at once."""
    lines = np.arange(4)
    line, unit = np.nonzero(np.column_stack([_INPUTS, np.ones(4, int)]))
    given = Spikes((lines[line] + 1) * _STEP, unit, 3, 5 * _STEP)
    source = Population("inputs", 3, SpikeSource(given))
    cell = Population("cell", 1, Neuron(LIF(tau_m=0.01 * _STEP), Delta(), FixedThreshold(0.5)))
    synapses = Projection(source, cell, AllToAll(), weight=weights[:, None], delay=0.0)
    fired = simulate(Network([source, cell], [synapses]), 5 * _STEP, progress=False).spikes["cell"].times
    return [int(np.any(np.isclose(fired, (k + 1) * _STEP))) for k in lines]


def show_gates(quick: bool) -> Table:
    """All 16 gates of two inputs."""
    rows, right, failed = [], 0, []
    x = np.column_stack([2 * _INPUTS - 1, np.ones(4)]).astype(float)
    for name, truth in GATES.items():
        wanted = 2 * np.array(truth) - 1
        w, mistakes, found = linear.perceptron(x, wanted, passes=1000)
        binary = np.array([2 * w[0], 2 * w[1], w[2] - w[0] - w[1]])  # the same for inputs 0 and 1
        core = gate_in_core(binary + np.array([0.0, 0.0, 0.5]))
        right += core == list(truth)
        if not found:
            failed.append(name)
        table = "".join(map(str, truth))
        answer = "".join(map(str, core))
        rows.append((name, table, "yes" if found else "no", str(mistakes) if found else "never ends", answer))
    either = gate_in_core(np.array([1.0, 1.0, 0.0]))
    both = gate_in_core(np.array([1.0, 1.0, -1.0]))
    two_layers = [int(a and not b) for a, b in zip(either, both, strict=True)]
    return Table(
        ("gate", "truth table", "learned", "mistakes", "one spiking neuron answers"),
        rows,
        (
            f"Gates: one neuron learns {16 - len(failed)} of 16 gates of two inputs; {' and '.join(failed)} are not "
            f"linearly separable and are never learned, spikes or not ({right} of 16 right in the core).",
            f"Two neurons and a veto make XOR of spikes: {''.join(map(str, two_layers))}.",
        ),
    )


# --- margins and capacities ------------------------------------------------------------------------------------------


def show_margins(quick: bool) -> Table:
    """Mistakes of Rosenblatt's rule against Novikoff's bound (R / margin)²."""
    rows, within = [], 0
    margins = (0.02, 0.05, 0.1, 0.2, 0.4)
    for margin in margins:
        rng = np.random.default_rng(int(1e3 * margin))
        direction = rng.normal(size=10)
        direction /= np.linalg.norm(direction)
        x = rng.normal(size=(4000, 10))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        x = x[np.abs(x @ direction) >= margin][:300]
        wanted = np.sign(x @ direction).astype(int)
        gap = float(np.abs(x @ direction).min())
        _, mistakes, done = linear.perceptron(x, wanted, passes=10_000)
        bound = 1.0 / gap**2
        within += done and mistakes <= bound
        rows.append((f"{gap:.3f}", str(mistakes), f"{bound:,.0f}"))
    text = f"Novikoff: mistakes stay below (R / margin)² in {within} of {len(margins)} separable sets."
    return Table(("margin (R = 1)", "mistakes", "bound"), rows, (text,))


def show_capacity(quick: bool) -> Table:
    """Largest load P / N that can be learned, by a perceptron and by a tempotron."""
    n, draws = 40, 10 if quick else 40
    loads = [1.0, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0]
    measured = []
    for load in loads:
        hits = 0
        for seed in range(draws):
            rng = np.random.default_rng((seed, int(100 * load)))
            count = round(load * n)
            hits += linear.separable(rng.normal(size=(count, n)), rng.choice((-1, 1), count))
        measured.append(hits / draws)
    exact = [linear.cover(round(load * n), n) for load in loads]
    size, epochs, trials = (60, 3000, 2) if quick else (60, 100_000, 4)
    spiking_loads = [1.0, 2.0, 2.5, 3.0, 3.5] if quick else [1.0, 2.0, 2.5, 2.75, 3.0, 3.25, 3.5]
    learned, same, replayed = [], 0, 0
    for load in spiking_loads:
        hits = 0
        for trial in range(trials):
            neuron, inputs, wanted = learned_tempotron(round(load * size), size, epochs, (trial, int(100 * load)))
            done = neuron.history["errors"][-1] == 0
            hits += done
            if done:
                same += int(np.count_nonzero(tempotron_in_core(neuron, inputs) == (wanted == 1)))
                replayed += len(wanted)
        learned.append(hits / trials)
    two, three = linear.crossing(loads, measured), linear.crossing(spiking_loads, learned)
    rows = [(f"{load:g}", f"{a:.0%}", f"{b:.0%}", NONE) for load, a, b in zip(loads, measured, exact, strict=True)] + [
        (f"{load:g}", NONE, NONE, f"{a:.0%}") for load, a in zip(spiking_loads, learned, strict=True)
    ]
    return Table(
        ("load P / N", f"perceptron, N = {n}", "Cover's formula", f"tempotron, N = {size}"),
        rows,
        (
            f"Capacity: half of all tasks are learned at {two:.2f} patterns per synapse by a perceptron (theory: 2) "
            f"and at {three:.2f} by a tempotron within {epochs:,} epochs (theory: about 3 for long learning).",
            f"Learned tempotrons in the core, in continuous time: {same} of {replayed} patterns answered as wanted.",
        ),
        ("patterns per synapse", "fraction learned"),
        (
            ("perceptron", loads, measured),
            ("Cover's formula", loads, exact),
            ("tempotron", spiking_loads, learned),
        ),
    )


NONE = "–"


def learned_tempotron(
    patterns: int, size: int, epochs: int, seed: tuple[int, ...]
) -> tuple[Tempotron, list[Spikes], NDArray[np.int64]]:
    """A tempotron after one random task: one spike per afferent and pattern, classes by a coin."""
    rng, ids, duration = np.random.default_rng(seed), np.arange(size), 500.0
    inputs = [Spikes(times, ids, size, duration) for times in rng.uniform(0.0, duration, (patterns, size))]
    wanted = rng.integers(0, 2, patterns)
    neuron = Tempotron(size, rate=0.06 / size, seed=int(rng.integers(2**31)))
    return neuron.fit(inputs, wanted, epochs, progress=False), inputs, wanted


def tempotron_in_core(neuron: Tempotron, inputs: list[Spikes]) -> NDArray[np.bool_]:
    """Whether the learned neuron fires at each pattern in the event engine."""
    network = neuron.network(inputs)
    result = simulate(network, inputs[0].t_stop, batch=len(inputs), progress=False)
    return np.atleast_2d(result.spike_counts[network.populations[-1].name])[:, 0] > 0


FAMILY = Family(
    name="perceptron",
    title="perceptron",
    settings={
        "mnist": PerceptronSettings(seeds=1, epochs=8, steps=20, batch_size=128, lr_ann=3e-3, lr_snn=5e-3, gain=20.0),
        "digits": PerceptronSettings(seeds=3, epochs=40, steps=20, lr_ann=1e-2, lr_snn=1e-2, gain=20.0),
    },
    ann=ann,
    snn=twin,
    exhibits=(
        Exhibit("gates", "Gates of two inputs", show_gates),
        Exhibit("margins", "Separable data: mistakes before all is learned", show_margins),
        Exhibit("capacity", "Capacity: patterns per synapse", show_capacity),
    ),
    targets={"mnist": {"ann": 0.92, "snn": 0.91}},
    deviations=DEVIATIONS,
)

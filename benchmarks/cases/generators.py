"""What drives a network from outside, at speed: Poisson trains, constant and changing; currents, changing and noisy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Case, Column, Variant
from spikesim import (
    LIF,
    Current,
    Exponential,
    FixedThreshold,
    Network,
    Neuron,
    NoiseCurrent,
    PoissonInput,
    PoissonSource,
    Population,
    Projection,
    Steps,
)
from spikesim.connectivity import OneToOne

N, MEAN, STEP, LAST = 10_000, 1_000.0, 10.0, 10_000.0  # neurons, Hz, ms, ms
NEVER = FixedThreshold(1e6)


def wave(mean: float, depth: float = 0.8) -> Steps:
    """A sine of 4 Hz in steps of 10 ms."""
    times = np.arange(0.0, LAST, STEP)
    return Steps(times, mean * (1.0 + depth * np.sin(2 * np.pi * 4.0 * times * 1e-3)))


def own_waves(n: int) -> Steps:
    """The same, with a phase for each neuron."""
    times, phase = np.arange(0.0, 1_000.0, STEP), np.linspace(0.0, 2 * np.pi, n, endpoint=False)
    return Steps(times, 100.0 * (1.0 + np.sin(2 * np.pi * 4.0 * times[:, None] * 1e-3 + phase)))


def driven(make: Callable[[int], Any]) -> Callable[[float], Network]:
    """Builder of neurons that never fire, with an input."""

    def build(scale: float) -> Network:
        n = max(1, round(N * scale))
        return Network([Population("cells", n, Neuron(LIF(20.0), Exponential(5.0), NEVER), inputs=make(n))])

    return build


def emitted(rate: Any) -> Callable[[float], Network]:
    """Builder of a population of sources, each with one synapse."""

    def build(scale: float) -> Network:
        n = max(1, round(N * scale))
        source = Population("source", n, PoissonSource(rate=rate))
        cells = Population("cells", n, Neuron(LIF(20.0), Exponential(5.0), NEVER))
        return Network([source, cells], [Projection(source, cells, OneToOne(), weight=1.0, delay=1.0)])

    return build


INPUTS: dict[str, tuple[tuple[str, ...], Callable[[float], Network]]] = {
    "no input": (("grid",), driven(lambda n: ())),
    "Poisson trains of 1 kHz": (("grid", "event"), driven(lambda n: PoissonInput(MEAN, 1.0))),
    "Poisson trains of changing rate": (("grid", "event"), driven(lambda n: PoissonInput(wave(MEAN), 1.0))),
    "Poisson sources of 100 Hz": (("grid", "event"), emitted(100.0)),
    "Poisson sources of changing rate": (("grid", "event"), emitted(wave(100.0))),
    "current changing for all": (("grid", "event"), driven(lambda n: Current(wave(100.0)))),
    "current changing for each": (("grid", "event"), driven(lambda n: Current(own_waves(n)))),
    "noise current": (("grid",), driven(lambda n: NoiseCurrent(0.0, 100.0, dt=0.1))),
}

CASE = Case(
    "10,000 neurons that receive and never fire",
    tuple(
        Variant(f"{engine}, {name}", engine, build, name)
        for name, (engines, build) in INPUTS.items()
        for engine in engines
    ),
    columns=(
        Column("neurons", "neurons"),
        Column("inputs", "arrivals of\nPoisson input"),
        Column("events", "synaptic\nevents"),
        Column("build_s", "build (s)"),
        Column("run_s", "run (s)"),
    ),
)

"""Bytes per synapse and per neuron: what the process holds after the first steps less what it held before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psutil

import spikesim as ss
from benchmarks import figures
from benchmarks.case import Case, Column, Probe, Rows
from benchmarks.goals import Goal, of
from benchmarks.peers._protocol import peak_mb
from spikesim.plasticity import PairSTDP, TripletSTDP

SYNAPSES = (2_500_000, 10_000_000, 40_000_000)
PLASTIC = 10_000_000
N, NEURONS = 20_000, 1_000_000
KINDS: dict[str, tuple[Any, Any]] = {
    "own weight and delay": (ss.Normal(1.0, 0.1, low=0.0), ss.Normal(1.5, 0.75, low=0.1)),
    "own weight": (ss.Normal(1.0, 0.1, low=0.0), 1.5),
    "one weight and delay": (1.0, 1.5),
}
RULES = {
    "additive plasticity": PairSTDP(w_max=2.0),
    "multiplicative plasticity": PairSTDP(mu_plus=1.0, mu_minus=1.0, w_max=2.0),
    "triplet plasticity": TripletSTDP(w_max=2.0),
}


def network(n: int, synapses: int, kind: str) -> ss.Network:
    """A population of `n` neurons with so many synapses on itself."""
    cells = ss.Population("cells", n, ss.Neuron(ss.LIF()))
    weight, delay = KINDS.get(kind, KINDS["one weight and delay"])
    rule, learning = ss.FixedIndegree(max(1, synapses // n)), RULES.get(kind)
    connected = ss.Projection(cells, cells, rule, weight, delay, plasticity=learning)
    return ss.Network([cells], [connected] if synapses else [])


def held(engine: str, n: int, synapses: int, kind: str, threads: int, seed: int) -> dict[str, float]:
    """Bytes of a network that is built and has run 20 ms, and the largest on the way there."""

    def start(n: int, synapses: int) -> ss.Simulation:
        options: Any = {"engine": engine, "threads": threads, "seed": seed, "record": ss.Record(spikes=False)}
        return ss.Simulation(network(n, synapses, kind), **options).run(20.0)

    start(1_000, 10_000 if synapses else 0).close()  # compiled code and what else is needed once
    before = psutil.Process().memory_info().rss
    simulation = start(n, synapses)
    after = psutil.Process().memory_info().rss
    simulation.close()
    return {
        "count": synapses or n,
        "held_mb": (after - before) / 2**20,
        "bytes_each": (after - before) / (synapses or n),
        "peak_bytes_each": (peak_mb() * 2**20 - before) / (synapses or n),
    }


def _synapses(engine: str, kind: str, synapses: int) -> Probe:
    def measure(scale: float, threads: int, seed: int) -> Mapping[str, float]:
        return held(engine, N, round(synapses * scale), kind, threads, seed)

    where = f"{kind}, {engine}"
    return Probe(f"{where}, {synapses / 1e6:g} million", measure, where, {"synapses": float(synapses)})


def _neurons(engine: str) -> Probe:
    def measure(scale: float, threads: int, seed: int) -> Mapping[str, float]:
        return held(engine, round(NEURONS * scale), 0, "one weight and delay", threads, seed)

    return Probe(f"a neuron without synapses, {engine}", measure, f"neuron, {engine}")


def draw(rows: Rows) -> Any:
    """Memory over synapses, one line per kind."""
    figure, axes = figures.new()
    figures.lines(axes[0, 0], rows, "synapses", "held_mb", lambda row: row["group"])
    figures.finish(axes[0, 0], "synapses", "memory held (MiB)")
    return figure


LEARNING = f"{PLASTIC / 1e6:g} million"
LARGEST = f"{SYNAPSES[-1] / 1e6:g} million"
CASE = Case(
    "bytes per synapse (LIF, delta), with plasticity too, and per neuron, held while running and at the most",
    (
        *(_synapses(engine, kind, k) for engine in ("grid", "event") for kind in KINDS for k in SYNAPSES),
        *(_synapses(engine, kind, PLASTIC) for engine in ("grid", "event") for kind in RULES),
        *(_neurons(engine) for engine in ("grid", "event")),
    ),
    peers=False,
    compare="",
    columns=(
        Column("count", "synapses\nor neurons"),
        Column("held_mb", "held (MiB)"),
        Column("bytes_each", "bytes each"),
        Column("peak_bytes_each", "bytes each\nat the most"),
    ),
    goals=(
        Goal("bytes, own weight and delay", of(f"own weight and delay, grid, {LARGEST}", "bytes_each"), 9.0, 8.0, "<="),
        *(
            Goal(f"bytes, {kind}, {engine}", of(f"{kind}, {engine}, {LEARNING}", "bytes_each"), 24.0, 16.0, "<=")
            for engine in ("grid", "event")
            for kind in RULES
        ),
        Goal("bytes, one for all", of(f"one weight and delay, grid, {LARGEST}", "bytes_each"), 4.5, 2.5, "<="),
    ),
    draw=draw,
)

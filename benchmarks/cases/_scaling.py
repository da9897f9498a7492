"""What the scaling benchmarks share: Brunel's network with one of its numbers changed at a time.

The rate stays near that of the whole network when neurons or indegrees change: the indegree at which amplitudes are
as published is 1,250, and amplitudes go with its inverse, so that the recurrent mean stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import figures
from benchmarks.case import SIZE, Case, Column, Rows, Variant
from spikesim import LIF, FixedIndegree, FixedThreshold, Network, Neuron, PoissonInput, Population, Projection, ResetTo

ENGINES = ("grid", "event")
J, G, DELAY, TAU_M, V_TH, FULL = 0.1, 5.0, 1.5, 20.0, 20.0, 1250
COLUMNS = (
    *SIZE,
    Column("rate_hz", "rate (Hz)"),
    Column("build_s", "build (s)"),
    Column("run_s", "run (s)"),
    Column("ns_per_event", "ns per event\nand thread"),
    Column("peak_rss_mb", "peak memory\n(MiB)"),
)


def network(n: int, indegree: int = FULL, eta: float = 2.0) -> Network:
    """Balanced network of `n` neurons with `indegree` synapses each, driven at `eta` times the threshold."""
    neuron = Neuron(LIF(TAU_M, v_rest=0.0), threshold=FixedThreshold(V_TH), reset=ResetTo(0.0), t_ref=2.0)
    drive = PoissonInput(rate=1e3 * eta * V_TH / (J * TAU_M), weight=J)
    exc, inh = (Population(name, k, neuron, inputs=(drive,)) for name, k in (("exc", n - n // 5), ("inh", n // 5)))
    each, unit = max(1, indegree // 5), J * FULL / indegree
    kinds = ((exc, 4 * each, unit), (inh, each, -G * unit))
    synapses = [Projection(a, b, FixedIndegree(k), w, DELAY) for a, k, w in kinds for b in (exc, inh)]
    return Network([exc, inh], synapses)


def variants(
    key: str, values: tuple[float, ...], make: Callable[[float, float], Network], engines: tuple[str, ...] = ENGINES
) -> tuple[Variant, ...]:
    """One row per value and engine from `make(value, scale)`."""

    def one(engine: str, value: float) -> Variant:
        where = f"{key} {value:,g}"
        return Variant(f"{engine}, {where}", engine, lambda scale: make(value, scale), where, {key: float(value)})

    return tuple(one(engine, value) for value in values for engine in engines)


def curve(key: str, label: str) -> Callable[[Rows], Any]:
    """Drawer of run time and time per synaptic event over `key`, one line per engine and simulator."""

    def draw(rows: Rows) -> Any:
        figure, axes = figures.new(2, width=11.0)
        for ax, number, name in ((axes[0, 0], "run_s", "run time (s)"), (axes[0, 1], "ns_per_event", "ns per event")):
            figures.lines(ax, rows, key, number, lambda row: row["side"].partition(",")[0])
            figures.finish(ax, label, name)
        return figure

    return draw


def case(title: str, made: tuple[Variant, ...], draw: Callable[[Rows], Any], **options: Any) -> Case:
    """A scaling benchmark."""
    return Case(title, made, columns=COLUMNS, draw=draw, **options)

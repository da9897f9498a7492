"""Event engine against grid over firing rate and fan-out: where they cross.

Every neuron has a Poisson drive of its own that fires it at the wanted rate, whatever the others do: a spike of the
drive alone lifts a neuron over the threshold, and the recurrent synapses are too weak to matter.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from benchmarks import figures
from benchmarks.case import SIZE, Case, Column, Rows, Variant
from spikesim import LIF, FixedIndegree, FixedThreshold, Network, Neuron, PoissonInput, Population, Projection, ResetTo

N = 10_000
RATES = (0.1, 1.0, 10.0, 100.0)  # Hz
FANOUTS = (10, 100, 1000)
T_REF = 2.0


def build(scale: float, rate: float, fanout: int) -> Network:
    """N times `scale` neurons that fire at `rate` and send each spike to `fanout` others."""
    neuron = Neuron(LIF(20.0), threshold=FixedThreshold(20.0), reset=ResetTo(0.0), t_ref=T_REF)
    drive = PoissonInput(rate=rate / (1.0 - rate * T_REF * 1e-3), weight=25.0)
    cells = Population("cells", max(1, round(N * scale)), neuron, inputs=(drive,))
    return Network([cells], [Projection(cells, cells, FixedIndegree(fanout), weight=1e-6, delay=1.5)])


def _variant(engine: str, rate: float, fanout: int) -> Variant:
    where = f"{rate:g} Hz, {fanout} synapses"
    at = {"rate": rate, "fanout": float(fanout)}
    return Variant(f"{engine}, {where}", engine, lambda scale: build(scale, rate, fanout), where, at)


def crossings(rows: Rows) -> dict[float, float | None]:
    """Rate at which both engines take the same time, by fan-out, between measured rates on logarithmic axes."""
    found: dict[float, float | None] = {}
    for fanout in dict.fromkeys(row["at"]["fanout"] for row in figures.measured(rows, "ratio")):
        at = sorted(
            (math.log(row["at"]["rate"]), math.log(row["ratio"]["median"]))
            for row in figures.measured(rows, "ratio")
            if row["at"]["fanout"] == fanout
        )
        found[fanout] = None
        for (x0, y0), (x1, y1) in pairwise(at):
            if y0 * y1 <= 0.0 and y0 != y1:
                found[fanout] = math.exp(x0 - y0 * (x1 - x0) / (y1 - y0))
    return found


def draw(rows: Rows) -> Any:
    """Run times over rate by fan-out, and their ratio with the crossings."""
    figure, axes = figures.new(2, width=11.0)
    left, right = axes[0]
    figures.lines(left, rows, "rate", "run_s", lambda row: row["side"].partition(",")[0] + f", {row['at']['fanout']:g}")
    figures.finish(left, "rate (Hz)", "run time (s)")
    left.legend(title="engine, synapses per neuron", frameon=False, fontsize="small")
    figures.lines(right, rows, "rate", "ratio", lambda row: f"{row['at']['fanout']:g} synapses")
    figures.finish(right, "rate (Hz)", "event over grid, run time")
    right.axhline(1.0, color="black", linewidth=0.8)
    for k, at in enumerate(crossings(rows).values()):
        if at is not None:
            right.axvline(at, color=figures.COLOURS[k], linewidth=0.8, linestyle=":")
            right.annotate(f"{at:.2g} Hz", (at, 1.0), (3, 3 + 11 * k), textcoords="offset points", fontsize=8)
    return figure


CASE = Case(
    "event engine against grid over firing rate and fan-out, 10,000 neurons",
    tuple(_variant(e, rate, fanout) for fanout in FANOUTS for rate in RATES for e in ("grid", "event")),
    peers=False,
    columns=(*SIZE, Column("rate_hz", "rate (Hz)"), Column("run_s", "run (s)")),
    draw=draw,
)

"""Time and memory against the number of neurons, at 1,250 synapses each."""

from __future__ import annotations

from typing import Any

from benchmarks import figures
from benchmarks.case import Rows
from benchmarks.cases._scaling import case, network, variants

SIZES = (2_500.0, 5_000.0, 10_000.0, 20_000.0, 40_000.0, 80_000.0)


def draw(rows: Rows) -> Any:
    """Run time over neurons, peak memory over synapses."""
    figure, axes = figures.new(2, width=11.0)
    figures.lines(axes[0, 0], rows, "N", "run_s", lambda row: row["side"].partition(",")[0])
    figures.finish(axes[0, 0], "neurons", "run time (s)")
    figures.lines(axes[0, 1], rows, "synapses", "peak_rss_mb", lambda row: row["side"].partition(",")[0])
    figures.finish(axes[0, 1], "synapses", "peak memory of the process (MiB)")
    return figure


CASE = case(
    "balanced network of delta synapses, 1,250 synapses per neuron",
    variants("N", SIZES, lambda n, scale: network(max(10, round(n * scale)))),
    draw,
    duration=200.0,
)

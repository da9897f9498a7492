"""Time against the number of synapses per neuron, at 10,000 neurons and the same mean input."""

from __future__ import annotations

from benchmarks.cases._scaling import case, curve, network, variants

INDEGREES = (10.0, 50.0, 250.0, 1_250.0, 5_000.0)

CASE = case(
    "balanced network of delta synapses, 10,000 neurons, mean recurrent input kept",
    variants("indegree", INDEGREES, lambda k, scale: network(max(10, round(10_000 * scale)), int(k))),
    curve("indegree", "synapses per neuron"),
    duration=200.0,
)

"""Time against the firing rate, which the drive from outside decides."""

from __future__ import annotations

from benchmarks.cases._scaling import case, curve, network, variants

DRIVES = (0.9, 1.0, 1.2, 1.6, 2.0, 3.0, 4.0)

CASE = case(
    "balanced network of delta synapses, 10,000 neurons, drive relative to the one that reaches threshold",
    variants("drive", DRIVES, lambda eta, scale: network(max(10, round(10_000 * scale)), eta=eta)),
    curve("rate_hz", "rate (Hz)"),
    duration=200.0,
    warmup=100.0,
)

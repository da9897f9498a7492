"""Spikes of the grid engine against Brian2's exact integration, on identical synapses and input spikes.

Brian2 labels a step by its start, we by its end; how its times, delays and refractory periods map onto ours stands in
`benchmarks.peers.brian2`. Compared is every spike of the run.
"""

from __future__ import annotations

import pytest
from oracle_networks import DT, DURATION, assert_same_steps, recurrent

import spikesim as ss


@pytest.mark.parametrize("kind", ["delta", "exp"])
def test_grid_equals_brian2_to_the_step(brian2, kind):
    network = recurrent(kind)
    ours = ss.simulate(network, DURATION, engine="grid", dt=DT).spikes
    assert_same_steps(ours, brian2(network, DURATION, DT))

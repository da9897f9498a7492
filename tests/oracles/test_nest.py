"""Spikes of both engines against NEST's, on identical synapses and input spikes."""

from __future__ import annotations

import pytest
from oracle_networks import DT, DT_PRECISE, DURATION, assert_same_steps, assert_same_times, recurrent

import spikesim as ss


@pytest.mark.parametrize("kind", ["delta", "exp", "exp_equal", "alpha", "alpha_equal", "cond"])
def test_grid_equals_nest_to_the_step(nest, kind):
    network = recurrent(kind)
    ours = ss.simulate(network, DURATION, engine="grid", dt=DT).spikes
    assert_same_steps(ours, nest(network, DURATION, DT))


def test_grid_equals_nest_without_refractoriness(nest):
    network = recurrent("delta", t_ref=0.0)
    ours = ss.simulate(network, DURATION, engine="grid", dt=DT).spikes
    assert_same_steps(ours, nest(network, DURATION, DT))


@pytest.mark.parametrize("kind", ["delta", "exp", "exp_equal", "alpha", "alpha_equal"])
def test_event_equals_nest_precise(nest, kind):
    network = recurrent(kind, precise=True)
    ours = ss.simulate(network, DURATION, engine="event").spikes
    assert_same_times(ours, nest(network, DURATION, DT_PRECISE, precise=True), 1e-9)

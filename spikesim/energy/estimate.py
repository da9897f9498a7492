"""Operations times prices, item by item, and what follows from the sums."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spikesim.energy.operations import Operations
from spikesim.energy.prices import Prices
from spikesim.errors import ParameterError

PICO = 1e-12
ACTIVITY = (
    "accumulates",
    "weight reads for spikes",
    "state traffic of spikes",
    "addressing of spikes",
    "spikes",
    "spike traffic",
)
ITEMS = (
    "multiply-accumulates",
    "biases",
    "neuron updates",
    "activation functions",
    "encoder",
    "decoder",
    "addressing",
    "weight reads",
    "state traffic",
    "activation traffic",
    *ACTIVITY,
)


def memory_access(words: float, bits: int, table: Prices) -> float:
    """Price in pJ of reading or writing one word of `bits` in an on-chip memory of `words` such words.

    Pro rata of the access that `Prices.sram` prices, linear between its points; memories larger than the last point
    cost as banks of that size, smaller ones than the first as that.
    """
    sizes, costs = zip(*table.sram, strict=True)
    return float(np.interp(words * bits / 8, sizes, costs)) * bits / table.sram_bits


def estimate(operations: Operations, table: Prices) -> dict[str, float] | None:
    """Estimated energy in joules by item; the sum of the values is the estimate, static power not included.

    Parameters
    ----------
    operations : Operations
        Counts of one inference; the energy is then per inference.
    table : Prices
        What each costs.

    Returns
    -------
    dict or None
        Joules by item of `ITEMS`, None if `operations` contains multiply–accumulates and the table has no price for
        them.
    """
    o = operations
    if o.macs and table.mac is None:
        return None
    width = table.activation_bits or table.bits
    bias = memory_access(o.weights, table.bits, table)
    weight = table.dram * table.bits / 64 if table.dram else bias
    state = memory_access(o.states, table.state_bits, table)
    activation = memory_access(o.activation_words, width, table)
    for_spikes = min(o.weight_reads, o.synaptic_events)
    picojoules = {
        "multiply-accumulates": o.macs * (table.mac or 0.0),
        "biases": o.biases * (table.bias + bias),
        "neuron updates": o.updates * table.update,
        "activation functions": o.activations * table.activation,
        "encoder": o.draws * table.draw,
        "decoder": o.decodes * table.decode,
        "addressing": o.addresses * table.address,
        "weight reads": (o.weight_reads - for_spikes) * weight,
        "state traffic": o.state_accesses * state,
        "activation traffic": o.activation_accesses * activation,
        "accumulates": o.synaptic_events * table.synaptic_event,
        "weight reads for spikes": for_spikes * weight,
        "state traffic of spikes": 2 * o.synaptic_events * state if table.state_per_event else 0.0,
        "addressing of spikes": o.synaptic_events * table.address,
        "spikes": o.spikes * table.spike,
        "spike traffic": o.spike_accesses * activation,
    }
    return {item: picojoules[item] * PICO for item in ITEMS}


def static_energy(operations: Operations, table: Prices) -> float | None:
    """Static power × latency in joules: power drawn whatever happens, for as long as all time steps take.

    None where the table has no static power, or the network no time steps.
    """
    if not (table.static_w and table.step_ms and operations.steps):
        return None
    return table.static_w * operations.steps * table.step_ms * 1e-3


def price_ratio(table: Prices) -> float | None:
    """Price of a multiply–accumulate over that of a synaptic event, arithmetic alone; None without a price for both."""
    return None if table.mac is None else table.mac / table.synaptic_event


def break_even(
    snn: Mapping[str, float] | None, ann: Mapping[str, float] | None, spikes_per_synapse: float
) -> float | None:
    """Spikes per synapse and inference at which both estimates are equal; with fewer the spiking network is cheaper.

    Costs that grow with activity (accumulates, their weights, membranes and addresses, spikes and their traffic) scale
    with the spikes per synapse; biases, neuron updates, their state traffic, multiply–accumulates of a direct-coded
    layer, encoder and decoder do not.

    Parameters
    ----------
    snn, ann : mapping
        Estimates in joules by item (`estimate`) under the same table.
    spikes_per_synapse : float
        Synaptic events per synapse and inference for which `snn` was estimated, >= 0.

    Returns
    -------
    float or None
        0 if the spiking network is dearer without a single spike; None if the table cannot price one side, or if
        `snn` was estimated without activity.
    """
    if snn is None or ann is None:
        return None
    if not (np.isfinite(spikes_per_synapse) and spikes_per_synapse >= 0):
        raise ParameterError(f"break_even.spikes_per_synapse: must be >= 0, got {spikes_per_synapse}")
    active = sum(snn[item] for item in ACTIVITY)
    fixed = sum(snn.values()) - active
    return max(0.0, spikes_per_synapse * (sum(ann.values()) - fixed) / active) if active else None

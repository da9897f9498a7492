"""Operations times prices: estimates of energy, itemised, and the activity at which spikes stop paying.

Nothing here is a measurement. Every price names its source and how it came about; compare two systems under
one table only, because tables differ by more than the systems do.

Model of the hardware, the same for both sides: one input at a time (no weight is reused within a batch), sums of a
layer stay in registers while it is computed, weights, membranes and activations lie in three on-chip memories
of just their size. A larger memory costs more per access (Horowitz 2014).

References
----------
Horowitz 2014, doi:10.1109/ISSCC.2014.6757323, figure 1.1.9 (45 nm, 0.9 V).
Davies et al. 2018, doi:10.1109/MM.2018.112130359, table 2 (Loihi).
Dampfhoffer et al. 2023, doi:10.1109/TETCI.2022.3214509 (why memory traffic decides the comparison).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from spikesim.errors import ParameterError, unknown

PICO = 1e-12
_SRAM_BYTES = (8 * 1024, 32 * 1024, 1024 * 1024)
_SRAM_PJ = (10.0, 20.0, 100.0)  # one 64-bit read
_ACTIVITY = ("accumulates", "spikes", "spike traffic", "weight reads")


@dataclass(frozen=True)
class Operations:
    """What one inference does; a mean over many inferences may be fractional.

    Parameters
    ----------
    macs : float
        Multiply–accumulates of a weight with a real-valued activation.
    synaptic_events : float
        Accumulates of a weight because a spike arrived, biases not counted.
    biases : float
        Additions of a bias; in a spiking network once per neuron and time step.
    updates : float
        Updates of a spiking neuron: decay of the membrane (multiply) and threshold test (compare).
    activations : float
        Evaluations of a rectifier (compare).
    spikes : float
        Spikes fired by neurons: the reset (subtract).
    draws : float
        Encoder: random numbers drawn and compared with an input value, both as 8-bit additions.
    weight_reads : float
        Words read from the weight memory, biases not counted.
    state_accesses : float
        Words read from or written to the membrane memory.
    activation_accesses : float
        Words read from or written to the memory of inputs and activations.
    spike_accesses : float
        Words (addresses of spikes) written to or read from the same memory.
    weights, states, activation_words : float
        Words these memories hold, which sets the price of an access.

    Raises
    ------
    ParameterError
        If a count is negative or not finite.
    """

    macs: float = 0.0
    synaptic_events: float = 0.0
    biases: float = 0.0
    updates: float = 0.0
    activations: float = 0.0
    spikes: float = 0.0
    draws: float = 0.0
    weight_reads: float = 0.0
    state_accesses: float = 0.0
    activation_accesses: float = 0.0
    spike_accesses: float = 0.0
    weights: float = 0.0
    states: float = 0.0
    activation_words: float = 0.0

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if not (np.isfinite(value) and value >= 0):
                raise ParameterError(f"Operations.{f.name}: must be a finite count >= 0, got {value}")


@dataclass(frozen=True)
class Prices:
    """Energy per operation, in pJ.

    Parameters
    ----------
    name, title : str
        Key and short readable name.
    mac, synaptic_event, bias, update, activation, spike, draw : float or None
        Price of one such operation of `Operations`; None where the table has no such price.
    bits, state_bits : int
        Width of weights and activations, and of membranes; 0 where memory is not priced apart.
    source, grade, note : str
        Where the prices come from, what kind of evidence they are, and what they leave out.
    """

    name: str
    title: str
    mac: float | None
    synaptic_event: float
    bias: float
    update: float
    activation: float
    spike: float
    draw: float
    bits: int
    state_bits: int
    source: str
    grade: str
    note: str


_HOROWITZ = "Horowitz 2014, doi:10.1109/ISSCC.2014.6757323, figure 1.1.9, 45 nm 0.9 V"
_TABLE = "arithmetic on a published table of operation costs, no chip"

PRICES: dict[str, Prices] = {
    p.name: p
    for p in (
        Prices(
            name="horowitz-fp32-naive",
            title="Horowitz fp32, naive",
            mac=4.6,
            synaptic_event=0.9,
            bias=0.9,
            update=0.0,
            activation=0.0,
            spike=0.0,
            draw=0.0,
            bits=0,
            state_bits=0,
            source=_HOROWITZ,
            grade=_TABLE,
            note="4.6 pJ a multiply-accumulate, 0.9 pJ an addition; memory, neuron updates and encoder are free, as in "
            "most papers on spiking networks",
        ),
        Prices(
            name="horowitz-fp32-sram",
            title="Horowitz fp32 + SRAM",
            mac=4.6,
            synaptic_event=0.9,
            bias=0.9,
            update=4.6,
            activation=0.9,
            spike=0.9,
            draw=0.06,
            bits=32,
            state_bits=32,
            source=_HOROWITZ,
            grade=_TABLE,
            note="with reads and writes of weights, membranes, activations and spikes in on-chip memory, neuron "
            "updates and encoder; no wires between chips, no leakage, no off-chip memory",
        ),
        Prices(
            name="horowitz-int8-sram",
            title="Horowitz int8 + SRAM",
            mac=0.23,
            synaptic_event=0.03,
            bias=0.03,
            update=0.25,
            activation=0.03,
            spike=0.05,
            draw=0.06,
            bits=8,
            state_bits=16,
            source=_HOROWITZ,
            grade=_TABLE,
            note="as horowitz-fp32-sram with 8-bit weights and activations and 16-bit membranes; both networks priced "
            "as if 8 bits cost no accuracy, wider accumulators not counted",
        ),
        Prices(
            name="loihi-2018",
            title="Loihi 2018",
            mac=None,
            synaptic_event=23.6,
            bias=0.0,
            update=81.0,
            activation=0.0,
            spike=1.7,
            draw=0.0,
            bits=0,
            state_bits=0,
            source="Davies et al. 2018, doi:10.1109/MM.2018.112130359, table 2, 14 nm 0.75 V",
            grade="pre-silicon circuit simulation, not measured",
            note="memory is part of each price; the bias is part of the neuron update; no price for "
            "multiply-accumulates, so no ANN stands beside it; static power (about 0.1 W a chip) "
            "and input over the chip's edge not counted",
        ),
    )
}


def prices(name: str) -> Prices:
    """Price table `name`.

    Raises
    ------
    ParameterError
        If there is no such table.
    """
    if name not in PRICES:
        raise unknown("price table", name, PRICES)
    return PRICES[name]


def sram_access(words: float, bits: int) -> float:
    """Price in pJ of reading or writing one word of `bits` in an on-chip memory of `words` such words.

    Pro rata of Horowitz' 64-bit read: 10, 20, 100 pJ for 8 KB, 32 KB, 1 MB, linear between; smaller memories cost
    as 8 KB, larger ones as banks of 1 MB.
    """
    return float(np.interp(words * bits / 8, _SRAM_BYTES, _SRAM_PJ)) * bits / 64


def estimate(operations: Operations, table: Prices) -> dict[str, float] | None:
    """Estimated energy in joules by item; the sum of the values is the estimate.

    Parameters
    ----------
    operations : Operations
        Counts of one inference; the energy is then per inference.
    table : Prices
        What each costs.

    Returns
    -------
    dict or None
        Joules by item, None if `operations` contains multiply–accumulates and the table has no price for them.
    """
    o = operations
    if o.macs and table.mac is None:
        return None
    weight = sram_access(o.weights, table.bits)
    activation = sram_access(o.activation_words, table.bits)
    picojoules = {
        "multiply-accumulates": o.macs * (table.mac or 0.0),
        "accumulates": o.synaptic_events * table.synaptic_event,
        "biases": o.biases * (table.bias + weight),
        "neuron updates": o.updates * table.update,
        "activation functions": o.activations * table.activation,
        "spikes": o.spikes * table.spike,
        "encoder": o.draws * table.draw,
        "weight reads": o.weight_reads * weight,
        "state traffic": o.state_accesses * sram_access(o.states, table.state_bits),
        "activation traffic": o.activation_accesses * activation,
        "spike traffic": o.spike_accesses * activation,
    }
    return {item: value * PICO for item, value in picojoules.items()}


def price_ratio(table: Prices) -> float | None:
    """Price of a multiply–accumulate over that of a synaptic event, arithmetic alone; None without a price for both."""
    return None if table.mac is None else table.mac / table.synaptic_event


def break_even(
    snn: Mapping[str, float] | None, ann: Mapping[str, float] | None, spikes_per_synapse: float
) -> float | None:
    """Spikes per synapse and inference at which both estimates are equal; with fewer the spiking network is cheaper.

    Costs that grow with activity (accumulates, their weight reads, spikes and their traffic) scale with the spikes
    per synapse; biases, neuron updates, their state traffic and the encoder do not.

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
    active = sum(snn[item] for item in _ACTIVITY)
    fixed = sum(snn.values()) - active
    return max(0.0, spikes_per_synapse * (sum(ann.values()) - fixed) / active) if active else None

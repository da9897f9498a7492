"""What one inference does, in numbers that a price table can be applied to."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from spikesim.errors import ParameterError


@dataclass(frozen=True)
class Operations:
    """What one inference does; a mean over many inferences may be fractional.

    Parameters
    ----------
    macs : float
        Multiply–accumulates of a weight with a value that is neither 0 nor 1.
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
    decodes : float
        Decoder: additions to the counters of the outputs, and comparisons that find the largest.
    addresses : float
        Additions that compute addresses of inputs and outputs, those of synaptic events (one each) not counted.
    weight_reads : float
        Words read from the weight memory, biases not counted.
    state_accesses : float
        Words read from or written to the membrane memory, once per update.
    activation_accesses : float
        Words read from or written to the memory of inputs and activations.
    spike_accesses : float
        Words (addresses of spikes) written to or read from the same memory.
    weights, states, activation_words : float
        Words these memories hold, which sets the price of an access.
    steps : float
        Time steps the network was looked at for, 0 for one without time.

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
    decodes: float = 0.0
    addresses: float = 0.0
    weight_reads: float = 0.0
    state_accesses: float = 0.0
    activation_accesses: float = 0.0
    spike_accesses: float = 0.0
    weights: float = 0.0
    states: float = 0.0
    activation_words: float = 0.0
    steps: float = 0.0

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if not (np.isfinite(value) and value >= 0):
                raise ParameterError(f"Operations.{f.name}: must be a finite count >= 0, got {value}")

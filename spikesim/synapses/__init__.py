"""Synapses: what one arriving spike does to a neuron. One file each, with its kernels for both engines."""

from spikesim.synapses.alpha import Alpha
from spikesim.synapses.conductance import ExponentialConductance
from spikesim.synapses.delta import Delta
from spikesim.synapses.exponential import Exponential

__all__ = ["Alpha", "Delta", "Exponential", "ExponentialConductance"]

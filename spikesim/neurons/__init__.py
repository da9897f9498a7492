"""Parts of a neuron: membranes, thresholds and resets."""

from spikesim.neurons.membrane import IF, LIF, Membrane
from spikesim.neurons.reset import ResetBySubtraction, ResetTo
from spikesim.neurons.threshold import AdaptiveThreshold, FixedThreshold

__all__ = ["IF", "LIF", "AdaptiveThreshold", "FixedThreshold", "Membrane", "ResetBySubtraction", "ResetTo"]

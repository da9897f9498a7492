"""What drives a network from outside: currents and Poisson trains into neurons, and populations that emit spikes."""

from spikesim.inputs.current import Current, NoiseCurrent
from spikesim.inputs.poisson import PoissonInput, PoissonSource
from spikesim.inputs.steps import Steps
from spikesim.inputs.trains import RegularSource, SpikeSource

__all__ = ["Current", "NoiseCurrent", "PoissonInput", "PoissonSource", "RegularSource", "SpikeSource", "Steps"]

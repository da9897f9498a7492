"""The public names of the package; `spikesim` itself imports them when the first of them is asked for."""

from spikesim import connectivity, engines, errors, zoo
from spikesim._jit import at
from spikesim.connectivity import *  # noqa: F403
from spikesim.errors import SpikesimError
from spikesim.inputs import Current, NoiseCurrent, PoissonInput, PoissonSource, RegularSource, SpikeSource, Steps
from spikesim.memory import summary
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.neurons import IF, LIF, AdaptiveThreshold, FixedThreshold, Membrane, ResetBySubtraction, ResetTo
from spikesim.parameters import Part, param
from spikesim.recording import Record
from spikesim.result import Counts, Result
from spikesim.simulation import Simulation, simulate
from spikesim.spikes import Spikes
from spikesim.synapses import Alpha, Delta, Exponential, ExponentialConductance
from spikesim.verbs import advance, conduct, decay, derivative, inject, on_spike, receive

__all__ = [
    "IF",
    "LIF",
    "AdaptiveThreshold",
    "Alpha",
    "Counts",
    "Current",
    "Delta",
    "Exponential",
    "ExponentialConductance",
    "FixedThreshold",
    "Membrane",
    "Network",
    "Neuron",
    "NoiseCurrent",
    "Part",
    "PoissonInput",
    "PoissonSource",
    "Population",
    "Projection",
    "Record",
    "RegularSource",
    "ResetBySubtraction",
    "ResetTo",
    "Result",
    "Simulation",
    "SpikeSource",
    "Spikes",
    "SpikesimError",
    "Steps",
    "advance",
    "at",
    "conduct",
    "decay",
    "derivative",
    "engines",
    "errors",
    "inject",
    "on_spike",
    "param",
    "receive",
    "simulate",
    "summary",
    "zoo",
]
__all__ += connectivity.__all__

"""Supervised learning in time: rules that train spiking neurons, all on lists of `Spikes`, one per pattern.

Every rule is a class with checked settings, ``fit``, ``predict``, a ``history`` and ``save``/``load``; neurons that
`spikesim` can run are given as a `Network` by ``network(inputs)``.
"""

from spikesim.learning.chronotron import Chronotron
from spikesim.learning.eventprop import EventProp
from spikesim.learning.learner import Learner, load
from spikesim.learning.liquid import Liquid
from spikesim.learning.optimisers import Adam
from spikesim.learning.readout import DeltaReadout, RidgeReadout
from spikesim.learning.resume import ReSuMe
from spikesim.learning.spikeprop import SpikeProp
from spikesim.learning.tempotron import Tempotron

__all__ = [
    "Adam",
    "Chronotron",
    "DeltaReadout",
    "EventProp",
    "Learner",
    "Liquid",
    "ReSuMe",
    "RidgeReadout",
    "SpikeProp",
    "Tempotron",
    "load",
]

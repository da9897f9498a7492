"""Plasticity: how spikes change the weights of synapses. One file a rule, each a pair of verbs on traces."""

from spikesim.plasticity.competitive import CompetitiveSTDP
from spikesim.plasticity.learn import drive
from spikesim.plasticity.pair import PairSTDP
from spikesim.plasticity.power import PowerSTDP
from spikesim.plasticity.rate import BCM, Hebb, Oja
from spikesim.plasticity.reward import RewardSTDP
from spikesim.plasticity.rule import Plasticity
from spikesim.plasticity.short_term import ShortTerm
from spikesim.plasticity.symmetric import SymmetricSTDP
from spikesim.plasticity.triplet import TripletSTDP

__all__ = [
    "BCM",
    "CompetitiveSTDP",
    "Hebb",
    "Oja",
    "PairSTDP",
    "Plasticity",
    "PowerSTDP",
    "RewardSTDP",
    "ShortTerm",
    "SymmetricSTDP",
    "TripletSTDP",
    "drive",
]

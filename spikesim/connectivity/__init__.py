"""Connection rules, and distributions of weights, delays and initial states."""

from spikesim.connectivity.convolution import Convolution, Pooling
from spikesim.connectivity.distributions import Distribution, LogNormal, Normal, Rounded, Uniform
from spikesim.connectivity.given import Pairwise, Sparse
from spikesim.connectivity.outdegree import FixedOutdegree
from spikesim.connectivity.random_rules import FixedIndegree, FixedProbability, FixedTotalNumber
from spikesim.connectivity.rule import Pairs, Rule
from spikesim.connectivity.rules import AllToAll, OneToOne

__all__ = [
    "AllToAll",
    "Convolution",
    "Distribution",
    "FixedIndegree",
    "FixedOutdegree",
    "FixedProbability",
    "FixedTotalNumber",
    "LogNormal",
    "Normal",
    "OneToOne",
    "Pairs",
    "Pairwise",
    "Pooling",
    "Rounded",
    "Rule",
    "Sparse",
    "Uniform",
]

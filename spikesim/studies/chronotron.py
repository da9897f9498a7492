"""A chronotron learns to fire at given times."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.learning.chronotron import Chronotron
from spikesim.parameters import choice
from spikesim.studies._spike_trains import SpikeTrainStudy

RATES = {"e": 0.03, "i": 0.1}


@dataclass(frozen=True)
class ChronotronStudy(SpikeTrainStudy):
    """Random input, random wanted times; E-learning or I-learning."""

    name = "chronotron"
    title = "Spikes at wanted times by E-learning or I-learning"
    citation = "Florian 2012, doi:10.1371/journal.pone.0040233"

    rule: str = choice("e", ("e", "i"), "E-learning, or the local I-learning")

    def learner(self, seed: int) -> Chronotron:
        """A chronotron with the learning rate that suits its rule."""
        return Chronotron(self.n, rule=self.rule, rate=RATES[self.rule], seed=seed)


STUDY = ChronotronStudy

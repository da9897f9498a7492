"""A neuron learns to fire at given times by ReSuMe."""

from __future__ import annotations

from dataclasses import dataclass

from spikesim.learning.resume import ReSuMe
from spikesim.studies._spike_trains import SpikeTrainStudy


@dataclass(frozen=True)
class ReSuMeStudy(SpikeTrainStudy):
    """Random input, random wanted times; two opposite learning windows."""

    name = "resume"
    title = "Spikes at wanted times by ReSuMe"
    citation = "Ponulak & Kasiński 2010, doi:10.1162/neco.2009.11-08-901"

    def learner(self, seed: int) -> ReSuMe:
        """ReSuMe with its defaults."""
        return ReSuMe(self.n, seed=seed)


STUDY = ReSuMeStudy

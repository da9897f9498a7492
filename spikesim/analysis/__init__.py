"""What spike trains look like and how far apart they are; everything here works on `Spikes`."""

from spikesim.analysis.correlations import Correlogram, count_correlations, cross_correlogram, mean_correlation
from spikesim.analysis.distances import (
    Distances,
    spike_distance,
    spike_distance_multi,
    van_rossum,
    victor_purpura,
)
from spikesim.analysis.firing import Psth, Spectrum, cv_isi, fano, isi, mean_rate, psth, rates, spectrum
from spikesim.analysis.theory import brunel_rate, siegert

__all__ = [
    "Correlogram",
    "Distances",
    "Psth",
    "Spectrum",
    "brunel_rate",
    "count_correlations",
    "cross_correlogram",
    "cv_isi",
    "fano",
    "isi",
    "mean_correlation",
    "mean_rate",
    "psth",
    "rates",
    "siegert",
    "spectrum",
    "spike_distance",
    "spike_distance_multi",
    "van_rossum",
    "victor_purpura",
]

"""Pictures of spikes and states: each function draws into `ax` and returns it; without `ax` it makes a figure.

Matplotlib is imported on first use. Without a display it draws all the same: `save` what you get.
"""

from spikesim.plotting.common import COLOURS
from spikesim.plotting.curves import cv_histogram, population_rate, rate_histogram
from spikesim.plotting.dots import DOTS, raster
from spikesim.plotting.page import FORMATS, overview, save
from spikesim.plotting.states import traces

__all__ = [
    "COLOURS",
    "DOTS",
    "FORMATS",
    "cv_histogram",
    "overview",
    "population_rate",
    "raster",
    "rate_histogram",
    "save",
    "traces",
]

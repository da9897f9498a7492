"""Binary reading of any spike trains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import ParameterError
from spikesim.parameters import as_count, as_values
from spikesim.spikes import Spikes


def read_bits(spikes: Spikes, window: float, at_least: int = 1) -> NDArray[Any]:
    """Bits of output trains: in each window, whether a neuron fired `at_least` times.

    Parameters
    ----------
    spikes : Spikes
    window : float
        Length in ms, > 0; a window left incomplete at the end is not read.
    at_least : int
        Spikes that make a 1.

    Returns
    -------
    ndarray of bool (windows, n)

    Raises
    ------
    ParameterError
        If the observation is shorter than a window.
    """
    width = float(as_values(window, "read_bits.window", "ms", "> 0", scalar=True))
    least = as_count(at_least, "read_bits.at_least")
    windows = int(spikes.duration / width + 1e-9)
    if not windows:
        raise ParameterError(f"read_bits.window: must be <= the duration ({spikes.duration:g} ms), got {width:g} ms")
    number = ((spikes.times - spikes.t_start) / width + 1e-9).astype(np.int64)
    inside = number < windows
    counts = np.zeros((windows, spikes.n), np.int64)
    np.add.at(counts, (number[inside], spikes.ids[inside]), 1)
    return counts >= least

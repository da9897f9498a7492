"""What can be done to a simulation between two calls of `run`: give it spikes, count its own, scale its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.controls import Controls
from spikesim.engines import plastic_state
from spikesim.engines.sources import Given
from spikesim.errors import ParameterError
from spikesim.parameters import as_values
from spikesim.spikes import Spikes


class Online(Controls):
    """The part of `Simulation` that serves closed loops."""

    batch: int
    _recorder: Any

    def feed(self, population: str, spikes: Spikes | Sequence[Spikes]) -> None:
        """Let a population of given spikes emit more of them.

        Parameters
        ----------
        population : str
            Name of a population whose model is a `SpikeSource`.
        spikes : Spikes, or with a batch a sequence of Spikes, one per stimulus
            What it emits, in addition to what it was given before; times count from the present. On the grid they are
            rounded to the step, and those at 0 come with the next one.

        Raises
        ------
        ParameterError
            If the population replays no spikes, sizes or the number of stimuli differ, or a spike lies in the past.
        """
        p = self.network[population]
        source = self._run.sources.get(self._run.layout.block_of(p).number) if p.is_source else None
        if not isinstance(source, Given):
            raise ParameterError(f"feed: population {population!r} must be one of a SpikeSource, it is {p.model!r}")
        trains: list[Any] = list(spikes) if isinstance(spikes, (list, tuple)) else [spikes]
        if len(trains) != self.batch:
            raise ParameterError(f"feed: needs one Spikes per stimulus ({self.batch}), got {len(trains)}")
        for train in trains:
            if not isinstance(train, Spikes) or train.n != p.size:
                raise ParameterError(f"feed: {population!r} needs Spikes of {p.size} elements, got {train!r}")
            if len(train) and train.times.min() < 0.0:
                raise ParameterError(f"feed: times must be >= 0 ms from now, got {train.times.min():g}")
        ids = np.concatenate([train.ids.astype(np.int64) + b * p.size for b, train in enumerate(trains)])
        source.feed(np.concatenate([train.times for train in trains]) + self.time, ids, self._run.now)

    def spike_counts(self, population: str) -> NDArray[np.int64]:
        """Spikes of each neuron since the beginning, shape (n,), with a batch (batch, n)."""
        counts: NDArray[np.int64] = self._recorder.population_counts(self.network[population].name)
        return counts if self.batch > 1 else counts[0]

    def normalise(self, projection: str, total: float) -> None:
        """Scale the plastic weights onto each target so that their sizes add up to `total`, bounds or not.

        Targets whose weights are all zero stay as they are. (Diehl & Cook 2015, doi:10.3389/fncom.2015.00099.)

        Raises
        ------
        ParameterError
            If the projection is unknown or not plastic, or `total` is not > 0.
        """
        total = float(as_values(total, "normalise: total", "", "> 0", scalar=True))
        p = self._plain(projection)
        if p.plasticity is None:
            raise ParameterError(f"normalise: projection {projection!r} has no plasticity")
        for sweeper in plastic_state.sweepers(self._run, p):
            sweeper.normalise(self.time, total)

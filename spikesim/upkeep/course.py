"""Weights recorded at an interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.parameters import as_values
from spikesim.progress import ProgressOption, track
from spikesim.simulation import Simulation


class WeightCourse(NamedTuple):
    """Weights over time: times (k,) in ms, source and target of each synapse (s,), weights (k, s)."""

    times: NDArray[np.float64]
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    weights: NDArray[np.float64]


def weight_course(
    simulation: Simulation, duration: float, interval: float, projection: str, progress: ProgressOption = None
) -> WeightCourse:
    """Run for `duration` ms and record the weights of a projection now, every `interval` ms and at the end.

    A run cut into segments is the same run to the last bit, so that recording changes nothing.

    Parameters
    ----------
    simulation : Simulation
    duration, interval : float, ms
        Both > 0.
    projection : str
        Its synapses must not be changed meanwhile.
    progress : None, bool or callable
        As in `spikesim.progress.track`.

    Returns
    -------
    WeightCourse

    Raises
    ------
    ParameterError
        If a time is not > 0 or the projection is unknown.
    KeyboardInterrupt
        After Ctrl-C; its attribute `course` is the `WeightCourse` up to then.
    """
    duration = float(as_values(duration, "weight_course: duration", "ms", "> 0", scalar=True))
    interval = float(as_values(interval, "weight_course: interval", "ms", "> 0", scalar=True))
    pre, post, now = simulation.weights(projection)
    start, times, rows = simulation.time, [simulation.time], [now]

    def found() -> WeightCourse:
        return WeightCourse(np.array(times), pre, post, np.array(rows))

    with track(progress, duration, "recording weights") as report:
        for k in range(1, int(np.ceil(duration / interval * (1 - 1e-12))) + 1):
            stop = start + min(k * interval, duration)
            try:
                simulation.run(stop - simulation.time, progress=lambda done, _: report(simulation.time - start))
            except KeyboardInterrupt as interrupt:
                interrupt.course = found()  # type: ignore[attr-defined]
                raise
            times.append(simulation.time)
            rows.append(simulation.weights(projection)[2])
    return found()

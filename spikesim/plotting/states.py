"""Traces of recorded states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import ParameterError, unknown
from spikesim.plotting.common import COLOURS, axes_or_new, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMES = {"v": "membrane potential (mV)", "theta": "threshold adaptation (mV)"}


def traces(
    result: Any,
    population: str,
    variable: str = "v",
    ids: Sequence[int] | None = None,
    ax: Axes | None = None,
    *,
    theta: ArrayLike | None = None,
    stimulus: int = 0,
) -> Axes:
    """Recorded states over time, one line per element.

    Parameters
    ----------
    result : Result
        A result with recorded states.
    population, variable : str
        What to draw: ``result.states[population][variable]``.
    ids : sequence of int, optional
        Which of the recorded elements (columns of the recorded array); the first three without it.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without it.
    theta : float or array (samples,) or (samples, n), mV, optional
        Threshold to draw as a dashed line: one number, one over time, or one per recorded element (for an adaptive
        threshold ``v_th + result.states[population]["theta"]``).
    stimulus : int, default 0
        Which stimulus of a batch.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If nothing of that name was recorded, an id or `stimulus` is out of range, or `theta` has another shape.
    """
    values, times = _state(result, population, variable, stimulus), np.asarray(result.state_times)
    chosen = list(range(min(3, values.shape[1]))) if ids is None else [int(i) for i in np.atleast_1d(ids)]
    outside = [i for i in chosen if not 0 <= i < values.shape[1]]
    if outside:
        raise ParameterError(f"traces.ids: must be in 0 … {values.shape[1] - 1} (recorded elements), got {outside[0]}")
    threshold = None if theta is None else _threshold(theta, values.shape)
    ax = axes_or_new(ax)
    owner = population if values.shape[1] == result.network[population].size else f"{population}, recorded"
    for k, i in enumerate(chosen):
        colour = COLOURS[k % len(COLOURS)]
        ax.plot(times, values[:, i], lw=1.0, color=colour, label=f"{owner} {i}")
        if threshold is not None and threshold.shape[1] > 1:
            ax.plot(times, threshold[:, i], "--", lw=0.9, color=colour)
    if threshold is not None and threshold.shape[1] == 1:
        ax.plot(times, np.broadcast_to(threshold[:, 0], times.shape), "--", lw=0.9, color="0.4", label="threshold")
    if times.size > 1:
        ax.set_xlim(times[0], times[-1])
    ax.set_xlabel("time (ms)")
    ax.set_ylabel(_quantity(result, population, variable))
    legend_above(ax, len(chosen) + 1)
    return ax


def _state(result: Any, population: str, variable: str, stimulus: int) -> NDArray[np.float64]:
    """Recorded states (samples, n) of one stimulus."""
    if population not in result.states:
        raise unknown("population with recorded states", population, result.states)
    if variable not in result.states[population]:
        raise unknown(f"recorded state of {population!r}:", variable, result.states[population])
    values = np.asarray(result.states[population][variable])
    if values.ndim == 3:
        if not 0 <= stimulus < len(values):
            raise ParameterError(f"traces.stimulus: must be in 0 … {len(values) - 1}, got {stimulus}")
        values = values[stimulus]
    return values


def _threshold(theta: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Threshold as (samples or 1, n or 1)."""
    values = np.asarray(theta, dtype=np.float64)
    if values.shape not in ((), shape[:1], shape):
        raise ParameterError(
            f"traces.theta: must be a number or an array of shape {shape[:1]} or {shape}, got shape {values.shape}"
        )
    return values if values.ndim == 2 else values.reshape(-1, 1)


def _quantity(result: Any, population: str, variable: str) -> str:
    """Axis label with unit: potentials in mV, currents in pA, conductances in nS."""
    base, _, receptor = variable.partition("_")
    if variable in _NAMES or base not in ("i", "g"):
        return _NAMES.get(variable, variable)
    if base == "i":
        return f"synaptic current {variable} (pA)"
    unit = getattr(result.network[population].model.receptors.get(receptor), "weight_unit", "")
    return f"conductance {variable} (nS)" if unit == "nS" else f"{variable} (pA/ms)"

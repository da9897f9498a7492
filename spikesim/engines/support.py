"""Which part runs in which engine: asked of the tables the engines themselves use."""

from __future__ import annotations

from collections.abc import Iterator

from spikesim.inputs import Current, NoiseCurrent, PoissonInput, PoissonSource, RegularSource, SpikeSource
from spikesim.neurons import Membrane
from spikesim.neurons.reset import ResetBySubtraction, ResetTo
from spikesim.neurons.threshold import AdaptiveThreshold, FixedThreshold
from spikesim.parameters import Part
from spikesim.synapses import Alpha, Delta, Exponential, ExponentialConductance

_GRID_ONLY = (NoiseCurrent,)  # a value for every interval has no closed form between events
_FIXED = {
    "synapse": (Delta, Exponential, Alpha, ExponentialConductance),
    "threshold": (FixedThreshold, AdaptiveThreshold),
    "reset": (ResetTo, ResetBySubtraction),
    "input": (Current, PoissonInput, NoiseCurrent),
    "source": (PoissonSource, SpikeSource, RegularSource),
}


def runs_in(part: type[Part], engine: str) -> bool:
    """Whether an engine can run a kind of part."""
    if engine == "grid":
        return True
    return getattr(part, "exact", part not in _GRID_ONLY)


def support() -> list[dict[str, str | bool]]:
    """Rows of the support matrix: kind, part, and for each engine whether it runs there."""
    return [
        {"kind": kind, "part": part.__name__, "event": runs_in(part, "event"), "grid": runs_in(part, "grid")}
        for kind, part in _parts()
    ]


def _parts() -> Iterator[tuple[str, type[Part]]]:
    for membrane in Membrane.__subclasses__():
        yield "membrane", membrane
    for kind, parts in _FIXED.items():
        for part in parts:
            yield kind, part

"""Delta synapse: an arriving spike moves the membrane at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spikesim import verbs
from spikesim.parameters import Part


@dataclass(frozen=True, eq=False, repr=False)
class Delta(Part):
    """A spike of weight w (mV) moves the membrane at once: ``v += w``. Lost during refractoriness."""

    variables = ()
    linear = True
    exact = True
    weight_unit = "mV"

    def lower(self, setting):
        """No constants."""
        return DeltaKernel(1.0)


class DeltaKernel(NamedTuple):
    """Tag by which kernels know a delta synapse."""

    gain: float


@verbs.inject.register(DeltaKernel)
def _inject(p, y, i, v, stage):
    return 0.0


@verbs.decay.register(DeltaKernel)
def _decay(p, y, i):
    pass


@verbs.receive.register(DeltaKernel)
def _receive(p, y, i, w):
    return w


@verbs.e_decay.register(DeltaKernel)
def _e_decay(p, y, i, dt):
    pass


@verbs.e_psp.register(DeltaKernel)
def _e_psp(p, y, i, dt, em):
    return 0.0


@verbs.e_drift.register(DeltaKernel)
def _e_drift(p, y, i, dt):
    return 0.0


@verbs.e_receive.register(DeltaKernel)
def _e_receive(p, y, i, w):
    return w


@verbs.e_peak.register(DeltaKernel)
def _e_peak(p, y, i):
    return 0.0


@verbs.e_slope.register(DeltaKernel)
def _e_slope(p, y, i):
    return 0.0


@verbs.e_terms.register(DeltaKernel)
def _e_terms(p, y, i, terms, k):
    return k

"""A time step of IF and LIF neurons with conductances.

``dv/dt = b(t) - g(t) v``, where g is the leak and all conductances over the capacitance, and b what they and currents
drive. The step is that of the Lobatto IIIC method with three stages: at the start, the middle and the end of the step,
of fourth order, and L-stable, so that v goes to ``b / g`` however large g is. Its equations are linear in v; solved for
the value at the end they leave one division. (Hairer & Wanner 1996, Solving Ordinary Differential Equations II,
section IV.5, doi:10.1007/978-3-642-05221-7.)
"""

from __future__ import annotations

from typing import NamedTuple

from spikesim import verbs
from spikesim._jit import at


class AffineRates(NamedTuple):
    """Leak rate, rest, 1/capacitance."""

    leak: float
    v_rest: float
    inv_c: float


@verbs.advance.register(AffineRates)
def _advance(p, x, i, synapses, ys, current, h):
    leak, scale = h * at(p.leak, i), h * at(p.inv_c, i)
    drive = leak * at(p.v_rest, i) + scale * current
    g0 = leak + scale * verbs.conduct_all(synapses, ys, i, 0)
    g1 = leak + scale * verbs.conduct_all(synapses, ys, i, 1)
    g2 = leak + scale * verbs.conduct_all(synapses, ys, i, 2)
    b0 = drive + scale * verbs.inject_all(synapses, ys, i, 0.0, 0)
    b1 = drive + scale * verbs.inject_all(synapses, ys, i, 0.0, 1)
    b2 = drive + scale * verbs.inject_all(synapses, ys, i, 0.0, 2)
    given = (x[0] + (b0 + b2) * (1 / 6)) * (1.0 - 0.25 * g1) + (2 / 3 + g0 * (1 / 6)) * (b1 + 0.25 * g1 * b2)
    return (given / (1.0 + ((g0 + g2) * (1 / 6 + 0.125 * g1) + g1 * (5 / 12 + (1 / 24) * (g0 * g2)))),)

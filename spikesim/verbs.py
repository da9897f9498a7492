"""The contract between parts and engines: what a part must be able to do, one verb each.

Arguments: `p` is the part as a named tuple of numbers or per-neuron arrays (read them with ``at(p.field, i)``),
`i` the neuron, `x` the membrane variables of that neuron as a tuple (``x[0]`` is the potential), `y` the arrays of
the synapse's variables. A user's part registers its own bodies: ``@derivative.register(MyMembrane)``.
"""

from __future__ import annotations

from spikesim._jit import axpy, is_none, twin, verb

# ---------------------------------------------------------------- grid engine: membranes


@verb()
def derivative(p, x, i, current):
    """Time derivatives of the membrane variables (per ms), a tuple like `x`, at total current `current` (pA)."""


@verb(default=True)
def advance(p, x, i, synapses, ys, current, h):
    """Membrane variables one step `h` later; by default the classical Runge-Kutta method applied to `derivative`."""
    k1 = derivative(p, x, i, current + inject_all(synapses, ys, i, x[0], 0))
    x2 = axpy(x, 0.5 * h, k1)
    k2 = derivative(p, x2, i, current + inject_all(synapses, ys, i, x2[0], 1))
    x3 = axpy(x, 0.5 * h, k2)
    k3 = derivative(p, x3, i, current + inject_all(synapses, ys, i, x3[0], 1))
    x4 = axpy(x, h, k3)
    k4 = derivative(p, x4, i, current + inject_all(synapses, ys, i, x4[0], 2))
    return axpy(axpy(axpy(axpy(x, h / 6.0, k1), h / 3.0, k2), h / 3.0, k3), h / 6.0, k4)


@verb(default=True)
def on_spike(p, x, i):
    """Membrane variables after a spike, applied after the reset of ``x[0]``; by default unchanged."""
    return x


# ---------------------------------------------------------------- grid engine: synapses


@verb()
def inject(p, y, i, v, stage):
    """Current (pA) at the start (stage 0), middle (1) or end (2) of the step, from the state at its start.

    Linear synapses on linear membranes return the exact change of v over the step (mV) at stage 0 instead.
    """


@verb(default=True)
def conduct(p, y, i, stage):
    """How much `inject` falls with v (nS) at a stage, for synapses that declare ``affine = True``; 0 by default."""
    return 0.0


@verb()
def decay(p, y, i):
    """Move the synapse's variables of neuron `i` one step on."""


@verb()
def receive(p, y, i, w):
    """Take up the summed weight `w` of the spikes arriving now; return the immediate change of v (mV)."""


# ---------------------------------------------------------------- event engine: membranes, `dt` any time span


@verb()
def e_leak(p, i):
    """Leak rate (1/ms), 0 for a perfect integrator."""


@verb()
def e_relax(p, v, i, current, dt, em):
    """Potential `dt` later under constant `current` and no synaptic input; ``em = exp(-leak dt)``."""


@verb()
def e_rate(p, v, i, current):
    """dv/dt (mV/ms) under constant `current` and no synaptic input."""


@verb()
def e_limit(p, v, i, current):
    """Potential after infinite time under constant `current` and no synaptic input; may be infinite."""


@verb()
def e_reach(p, v, th, i, current):
    """Time until the potential rises from v < th to `th` under constant `current` alone; inf if never."""


# ---------------------------------------------------------------- event engine: synapses


@verb()
def e_decay(p, y, i, dt):
    """Move the synapse's variables `dt` on, exactly."""


@verb()
def e_psp(p, y, i, dt, em):
    """Exact change of v over `dt` by the synapse's present state; ``em = exp(-leak dt)``."""


@verb()
def e_drift(p, y, i, dt):
    """Synaptic current divided by the capacitance (mV/ms), `dt` from now."""


@verb()
def e_receive(p, y, i, w):
    """Take up a spike of weight `w`; return the immediate change of v (mV)."""


@verb()
def e_peak(p, y, i):
    """Upper bound of what the present state can ever add to v (mV)."""


@verb()
def e_slope(p, y, i):
    """Upper bound of `e_drift` over all later times."""


@verb()
def e_terms(p, y, i, terms, k):
    """Write d/du of `e_drift`, terms (a + b u) exp(-rate u), into rows (rate, a, b) from `k`; return the next row."""


# ---------------------------------------------------------------- thresholds (`a`: their variables) and resets


@verb()
def theta(p, a, i):
    """Present threshold (mV)."""


@verb()
def theta_decay(p, a, i):
    """Move the threshold's variables one grid step on."""


@verb()
def theta_spike(p, a, i):
    """What a spike does to the threshold's variables."""


@verb()
def e_theta(p, a, i, dt):
    """Threshold `dt` from now if no spike happens."""


@verb()
def e_theta_rate(p, a, i, dt):
    """Time derivative of the threshold `dt` from now (mV/ms)."""


@verb()
def e_theta_floor(p, a, i):
    """Lower bound of the threshold from now on."""


@verb()
def e_theta_advance(p, a, i, dt):
    """Move the threshold's variables `dt` on."""


@verb()
def e_theta_terms(p, a, i, leak, terms, k):
    """Write -(d/du + leak) of `e_theta_rate` into rows from `k`; return the next free row."""


@verb()
def reset(p, v, i):
    """Membrane potential after a spike at potential `v`."""


# ---------------------------------------------------------------- the same over all receptors of a neuron


def _summed(one):
    """Sum of the verb `one` over the receptors of a neuron, unrolled when compiled."""

    def total(synapses, ys, *args):
        if len(synapses) == 1:
            return one(synapses[0], ys[0], *args)
        return one(synapses[0], ys[0], *args) + total(synapses[1:], ys[1:], *args)

    @twin(total)
    def _total(synapses, ys, *args):
        if len(synapses) == 1:
            return lambda synapses, ys, *args: one(synapses[0], ys[0], *args)
        return lambda synapses, ys, *args: one(synapses[0], ys[0], *args) + total(synapses[1:], ys[1:], *args)

    return total


inject_all = _summed(inject)
conduct_all = _summed(conduct)
e_psp_all = _summed(e_psp)
e_drift_all = _summed(e_drift)
e_peak_all = _summed(e_peak)
e_slope_all = _summed(e_slope)


def settle(synapse, y, row, step, i):
    """Decay one receptor of neuron `i` one step, take up what arrives in `step`, clear it; return the change of v.

    Without a `row` nothing but decay: what arrives is taken up later in the step.
    """
    decay(synapse, y, i)
    if row is None:
        return 0.0
    dv = receive(synapse, y, i, row[step, i])
    row[step, i] = 0.0
    return dv


@twin(settle)
def _settle(synapse, y, row, step, i):
    def alone(synapse, y, row, step, i):
        decay(synapse, y, i)
        return 0.0

    def full(synapse, y, row, step, i):
        decay(synapse, y, i)
        dv = receive(synapse, y, i, row[step, i])
        row[step, i] = 0.0
        return dv

    return alone if is_none(row) else full


def settle_all(synapses, ys, rows, step, i):
    """`settle` of all receptors; returns the change of v."""
    dv = settle(synapses[0], ys[0], rows[0], step, i)
    return dv if len(synapses) == 1 else dv + settle_all(synapses[1:], ys[1:], rows[1:], step, i)


@twin(settle_all)
def _settle_all(synapses, ys, rows, step, i):
    def more(synapses, ys, rows, step, i):
        dv = settle(synapses[0], ys[0], rows[0], step, i)
        return dv + settle_all(synapses[1:], ys[1:], rows[1:], step, i)

    if len(synapses) == 1:
        return lambda synapses, ys, rows, step, i: settle(synapses[0], ys[0], rows[0], step, i)
    return more


def receive_at(synapses, ys, i, receptor, w):
    """`receive` of receptor number `receptor`, where it does not move the potential."""
    if receptor == 0 or len(synapses) == 1:
        receive(synapses[0], ys[0], i, w)
    else:
        receive_at(synapses[1:], ys[1:], i, receptor - 1, w)


@twin(receive_at)
def _receive_at(synapses, ys, i, receptor, w):
    def one(synapses, ys, i, receptor, w):
        receive(synapses[0], ys[0], i, w)

    def more(synapses, ys, i, receptor, w):
        if receptor == 0:
            receive(synapses[0], ys[0], i, w)
        else:
            receive_at(synapses[1:], ys[1:], i, receptor - 1, w)

    return one if len(synapses) == 1 else more


def e_decay_all(synapses, ys, i, dt):
    """`e_decay` of all receptors."""
    e_decay(synapses[0], ys[0], i, dt)
    if len(synapses) > 1:
        e_decay_all(synapses[1:], ys[1:], i, dt)


@twin(e_decay_all)
def _e_decay_all(synapses, ys, i, dt):
    def one(synapses, ys, i, dt):
        e_decay(synapses[0], ys[0], i, dt)

    def more(synapses, ys, i, dt):
        e_decay(synapses[0], ys[0], i, dt)
        e_decay_all(synapses[1:], ys[1:], i, dt)

    return one if len(synapses) == 1 else more


def e_receive_at(synapses, ys, i, receptor, w):
    """`e_receive` of receptor number `receptor`."""
    if receptor == 0 or len(synapses) == 1:
        return e_receive(synapses[0], ys[0], i, w)
    return e_receive_at(synapses[1:], ys[1:], i, receptor - 1, w)


@twin(e_receive_at)
def _e_receive_at(synapses, ys, i, receptor, w):
    def more(synapses, ys, i, receptor, w):
        if receptor == 0:
            return e_receive(synapses[0], ys[0], i, w)
        return e_receive_at(synapses[1:], ys[1:], i, receptor - 1, w)

    if len(synapses) == 1:
        return lambda synapses, ys, i, receptor, w: e_receive(synapses[0], ys[0], i, w)
    return more


def e_terms_all(synapses, ys, i, terms, k):
    """`e_terms` of all receptors; returns the next free row."""
    k = e_terms(synapses[0], ys[0], i, terms, k)
    return k if len(synapses) == 1 else e_terms_all(synapses[1:], ys[1:], i, terms, k)


@twin(e_terms_all)
def _e_terms_all(synapses, ys, i, terms, k):
    if len(synapses) == 1:
        return lambda synapses, ys, i, terms, k: e_terms(synapses[0], ys[0], i, terms, k)

    def more(synapses, ys, i, terms, k):
        k = e_terms(synapses[0], ys[0], i, terms, k)
        return e_terms_all(synapses[1:], ys[1:], i, terms, k)

    return more

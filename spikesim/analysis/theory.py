"""Mean-field theory: the rate a leaky integrate-and-fire neuron and a sparse random network ought to have."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import ParameterError
from spikesim.parameters import as_values


def siegert(
    mu: ArrayLike, sigma: ArrayLike, tau_m: float, v_th: float, v_reset: float, t_ref: float = 0.0
) -> float | NDArray[np.float64]:
    """Stationary rate of a leaky integrate-and-fire neuron driven by white noise (many small delta inputs).

    ``1/rate = t_ref + tau_m sqrt(pi) ∫ exp(u²) (1 + erf(u)) du`` from ``(v_reset - mu) / sigma`` to
    ``(v_th - mu) / sigma``. Written with the scaled functions erfcx and Dawson's integral it neither overflows
    nor cancels; ``sigma = 0`` gives the noiseless rate.

    Parameters
    ----------
    mu : float or array_like, mV
        Mean input: where the membrane would settle without noise and threshold.
    sigma : float or array_like, mV
        Strength of the noise, >= 0, as in ``tau_m dv/dt = mu - v + sigma sqrt(tau_m) xi(t)``: the free membrane
        would have the standard deviation ``sigma / sqrt(2)``.
    tau_m : float, ms
        Membrane time constant, > 0.
    v_th, v_reset : float, mV
        Threshold and reset, in the frame of `mu`; ``v_reset < v_th``.
    t_ref : float, ms
        Refractory period, >= 0.

    Returns
    -------
    float or ndarray
        Rate in Hz, in the shape of `mu` and `sigma` broadcast against each other.

    Raises
    ------
    ParameterError
        If a value is not finite or out of bounds, or ``v_reset >= v_th``.

    References
    ----------
    Siegert 1951, doi:10.1103/PhysRev.81.617; Brunel 2000, doi:10.1023/A:1008925309027, equation 21; stable form as
    in Hahne et al. 2017, doi:10.3389/fninf.2017.00034, appendix A.
    """
    tau, refractory = _check_neuron("siegert", tau_m, v_th, v_reset, t_ref)
    mean, noise = as_values(mu, "siegert.mu", "mV"), as_values(sigma, "siegert.sigma", "mV", ">= 0")
    if np.ndim(mean) and np.ndim(noise) and np.shape(mean) != np.shape(noise):
        raise ParameterError(f"siegert.sigma: must be as long as mu ({np.size(mean)}), got {np.size(noise)}")
    each = np.vectorize(lambda m, s: _rate(m, s, tau, v_th, v_reset, refractory), otypes=[np.float64])
    rate = each(mean, noise)
    return rate if rate.ndim else float(rate)


def brunel_rate(
    *,
    c_e: float = 1000,
    c_i: float = 250,
    j: float = 0.1,
    g: float = 5.0,
    rate_ext: float = 20_000.0,
    tau_m: float = 20.0,
    v_th: float = 20.0,
    v_reset: float = 0.0,
    t_ref: float = 2.0,
) -> float:
    """Self-consistent stationary rate of Brunel's random network with equal excitatory and inhibitory neurons.

    Solves ``rate = siegert(mu, sigma)`` with ``mu = tau_m j ((c_e - g c_i) rate + rate_ext)`` and
    ``sigma² = tau_m j² ((c_e + g² c_i) rate + rate_ext)``. Where several rates are consistent (g < 4), it is the
    lowest one, which the network reaches from silence. The defaults are those of the network ``brunel`` at full size.

    Parameters
    ----------
    c_e, c_i : float
        Excitatory and inhibitory synapses per neuron from inside the network, >= 0.
    j : float, mV
        Jump of the membrane by an excitatory spike, > 0; an inhibitory one gives ``-g j``.
    g : float
        Relative strength of inhibition, >= 0.
    rate_ext : float, Hz
        Rate of all external excitatory spikes to one neuron together, >= 0 (weight `j`).
    tau_m, v_th, v_reset, t_ref : float
        Neuron as in `siegert`, potentials relative to rest.

    Returns
    -------
    float
        Rate per neuron in Hz.

    Raises
    ------
    ParameterError
        If a value is not finite or out of bounds, ``v_reset >= v_th``, or the rate has no upper bound.

    References
    ----------
    Brunel 2000, doi:10.1023/A:1008925309027.
    """
    from scipy.optimize import brentq  # here: importing scipy would slow down every start

    tau, refractory = _check_neuron("brunel_rate", tau_m, v_th, v_reset, t_ref)
    bounds = {
        "c_e": (c_e, ">= 0"),
        "c_i": (c_i, ">= 0"),
        "j": (j, "> 0"),
        "g": (g, ">= 0"),
        "rate_ext": (rate_ext, ">= 0"),
    }
    for name, (value, allowed) in bounds.items():
        as_values(value, f"brunel_rate.{name}", bounds=allowed, scalar=True)

    def excess(rate: float) -> float:
        mu = tau * j * ((c_e - g * c_i) * rate + rate_ext) * 1e-3
        variance = tau * j * j * ((c_e + g * g * c_i) * rate + rate_ext) * 1e-3
        return _rate(mu, math.sqrt(variance), tau, v_th, v_reset, refractory) - rate

    if excess(0.0) <= 0.0:
        return 0.0
    ceiling = 1e3 / refractory if refractory > 0 else 1e6
    low = 0.0
    for high in np.geomspace(1e-6, ceiling * (1 + 1e-9), 600):
        if excess(high) <= 0.0:
            return float(brentq(excess, low, high, xtol=1e-12, rtol=1e-13))
        low = high
    raise ParameterError(
        f"brunel_rate.t_ref: without refractoriness the rate exceeds {ceiling:g} Hz; give t_ref > 0 ms"
    )


def _check_neuron(owner: str, tau_m: float, v_th: float, v_reset: float, t_ref: float) -> tuple[float, float]:
    """Checked tau_m and t_ref in ms."""
    tau = as_values(tau_m, f"{owner}.tau_m", "ms", "> 0", scalar=True)
    refractory = as_values(t_ref, f"{owner}.t_ref", "ms", ">= 0", scalar=True)
    top = as_values(v_th, f"{owner}.v_th", "mV", scalar=True)
    bottom = as_values(v_reset, f"{owner}.v_reset", "mV", scalar=True)
    if bottom >= top:
        raise ParameterError(f"{owner}.v_reset: must be below v_th ({top:g} mV), got {bottom:g} mV")
    return float(tau), float(refractory)


def _rate(mu: float, sigma: float, tau_m: float, v_th: float, v_reset: float, t_ref: float) -> float:
    """Rate in Hz for checked numbers."""
    if sigma == 0.0:
        if mu <= v_th:
            return 0.0
        return 1e3 / (t_ref + tau_m * math.log1p((v_th - v_reset) / (mu - v_th)))
    low, high = (v_reset - mu) / sigma, (v_th - mu) / sigma
    value, scale = _passage_integral(low, high)
    return 1e3 * scale / (t_ref * scale + tau_m * math.sqrt(math.pi) * value)


def _passage_integral(low: float, high: float) -> tuple[float, float]:
    """(I s, s) with I = ∫ exp(u²) (1 + erf(u)) du from `low` to `high` and a scale s that keeps both finite.

    For u < 0 the integrand is erfcx(-u); for u > 0 it is 2 exp(u²) - erfcx(u), whose first part is Dawson's.
    """
    from scipy.special import dawsn

    if high <= 0.0:
        return _erfcx_integral(-high, -low), 1.0
    scale = math.exp(-high * high)
    grown = 2.0 * float(dawsn(high))
    if low > 0.0:
        grown -= 2.0 * math.exp((low - high) * (low + high)) * float(dawsn(low))
    return grown + scale * _erfcx_integral(high, abs(low)), scale


def _erfcx_integral(a: float, b: float) -> float:
    """∫ erfcx(u) du from a to b, both >= 0; with u = expm1(s) the slow tail 1/u becomes a constant."""
    from scipy.integrate import quad
    from scipy.special import erfcx

    def integrand(s: float) -> float:
        return float(erfcx(math.expm1(s))) * math.exp(s)

    return float(quad(integrand, math.log1p(a), math.log1p(b), epsabs=0.0, epsrel=1e-11, limit=200)[0])

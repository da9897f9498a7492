"""The standard normal distribution: density, cumulative distribution and a compiled quantile function."""

from __future__ import annotations

import math

from spikesim._jit import kernel


@kernel
def quantile(p):
    """Inverse of the standard normal cumulative distribution for 0 < p < 1, to about 1e-15 relative.

    Algorithm AS 241 (PPND16) of Wichura 1988, doi:10.2307/2347330.
    """
    q = p - 0.5
    if abs(q) <= 0.425:
        return _central(q)
    return _outer(p, q)


@kernel
def quantiles(p, out):
    """out[i] = quantile(p[i]); two passes, so that the rational function of the central 85 % is vectorised."""
    for i in range(len(p)):
        out[i] = _central(p[i] - 0.5)
    for i in range(len(p)):
        q = p[i] - 0.5
        if abs(q) > 0.425:
            out[i] = _outer(p[i], q)


@kernel
def _central(q):
    """Quantile of ``0.5 + q`` for ``abs(q) <= 0.425``."""
    r = 0.180625 - q * q
    top = 3.3430575583588128105e4 + r * 2.5090809287301226727e3
    top = 6.7265770927008700853e4 + r * top
    top = 4.5921953931549871457e4 + r * top
    top = 1.3731693765509461125e4 + r * top
    top = 1.9715909503065514427e3 + r * top
    top = 1.3314166789178437745e2 + r * top
    top = 3.3871328727963666080e0 + r * top
    bottom = 2.8729085735721942674e4 + r * 5.2264952788528545610e3
    bottom = 3.9307895800092710610e4 + r * bottom
    bottom = 2.1213794301586595867e4 + r * bottom
    bottom = 5.3941960214247511077e3 + r * bottom
    bottom = 6.8718700749205790830e2 + r * bottom
    bottom = 4.2313330701600911252e1 + r * bottom
    return q * top / (1.0 + r * bottom)


@kernel
def _outer(p, q):
    """Quantile of ``p = 0.5 + q`` for ``abs(q) > 0.425``."""
    x = _tail(math.sqrt(-math.log(p if q < 0.0 else 1.0 - p)))
    return -x if q < 0.0 else x


@kernel
def _tail(r):
    """Distance of the quantile from 0 where ``exp(-r**2)`` is the tail probability, below 0.075."""
    if r <= 5.0:
        r -= 1.6
        top = 2.27238449892691845833e-2 + r * 7.74545014278341407640e-4
        top = 2.41780725177450611770e-1 + r * top
        top = 1.27045825245236838258e0 + r * top
        top = 3.64784832476320460504e0 + r * top
        top = 5.76949722146069140550e0 + r * top
        top = 4.63033784615654529590e0 + r * top
        top = 1.42343711074968357734e0 + r * top
        bottom = 5.47593808499534494600e-4 + r * 1.05075007164441684324e-9
        bottom = 1.51986665636164571966e-2 + r * bottom
        bottom = 1.48103976427480074590e-1 + r * bottom
        bottom = 6.89767334985100004550e-1 + r * bottom
        bottom = 1.67638483018380384940e0 + r * bottom
        bottom = 2.05319162663775882187e0 + r * bottom
        return top / (1.0 + r * bottom)
    r -= 5.0
    top = 2.71155556874348757815e-5 + r * 2.01033439929228813265e-7
    top = 1.24266094738807843860e-3 + r * top
    top = 2.65321895265761230930e-2 + r * top
    top = 2.96560571828504891230e-1 + r * top
    top = 1.78482653991729133580e0 + r * top
    top = 5.46378491116411436990e0 + r * top
    top = 6.65790464350110377720e0 + r * top
    bottom = 1.42151175831644588870e-7 + r * 2.04426310338993978564e-15
    bottom = 1.84631831751005468180e-5 + r * bottom
    bottom = 7.86869131145613259100e-4 + r * bottom
    bottom = 1.48753612908506148525e-2 + r * bottom
    bottom = 1.36929880922735805310e-1 + r * bottom
    bottom = 5.99832206555887937690e-1 + r * bottom
    return top / (1.0 + r * bottom)


def cdf(x: float) -> float:
    """Standard normal cumulative distribution."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def between(a: float, b: float) -> float:
    """Probability of ``a < x < b``, without cancellation in the upper tail."""
    return cdf(-a) - cdf(-b) if a > 0 else cdf(b) - cdf(a)


def density(x: float) -> float:
    """Standard normal density."""
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)

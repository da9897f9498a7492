"""Distributions of weights, delays and initial states; each value is a function of (key, element, draw) only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim._jit import kernel
from spikesim.connectivity.normal import between, cdf, density, quantiles
from spikesim.errors import ParameterError
from spikesim.parameters import Part, param
from spikesim.rng import uniform

_Numbers = NDArray[np.integer]
_BELOW_ONE = 1.0 - 2.0**-53  # largest float below 1: the quantile of 1 is infinite


class _Recipe(NamedTuple):
    """From a uniform number to a value: z = quantile(p_low + p_width u), location + scale z, exp if so, limits."""

    p_low: float
    p_width: float
    location: float
    scale: float
    exponential: bool
    low: float
    high: float


@kernel
def _fill_probabilities(key, elements, draws, low, width, out):
    """out[i] = low + width u_i, kept below 1."""
    for i in range(len(out)):
        out[i] = min(low + width * uniform(key, elements[i], draws[i]), _BELOW_ONE)


@kernel
def _fill_uniform(key, elements, draws, low, high, out):
    """out[i] = low + (high - low) u_i."""
    for i in range(len(out)):
        out[i] = min(low + (high - low) * uniform(key, elements[i], draws[i]), high)


@kernel
def _scale(z, location, scale, low, high):
    """z[i] = location + scale z[i], kept between the limits."""
    for i in range(len(z)):
        z[i] = min(max(location + scale * z[i], low), high)


@kernel
def _scale_exp(z, location, scale, low, high):
    """z[i] = exp(location + scale z[i]), kept between the limits."""
    for i in range(len(z)):
        z[i] = min(max(math.exp(location + scale * z[i]), low), high)


@kernel
def _fill_normal(key, elements, draws, recipe, out):
    """out[i] = the quantile of a (truncated) normal or lognormal distribution at u_i, block by block."""
    p = np.empty(min(512, len(out)))
    for start in range(0, len(out), 512):
        stop = min(start + 512, len(out))
        u, x = p[: stop - start], out[start:stop]
        _fill_probabilities(key, elements[start:stop], draws[start:stop], recipe.p_low, recipe.p_width, u)
        quantiles(u, x)
        if recipe.exponential:
            _scale_exp(x, recipe.location, recipe.scale, recipe.low, recipe.high)
        else:
            _scale(x, recipe.location, recipe.scale, recipe.low, recipe.high)


def _numbers(values: ArrayLike, size: int) -> _Numbers:
    """Contiguous int32 or int64 vector of `size` values, one number being repeated."""
    array = np.asarray(values)
    if array.dtype not in (np.int32, np.int64):
        array = array.astype(np.int64)
    return np.full(size, array) if array.ndim == 0 else np.ascontiguousarray(array)


class Distribution(Part):
    """Base of all distributions: smallest and largest possible value, mean, and reproducible samples.

    Attributes
    ----------
    low, high : float
        No sample lies outside ``[low, high]``.
    """

    low: float
    high: float

    @property
    def mean_value(self) -> float:
        """Mean of the distribution, limits included."""
        raise NotImplementedError

    @property
    def largest(self) -> float:
        """No sample is larger: `high`, or what the finest uniform number can give."""
        return self.high

    def sample(self, key: np.uint64, elements: ArrayLike, draws: ArrayLike) -> NDArray[np.float64]:
        """Draw one value per pair of element and draw number.

        Parameters
        ----------
        key : uint64
            Key of the purpose, from `spikesim.rng.make_key`.
        elements : int array (n,)
            Numbers of the elements (neurons), >= 0.
        draws : int array (n,) or int
            Draw number per element, >= 0.

        Returns
        -------
        array (n,) of float64
            Value i depends on ``key, elements[i], draws[i]`` only.
        """
        first = np.asarray(elements)
        out = np.empty(first.size)
        with np.errstate(over="ignore"):
            self._fill(key, _numbers(first, out.size), _numbers(draws, out.size), out)
        return out

    def _fill(self, key: np.uint64, elements: _Numbers, draws: _Numbers, out: NDArray[np.float64]) -> None:
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class Uniform(Distribution):
    """Equal density between two limits.

    Parameters
    ----------
    low, high : float
        Limits, ``low <= high``.
    """

    low: float = param(0.0, "", "", "lower limit", scalar=True)
    high: float = param(1.0, "", "", "upper limit", scalar=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise ParameterError(f"Uniform.low: must be <= high = {self.high:g}, got {self.low:g}")

    @property
    def mean_value(self) -> float:
        """Mean, ``(low + high) / 2``."""
        return 0.5 * (self.low + self.high)

    def _fill(self, key: np.uint64, elements: _Numbers, draws: _Numbers, out: NDArray[np.float64]) -> None:
        _fill_uniform(key, elements, draws, self.low, self.high, out)


def _limits(part: Normal | LogNormal) -> None:
    """Check `low`, `high` and `outside`, which may be infinite and so are not declared with `param`."""
    name = type(part).__name__
    for limit in ("low", "high"):
        value = getattr(part, limit)
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or math.isnan(value):
            raise ParameterError(f"{name}.{limit}: must be a number or infinite, got {value!r}")
        object.__setattr__(part, limit, float(value))
    if not part.low <= part.high:
        raise ParameterError(f"{name}.low: must be <= high = {part.high:g}, got {part.low:g}")
    if part.outside not in ("redraw", "clip"):
        raise ParameterError(f"{name}.outside: must be 'redraw' or 'clip', got {part.outside!r}")


def _standard_limits(low: float, high: float, location: float, scale: float) -> tuple[float, float]:
    """Limits in units of the standard normal distribution; ``scale = 0`` puts them infinitely far away."""
    if scale > 0:
        return (low - location) / scale, (high - location) / scale
    return -math.inf if low <= location else math.inf, math.inf if high >= location else -math.inf


def _recipe_of(part: Normal | LogNormal, location: float, scale: float, a: float, b: float) -> _Recipe:
    """The sampling recipe; `a` and `b` are the limits in units of the standard normal distribution."""
    exponential = isinstance(part, LogNormal)
    if part.outside == "clip":
        return _Recipe(0.0, 1.0, location, scale, exponential, part.low, part.high)
    side = -1.0 if a > 0 else 1.0  # in the upper tail mirror, where probabilities keep their digits
    p_low, p_high = (cdf(-b), cdf(-a)) if a > 0 else (cdf(a), cdf(b))
    if not p_high - p_low > 1e-300:
        raise ParameterError(
            f"{type(part).__name__}: no probability between low = {part.low:g} and high = {part.high:g}, so nothing "
            "can be redrawn; widen the limits or use outside='clip'"
        )
    return _Recipe(p_low, p_high - p_low, location, side * scale, exponential, part.low, part.high)


@dataclass(frozen=True, eq=False, repr=False)
class Normal(Distribution):
    """Normal distribution, optionally with limits.

    Parameters
    ----------
    mean, std : float
        Of the distribution without limits; ``std >= 0``.
    low, high : float
        Limits, infinite by default.
    outside : {"redraw", "clip"}
        What happens to values outside the limits: drawn again until inside (the truncated distribution, sampled
        exactly by its quantile function, one uniform number per value), or set to the limit.
    """

    mean: float = param(0.0, "", "", "mean without limits", scalar=True)
    std: float = param(1.0, "", ">= 0", "standard deviation without limits", scalar=True)
    low: float = -math.inf
    high: float = math.inf
    outside: str = "redraw"

    def __post_init__(self) -> None:
        super().__post_init__()
        _limits(self)
        self._recipe()

    def _bounds(self) -> tuple[float, float]:
        return _standard_limits(self.low, self.high, self.mean, self.std)

    def _recipe(self) -> _Recipe:
        return _recipe_of(self, self.mean, self.std, *self._bounds())

    @property
    def largest(self) -> float:
        """No sample is larger."""
        above = self.std * _farthest(self._bounds()[0]) if self.std > 0 else 0.0
        return max(self.low, min(self.high, self.mean + above))

    @property
    def mean_value(self) -> float:
        """Mean, limits included."""
        a, b = self._bounds()
        inside = self.mean * between(a, b) + self.std * (density(a) - density(b))
        return _with_limits(self, inside, a, b)

    def _fill(self, key: np.uint64, elements: _Numbers, draws: _Numbers, out: NDArray[np.float64]) -> None:
        _fill_normal(key, elements, draws, self._recipe(), out)


@dataclass(frozen=True, eq=False, repr=False)
class LogNormal(Distribution):
    """Lognormal distribution, ``x = exp(mu + sigma z)`` with z standard normal, optionally with limits.

    Parameters
    ----------
    mu, sigma : float
        Mean and standard deviation of ``log x`` without limits; ``sigma >= 0``.
    low, high : float
        Limits, ``0 <= low <= high``; 0 and infinite by default.
    outside : {"redraw", "clip"}
        As for `Normal`.
    """

    mu: float = param(0.0, "", "", "mean of log x", scalar=True)
    sigma: float = param(1.0, "", ">= 0", "standard deviation of log x", scalar=True)
    low: float = 0.0
    high: float = math.inf
    outside: str = "redraw"

    def __post_init__(self) -> None:
        super().__post_init__()
        _limits(self)
        if self.low < 0:
            raise ParameterError(f"LogNormal.low: must be >= 0 (values are positive), got {self.low:g}")
        if self.mu + 10.0 * self.sigma > 700.0:
            raise ParameterError(f"LogNormal.mu: mu + 10 sigma must be <= 700 (values overflow), got {self.mu:g}")
        self._recipe()

    def _bounds(self) -> tuple[float, float]:
        low, high = (math.log(x) if x > 0 else -math.inf for x in (self.low, self.high))
        return _standard_limits(low, high, self.mu, self.sigma)

    def _recipe(self) -> _Recipe:
        return _recipe_of(self, self.mu, self.sigma, *self._bounds())

    @property
    def largest(self) -> float:
        """No sample is larger."""
        above = self.sigma * _farthest(self._bounds()[0]) if self.sigma > 0 else 0.0
        return max(self.low, min(self.high, math.exp(min(self.mu + above, 709.0))))

    @property
    def mean_value(self) -> float:
        """Mean, limits included."""
        a, b = self._bounds()
        inside = math.exp(self.mu + 0.5 * self.sigma**2) * between(a - self.sigma, b - self.sigma)
        return _with_limits(self, inside, a, b)

    def _fill(self, key: np.uint64, elements: _Numbers, draws: _Numbers, out: NDArray[np.float64]) -> None:
        _fill_normal(key, elements, draws, self._recipe(), out)


def _farthest(a: float) -> float:
    """Bound of samples from the standard normal distribution above `a`: 2**-54 of its tail lies further out."""
    return math.sqrt(max(a, 0.0) ** 2 + 75.0)


@dataclass(frozen=True, eq=False, repr=False)
class Rounded(Distribution):
    """Values of another distribution, rounded to whole multiples of a step; those > 0 to at least one.

    Delays on such a lattice are the same in both engines, where the step is a multiple of the grid's.

    Parameters
    ----------
    part : Distribution
        What is rounded.
    step : float
        In the unit of the values, > 0.
    """

    part: Distribution
    step: float = param(0.1, "", "> 0", "distance of the values", scalar=True)
    low: float = field(init=False)
    high: float = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.part, Distribution):
            raise ParameterError(f"Rounded.part: must be a distribution such as Normal(), got {self.part!r}")
        for name in ("low", "high"):
            object.__setattr__(self, name, float(self._round(np.array([getattr(self.part, name)]))[0]))

    @property
    def mean_value(self) -> float:
        """Mean of the distribution before it is rounded."""
        return self.part.mean_value

    @property
    def largest(self) -> float:
        """No sample is larger."""
        return float(self._round(np.array([self.part.largest]))[0])

    def _round(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        steps = np.rint(values / self.step)
        return self.step * np.where(values > 0, np.maximum(steps, 1.0), steps)

    def _fill(self, key: np.uint64, elements: _Numbers, draws: _Numbers, out: NDArray[np.float64]) -> None:
        out[:] = self._round(self.part.sample(key, elements, draws))


def _with_limits(part: Normal | LogNormal, inside: float, a: float, b: float) -> float:
    """Mean from the integral of x inside the limits, which are `a` and `b` standard deviations from the centre."""
    if part.outside == "redraw":
        return inside / between(a, b)
    below, above = cdf(a), cdf(-b)
    return inside + (part.low * below if below else 0.0) + (part.high * above if above else 0.0)

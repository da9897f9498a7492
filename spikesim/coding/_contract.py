"""What every code offers: checked values in, `Spikes` out, and back.

A code is one frozen dataclass in one file. It says in `_events` where spikes go and in `_values` how they are read;
range checks, batches, random numbers, rounding to a time step and sorting are done here, once for all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import ParameterError, unknown
from spikesim.parameters import Part, as_count, param
from spikesim.rng import make_key, uniforms
from spikesim.spikes import Spikes

Floats = NDArray[Any]  # of float64
Ints = NDArray[Any]  # of int64
Draw = Callable[..., Floats]
_POLICIES = ("error", "clip")
_SAMPLE = np.uint64(32)  # bits of an element number left for the channel
_ROUNDING = 1e-12  # of a value's range: float errors; so much beyond it is forgiven, so little above zero is zero


@dataclass(frozen=True, eq=False, kw_only=True)
class Code(Part):
    """Base of all codes.

    Attributes
    ----------
    random : bool
        Whether spikes depend on the seed.
    family, summary : str
        Kind of code, and what carries the value, in a few words.
    """

    random: ClassVar[bool] = False
    family: ClassVar[str] = ""
    summary: ClassVar[str] = ""

    @property
    def neurons(self) -> int:
        """Neurons per value (or per channel of a signal)."""
        return 1

    @property
    def bound(self) -> float | None:
        """Largest ``|decode(encode(x)) - x|`` for any x in range; None where chance or lost amplitude sets none."""
        return None

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """The code as the laboratory uses it with a budget of `steps` time steps of 1 ms."""
        raise NotImplementedError

    @property
    def strengths(self) -> Floats | None:
        """Size of a spike at its receiver in each time step of a presentation, 1 at most; None where all are equal."""
        return None

    def changed(self, **values: Any) -> Self:
        """The same code with other parameters.

        Raises
        ------
        ParameterError
            If there is no such parameter, or a value is not allowed.
        """
        names = [f.name for f in fields(self)]
        for name in values:
            if name not in names:
                raise unknown(f"parameter of {type(self).__name__}:", name, names)
        return replace(self, **values)

    def adapted(self, data: ArrayLike) -> Self:
        """The code with what it learns from data, itself where it learns nothing."""
        return self


@dataclass(frozen=True, eq=False, kw_only=True)
class ValueCode(Code):
    """Codes of numbers that stand still while they are presented.

    Parameters
    ----------
    duration : float
        Length of one presentation in ms, > 0. Spikes lie in ``[0, duration)``.
    dt : float
        Time step in ms on which spikes are put, the step they fall in; 0 leaves them in continuous time.
    out_of_range : str
        What happens to values outside `domain`: ``"error"`` or ``"clip"``. NaN is always an error.

    Attributes
    ----------
    domain : tuple of float
        Least and largest value.
    line : tuple of float
        Where numbers from 0 to 1 are laid out in it when they have to be; not all around a circle.
    """

    domain: ClassVar[tuple[float, float]] = (0.0, 1.0)
    line: ClassVar[tuple[float, float]] = (0.0, 1.0)
    stepped: ClassVar[bool] = False  # whether the code exists on a time step only

    duration: float = param(20.0, "ms", "> 0", "length of one presentation", scalar=True)
    dt: float = param(0.0, "ms", ">= 0", "time step spikes are put on, 0 for continuous time", scalar=True)
    out_of_range: str = "error"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.out_of_range not in _POLICIES:
            raise unknown(f"{type(self).__name__}.out_of_range", self.out_of_range, _POLICIES)
        if self.stepped and self.dt == 0.0:
            raise ParameterError(f"{type(self).__name__}.dt: must be > 0 ms, this code works step by step; got 0")
        if self.dt and abs(self.duration / self.dt - round(self.duration / self.dt)) > 1e-6:
            raise ParameterError(
                f"{type(self).__name__}.dt: must divide the duration ({self.duration:g} ms), got {self.dt:g} ms"
            )
        if self.dt > self.duration:
            raise ParameterError(f"{type(self).__name__}.dt: must be <= {self.duration:g} ms, got {self.dt:g} ms")

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """The code as the laboratory uses it with a budget of `steps` time steps of 1 ms."""
        return cls(duration=float(steps), dt=1.0, **settings)

    @property
    def steps(self) -> int:
        """Number of time steps; 0 in continuous time."""
        return round(self.duration / self.dt) if self.dt else 0

    # ---------------------------------------------------------------- to spikes

    def encode(self, values: ArrayLike, seed: int = 0, sample: int = 0) -> Spikes:
        """Spikes of one sample.

        Parameters
        ----------
        values : array_like
            Numbers in `domain`, of any shape; flattened in C order. Value i has the neurons
            ``i * neurons … (i + 1) * neurons - 1``.
        seed : int
            Decides every random number.
        sample : int
            Number of the sample, >= 0: with the seed it decides its random numbers, so that a sample has the same
            spikes alone and in any batch.

        Returns
        -------
        Spikes
            On ``[0, duration)`` ms.

        Raises
        ------
        ParameterError
            If `values` is empty, not numeric, not finite or out of range.
        """
        return self.encode_batch(np.asarray(values)[None], seed, sample)[0]

    def encode_batch(self, values: ArrayLike, seed: int = 0, first: int = 0) -> list[Spikes]:
        """Spikes of many samples, the first axis; sample k is ``encode(values[k], seed, first + k)``."""
        x = self._checked(values)
        where, times = self._pooled(x, seed, first)
        return split(where, times, len(x), self.size(x.shape[1]), self.duration)

    def encode_pooled(self, values: ArrayLike, seed: int = 0, first: int = 0) -> Spikes:
        """The same as one observation: neuron i of sample k is element ``k * size + i``."""
        x = self._checked(values)
        where, times = self._pooled(x, seed, first)
        return Spikes(times, where, len(x) * self.size(x.shape[1]), self.duration)

    def _pooled(self, x: Floats, seed: int, first: int) -> tuple[Ints, Floats]:
        first = as_count(first, f"{type(self).__name__}.encode: sample", 0)
        key = make_key(as_count(seed, "seed", 0), "coding", type(self).__name__)
        where, times = self._events(x, _draws(key, x.shape, first))
        return where, self._placed(times)

    def size(self, values: int) -> int:
        """Number of neurons for so many values."""
        return values * self.neurons

    def values(self, size: int) -> int:
        """Number of values that so many neurons carry."""
        if size < 1 or size % self.neurons:
            raise ParameterError(
                f"{type(self).__name__}.decode: needs a multiple of {self.neurons} neurons, got {size}"
            )
        return size // self.neurons

    def decode(self, spikes: Spikes) -> Floats:
        """Values read from spikes, shape (values,).

        Raises
        ------
        ParameterError
            If the number of neurons or the duration is not that of this code.
        """
        if not isinstance(spikes, Spikes):
            raise ParameterError(f"{type(self).__name__}.decode: must be Spikes, got {type(spikes).__name__}")
        values = self.values(spikes.n)
        if abs(spikes.duration - self.duration) > 1e-6 * self.duration:
            raise ParameterError(
                f"{type(self).__name__}.decode: spikes must last {self.duration:g} ms, got {spikes.duration:g} ms"
            )
        return self._values(spikes if spikes.t_start == 0 else spikes.shift(-spikes.t_start), values)

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """Operations of encoding one sample, by field of `spikesim.energy.Operations`; one comparison per value."""
        return {"activations": float(values), "activation_accesses": float(values)}

    # ---------------------------------------------------------------- for the codes

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        """Spikes of values `x` (samples, values): ``sample * size + neuron`` and the time of each, in any order.

        ``draw(k)`` gives uniform numbers in (0, 1) of the shape of `x`; ``draw(k, where)`` those of some flat places.
        """
        raise NotImplementedError

    def _values(self, spikes: Spikes, values: int) -> Floats:
        raise NotImplementedError

    def _checked(self, values: ArrayLike) -> Floats:
        owner, (low, high) = f"{type(self).__name__}.encode", self.domain
        x = as_floats(values, owner)
        x = x.reshape(len(x), -1) if x.ndim and len(x) else x.reshape(0, 0)
        if not x.size:
            raise ParameterError(f"{owner}: needs at least one value, got none")
        slack = _ROUNDING * (high - low)
        bad = (x < low - slack) | (x > high + slack)
        if bad.any() and self.out_of_range == "error":
            raise ParameterError(
                f"{owner}: values must lie in [{low:g}, {high:g}], got {x[bad][0]:g} "
                f"(value {int(np.flatnonzero(bad)[0] % x.shape[1])}); scale them, or ask for out_of_range='clip'"
            )
        return np.where(np.abs(x) <= slack, 0.0, np.clip(x, low, high))

    def _placed(self, times: Floats) -> Floats:
        """Times moved to the start of their step; rounding never carries one to the end of the presentation."""
        if self.dt:
            step = np.floor(times / self.dt + 1e-9)
            return np.clip(step, 0, self.steps - 1) * self.dt
        return np.clip(times, 0.0, np.nextafter(self.duration, 0.0))

    def _middle(self, times: Floats) -> Floats:
        """The time a spike stands for: where in its step it was is not known."""
        return times + self.dt / 2


def as_floats(values: ArrayLike, owner: str) -> Floats:
    """A float64 array of finite numbers; ParameterError otherwise."""
    try:
        x = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"{owner}: must be an array of numbers, got {type(values).__name__}") from None
    bad = ~np.isfinite(x)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ParameterError(f"{owner}: must be finite numbers, got {x[place]} at {list(place)}")
    return x


def split(where: Ints, times: Floats, samples: int, size: int, duration: float) -> list[Spikes]:
    """One `Spikes` per sample from flat places (sample * size + neuron) and times."""
    sample, neuron = np.divmod(where, size)
    order = np.lexsort((neuron, times, sample))
    neuron, times = neuron[order].astype(np.int32), times[order]
    edges = np.searchsorted(sample[order], np.arange(samples + 1))
    return [Spikes(times[lo:hi], neuron[lo:hi], size, duration) for lo, hi in pairwise(edges)]


def spread(where: Ints, counts: NDArray[Any]) -> tuple[Ints, Ints]:
    """Place and running number 0, 1, … of each of `counts` spikes at the places `where`."""
    counts = counts.astype(np.int64)
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(where, counts), np.arange(total) - np.repeat(ends - counts, counts)


def first_times(spikes: Spikes) -> Floats:
    """Time of the first spike of each neuron, infinite for silent ones."""
    first = np.full(spikes.n, math.inf)
    np.minimum.at(first, spikes.ids, spikes.times)
    return first


def _draws(key: np.uint64, shape: tuple[int, ...], first: int) -> Draw:
    """Function giving uniform numbers of (seed, code, sample, value, draw) and of nothing else."""
    sample = (np.arange(shape[0], dtype=np.uint64) + np.uint64(first)) << _SAMPLE
    elements = (sample[:, None] + np.arange(shape[1], dtype=np.uint64)).ravel()

    def draw(number: int, where: Ints | None = None) -> Floats:
        chosen = elements if where is None else elements[where]
        found = uniforms(key, chosen, np.full(len(chosen), number, np.uint64))
        return found.reshape(shape) if where is None else found

    return draw


def decoded(code: ValueCode, many: Sequence[Spikes]) -> Floats:
    """Values of many samples, shape (samples, values)."""
    return np.stack([code.decode(spikes) for spikes in many])

"""What codes of signals share: sampled values over time in, spikes out, and the signal read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from spikesim.coding._contract import Code, Floats, Ints, as_floats, split
from spikesim.errors import ParameterError, unknown
from spikesim.parameters import param
from spikesim.spikes import Spikes

_POLICIES = ("error", "clip")


@dataclass(frozen=True, eq=False, kw_only=True)
class SignalCode(Code):
    """Codes of channels that change in time; sample s stands for ``[s dt, (s + 1) dt)``.

    Parameters
    ----------
    dt : float
        Sampling interval in ms, > 0.
    out_of_range : str
        What happens to samples outside `domain`: ``"error"`` or ``"clip"``. NaN is always an error.

    Attributes
    ----------
    domain : tuple of float
        Least and largest value of a sample.
    """

    domain: ClassVar[tuple[float, float]] = (-np.inf, np.inf)

    dt: float = param(1.0, "ms", "> 0", "sampling interval", scalar=True)
    out_of_range: str = "error"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.out_of_range not in _POLICIES:
            raise unknown(f"{type(self).__name__}.out_of_range", self.out_of_range, _POLICIES)

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """The code as the laboratory uses it: samples every ms, about `steps` spikes for a swing from 0 to 1."""
        return cls(dt=1.0, **settings)

    def encode(self, signal: ArrayLike, seed: int = 0, sample: int = 0) -> Spikes:
        """Spikes of one signal.

        Parameters
        ----------
        signal : array_like (steps,) or (steps, channels)
            Samples in `domain`. Channel c has the neurons ``c * neurons … (c + 1) * neurons - 1``.
        seed, sample : int
            As in value codes; codes of signals are not random.

        Returns
        -------
        Spikes
            On ``[0, steps * dt)`` ms.

        Raises
        ------
        ParameterError
            If `signal` is empty, not numeric, not finite, out of range or has more axes.
        """
        x = np.asarray(signal)
        if x.ndim not in (1, 2):
            raise ParameterError(
                f"{type(self).__name__}.encode: must have shape (steps,) or (steps, channels), got {x.shape}"
            )
        return self.encode_batch(x.reshape(1, len(x), -1) if x.size else x[None, :, None], seed, sample)[0]

    def encode_batch(self, signals: ArrayLike, seed: int = 0, first: int = 0) -> list[Spikes]:
        """Spikes of many signals (samples, steps, channels)."""
        x = self._checked(signals)
        where, times = self._pooled(x)
        return split(where, times, len(x), self.size(x.shape[2]), x.shape[1] * self.dt)

    def encode_pooled(self, signals: ArrayLike, seed: int = 0, first: int = 0) -> Spikes:
        """The same as one observation: neuron i of sample k is element ``k * size + i``."""
        x = self._checked(signals)
        where, times = self._pooled(x)
        return Spikes(times, where, len(x) * self.size(x.shape[2]), x.shape[1] * self.dt)

    def _pooled(self, x: Floats) -> tuple[Ints, Floats]:
        k, steps, channels = x.shape
        where, times = self._events(np.ascontiguousarray(x.transpose(0, 2, 1).reshape(k * channels, steps)))
        return where, np.clip(times, 0.0, np.nextafter(steps * self.dt, 0.0))

    def size(self, channels: int) -> int:
        """Number of neurons for so many channels."""
        return channels * self.neurons

    def decode(self, spikes: Spikes) -> Floats:
        """Signal read from spikes, shape (steps, channels).

        Raises
        ------
        ParameterError
            If the number of neurons does not fit.
        """
        owner = f"{type(self).__name__}.decode"
        if not isinstance(spikes, Spikes):
            raise ParameterError(f"{owner}: must be Spikes, got {type(spikes).__name__}")
        if spikes.n < 1 or spikes.n % self.neurons:
            raise ParameterError(f"{owner}: needs a multiple of {self.neurons} neurons, got {spikes.n}")
        steps = max(1, round(spikes.duration / self.dt))
        moved = spikes if spikes.t_start == 0 else spikes.shift(-spikes.t_start)
        return self._values(moved, steps, spikes.n // self.neurons)

    def arithmetic(self, samples: int, spikes: float) -> dict[str, float]:
        """Operations of encoding so many samples, by field of `spikesim.energy.Operations`.

        A sample is compared with its reference, which is read, and written where there is a spike.
        """
        return {"activations": float(samples), "activation_accesses": 2.0 * samples + spikes}

    def _events(self, x: Floats) -> tuple[Ints, Floats]:
        """Spikes of series `x` (samples * channels, steps): ``series * neurons + neuron`` and times."""
        raise NotImplementedError

    def _values(self, spikes: Spikes, steps: int, channels: int) -> Floats:
        raise NotImplementedError

    def _checked(self, signals: ArrayLike) -> Floats:
        owner, (low, high) = f"{type(self).__name__}.encode", self.domain
        x = as_floats(signals, owner)
        if x.ndim != 3:
            raise ParameterError(f"{owner}: must have shape (samples, steps, channels), got {x.shape}")
        if not x.size:
            raise ParameterError(f"{owner}: needs at least one sample, got none")
        bad = (x < low - 1e-12) | (x > high + 1e-12)
        if bad.any() and self.out_of_range == "error":
            raise ParameterError(
                f"{owner}: samples must lie in [{low:g}, {high:g}], got {x[bad][0]:g} (step "
                f"{int(np.argwhere(bad)[0][1])}); scale them, or ask for out_of_range='clip'"
            )
        return np.clip(x, low, high)

    def step_of(self, spikes: Spikes, steps: int) -> Ints:
        """Sample each spike belongs to."""
        return np.minimum(np.floor(spikes.times / self.dt + 1e-9).astype(np.int64), steps - 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class DeltaCode(SignalCode):
    """Codes whose spikes say "up" (neuron 2c) or "down" (neuron 2c + 1) by one threshold.

    Read as `start` plus `threshold` times ups minus downs so far. Only change is seen: a constant is silent once the
    reference has reached it.

    Parameters
    ----------
    threshold : float
        Change that a spike stands for, > 0.
    start : float
        Where the reference starts.
    """

    threshold: float = param(0.1, "", "> 0", "change that a spike stands for", scalar=True)
    start: float = param(0.0, "", "", "where the reference starts", scalar=True)

    @classmethod
    def within(cls, steps: int, **settings: Any) -> Self:
        """A threshold of 1 / steps: a swing from 0 to 1 takes `steps` spikes."""
        return super().within(steps, **{"threshold": 1 / steps, **settings})

    @property
    def neurons(self) -> int:
        """Up and down."""
        return 2

    def _signs(self, x: Floats) -> Ints:
        """Ups less downs of each step, shape of `x`."""
        raise NotImplementedError

    def _events(self, x: Floats) -> tuple[Ints, Floats]:
        signs = self._signs(x)
        series, step = np.nonzero(signs)
        value = signs[series, step].astype(np.int64)
        count = np.abs(value)
        where = np.repeat(2 * series + (value < 0), count)
        number = np.arange(len(where)) - np.repeat(np.cumsum(count) - count, count)
        return where, (np.repeat(step, count) + number / np.repeat(count, count)) * self.dt

    def _values(self, spikes: Spikes, steps: int, channels: int) -> Floats:
        change = np.zeros((steps, channels))
        np.add.at(change, (self.step_of(spikes, steps), spikes.ids // 2), 1.0 - 2.0 * (spikes.ids % 2))
        return self.start + self.threshold * np.cumsum(change, axis=0)

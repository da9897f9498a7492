"""Data presented to a code: its spikes on a grid of 1 ms, as arrays, and read back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.encoding.material import Floats, Material
from spikesim import coding
from spikesim.spikes import Spikes

_READ = 2000  # presentations that are read back at most, evenly chosen


@dataclass(frozen=True)
class Presentation:
    """How a code sees the data.

    Parameters
    ----------
    code : Code
        With the settings of one budget.
    budget : int
        Steps of 1 ms per frame.
    frames : int
        Frames of a sample as this code sees them.
    neurons : int
        Neurons of a sample.
    rows : tuple of int or None
        Shape of a still picture whose rows a code of signals reads in turn.
    """

    code: Any
    budget: int
    frames: int
    neurons: int
    rows: tuple[int, int] | None

    @property
    def steps(self) -> int:
        """Steps of a sample."""
        return self.frames * self.budget

    @property
    def signal(self) -> bool:
        """Whether the code is one of signals."""
        return isinstance(self.code, coding.SignalCode)

    def shaped(self, x: Floats) -> Floats:
        """Samples as this code sees them: (samples, frames, channels)."""
        return x.reshape(len(x), *self.rows) if self.rows else x

    def spikes(self, x: Floats, seed: int, first: int = 0) -> Spikes:
        """Spikes of all samples as one observation: neuron i of sample k is element ``k * neurons + i``."""
        x = self.shaped(x)
        if self.signal:
            pooled = self.code.encode_pooled(coding.hold(x, self.budget))
            steps = np.minimum(np.floor(pooled.times + 1e-9), self.steps - 1)
            return Spikes(steps, pooled.ids, pooled.n, pooled.t_stop)
        k, frames = x.shape[:2]
        low, high = self.code.line
        pooled = self.code.encode_pooled(low + (high - low) * x.reshape(k * frames, -1), seed, first * frames)
        presented, neuron = np.divmod(pooled.ids.astype(np.int64), self.neurons)
        sample, frame = np.divmod(presented, frames)
        return Spikes(
            pooled.times + frame * self.budget, sample * self.neurons + neuron, k * self.neurons, float(self.steps)
        )

    def dense(self, pooled: Spikes) -> NDArray[Any]:
        """Spike counts (samples, steps, neurons); sums of strengths in 32 bits where a code sends spikes with them."""
        sample, neuron = np.divmod(pooled.ids.astype(np.int64), self.neurons)
        step = np.minimum((pooled.times + 1e-9).astype(np.int64), self.steps - 1)
        out = np.zeros((pooled.n // self.neurons, self.steps, self.neurons), np.uint8)
        np.add.at(out.reshape(-1), (sample * self.steps + step) * self.neurons + neuron, 1)
        strengths = self.code.strengths
        return out if strengths is None else out * np.tile(strengths, self.frames).astype(np.float32)[:, None]

    def sample(self, pooled: Spikes, number: int) -> Spikes:
        """Spikes of one sample."""
        mine = pooled.ids // self.neurons == number
        return Spikes(pooled.times[mine], pooled.ids[mine] % self.neurons, self.neurons, pooled.t_stop)

    def read(self, x: Floats, pooled: Spikes) -> tuple[Floats, Floats]:
        """Values and what is read of them, of at most 2,000 presentations."""
        x = self.shaped(x)
        k, most = (len(x), max(1, _READ // self.frames)) if self.signal else (len(x) * self.frames, _READ)
        chosen = np.unique(np.linspace(0, k - 1, min(k, most)).astype(int))
        parts = _parts(pooled, self, chosen)
        if self.signal:
            found = np.stack([self.code.decode(part)[self.budget - 1 :: self.budget] for part in parts])
            return x[chosen], found
        low, high = self.code.line
        found = np.stack([self.code.decode(part) for part in parts])
        return x.reshape(k, -1)[chosen], np.clip((found - low) / (high - low), 0.0, 1.0)


def _parts(pooled: Spikes, shown: Presentation, chosen: NDArray[Any]) -> list[Spikes]:
    """Spikes of some presentations, each from time 0 on."""
    sample, neuron = np.divmod(pooled.ids.astype(np.int64), shown.neurons)
    frames, length = (1, shown.steps) if shown.signal else (shown.frames, shown.budget)
    frame = np.minimum((pooled.times / length + 1e-9).astype(np.int64), frames - 1)
    number = sample * frames + frame
    order = np.argsort(number, kind="stable")
    lows, highs = (np.searchsorted(number[order], chosen, side) for side in ("left", "right"))
    times, neuron = (pooled.times - frame * length)[order], neuron[order]
    return [
        Spikes(times[lo:hi], neuron[lo:hi], shown.neurons, float(length)) for lo, hi in zip(lows, highs, strict=True)
    ]


def present(name: str, material: Material, budget: int) -> Presentation:
    """Code `name` with a budget, fitted to the training data where it learns from data.

    Raises
    ------
    ParameterError
        If the code cannot work within the budget.
    """
    kind, settings = coding.codes()[name]
    frames, channels = material.train.x.shape[1:]
    rows = None
    if issubclass(kind, coding.SignalCode) and material.still:
        rows = material.rows or (channels, 1)
        frames, channels = rows
        budget = max(1, budget // frames)
    code: Any = kind.within(budget, **settings)
    shown = Presentation(code, budget, frames, code.size(channels), rows)
    x = shown.shaped(material.train.x)
    code = code.adapted(coding.hold(x, budget) if shown.signal else x)
    return Presentation(code, budget, frames, code.size(channels), rows)


def throughput(shown: Presentation, x: Floats) -> float:
    """Samples encoded per second, on one thread; kernels are compiled before."""
    shown.spikes(x[:2], 0)
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < 0.02:
        shown.spikes(x[:200], 0)
        done += len(x[:200])
    return done / (time.perf_counter() - started)

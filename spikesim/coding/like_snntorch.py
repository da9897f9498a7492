"""The encoders of `snntorch.spikegen`, with their own conventions: one spike per step at most, times in steps.

Read in snnTorch 1.0: its documentation and the behaviour of ``rate``, ``latency`` and ``delta``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.coding._contract import Draw, Floats, Ints, ValueCode, first_times
from spikesim.coding._signals import DeltaCode
from spikesim.errors import ParameterError
from spikesim.parameters import as_count, param
from spikesim.spikes import Spikes


@dataclass(frozen=True, eq=False, kw_only=True)
class SnntorchCode(ValueCode):
    """Codes on a time step with `first_spike_time` silent steps at the start."""

    stepped = True

    dt: float = param(1.0, "ms", ">= 0", "time step", scalar=True)
    first_spike_time: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = f"{type(self).__name__}.first_spike_time"
        object.__setattr__(self, "first_spike_time", as_count(self.first_spike_time, owner, 0))
        if self.first_spike_time >= self.steps:
            raise ParameterError(f"{owner}: must be < the number of steps ({self.steps}), got {self.first_spike_time}")


@dataclass(frozen=True, eq=False, kw_only=True)
class SnntorchRate(SnntorchCode):
    """``spikegen.rate``: in each step a spike with probability ``clip(gain x + offset, 0, 1)``.

    Zero fires with probability `offset`. Read as ``(count / steps - offset) / gain``, steps without the silent ones.

    Parameters
    ----------
    gain, offset : float
        As there; gain > 0.
    first_spike_time : int
        Silent steps at the start.
    """

    family = "library"
    summary = "snnTorch: number of spikes, one coin a step"
    random = True

    gain: float = param(1.0, "", "> 0", "multiplies the values", scalar=True)
    offset: float = param(0.0, "", "", "added to the values", scalar=True)

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        p = np.clip(self.gain * x + self.offset, 0.0, 1.0)
        steps = range(self.first_spike_time, self.steps)
        fired = [np.flatnonzero(draw(step) < p) for step in steps]
        return np.concatenate(fired), np.repeat(np.array(steps) * self.dt, [len(f) for f in fired])

    def _values(self, spikes: Spikes, values: int) -> Floats:
        rate = spikes.counts() / (self.steps - self.first_spike_time)
        return np.clip((rate - self.offset) / self.gain, 0.0, 1.0)

    def arithmetic(self, values: int, spikes: float) -> dict[str, float]:
        """One random number a value and step."""
        return {"draws": float(values * self.steps), "activation_accesses": float(values * self.steps)}


@dataclass(frozen=True, eq=False, kw_only=True)
class SnntorchLatency(SnntorchCode):
    """``spikegen.latency``: one spike at step ``round(t)``, also for values below the threshold th unless `clip`.

    Logarithmic: ``t = tau ln(x / (x - th))`` with x at least ``th + 1e-7``; linear: ``t = min(tau (1 - x), tau (1 -
    th))``. With `normalize` linear takes the ``tau`` that fills the steps, and logarithmic stretches the latest spike
    of the sample to the last step: a sample is one call there, so the result never depends on a batch. Read by
    inverting (logarithmic with `normalize` as if some value of the sample was below the threshold), silence as 0.
    Logarithms are taken in 32 bits, as there: the smallest difference of 1e-7 depends on it.

    Parameters
    ----------
    threshold, tau : float
        As there; tau in steps.
    normalize, linear, clip : bool
        As there. The default of `normalize` is True, since without it spikes beyond the last step are an error.
    first_spike_time : int
        Steps added to each time.
    """

    family = "library"
    summary = "snnTorch: time of the first spike"

    threshold: float = param(0.01, "", ">= 0", "values below fire last", scalar=True)
    tau: float = param(1.0, "steps", "> 0", "time constant", scalar=True)
    normalize: bool = True
    linear: bool = False
    clip: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.threshold < 1:
            raise ParameterError(f"SnntorchLatency.threshold: must be in (0, 1), got {self.threshold:g}")

    @property
    def _span(self) -> int:
        return self.steps - 1 - self.first_spike_time

    def _events(self, x: Floats, draw: Draw) -> tuple[Ints, Floats]:
        if self.linear:
            tau = self._span if self.normalize else self.tau
            time = np.minimum(tau * (1 - x), tau * (1 - self.threshold))
        else:
            time = self._log(np.maximum(x.astype(np.float32), np.float32(self.threshold + 1e-7)))
            if self.normalize:
                latest = time.max(axis=1, keepdims=True)
                time = time * (self._span / np.where(latest > 0, latest, np.float32(1.0)))
        step = np.round(time + self.first_spike_time).astype(np.int64).ravel()
        if step.max() >= self.steps:
            raise ParameterError(
                f"SnntorchLatency.tau: a spike would lie at step {step.max()} of {self.steps}; lower tau, or ask for "
                "normalize=True"
            )
        where = np.flatnonzero(x >= self.threshold) if self.clip else np.arange(x.size)
        return where, step[where] * self.dt

    def _log(self, x: Floats) -> Floats:
        return np.float32(self.tau) * np.log(x / (x - np.float32(self.threshold)))

    def _values(self, spikes: Spikes, values: int) -> Floats:
        first = first_times(spikes)
        fired = np.isfinite(first)
        time = first[fired] / self.dt - self.first_spike_time
        found = np.zeros(values)
        if self.linear:
            found[fired] = 1 - time / max(1.0, self._span if self.normalize else self.tau)
        else:
            latest = float(self._log(np.array(self.threshold + 1e-7, np.float32)))
            time = time * (latest / max(1, self._span)) if self.normalize else time
            found[fired] = self.threshold / -np.expm1(-np.maximum(time, 1e-9) / self.tau)
        return np.clip(found, 0.0, 1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class SnntorchDelta(DeltaCode):
    """``spikegen.delta``: up where a sample exceeds the one before by the threshold or more, down likewise.

    No reference follows the spikes, so slow drifts are lost. The sample before the first is 0, or, with `padding`, the
    first itself. Without `off_spike` there are no downs, as there (their neurons stay silent).

    Parameters
    ----------
    padding, off_spike : bool
        As there.
    """

    family = "library"
    summary = "snnTorch: differences above a threshold"

    padding: bool = False
    off_spike: bool = False

    def _signs(self, x: Floats) -> Ints:
        before = np.concatenate([x[:, :1] if self.padding else np.zeros((len(x), 1)), x[:, :-1]], axis=1)
        change = x - before
        ups = (change >= self.threshold).astype(np.int64)
        return ups - (change <= -self.threshold) if self.off_spike else ups


CODES = {
    "snntorch-rate": (SnntorchRate, {}),
    "snntorch-latency": (SnntorchLatency, {}),
    "snntorch-delta": (SnntorchDelta, {"off_spike": True}),
}

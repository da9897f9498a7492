"""Neurons and encoders of the spiking side in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import snntorch as snn
import torch
from numpy.typing import NDArray
from snntorch import surrogate
from torch import Tensor, nn

from spikesim.spikes import Spikes

Feedback = Callable[[Tensor], Tensor]
_OUTSIDE = 0.1


def rate_encode(x: NDArray[np.float32], steps: int, seed: Sequence[int]) -> NDArray[np.bool_]:
    """Bernoulli rate code: in each step an input of value p fires with probability p.

    Parameters
    ----------
    x : array (k, …)
        Values in 0 … 1; all axes but the first are flattened.
    steps : int
        Time steps T.
    seed : sequence of int
        The same seed gives the same spikes, whoever asks: torch and core see identical input.

    Returns
    -------
    array (k, T, n) of bool
    """
    flat = x.reshape(len(x), 1, -1)
    return np.random.default_rng(seed).random((len(x), steps, flat.shape[2]), dtype=np.float32) < flat


def to_spikes(encoded: NDArray[np.bool_]) -> Spikes:
    """`Spikes` of one encoded input (T, n): the spike of step k (0, 1, …) lies at k + 1 ms, the end of that step."""
    step, ids = np.nonzero(encoded)
    return Spikes(step + 1.0, ids, encoded.shape[1], float(len(encoded)))


# --- neurons: from currents (T, batch, …) to spikes of the same shape ------------------------------------------------


class _Subtracting(torch.autograd.Function):
    """What `snntorch.Leaky` computes over time, bit for bit, in a third of the time: for training alone."""

    @staticmethod
    def forward(ctx: Any, currents: Tensor, beta: float, threshold: float) -> Tensor:
        """Spikes (T, …) for currents of the same shape."""
        above, spikes = torch.empty_like(currents), torch.empty_like(currents)
        membrane = torch.zeros_like(currents[0])
        for t, current in enumerate(currents):
            membrane = membrane * beta + current
            if t:
                membrane = membrane - spikes[t - 1] * threshold
            torch.sub(membrane, threshold, out=above[t])
            torch.gt(above[t], 0, out=spikes[t])
        ctx.save_for_backward(above)
        ctx.beta = beta
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """Gradient of the currents: the arctangent's slope, the reset taken as given."""
        (above,) = ctx.saved_tensors
        found = 1.0 / (1 + (torch.pi * above).pow_(2)) * grads[0]
        for t in range(len(found) - 2, -1, -1):
            found[t].add_(found[t + 1] * ctx.beta)
        return found, None, None


class Leaky(nn.Module):
    """Leaky integrate-and-fire neurons: `snntorch.Leaky` over time, the reset one step late.

    ``U[t] = beta U[t-1] + I[t] - S[t-1] threshold`` and ``S[t] = U[t] > threshold``; with ``reset="zero"``
    ``U[t] = (1 - S[t-1]) (beta U[t-1]) + I[t]``.

    Parameters
    ----------
    beta : float
        Decay per time step, > 0 … 1.
    threshold : float
        Membrane above which a neuron fires.
    reset : {"subtract", "zero"}
        What a spike does to the membrane.
    """

    def __init__(self, beta: float, threshold: float = 1.0, reset: str = "subtract") -> None:
        super().__init__()
        self.beta, self.reset = beta, reset
        self.cell = snn.Leaky(beta=beta, threshold=threshold, spike_grad=surrogate.atan(), reset_mechanism=reset)
        snn.SpikingNeuron.instances.clear()  # snnTorch keeps every neuron layer ever made alive in this list

    @property
    def threshold(self) -> float:
        """Membrane above which a neuron fires."""
        return float(self.cell.threshold)

    def scale_threshold(self, factor: float) -> None:
        """Multiply the threshold, and what a spike subtracts."""
        self.cell.threshold = self.cell.threshold * factor

    def forward(self, currents: Tensor, feedback: Feedback | None = None) -> Tensor:
        """Spikes for all steps; `feedback` turns the spikes of a step into a current of the next."""
        if self.training and feedback is None and self.reset == "subtract":
            return _Subtracting.apply(currents, self.beta, self.threshold)  # type: ignore[no-untyped-call]
        membrane = torch.zeros_like(currents[0])
        fired: list[Tensor] = []
        for step in currents:
            if feedback is not None and fired:
                step = step + feedback(fired[-1])
            spike, membrane = self.cell(step, membrane)
            fired.append(spike.to(step))  # surrogates answer in 32 bits
        return torch.stack(fired)


class AdaptiveLeaky(nn.Module):
    """Leaky integrate-and-fire neurons whose threshold jumps at every spike and decays back.

    ``S[t] = U[t] > threshold + A[t]`` with ``A[t] = rho (A[t-1] + jump S[t-1])``; the reset subtracts `threshold`.

    Parameters
    ----------
    beta, rho : float
        Decay of membrane and threshold per time step, > 0 … 1, `rho` not below `beta`.
    jump : float
        Added to the threshold by a spike.
    threshold : float
        Threshold at rest.

    References
    ----------
    Bellec et al. 2018, arXiv:1803.09574, section 2.
    """

    base: Tensor

    def __init__(self, beta: float, rho: float, jump: float, threshold: float = 1.0) -> None:
        super().__init__()
        if rho < beta:  # the membrane would cross the sinking threshold between steps
            raise ValueError(f"AdaptiveLeaky: rho must be >= beta, got {rho} < {beta}")
        self.beta, self.rho, self.jump = beta, rho, jump
        self.register_buffer("base", torch.tensor(threshold))
        self.surrogate = surrogate.atan()

    @property
    def threshold(self) -> float:
        """Threshold at rest."""
        return float(self.base)

    def scale_threshold(self, factor: float) -> None:
        """Multiply the threshold at rest, and what a spike subtracts."""
        self.base.mul_(factor)

    def forward(self, currents: Tensor, feedback: Feedback | None = None) -> Tensor:
        """Spikes for all steps; `feedback` turns the spikes of a step into a current of the next."""
        membrane = torch.zeros_like(currents[0])
        adapted, spike = membrane, membrane
        fired: list[Tensor] = []
        for step in currents:
            if feedback is not None and fired:
                step = step + feedback(spike)
            adapted = self.rho * (adapted + self.jump * spike)
            membrane = self.beta * membrane + step - spike.detach() * self.base
            spike = self.surrogate(membrane - adapted - self.base).to(step)
            fired.append(spike)
        return torch.stack(fired)


class Converted(nn.Module):
    """An activation of an artificial network that becomes a neuron without leak when it no longer trains.

    While it trains: ``clip(x, 0, 1)``, with `levels` L rounded to ``clip(floor(x L + 1/2) / L, 0, 1)``; the gradient is
    that of x inside, a tenth of it outside, so that no neuron stays silent for ever. Afterwards
    ``U[t] = U[t-1] + I[t] - S[t-1]`` and ``S[t] = U[t] >= 1``, from half a threshold if it was rounded: over L steps
    of a constant input it fires just as often as the activation says.

    Parameters
    ----------
    levels : int
        Steps of the activation, 0 for none.

    References
    ----------
    Rueckauer et al. 2017, doi:10.3389/fnins.2017.00682. Bu et al. 2022, arXiv:2303.04347 (levels).
    """

    def __init__(self, levels: int = 0) -> None:
        super().__init__()
        self.levels, self.threshold = levels, 1.0

    @property
    def initial(self) -> float:
        """Membrane at the start."""
        return 0.5 if self.levels else 0.0

    def scale_threshold(self, factor: float) -> None:
        """Multiply the threshold, and what a spike subtracts."""
        self.threshold = self.threshold * factor

    def forward(self, currents: Tensor, feedback: Feedback | None = None) -> Tensor:
        """Spikes for all steps; while training the activation of their mean, as the one step there is."""
        if self.training:
            x = currents.mean(0, keepdim=True)
            inside = x.clamp(0, 1)
            rounded = torch.floor(inside * self.levels + 0.5) / self.levels if self.levels else inside
            slope = inside + _OUTSIDE * (x - inside)  # what the gradient sees
            return slope + (rounded - slope).detach()
        membrane = torch.full_like(currents[0], self.initial)
        spike, fired = torch.zeros_like(membrane), []
        for step in currents:
            membrane = membrane + step - spike * self.threshold
            spike = (membrane >= self.threshold).to(step)
            fired.append(spike)
        return torch.stack(fired)


class Gate(nn.Module):
    """Neurons without memory: they fire in the step in which at least `needed` of their inputs do.

    Parameters
    ----------
    needed : int
        1 for "any of them" (the maximum of spikes), the number of inputs for "all of them" (their product).
    """

    def __init__(self, needed: int = 1) -> None:
        super().__init__()
        self.needed = needed

    def forward(self, currents: Tensor, feedback: Feedback | None = None) -> Tensor:
        """The input itself: torch has taken the maximum or the product already."""
        return currents


class Membrane(nn.Module):
    """Leaky membranes that never fire, ``U[t] = beta U[t-1] + I[t]``: what they hold is the answer.

    Parameters
    ----------
    beta : float
        Decay per time step, > 0 … 1.
    """

    silent = True

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, currents: Tensor, feedback: Feedback | None = None) -> Tensor:
        """Membranes after every step."""
        if self.beta == 1.0:
            return currents.cumsum(0)
        held = [currents[0]]
        for step in currents[1:]:
            held.append(self.beta * held[-1] + step)
        return torch.stack(held)


# --- encoders: from inputs to spikes (T, batch, …) -------------------------------------------------------------------


class Bernoulli(nn.Module):
    """Each input value is the probability of a spike in each step.

    Parameters
    ----------
    steps : int
        Time steps.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def prepare(self, x: NDArray[np.float32], seed: Sequence[int]) -> Tensor:
        """Spikes (T, k, …) of inputs (k, …)."""
        spikes = torch.from_numpy(rate_encode(x, self.steps, seed)).transpose(0, 1)
        return spikes.reshape(self.steps, *x.shape).float()

    def draws(self, x: NDArray[np.float32]) -> int:
        """Random numbers drawn per step for one input."""
        return x[0].size

    def forward(self, prepared: Tensor) -> Tensor:
        """What `prepare` drew."""
        return prepared


class Events(nn.Module):
    """Inputs (k, frames, …) of 0 and 1 are spikes already, as an event camera sends them: nothing is encoded.

    Parameters
    ----------
    steps : int
        Time steps, a multiple of `frames`; the spikes of a frame come in the first of its steps.
    frames : int
        Frames of an input.
    """

    def __init__(self, steps: int, frames: int) -> None:
        super().__init__()
        self.steps, self.frames = steps, frames

    def prepare(self, x: NDArray[np.float32], seed: Sequence[int]) -> Tensor:
        """Spikes (T, k, …)."""
        spikes = np.zeros((self.steps, len(x), *x.shape[2:]), np.float32)
        spikes[:: self.steps // self.frames] = np.swapaxes(x, 0, 1)
        return torch.from_numpy(spikes)

    def draws(self, x: NDArray[np.float32]) -> int:
        """Nothing is drawn."""
        return 0

    def forward(self, prepared: Tensor) -> Tensor:
        """The input itself."""
        return prepared


class Direct(nn.Module):
    """Direct code: real values drive a first layer of neurons in every step; their spikes are the input of the rest.

    Parameters
    ----------
    layer : nn.Module
        Weights of the first layer, for inputs (k, …) or, with `frames`, for one frame of them.
    neuron : Leaky or AdaptiveLeaky
    steps : int
        Time steps.
    frames : bool
        Whether the second axis of the inputs is time; each frame is then shown for ``steps / frames`` steps.
    """

    def __init__(self, layer: nn.Module, neuron: nn.Module, steps: int, frames: int = 0) -> None:
        super().__init__()
        self.layer, self.neuron, self.steps, self.frames = layer, neuron, steps, frames
        self.hold = steps // (frames or 1)
        for part in layer.modules():
            part.repeats = self.hold  # type: ignore[assignment]

    def prepare(self, x: NDArray[np.float32], seed: Sequence[int]) -> Tensor:
        """The inputs themselves."""
        return torch.from_numpy(np.ascontiguousarray(x))

    def draws(self, x: NDArray[np.float32]) -> int:
        """Nothing is drawn."""
        return 0

    def forward(self, prepared: Tensor) -> Tensor:
        """Spikes (T, k, …) of the first layer."""
        if not self.frames:
            current = self.layer(prepared)
            return self.neuron(current[None].expand(self.steps, *current.shape))
        frames = prepared.transpose(0, 1)
        current = self.layer(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
        return self.neuron(current.repeat_interleave(self.hold, 0))

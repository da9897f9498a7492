"""A small spiking network trained with surrogate gradients: one hidden layer of LIF neurons, a leaky readout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from baselines.encoding.contract import Counts, Fitted, Problem, Readout
from baselines.encoding.readouts.linear import binned

HIDDEN = 100
_BINS = 128  # time steps of the network at most; steps of the code are joined
_EPOCHS, _BATCH, _RATE = 10, 64, 5e-3
_DECAY, _SLOPE = 0.9, 10.0
_CHUNK = 256


class _Layer(torch.autograd.Function):
    """LIF neurons over time: ``v = decay v + current``, a spike where v >= 1, which is subtracted.

    Backwards the step becomes a fast sigmoid's derivative, and the reset is taken as given.
    """

    @staticmethod
    def forward(ctx: Any, current: Tensor) -> Tensor:
        """Spikes (…, steps, neurons) for currents of the same shape."""
        before, spikes = torch.empty_like(current), torch.empty_like(current)
        v = torch.zeros_like(current[..., 0, :])
        for t in range(current.shape[-2]):
            v = torch.add(current[..., t, :], v, alpha=_DECAY)
            before[..., t, :] = v
            spikes[..., t, :] = v >= 1
            v = v - spikes[..., t, :]
        ctx.save_for_backward(before)
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Gradient of the currents."""
        (before,) = ctx.saved_tensors
        local = grads[0] / (1 + _SLOPE * (before - 1).abs()) ** 2
        for t in range(local.shape[-2] - 2, -1, -1):
            local[..., t, :] += _DECAY * local[..., t + 1, :]
        return local


def train(problems: Sequence[Problem], seeds: Sequence[int]) -> list[Fitted]:
    """Networks of all seeds, trained side by side; each keeps the weights of its best validation score.

    References
    ----------
    Zenke & Ganguli 2018, doi:10.1162/neco_a_01086 (surrogate gradient).
    """
    bins = min(_BINS, problems[0].train.shape[1])
    rngs = [torch.Generator().manual_seed(seed) for seed in seeds]
    inputs = _tensors([p.train for p in problems], bins)
    held_out = [p.validation for p in problems]
    labels = [torch.from_numpy(p.y) for p in problems]
    n, classes = inputs[0].shape[2], problems[0].classes
    active = max(float(inputs[0].float().mean()), 1e-4) * n  # inputs per step; they set the size of the weights
    size = min(1.0, 0.7 / active**0.5)
    first = torch.stack([torch.randn(n, HIDDEN, generator=g) * size for g in rngs]).requires_grad_()
    second = torch.stack([torch.randn(HIDDEN, classes, generator=g) / HIDDEN**0.5 for g in rngs]).requires_grad_()
    bias = torch.zeros(len(seeds), 1, classes, requires_grad=True)
    optimizer = torch.optim.Adam([first, second, bias], lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _EPOCHS)
    best: list[tuple[float, SurrogateFitted]] = []
    for epoch in range(_EPOCHS):
        orders = [torch.randperm(len(y), generator=g) for y, g in zip(labels, rngs, strict=True)]
        for batch in zip(*(order.split(_BATCH) for order in orders), strict=True):
            x = torch.stack([data[index] for data, index in zip(inputs, batch, strict=True)]).float()
            y = torch.cat([label[index] for label, index in zip(labels, batch, strict=True)])
            spikes = _Layer.apply(_current(x, first))
            score = torch.bmm(torch.einsum("sbth,t->sbh", spikes, _kernel(bins)[-1]), second) + bias
            loss = functional.cross_entropy(score.flatten(0, 1), y) * len(seeds)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        if epoch < _EPOCHS // 2:
            continue
        found = [
            SurrogateFitted(bins, *(p[k].detach().clone() for p in (first, second, bias))) for k in range(len(seeds))
        ]
        scores = [_accuracy(f, x, p.y_validation) for f, x, p in zip(found, held_out, problems, strict=True)]
        new = list(zip(scores, found, strict=True))
        best = [max(pair, key=lambda entry: entry[0]) for pair in zip(best, new, strict=True)] if best else new
    return [fitted for _, fitted in best]


class SurrogateFitted:
    """One trained network; scores are read from the mean so far of a leaky sum of hidden spikes."""

    def __init__(self, bins: int, first: Tensor, second: Tensor, bias: Tensor) -> None:
        self.bins, self.first, self.second, self.bias = bins, first, second, bias

    def scores(self, spikes: Counts) -> NDArray[np.float64]:
        """Scores (bins, samples, classes)."""
        parts = []
        with torch.inference_mode():
            for lo in range(0, len(spikes), _CHUNK):
                x = torch.from_numpy(binned(spikes[lo : lo + _CHUNK], self.bins))
                hidden = _Layer.apply(_current(x[None], self.first[None]))[0]
                parts.append(torch.einsum("bth,ut->ubh", hidden, _kernel(self.bins)) @ self.second + self.bias)
        return torch.cat(parts, dim=1).double().numpy()


def _tensors(arrays: Sequence[Counts], bins: int) -> list[Tensor]:
    """Binned counts as tensors of their own kind; arrays that are the same object stay so."""
    done = {id(a): torch.from_numpy(binned(a, bins).astype(a.dtype)) for a in arrays}
    return [done[id(a)] for a in arrays]


def _current(x: Tensor, weights: Tensor) -> Tensor:
    """Currents (seeds, samples, steps, hidden)."""
    return torch.bmm(x.flatten(1, 2), weights).unflatten(1, x.shape[1:3])


def _kernel(bins: int) -> Tensor:
    """Weight of the spike of step t (column) in the mean up to step u (row) of a leaky sum."""
    lag = torch.arange(bins)[:, None] - torch.arange(bins)
    total = (1 - _DECAY ** (lag + 1)) / (1 - _DECAY)
    return torch.where(lag >= 0, total, 0.0) / torch.arange(1, bins + 1)[:, None]


def _accuracy(fitted: SurrogateFitted, spikes: Counts, y: NDArray[np.int64]) -> float:
    return float(np.mean(fitted.scores(spikes)[-1].argmax(axis=1) == y))


READOUT = Readout(f"spiking network, {HIDDEN} hidden LIF neurons, surrogate gradient", train)

"""Spikes as torch tensors and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from spikesim.errors import ParameterError
from spikesim.spikes import Spikes


def to_torch(samples: Spikes | Sequence[Spikes], dt: float = 1.0) -> Tensor:
    """Spike counts per step as float tensor (steps, samples, neurons), the layout of snnTorch and SpikingJelly.

    Parameters
    ----------
    samples : Spikes or sequence of Spikes
        One sample, or several of the same size and duration.
    dt : float
        Time step in ms, > 0.

    Raises
    ------
    ParameterError
        If there is no sample, or they differ in size or duration.
    """
    many = [samples] if isinstance(samples, Spikes) else list(samples)
    if not many:
        raise ParameterError("to_torch: needs at least one sample, got none")
    if len({(s.n, s.duration) for s in many}) > 1:
        raise ParameterError("to_torch: samples must have as many neurons and last as long as each other")
    return torch.from_numpy(np.stack([s.to_dense(dt) for s in many], axis=1)).float()


def from_torch(spikes: Tensor, dt: float = 1.0) -> list[Spikes]:
    """Spikes of each sample of a tensor (steps, samples, neurons); a spike of step k lies at ``k * dt``."""
    if spikes.ndim != 3:
        raise ParameterError(f"from_torch: must have shape (steps, samples, neurons), got {tuple(spikes.shape)}")
    counts = spikes.detach().cpu().numpy()
    return [Spikes.from_dense(counts[:, k], dt) for k in range(counts.shape[1])]

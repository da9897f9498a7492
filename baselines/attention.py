"""Attention of real values and of spikes, on tokens (k, tokens, channels)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from spikesim import Pairwise, Sparse


class PerToken(nn.Module):
    """Linear map of every token and batch normalisation over tokens.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out)

    def forward(self, x: Tensor) -> Tensor:
        """(k, tokens, n_in) to (k, tokens, n_out)."""
        return self.norm(self.linear(x).flatten(0, 1)).unflatten(0, x.shape[:2])


class TokenMean(nn.Module):
    """Mean over tokens."""

    def forward(self, x: Tensor) -> Tensor:
        """(k, tokens, n) to (k, n)."""
        return x.mean(1)


class Position(nn.Module):
    """Adds a learned vector to every place."""

    def __init__(self, tokens: int, channels: int) -> None:
        super().__init__()
        self.place = nn.Parameter(0.02 * torch.randn(tokens, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(k, tokens, channels), the same shape."""
        return x + self.place


class Product(nn.Module):
    """Product of two matrices that both come from the input, so that it is counted."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(…, n, m) times (…, m, p)."""
        return a @ b

    def products(self, a: Tensor, b: Tensor, output: Tensor) -> tuple[int, int, int]:
        """Rows, all products, those of two factors that are not zero."""
        effective = int(((a != 0).float() @ (b != 0).float()).double().sum().round())
        return len(a), output.numel() * a.shape[-1], effective


class Attention(nn.Module):
    """Softmax attention with several heads.

    Parameters
    ----------
    channels, heads : int
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(channels, channels) for _ in range(3))
        self.out = nn.Linear(channels, channels)
        self.scores, self.mix = Product(), Product()

    def forward(self, x: Tensor) -> Tensor:
        """(k, tokens, channels), the same shape."""
        q, k, v = (split(part(x), self.heads) for part in (self.query, self.key, self.value))
        weights = (self.scores(q, k.transpose(-1, -2)) / q.shape[-1] ** 0.5).softmax(-1)
        return self.out(self.mix(weights, v).transpose(1, 2).flatten(2))


def split(x: Tensor, heads: int) -> Tensor:
    """(k, tokens, channels) to (k, heads, tokens, channels / heads)."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


class SpikingAttention(nn.Module):
    """``scale (Q Kᵀ) V`` of three matrices of spikes, without softmax, as a current.

    In the core it becomes one gate for each (query token, key token, query channel, value channel) of a head, that
    fires when its query, its key and its value spike in the same step.

    Parameters
    ----------
    heads : int
    scale : float
    """

    multilinear = True

    def __init__(self, heads: int, scale: float) -> None:
        super().__init__()
        self.heads, self.scale = heads, scale
        self.scores, self.mix = Product(), Product()

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Current (k, tokens, channels) of spikes of the same shape."""
        q, k, v = (split(part, self.heads) for part in (q, k, v))
        return self.scale * self.mix(self.scores(q, k.transpose(-1, -2)), v).transpose(1, 2).flatten(2)

    def lower(self, *shapes: tuple[int, ...]) -> tuple[list[Any], Any, int]:
        """Rules from queries, keys and values to the gates, the rule from the gates, and how many have to spike."""
        tokens, channels = shapes[0]
        width = channels // self.heads
        grid = np.meshgrid(*(np.arange(n) for n in (self.heads, tokens, tokens, width, width)), indexing="ij")
        head, i, j, d, e = (axis.ravel() for axis in grid)
        gates: Any = np.arange(len(head))
        places = (i * channels + head * width + d, j * channels + head * width + d, j * channels + head * width + e)
        ones = np.full(len(gates), self.scale)
        out = sparse.csr_array((ones, (gates, i * channels + head * width + e)), shape=(len(gates), tokens * channels))
        return [Pairwise(place, gates) for place in places], Sparse(out), len(places)

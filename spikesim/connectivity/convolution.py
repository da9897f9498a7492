"""Rules on images: two-dimensional convolution and pooling, flattened channel by channel, row by row."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim._jit import kernel
from spikesim.connectivity.rule import Pairs, Rule
from spikesim.errors import ParameterError
from spikesim.parameters import as_count


class _Geometry(NamedTuple):
    """Input (channels, rows, columns), window, stride, padding, output rows and columns; `own` channel only."""

    c: int
    h: int
    w: int
    kh: int
    kw: int
    sh: int
    sw: int
    ph: int
    pw: int
    oh: int
    ow: int
    own: bool


@kernel
def _fill_windows(g, lo, hi, pre, post, draw, index):
    """Sources in the window of each target; index counts (output channel, input channel, row, column) of the kernel."""
    i = 0
    for target in range(lo, hi):
        pixel = target % (g.oh * g.ow)
        out = target // (g.oh * g.ow)
        top, left = (pixel // g.ow) * g.sh - g.ph, (pixel % g.ow) * g.sw - g.pw
        j = 0
        for channel in range(out if g.own else 0, out + 1 if g.own else g.c):
            for dy in range(max(0, -top), min(g.kh, g.h - top)):
                for dx in range(max(0, -left), min(g.kw, g.w - left)):
                    pre[i] = (channel * g.h + top + dy) * g.w + left + dx
                    post[i], draw[i] = target, j
                    index[i] = ((out * g.c + channel) * g.kh + dy) * g.kw + dx
                    i += 1
                    j += 1


def _window_sizes(g: _Geometry) -> NDArray[np.int64]:
    """Number of inputs in the window of each output pixel (oh, ow), padding excluded."""

    def sizes(n: int, k: int, stride: int, padding: int, n_out: int) -> NDArray[np.int64]:
        first = np.arange(n_out) * stride - padding
        return np.maximum(np.minimum(first + k, n) - np.maximum(first, 0), 0)

    return np.outer(sizes(g.h, g.kh, g.sh, g.ph, g.oh), sizes(g.w, g.kw, g.sw, g.pw, g.ow))


def _window_pairs(g: _Geometry, channels: int, lo: int, hi: int) -> Pairs:
    """Pairs onto targets ``lo <= post < hi`` of `channels` output channels, with their places in the kernel."""
    if not 0 <= lo <= hi <= channels * g.oh * g.ow:
        raise ParameterError(f"targets: must lie in 0 … {channels * g.oh * g.ow}, got {lo} … {hi}")
    depth = 1 if g.own else g.c
    n = depth * int(np.tile(_window_sizes(g).ravel(), channels)[lo:hi].sum())
    pre, post, draw = (np.empty(n, np.int32) for _ in range(3))
    index = np.empty(n, np.int64)
    _fill_windows(g, lo, hi, pre, post, draw, index)
    return Pairs(pre, post, draw, index)


def _pair(value: Any, owner: str, minimum: int) -> tuple[int, int]:
    """(rows, columns) from one whole number or two."""
    values = value if isinstance(value, (tuple, list, np.ndarray)) else (value, value)
    if len(values) != 2:
        raise ParameterError(f"{owner}: must be a whole number or (rows, columns), got {value!r}")
    return as_count(values[0], owner, minimum), as_count(values[1], owner, minimum)


def _shape(value: Any, owner: str) -> tuple[int, int, int]:
    """(channels, rows, columns) of an image."""
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 3:
        raise ParameterError(f"{owner}: must be (channels, rows, columns), got {value!r}")
    c, h, w = (as_count(x, owner) for x in value)
    return c, h, w


def _geometry(
    owner: str,
    in_shape: tuple[int, int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int] = (0, 0),
    own: bool = False,
) -> _Geometry:
    """Geometry with the output size ``(n + 2 padding - window) // stride + 1``; the window must fit."""
    rows, columns = (in_shape[1 + i] + 2 * padding[i] - window[i] for i in (0, 1))
    if rows < 0 or columns < 0:
        raise ParameterError(
            f"{owner}: must fit into the input, got a window of {window[0]} x {window[1]} for "
            f"{in_shape[1]} x {in_shape[2]} pixels with padding {padding[0]} x {padding[1]}"
        )
    return _Geometry(*in_shape, *window, *stride, *padding, rows // stride[0] + 1, columns // stride[1] + 1, own)


def _check_images(name: str, owner: str, n_pre: int, n_post: int, shapes: dict[str, tuple[int, int, int]]) -> None:
    """Raise unless sources and targets are as many as the pixels of the input and output images."""
    for (side, shape), n, what in zip(shapes.items(), (n_pre, n_post), ("sources", "targets"), strict=True):
        if math.prod(shape) != n:
            raise ParameterError(
                f"{owner}: {name}.{side} = {shape} needs {math.prod(shape)} {what} (channels x rows x columns), got {n}"
            )


@dataclass(frozen=True, eq=False, repr=False)
class Convolution(Rule):
    """Two-dimensional convolution as in ``torch.nn.Conv2d`` (cross-correlation, no flip of the kernel).

    The synapse from input (i, y, x) to output (o, v, u) has the weight
    ``kernel[o, i, y - v * stride + padding, x - u * stride + padding]``. Elements are numbered channel by channel,
    row by row. Every entry of the kernel makes synapses, zeros too. An array of delays or of further weights has the
    shape of the kernel and is shared in the same way.

    Parameters
    ----------
    kernel : array_like (c_out, c_in, kh, kw)
        Weights, finite; multiplied with the weight of the projection.
    in_shape : (int, int, int)
        Channels, rows and columns of the input.
    stride : int or (int, int)
        Step of the window in rows and columns, >= 1.
    padding : int or (int, int)
        Rows and columns of silence added on each side, >= 0.

    Raises
    ------
    ParameterError
        If shapes do not fit each other or weights are not finite.
    """

    kernel: Any
    in_shape: tuple[int, int, int]
    stride: Any = 1
    padding: Any = 0
    _geometry: _Geometry = field(init=False)

    def __post_init__(self) -> None:
        weights = _as_kernel(self.kernel)
        in_shape = _shape(self.in_shape, "Convolution.in_shape")
        if weights.shape[1] != in_shape[0]:
            raise ParameterError(
                f"Convolution.kernel: needs the {in_shape[0]} input channels of in_shape = {in_shape}, "
                f"got shape {weights.shape}"
            )
        stride = _pair(self.stride, "Convolution.stride", 1)
        padding = _pair(self.padding, "Convolution.padding", 0)
        geometry = _geometry("Convolution.kernel", in_shape, weights.shape[2:], stride, padding)
        values = {"kernel": weights, "in_shape": in_shape, "stride": stride, "padding": padding, "_geometry": geometry}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights the rule carries."""
        return self.kernel

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the output."""
        return (len(self.kernel), self._geometry.oh, self._geometry.ow)

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless the populations have the sizes of input and output."""
        shapes = {"in_shape": self.in_shape, "out_shape": self.out_shape}
        _check_images("Convolution", owner, n_pre, n_post, shapes)

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        c_out, c_in = self.kernel.shape[:2]
        return float(c_out * c_in * _window_sizes(self._geometry).sum())

    def given(self, n_pre: int, n_post: int) -> int | None:
        """One value per entry of the kernel."""
        return int(self.kernel.size)

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``, by input channel, row and column."""
        found = _window_pairs(self._geometry, len(self.kernel), lo, hi)
        return found._replace(weight=self.kernel.ravel()[found.index])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Convolution):
            return NotImplemented
        return self._geometry == other._geometry and np.array_equal(self.kernel, other.kernel)

    def __hash__(self) -> int:
        return hash(self._geometry)

    def __repr__(self) -> str:
        return (
            f"Convolution({self.in_shape} -> {self.out_shape}, kernel {self.kernel.shape[2]} x {self.kernel.shape[3]})"
        )


@dataclass(frozen=True)
class Pooling(Rule):
    """Sum or mean over windows of each channel, as in ``torch.nn.AvgPool2d`` without padding.

    Elements are numbered channel by channel, row by row; a window that does not fit at the lower or right border is
    left out.

    Parameters
    ----------
    in_shape : (int, int, int)
        Channels, rows and columns of the input.
    size : int or (int, int)
        Rows and columns of the window, >= 1.
    stride : int, (int, int) or None
        Step of the window; None for its size.
    kind : {"sum", "mean"}
        Weights of 1, or of 1 / (rows x columns); multiplied with the weight of the projection.

    Raises
    ------
    ParameterError
        If the window does not fit into the input or the kind is unknown.
    """

    in_shape: tuple[int, int, int]
    size: Any
    stride: Any = None
    kind: str = "sum"

    def __post_init__(self) -> None:
        if self.kind not in ("sum", "mean"):
            raise ParameterError(
                f"Pooling.kind: must be 'sum' or 'mean' (synapses add up, so there is no maximum), got {self.kind!r}"
            )
        size = _pair(self.size, "Pooling.size", 1)
        stride = size if self.stride is None else _pair(self.stride, "Pooling.stride", 1)
        values = {"in_shape": _shape(self.in_shape, "Pooling.in_shape"), "size": size, "stride": stride}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._geometry()

    def _geometry(self) -> _Geometry:
        return _geometry("Pooling.size", self.in_shape, self.size, self.stride, own=True)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weight the rule carries, the same for all synapses."""
        return np.array([1.0 if self.kind == "sum" else 1.0 / math.prod(self.size)])

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the output."""
        g = self._geometry()
        return (g.c, g.oh, g.ow)

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless the populations have the sizes of input and output."""
        _check_images("Pooling", owner, n_pre, n_post, {"in_shape": self.in_shape, "out_shape": self.out_shape})

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        return float(n_post * math.prod(self.size))

    def given(self, n_pre: int, n_post: int) -> int | None:
        """No arrays: all weights are equal."""
        return None

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``, by row and column of the window."""
        found = _window_pairs(self._geometry(), self.in_shape[0], lo, hi)
        return found._replace(index=None, weight=np.full(len(found.pre), self.weights[0]))


def _as_kernel(value: ArrayLike) -> NDArray[np.float64]:
    """Read-only float64 kernel (c_out, c_in, kh, kw)."""
    try:
        weights = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"Convolution.kernel: must hold numbers, got {type(value).__name__}") from None
    if weights.ndim != 4 or not weights.size:
        raise ParameterError(f"Convolution.kernel: must have shape (c_out, c_in, kh, kw), got {weights.shape}")
    if not np.isfinite(weights).all():
        raise ParameterError(f"Convolution.kernel: must be finite, got {weights[~np.isfinite(weights)][0]}")
    weights.setflags(write=False)
    return weights

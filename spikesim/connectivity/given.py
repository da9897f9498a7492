"""Rules that take their pairs from the user: lists of pairs and sparse matrices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spikesim.connectivity.rule import Pairs, Rule
from spikesim.connectivity.rules import as_flag, numbered
from spikesim.errors import ParameterError

_INT32_MAX = np.iinfo(np.int32).max
_CSR = ("indptr", "indices", "data")


def _as_numbers(value: Any, owner: str) -> NDArray[np.int32]:
    """Read-only int32 vector of element numbers."""
    array = np.asarray(value)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ParameterError(
            f"{owner}: must be a vector of whole numbers, got shape {array.shape} of type {array.dtype}"
        )
    bad = np.flatnonzero((array < 0) | (array > _INT32_MAX))
    if bad.size:
        raise ParameterError(f"{owner}: must be between 0 and {_INT32_MAX}, got {array[bad[0]]} (pair {bad[0]})")
    numbers = array.astype(np.int32)
    numbers.setflags(write=False)
    return numbers


@dataclass(frozen=True, eq=False, repr=False)
class Pairwise(Rule):
    """The pairs (pre[i], post[i]) given by the user.

    Arrays of weights or delays hold one value per pair, in the same order.

    Parameters
    ----------
    pre, post : int array (k,)
        Numbers of sources and targets, counted from 0 within the connected populations or slices.
    allow_self : bool
        If False, a pair of an element with itself is an error where sources and targets are the same elements.
    allow_multiple : bool
        If False, a pair given more than once is an error.

    Raises
    ------
    ParameterError
        If the vectors differ in length or hold anything but whole numbers >= 0.
    """

    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    allow_self: bool = True
    allow_multiple: bool = True
    _order: NDArray[np.int64] = field(init=False)
    _sorted_post: NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("pre", "post"):
            object.__setattr__(self, name, _as_numbers(getattr(self, name), f"Pairwise.{name}"))
        if len(self.pre) != len(self.post):
            raise ParameterError(
                f"Pairwise.pre, Pairwise.post: must have equal lengths, got {len(self.pre)} and {len(self.post)}"
            )
        as_flag(self.allow_self, "Pairwise.allow_self")
        as_flag(self.allow_multiple, "Pairwise.allow_multiple")
        object.__setattr__(self, "_order", np.argsort(self.post, kind="stable"))
        object.__setattr__(self, "_sorted_post", self.post[self._order])

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless all pairs exist and are allowed."""
        for name, n in (("pre", n_pre), ("post", n_post)):
            numbers = getattr(self, name)
            bad = np.flatnonzero(numbers >= n)
            if bad.size:
                raise ParameterError(f"{owner}: Pairwise.{name} must be < {n}, got {numbers[bad[0]]} (pair {bad[0]})")
        if same and not self.allow_self and (selves := np.flatnonzero(self.pre == self.post)).size:
            raise ParameterError(
                f"{owner}: Pairwise connects element {self.pre[selves[0]]} to itself (pair {selves[0]}); drop the pair "
                "or set allow_self=True"
            )
        if not self.allow_multiple:
            codes, counts = np.unique(self.pre.astype(np.int64) * n_post + self.post, return_counts=True)
            if (counts > 1).any():
                pre, post = divmod(int(codes[counts > 1][0]), n_post)
                raise ParameterError(
                    f"{owner}: Pairwise connects {pre} to {post} {counts.max()} times; drop the repetitions or set "
                    "allow_multiple=True"
                )

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        return float(len(self.pre))

    def given(self, n_pre: int, n_post: int) -> int | None:
        """One value per pair."""
        return len(self.pre)

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``, those of a target in the order given."""
        starts = np.searchsorted(self._sorted_post, np.arange(lo, hi + 1))
        index = self._order[starts[0] : starts[-1]]
        return numbered(self.pre[index], starts, lo, index)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pairwise):
            return NotImplemented
        flags = (self.allow_self, self.allow_multiple) == (other.allow_self, other.allow_multiple)
        return flags and np.array_equal(self.pre, other.pre) and np.array_equal(self.post, other.post)

    def __hash__(self) -> int:
        return hash((len(self.pre), self.allow_self, self.allow_multiple))

    def __repr__(self) -> str:
        return f"Pairwise({len(self.pre)} pairs, allow_self={self.allow_self}, allow_multiple={self.allow_multiple})"


@dataclass(frozen=True, eq=False, repr=False)
class Sparse(Rule):
    """One synapse per stored entry of a sparse matrix, its weight the entry.

    Explicitly stored zeros are kept, as synapses of weight 0; call ``matrix.eliminate_zeros()`` first to drop them.
    Entries stored more than once are summed, as everywhere in SciPy. Arrays of weights or delays hold one value per
    entry in row-major order, which is that of ``matrix.tocsr().data`` with sorted indices; the entries are
    multiplied with such weights.

    Parameters
    ----------
    matrix : scipy.sparse array or matrix (n_pre, n_post)
        Real and finite; any format.

    Raises
    ------
    ParameterError
        If the matrix is not sparse, not real or not finite.
    """

    matrix: Any
    _columns: Any = field(init=False)

    def __post_init__(self) -> None:
        matrix = self.matrix
        if not sparse.issparse(matrix) or matrix.ndim != 2:
            raise ParameterError(
                f"Sparse.matrix: must be a two-dimensional scipy.sparse array, got {type(matrix).__name__}; "
                "scipy.sparse.csr_array(...) makes one"
            )
        if matrix.dtype.kind not in "biuf":
            raise ParameterError(f"Sparse.matrix: must hold real numbers, got type {matrix.dtype}")
        rows = sparse.csr_array(matrix, dtype=np.float64, copy=True)
        rows.sum_duplicates()
        bad = np.flatnonzero(~np.isfinite(rows.data))
        if bad.size:
            raise ParameterError(f"Sparse.matrix: must be finite, got {rows.data[bad[0]]} (stored entry {bad[0]})")
        rows.data.setflags(write=False)
        positions = sparse.csr_array((np.arange(rows.nnz), rows.indices, rows.indptr), shape=rows.shape)
        object.__setattr__(self, "matrix", rows)
        object.__setattr__(self, "_columns", positions.tocsc())

    @property
    def weights(self) -> NDArray[np.float64]:
        """The weights the rule carries."""
        return self.matrix.data

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless the matrix has one row per source and one column per target."""
        if self.matrix.shape != (n_pre, n_post):
            raise ParameterError(
                f"{owner}: Sparse.matrix must have shape (sources, targets) = ({n_pre}, {n_post}), "
                f"got {self.matrix.shape}"
            )

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact."""
        return float(self.matrix.nnz)

    def given(self, n_pre: int, n_post: int) -> int | None:
        """One value per stored entry."""
        return int(self.matrix.nnz)

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``, sources ascending."""
        starts = self._columns.indptr[lo : hi + 1].astype(np.int64)
        own = slice(starts[0], starts[-1])
        index = self._columns.data[own].astype(np.int64)
        return numbered(self._columns.indices[own].astype(np.int32), starts, lo, index, self.matrix.data[index])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sparse):
            return NotImplemented
        a, b = self.matrix, other.matrix
        return a.shape == b.shape and all(np.array_equal(getattr(a, x), getattr(b, x)) for x in _CSR)

    def __hash__(self) -> int:
        return hash((self.matrix.shape, self.matrix.nnz))

    def __repr__(self) -> str:
        return f"Sparse({self.matrix.shape[0]} x {self.matrix.shape[1]}, {self.matrix.nnz} entries)"

"""What every connection rule offers."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import ParameterError

MEMBERS = ("check", "expected", "given", "pairs", "weights")  # what `Rule` asks for


class Pairs(NamedTuple):
    """Synapses of one projection onto a range of targets, sorted by target.

    `pre` and `post` are int32 numbers in the connected ranges; `draw` (int32) numbers the synapses of each target
    0, 1, … in an order that depends only on seed and rule: random weights and delays are functions of (post, draw).
    `index` (int64) is the position of each synapse in arrays of weights or delays given by the user, None where
    such arrays make no sense; `weight` (float64) is set by rules that carry weights of their own.
    """

    pre: NDArray[np.int32]
    post: NDArray[np.int32]
    draw: NDArray[np.int32]
    index: NDArray[np.int64] | None = None  # type: ignore[assignment]  # hides tuple.index
    weight: NDArray[np.float64] | None = None


@runtime_checkable
class Rule(Protocol):
    """A connection rule: a frozen description that produces the same synapses for any split into target ranges."""

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """All values that `Pairs.weight` may take, None where the rule carries none; decides how weights are kept."""
        return None

    def check(self, n_pre: int, n_post: int, same: bool, owner: str) -> None:
        """Raise ParameterError unless the rule fits `n_pre` sources and `n_post` targets.

        `same` says that both sides are the same population (so that pre == post is a self-connection).
        """

    def expected(self, n_pre: int, n_post: int, same: bool) -> float:
        """Number of synapses, exact where the rule fixes it, else its mean."""

    def given(self, n_pre: int, n_post: int) -> int | None:
        """Length of per-synapse arrays of weights or delays a user may give, None if they make no sense."""

    def pairs(self, key: np.uint64, n_pre: int, n_post: int, same: bool, lo: int, hi: int) -> Pairs:
        """All synapses onto targets ``lo <= post < hi``."""


def check_pairs(pairs: Pairs, n_pre: int, lo: int, hi: int, given: int | None, owner: str) -> None:
    """Raise ParameterError where `pairs` does not keep what `Pairs` promises: kernels write where these numbers say."""
    if pairs.index is None and given is not None:
        raise ParameterError(f"{owner}: pairs() must give index, as given() says {given}")
    limits = {"pre": (0, n_pre), "post": (lo, hi), "draw": (0, 2**31), "index": (0, given or 0)}
    for name, values in pairs._asdict().items():
        if values is None and name in ("index", "weight"):
            continue
        if np.shape(values) != (len(pairs.pre),):
            raise ParameterError(f"{owner}: pairs() must give vectors of one length, {name} has {np.shape(values)}")
        if name not in limits:
            continue
        least, most = limits[name]
        if values.dtype.kind not in "iu" or (len(values) and not least <= values.min() <= values.max() < most):
            found = f"{values.min()} … {values.max()}" if len(values) else "nothing"
            raise ParameterError(
                f"{owner}: pairs() must give {name} as whole numbers in {least} … {most - 1}, "
                f"got {found} of type {values.dtype}"
            )

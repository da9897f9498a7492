"""How fast networks are built: synapses per second for every connection rule, from nothing to the first step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks import figures
from benchmarks.case import Case, Column, Rows, Variant
from spikesim import (
    LIF,
    AllToAll,
    Convolution,
    FixedIndegree,
    FixedOutdegree,
    FixedProbability,
    FixedTotalNumber,
    Network,
    Neuron,
    Normal,
    OneToOne,
    Pairwise,
    Pooling,
    Population,
    Projection,
    Sparse,
)

SYNAPSES, N = 10_000_000, 10_000
Rule = Callable[[int], tuple[Any, int, int]]  # number of synapses to rule, sources, targets


def _square(make: Callable[[int, int], Any]) -> Rule:
    """Rule among N neurons from `make(n, k)`, k being the synapses of each."""

    def rule(synapses: int) -> tuple[Any, int, int]:
        n = max(10, round(N * (synapses / SYNAPSES) ** 0.5))
        return make(n, max(1, synapses // n)), n, n

    return rule


def _given(n: int, k: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.integers(0, n, n * k, dtype=np.int32), np.repeat(np.arange(n, dtype=np.int32), k)


def _sparse(n: int, k: int) -> Sparse:
    pre, post = _given(n, k)
    return Sparse(sparse.coo_array((np.ones(len(pre)), (pre, post)), shape=(n, n)))


def _one_to_one(synapses: int) -> tuple[Any, int, int]:
    n = max(1, synapses // 10)
    return OneToOne(), n, n


def _all_to_all(synapses: int) -> tuple[Any, int, int]:
    n = max(1, round(synapses**0.5))
    return AllToAll(), n, n


def _convolution(synapses: int) -> tuple[Any, int, int]:
    side, channels, kernel = max(8, round((synapses / (8 * 8 * 25)) ** 0.5)), 8, 5
    weights = np.random.default_rng(1).normal(size=(channels, channels, kernel, kernel))
    return Convolution(weights, (channels, side, side), padding=2), channels * side**2, channels * side**2


def _pooling(synapses: int) -> tuple[Any, int, int]:
    side = 2 * max(1, round((synapses / 10) ** 0.5 / 2))
    return Pooling((1, side, side), 2), side**2, side**2 // 4


RULES: dict[str, Rule] = {
    "FixedIndegree": _square(lambda n, k: FixedIndegree(k)),
    "FixedIndegree, no repeats": _square(lambda n, k: FixedIndegree(k, allow_self=False, allow_multiple=False)),
    "FixedOutdegree": _square(lambda n, k: FixedOutdegree(k)),
    "FixedTotalNumber": _square(lambda n, k: FixedTotalNumber(n * k)),
    "FixedProbability": _square(lambda n, k: FixedProbability(min(1.0, k / n))),
    "AllToAll": _all_to_all,
    "OneToOne": _one_to_one,
    "Pairwise": _square(lambda n, k: Pairwise(*_given(n, k))),
    "Sparse": _square(_sparse),
    "Convolution": _convolution,
    "Pooling": _pooling,
}
CARRY = ("Sparse", "Convolution", "Pooling")  # rules with weights of their own


def build(name: str, drawn: bool, scale: float) -> Network:
    """Two populations and a projection by one rule, its weights and delays common or drawn."""
    rule, sources, targets = RULES[name](max(1, round(SYNAPSES * scale)))
    pre, post = (Population(n, size, Neuron(LIF())) for n, size in (("pre", sources), ("post", targets)))
    weight, delay = (Normal(1.0, 0.1, low=0.0), Normal(1.5, 0.75, low=0.1)) if drawn else (1.0, 1.5)
    return Network([pre, post], [Projection(pre, post, rule, 1.0 if name in CARRY else weight, delay)])


def _variant(name: str, drawn: bool) -> Variant:
    group = f"{name}, {'own weights and delays' if drawn else 'one weight and delay'}"
    return Variant(group, "grid", lambda scale: build(name, drawn, scale), group)


def draw(rows: Rows) -> Any:
    """Bars of synapses per second."""
    return figures.bars(rows, "synapses_per_s", "synapses per second")


CASE = Case(
    "10 million synapses by every rule (a tenth of that one-to-one and by pooling)",
    tuple(_variant(name, drawn) for name in RULES for drawn in ((False,) if name in CARRY else (False, True))),
    duration=1.0,
    compare="build_s",
    columns=(
        Column("synapses", "synapses"),
        Column("build_s", "build (s)"),
        Column("synapses_per_s", "synapses\nper second"),
        Column("peak_rss_mb", "peak memory\n(MiB)"),
    ),
    draw=draw,
)

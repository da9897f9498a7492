"""What the Vogels-Abbott benchmarks share: the sizes of the goals, and growth at the same indegrees."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.case import Variant
from benchmarks.goals import Goal, times_faster
from spikesim import Network, zoo

SMALL, LARGE = "N = 4,000", "N = 40,000"
NUMBERS, P = {"n_exc": 3_200, "n_inh": 800, "stim_n": 50}, 0.02


def grown(name: str, factor: float) -> Callable[[float], Network]:
    """Builder of `factor` times as many neurons, of which as many are kicked, with 64 + 16 synapses each as ever."""

    def build(scale: float) -> Network:
        size = factor * scale
        sizes = {key: max(1, round(n * size)) for key, n in NUMBERS.items()}
        return zoo.build(name, p=min(1.0, P / size), **sizes)

    return build


def variants(name: str, engines: tuple[str, ...]) -> tuple[Variant, ...]:
    """Both sizes with each of the engines."""
    return tuple(
        Variant(f"spikesim {engine}, {group}", engine, grown(name, factor), group)
        for group, factor in ((SMALL, 1.0), (LARGE, 10.0))
        for engine in engines
    )


GOALS = tuple(
    Goal(f"the faster of Brian2 and NEST over ours, {group}", times_faster("nest", "brian2", group=group), 5.0, 10.0)
    for group in (SMALL, LARGE)
)

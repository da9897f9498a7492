"""Statistics of recorded activity, and how far those of two simulators, or of two seeds, are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim import Spikes
from spikesim.analysis import count_correlations, cv_isi, rates

CORRELATED = 200  # neurons of a population whose pairs are looked at, as in the reference
BIN = 2.0  # ms
MEASURES = ("rate", "cv", "correlation")
BINS = {
    "rate": np.linspace(0.0, 30.0, 61),
    "cv": np.linspace(0.0, 1.6, 65),
    "correlation": np.linspace(-0.1, 0.1, 81),
}
Values = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Activity:
    """Distributions of one run by population: rate per neuron (Hz), CV of its intervals, correlation of pairs."""

    populations: dict[str, Values]

    @classmethod
    def of(cls, arrays: Mapping[str, Any], sizes: Mapping[str, int], start: float, stop: float) -> Activity:
        """From arrays ``NAME/times`` and ``NAME/ids``; what comes before `start` is left out."""
        return cls({n: _measure(arrays[f"{n}/times"], arrays[f"{n}/ids"], k, start, stop) for n, k in sizes.items()})


def _measure(times: NDArray[np.float64], ids: NDArray[Any], n: int, start: float, stop: float) -> Values:
    kept = (times > start) & (times <= stop)
    spikes = Spikes(times[kept] - start, ids[kept], n, stop - start)
    first = ids[kept] < CORRELATED
    few = Spikes(times[kept][first] - start, ids[kept][first], min(n, CORRELATED), stop - start)
    cv = cv_isi(spikes)
    return {"rate": rates(spikes), "cv": cv[np.isfinite(cv)], "correlation": count_correlations(few, BIN, None)}


def distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Kolmogorov-Smirnov distance of two samples, None where one is empty."""
    from scipy.stats import ks_2samp  # here: its import takes a second

    return float(ks_2samp(a, b, method="asymp").statistic) if len(a) and len(b) else None


def compare(sides: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows by population: mean rates, median CV, histograms, and distances between sides and between seeds of each."""
    measured = [side for side in sides if side.activity]
    if not measured:
        return []
    return [_population(name, measured) for name in measured[0].activity[0].populations]


def _population(name: str, sides: Sequence[Any]) -> dict[str, Any]:
    values = {side.label: [run.populations[name] for run in side.activity] for side in sides}
    first = sides[0].label
    return {
        "population": name,
        "rate_hz": {k: [float(run["rate"].mean()) for run in runs] for k, runs in values.items()},
        "cv": {k: [_median(run["cv"]) for run in runs] for k, runs in values.items()},
        "correlation": {k: [_mean(run["correlation"]) for run in runs] for k, runs in values.items()},
        "seed_to_seed": {
            m: {k: _largest([(a[m], b[m]) for a, b in combinations(runs, 2)]) for k, runs in values.items()}
            for m in MEASURES
        },
        "distance": {
            m: {
                k: _largest([(a[m], b[m]) for a, b in zip(values[first], runs, strict=False)])
                for k, runs in values.items()
                if k != first
            }
            for m in MEASURES
        },
        "histogram": {m: {k: _density(runs[0][m], BINS[m]) for k, runs in values.items()} for m in MEASURES},
    }


def _largest(pairs: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> float | None:
    return max((d for a, b in pairs if (d := distance(a, b)) is not None), default=None)


def _density(values: NDArray[np.float64], edges: NDArray[np.float64]) -> list[float]:
    counts = np.histogram(values, edges)[0]
    return [round(float(x), 6) for x in counts / max(1, len(values)) / np.diff(edges)]


def _median(values: NDArray[np.float64]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None

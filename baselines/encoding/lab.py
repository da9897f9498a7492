"""One row: a code with a budget, measured in every way there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.encoding import faults
from baselines.encoding.contract import Counts, Fitted, Problem
from baselines.encoding.material import Material
from baselines.encoding.plan import Plan
from baselines.encoding.presentation import Presentation, present, throughput
from baselines.encoding.readouts import READOUTS
from spikesim.coding import measures
from spikesim.energy import PICO, PRICES, Operations, estimate
from spikesim.spikes import Spikes

FAN_OUT = 100  # neurons of the first layer whose energy is estimated
_SETTLED = 0.95  # share of the final accuracy at which a decision counts as made


def measure(plan: Plan, encoder: str, budget: int) -> dict[str, Any]:
    """All measures of one code with one budget.

    Raises
    ------
    ParameterError
        If the code cannot work within the budget.
    """
    material = plan.material
    shown = present(encoder, material, budget)
    seeds = range(plan.seeds)
    tested = _spikes(shown, material.test.x, seeds, len(material.train.x) + len(material.validation.x))
    spikes = float(np.mean([len(s) for s in tested])) / len(material.test.x)
    values = material.test.x[0].size
    row: dict[str, Any] = {
        **plan.key(encoder, budget),
        "family": shown.code.family,
        "carries": shown.code.summary,
        "steps": shown.steps,
        "duration_ms": float(shown.steps),
        "neurons": shown.neurons,
        "random": shown.code.random,
        "spikes_per_sample": spikes,
        "spikes_per_channel": spikes / values,
        **_reading(shown, material, tested, spikes, values),
        "energy_nj": _energy(shown, values, spikes),
        "samples_per_second": throughput(shown, material.train.x),
        "readouts": {},
        **dict.fromkeys(_HEADLINE),
    }
    if plan.classifiers:
        problems = _problems(shown, material, seeds)
        fitted = {name: READOUTS[name].fit(problems, list(seeds)) for name in plan.classifiers}
        clean = _dense(shown, tested)
        for name, each in fitted.items():
            row["readouts"][name] = _judged(each, problems, clean, material.test.y, shown.steps)
        for fault, spikes_of_seeds in _damaged(plan, shown, material, tested):
            hurt = _dense(shown, spikes_of_seeds)
            for name, each in fitted.items():
                row["readouts"][name]["robustness"][fault] = float(np.mean(_finals(each, hurt, material.test.y)))
        row |= {k: row["readouts"][plan.classifiers[0]][k] for k in _HEADLINE}
    return row


_HEADLINE = ("accuracy", "accuracy_std", "validation_accuracy", "latency_ms")


def _spikes(shown: Presentation, x: NDArray[Any], seeds: Sequence[int], first: int) -> list[Spikes]:
    """Spikes of every seed; the same object where there is no chance."""
    if not shown.code.random:
        return [shown.spikes(x, 0, first)] * len(seeds)
    return [shown.spikes(x, seed, first) for seed in seeds]


def _reading(
    shown: Presentation, material: Material, tested: list[Spikes], spikes: float, values: int
) -> dict[str, float | None]:
    """Error and information of what is read back, mean over seeds."""
    found: list[tuple[float, float, float]] = []
    for pooled in tested if shown.code.random else tested[:1]:
        x, read = shown.read(material.test.x, pooled)
        found.append((measures.rmse(x, read), measures.snr_db(x, read), measures.mutual_information(x, read)))
    error, snr, bits = np.mean(found, axis=0)
    return {
        "rmse": float(error),
        "rmse_std": float(np.std([f[0] for f in found])),
        "snr_db": float(snr) if np.isfinite(snr) else None,
        "mutual_information_bits": float(bits),
        "bits_per_spike": float(bits) * values / spikes if spikes else None,
    }


def _energy(shown: Presentation, values: int, spikes: float) -> dict[str, float | None]:
    """Estimated nJ per sample of encoder and first layer, by price table."""
    operations = cost(shown, values, spikes)
    parts = {name: estimate(operations, table) for name, table in PRICES.items()}
    return {name: sum(p.values()) / PICO * 1e-3 if p else None for name, p in parts.items()}


def cost(shown: Presentation, values: int, spikes: float) -> Operations:
    """Operations per sample: the encoder's own, then every spike into 100 neurons, updated in every step.

    An address of a spike is written once and read once; an update reads and writes one membrane.
    """
    samples = values * shown.budget if shown.signal else values
    own = dict(shown.code.arithmetic(samples, spikes))
    updates = float(shown.steps * FAN_OUT)
    mine = {"updates": updates, "state_accesses": 2 * updates, "synaptic_events": spikes * FAN_OUT}
    mine |= {"weight_reads": spikes * FAN_OUT, "spike_accesses": 2 * spikes}
    for name, count in mine.items():
        own[name] = own.get(name, 0.0) + count
    words = float(values + shown.neurons)
    return Operations(**own, weights=shown.neurons * FAN_OUT, states=float(FAN_OUT), activation_words=words)


def _problems(shown: Presentation, material: Material, seeds: Sequence[int]) -> list[Problem]:
    """Training and validation spikes of every seed; one object for all where there is no chance."""
    made: list[Problem] = []
    for seed in seeds:
        if made and not shown.code.random:
            made.append(made[0])
            continue
        parts = [(material.train, 0), (material.validation, len(material.train.x))]
        train, validation = (shown.dense(shown.spikes(part.x, seed, first)) for part, first in parts)
        assert material.train.y is not None and material.validation.y is not None
        made.append(Problem(train, material.train.y, validation, material.validation.y, material.classes))
    return made


def _dense(shown: Presentation, spikes: list[Spikes]) -> list[Counts]:
    """Arrays of every seed; one for all where the spikes are one object."""
    if all(s is spikes[0] for s in spikes):
        return [shown.dense(spikes[0])] * len(spikes)
    return [shown.dense(s) for s in spikes]


def _damaged(
    plan: Plan, shown: Presentation, material: Material, tested: list[Spikes]
) -> Iterator[tuple[str, list[Spikes]]]:
    """Test spikes of every seed under every fault; every seed has faults of its own."""
    x, first = material.test.x, len(material.train.x) + len(material.validation.x)
    for level in plan.noise:
        yield (
            f"noise {level:g}",
            [shown.spikes(faults.noisy(x, level, seed), seed, first) for seed in range(plan.seeds)],
        )
    for name, damage in faults.SPIKES.items():
        yield name, [damage(s, seed, shown.neurons) for seed, s in enumerate(tested)]


def _judged(fitted: list[Fitted], problems: list[Problem], clean: list[Counts], y: Any, steps: int) -> dict[str, Any]:
    """Accuracies of one readout without faults, each seed with its own spikes."""
    curves = [_accuracies(f.scores(x), y) for f, x in zip(fitted, clean, strict=True)]
    final = np.array([curve[-1] for curve in curves])
    held_out = [_accuracies(f.scores(p.validation), p.y_validation)[-1] for f, p in zip(fitted, problems, strict=True)]
    over_time = np.mean(curves, axis=0)
    times = (np.arange(len(over_time)) + 1) * steps / len(over_time)
    below = np.flatnonzero(over_time < _SETTLED * over_time[-1])
    return {
        "accuracy": float(final.mean()),
        "accuracy_std": float(final.std()),
        "validation_accuracy": float(np.mean(held_out)),
        "latency_ms": float(times[below[-1] + 1] if len(below) else times[0]) if len(times) > 1 else None,
        "times_ms": times.tolist(),
        "accuracy_over_time": over_time.tolist(),
        "robustness": {},
    }


def _finals(fitted: list[Fitted], arrays: list[Counts], y: Any) -> list[float]:
    """Accuracy at the end, every seed."""
    return [float(_accuracies(f.scores(x), y)[-1]) for f, x in zip(fitted, arrays, strict=True)]


def _accuracies(scores: NDArray[np.float64], y: Any) -> NDArray[np.float64]:
    """Accuracy at every moment."""
    return (scores.argmax(axis=2) == y).mean(axis=1)

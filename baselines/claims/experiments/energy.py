"""Less energy: the perceptron, its rivals and its spiking twins at matched accuracy, under every price table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from baselines.claims.contract import POINT, Claim, Found, Question, Settings, Tell, Values, more
from baselines.claims.sides import Artificial, Spiking, digits, shortened, stages, trained
from baselines.claims.statistics import FAILS, HOLDS, OPEN
from baselines.contract import Classification
from baselines.families.mlp import MLPSettings, build_ann, build_converted, build_snn
from baselines.quantised import quantised
from baselines.supervised import TRAIN
from spikesim.energy import PRICES, Operations, Prices, estimate

_TABLES = [name for name, table in PRICES.items() if table.mac is not None]
_BITS = range(1, 9)
_LEVELS = 8  # of the converted twin


@dataclass(frozen=True)
class EnergySettings(Settings):
    """Settings of this experiment; the perceptron's are those of the family ``mlp``.

    Parameters
    ----------
    hidden, epochs, steps : int
        Neurons of the hidden layer, passes, time steps at most.
    rates_ann, rates_snn : tuple of float
        Learning rates to choose from on validation data.
    """

    hidden: int = 128
    epochs: int = 30
    steps: int = 15
    rates_ann: tuple[float, ...] = (3e-3, 1e-2)
    rates_snn: tuple[float, ...] = (2e-3, 5e-3)


def run(s: EnergySettings, seed: int, tell: Tell) -> Found:
    """Train the perceptron and both twins, make each as cheap as a point of validation accuracy allows, and count."""
    data = digits(seed)
    m = MLPSettings(epochs=s.epochs, hidden=s.hidden, steps=s.steps, gain=15.0)
    tells = stages(tell, (1.0, s.steps, 1.0, 4.0))
    ann, level, _ = trained(
        lambda rate, start: Artificial(lambda: build_ann(data, m), data, m, start, rate),
        s.rates_ann,
        seed,
        s.epochs,
        tells[0],
    )
    twin, *_ = trained(
        lambda rate, start: Spiking(lambda: build_snn(data, m), data, m, start, rate),
        s.rates_snn,
        seed,
        s.epochs,
        tells[1],
    )
    m8 = replace(m, steps=_LEVELS)
    converted, *_ = trained(
        lambda rate, start: Spiking(lambda: build_converted(data, m8, _LEVELS), data, m8, start, rate),
        s.rates_snn, seed, s.epochs, tells[2],
    )  # fmt: skip
    least = level - POINT
    twins = [shortened(one, least) for one in (twin, converted)]
    matched = [one for one, score in twins if score >= least] or [max(twins, key=lambda pair: pair[1])[0]]
    found = [(one, one.replay("event", 1, lambda n: None)) for one in matched]
    tells[3](1.0)
    bits = next((b for b in _BITS if _rounded(ann, data, b) >= least), _BITS[-1])
    wide, few = ann.test(), ann.test_quantised(bits)
    own = max(found, key=lambda pair: pair[0].validate())[1]
    values = {"ann": wide.score, "few": few.score, "twin": own.score}
    for name in _TABLES:
        table, narrow = PRICES[name], PRICES[name].quantised(bits)
        plain, skipping = _price(wide.operations, table), _price(wide.skipping, table)
        rivals = [plain, skipping, *([_price(o, narrow) for o in (few.operations, few.skipping)] if narrow else [])]
        values[f"energy {name} ann"] = plain
        values[f"energy {name} rival"] = min(rivals)
        values[f"energy {name} twin"] = min(_price(replayed.operations, table) for _, replayed in found)
    used = {f"steps, {title}": one.settings.steps for title, (one, _) in zip(("twin", "converted"), twins, strict=True)}
    notes = {"bits of the rival": bits, "twins within a point": len(found), **used}
    return Found(values, notes=notes | {"synaptic events of the twin": own.operations.synaptic_events})


def _rounded(ann: Artificial, data: Classification, bits: int) -> float:
    """Validation accuracy with few bits."""
    sample = ann.prepare(data.train.x[: ann.chunk], TRAIN, 0)
    with quantised(ann.module.eval(), bits, lambda: ann.answer(sample)):
        return ann.validate()


def _price(operations: Operations | None, table: Prices) -> float:
    parts = estimate(operations, table) if operations is not None else None
    return sum(parts.values()) if parts else math.inf


def _less(table: str, rival: str) -> Any:
    def of(v: Values) -> float:
        return math.log(v[f"energy {table} {rival}"] / v[f"energy {table} twin"])

    return of


def summary(answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Under which tables it holds."""
    found = []
    for rival in ("the best rival", "the plain ANN"):
        mine = {a["title"].split(": ")[0]: a["verdict"] for a in answers if a["title"].endswith(rival)}
        by = {v: [t for t, verdict in mine.items() if verdict == v] for v in (HOLDS, FAILS, OPEN)}
        said = "; ".join(f"{verdict} under {', '.join(names)}" for verdict, names in by.items() if names)
        found.append(f"Less energy than {rival}: {said}.")
    return [
        *found,
        "Energies are estimates, counts × prices, never measurements; tables ending in naive leave memory out.",
    ]


CLAIM = Claim(
    name="energy",
    title="A spiking network needs less energy",
    task="digits, 8 × 8 pixels; one hidden layer; estimated energy per inference at matched accuracy",
    settings=EnergySettings(),
    quick={"epochs": 8, "rates_ann": (1e-2,), "rates_snn": (5e-3,), "seeds": 3},
    work=10.0,
    run=run,
    questions=(
        Question("the twin is less than a point below the ANN in accuracy", more("twin", "ann"), -POINT),
        *(Question(f"{t}: less than the best rival", _less(t, "rival"), 0.0, "factor") for t in _TABLES),
        *(Question(f"{t}: less than the plain ANN", _less(t, "ann"), 0.0, "factor", False) for t in _TABLES),
    ),
    measures={
        "ann": "accuracy, plain ANN",
        "few": "accuracy, ANN of few bits",
        "twin": "accuracy, twin in the core",
        **{
            f"energy {t} {key}": f"{t}, {title}"
            for t in ("horowitz-fp32-naive", "horowitz-int8-naive", "horowitz-int8-sram", "lemaire-2022")
            for key, title in (("ann", "plain ANN"), ("rival", "best rival"), ("twin", "twin"))
        },
    },
    chances=(
        "the same hidden layer on both sides; learning rates chosen on validation data from as many for each",
        "the twin gets the fewest time steps, the rival the fewest bits of activations, that lose no more than a point "
        "of validation accuracy against the plain ANN",
        "the plain ANN multiplies every zero, in the numbers of the table (32, 16 or 8 bits); the rival is, under each "
        "table, the cheapest of: the plain ANN, the ANN on hardware that skips factors of zero, and "
        "both with few bits (8-bit weights)",
        "the twin is the cheaper of one trained with surrogate gradients on Bernoulli spikes and one converted (QCFS), "
        "where that is as accurate; the accuracy shown is that of the more accurate",
        "the twin's operations are counted by the core, the ANN's from its tensors",
    ),
    summary=summary,
)

"""Does not forget: two classes after two others, by gradients with and without replay, and by STDP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from baselines.claims.contract import Chart, Claim, Found, Question, Settings, Tell, Values, more
from baselines.claims.prototypes import Competing, Prototypes
from baselines.claims.sides import Artificial, Spiking, digits, part, stages
from baselines.contract import Split
from baselines.families.mlp import MLPSettings, build_ann, build_snn
from baselines.supervised import TRAIN

_ORDER, _MEMORY = 21, 22  # purposes of random numbers
LITTLE = 0.1  # forgetting that would still pass as none


@dataclass(frozen=True)
class ContinualSettings(Settings):
    """Settings of this experiment.

    Parameters
    ----------
    tasks : int
        Tasks one after the other, of 10 / `tasks` classes each.
    hidden, steps : int
        Neurons of the hidden layer, time steps.
    epochs, batch_size : int
        Passes over each task, images of an update.
    memory : int
        Images of each class that replay keeps.
    rates : tuple of float
        Learning rates to choose from on validation data, both sides.
    units, passes : int
        Neurons of the STDP network and prototypes beside it; passes over each task.
    naming : int
        Images of each class learned so far that name these units.
    images : int
        Training images of each task at most, 0 for all.
    pulls : tuple of float
        Learning rates of the prototypes to choose from on validation data.
    """

    tasks: int = 5
    hidden: int = 128
    steps: int = 10
    epochs: int = 8
    batch_size: int = 32
    memory: int = 5
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    units: int = 100
    passes: int = 2
    naming: int = 20
    images: int = 0
    pulls: tuple[float, ...] = (0.03, 0.1, 0.3)


Table = NDArray[np.float64]  # accuracy after each task (rows) on each task (columns)


def run(s: ContinualSettings, seed: int, tell: Tell) -> Found:
    """All learners through all tasks."""
    data = digits(seed)
    train, validation, test = ([_only(p, s, t) for t in range(s.tasks)] for p in data[:3])
    train = [Split(x[: s.images or None], y[: s.images or None]) for x, y in train]
    m = MLPSettings(epochs=s.epochs, hidden=s.hidden, steps=s.steps, gain=15.0)
    tells = iter(stages(tell, [1, 1, s.steps, s.steps, 1, 3 * s.steps]))
    tables: dict[str, Table] = {}
    kinds: dict[str, Any] = {"ann": (Artificial, build_ann), "twin": (Spiking, build_snn)}
    for key, (side, build) in kinds.items():
        for suffix, memory in (("", 0), ("+", s.memory)):

            def learn(rate: float, side: Any = side, build: Any = build, memory: int = memory) -> tuple[Table, Table]:
                learner = side(lambda: build(data, m), data, m, seed, rate)
                return gradients(learner, s, rate, memory, (train, validation, test))

            tables[key + suffix] = _best(learn, s.rates, next(tells))
    tables["prototypes"] = _best(
        lambda pull: local(Prototypes(s.units, data, pull, seed), s, seed, train, (validation, test)),
        s.pulls,
        next(tells),
    )
    tables["stdp"] = local(Competing(s.units, data, seed), s, seed, train, (test,), next(tells))[-1]
    values = {f"{key} final": float(table[-1].mean()) for key, table in tables.items()}
    values |= {f"{key} forgotten": forgetting(table) for key, table in tables.items()}
    curves = {TITLES[key]: [float(row[: k + 1].mean()) for k, row in enumerate(t)] for key, t in tables.items()}
    return Found(values, list(range(1, s.tasks + 1)), curves)


def forgetting(table: Table) -> float:
    """Mean over all tasks but the last: the best accuracy there was on it, less that at the end.

    References
    ----------
    Chaudhry et al. 2018, arXiv:1801.10112, section 3.
    """
    return float(np.mean([table[k:-1, k].max() - table[-1, k] for k in range(len(table) - 1)]))


def gradients(
    learner: Any, s: ContinualSettings, rate: float, memory: int, parts: Sequence[Sequence[Split]]
) -> tuple[Table, Table]:
    """Learn task after task; with `memory`, half of every batch are kept images. Tables of validation and test."""
    train, *judged = parts
    optimiser, rng = learner.optimizer(rate, 0.0), np.random.default_rng((_ORDER, learner.seed))
    kept = Split(train[0].x[:0], train[0].y[:0])
    tables = [np.zeros((s.tasks, s.tasks)) for _ in judged]
    updates = 0
    for t, (x, y) in enumerate(train):
        for _ in range(s.epochs):
            learner.module.train()
            for batch in np.array_split(rng.permutation(len(y)), -(-len(y) // s.batch_size)):
                again = rng.integers(0, len(kept.y), len(batch) if len(kept.y) else 0)
                shown = np.concatenate((x[batch], kept.x[again]))
                wanted = torch.from_numpy(np.concatenate((y[batch], kept.y[again])))
                loss = functional.cross_entropy(learner.answer(learner.prepare(shown, TRAIN, updates)), wanted)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                updates += 1
        if memory:
            few = _few(y, memory, np.random.default_rng((_MEMORY, learner.seed, t)))
            kept = Split(np.concatenate((kept.x, x[few])), np.concatenate((kept.y, y[few])))
        for table, splits in zip(tables, judged, strict=True):
            table[t] = [learner.accuracy_on(one) for one in splits]
    return tables[0], tables[1]


def local(
    learner: Any,
    s: ContinualSettings,
    seed: int,
    train: Sequence[Split],
    judged: Sequence[Sequence[Split]],
    tell: Tell | None = None,
) -> tuple[Table, ...]:
    """The same for learners that see labels only to name their units, with a few pictures of each class learned."""
    tables = [np.zeros((s.tasks, s.tasks)) for _ in judged]
    shown, named = Split(_flat(train[0].x[:0]), train[0].y[:0]), np.random.default_rng((_MEMORY, seed))
    for t, (x, y) in enumerate(train):
        for _ in range(s.passes):
            learner.learn(_flat(x))
        few = _few(y, s.naming, named)
        shown = Split(np.concatenate((shown.x, _flat(x[few]))), np.concatenate((shown.y, y[few])))
        learner.name(shown.x, shown.y)
        for table, splits in zip(tables, judged, strict=True):
            for k in range(t + 1):  # what was not taught yet is not known
                table[t, k] = float(np.mean(learner.answer(_flat(splits[k].x)) == splits[k].y))
        if tell:
            tell((t + 1) / s.tasks)
    return tuple(tables)


def _flat(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return x.reshape(len(x), int(np.prod(x.shape[1:])))


def _best(learn: Callable[[float], tuple[Table, ...]], rates: Sequence[float], tell: Tell) -> Table:
    """Test table of the rate with the best accuracy on all validation data in the end."""
    found = []
    for i, rate in enumerate(rates):
        found.append(learn(rate))
        part(tell, i / len(rates), (i + 1) / len(rates))(1.0)
    return max(found, key=lambda pair: pair[0][-1].mean())[1]


def _only(split: Split, s: ContinualSettings, task: int) -> Split:
    mine = split.y * s.tasks // 10 == task
    return Split(split.x[mine], split.y[mine])


def _few(y: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of `n` images of each class."""
    return np.concatenate([rng.permutation(np.flatnonzero(y == c))[:n] for c in np.unique(y)])


def _little(key: str) -> Callable[[Values], float]:
    return lambda v: -v[f"{key} forgotten"]


TITLES = {
    "ann": "ANN",
    "ann+": "ANN, replay",
    "twin": "twin",
    "twin+": "twin, replay",
    "prototypes": "prototypes",
    "stdp": "STDP network",
}
CLAIM = Claim(
    name="continual",
    title="A spiking network keeps learning while it works and does not forget",
    task="digits, two new classes at a time, five times; ten answers possible; accuracy on all classes in the end, and "
    "what was forgotten (Chaudhry et al. 2018)",
    settings=ContinualSettings(),
    quick={"epochs": 2, "rates": (3e-3,), "pulls": (0.1,), "passes": 1, "naming": 5, "seeds": 3},
    work=30.0,
    run=run,
    questions=(
        Question("gradients alone: the twin knows more in the end than the ANN", more("twin final", "ann final")),
        Question("both with replay: the twin knows more in the end than the ANN", more("twin+ final", "ann+ final")),
        Question(
            "the STDP network knows more in the end than as many prototypes", more("stdp final", "prototypes final")
        ),
        Question("the STDP network forgets less than 10 points", _little("stdp"), -LITTLE),
        Question("the twin, gradients alone, forgets less than 10 points", _little("twin"), -LITTLE, decides=False),
        Question(
            "the STDP network knows more in the end than the ANN without replay",
            more("stdp final", "ann final"),
            decides=False,
        ),
        Question(
            "the STDP network knows more in the end than the ANN with replay",
            more("stdp final", "ann+ final"),
            decides=False,
        ),
    ),
    measures={
        f"{key} {what}": f"{title}: {said}"
        for key, title in TITLES.items()
        for what, said in (("final", "accuracy in the end"), ("forgotten", "forgotten"))
    },
    chances=(
        "the same hidden layer, passes and batches; learning rates chosen on validation data of all tasks, on both "
        "sides (who learns task by task would not have them)",
        "replay: five images of each class are kept, half of every batch is drawn from them, on both sides",
        "the STDP network of the core (Diehl & Cook 2015) and prototypes that move towards what is nearest to them "
        "(frequency-sensitive competition) have as many units; both see labels only to name them, with twenty kept "
        "images of each class learned so far",
    ),
    chart=Chart("accuracy on the classes seen so far", "tasks learned", "accuracy"),
)

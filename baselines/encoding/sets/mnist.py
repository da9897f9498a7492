"""MNIST: the first samples of the parts of the comparison."""

from __future__ import annotations

from baselines.encoding.material import Material, Part, Source, limited
from baselines.tasks import TASKS

_TASK = TASKS["mnist"]
_LIMIT = 2000


def load(limit: int, features: str) -> Material:
    """The first `limit` (2,000) training digits, a quarter as many validation and half as many test digits."""
    data = _TASK.load()
    parts = [Part(p.x.reshape(len(p.x), 1, -1), p.y) for p in (data.train, data.validation, data.test)]
    cut = limited(parts, limit or _LIMIT)
    train, validation, test = (Part(p.x.astype(float), p.y) for p in cut)
    return Material(
        name="mnist",
        title=_TASK.title,
        licence=_TASK.licence,
        source=_TASK.source,
        split=f"the first {len(train.x):,} of 55,000 training digits, the first {len(validation.x):,} of 5,000 held "
        f"out to validate, the first {len(test.x):,} of 10,000 test digits",
        train=train,
        validation=validation,
        test=test,
        classes=data.classes,
        rows=(28, 28),
        budgets=(8, 16),
    )


SOURCE = Source("mnist", _TASK.title, _TASK.remedy, _TASK.available, load)

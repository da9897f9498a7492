"""8 × 8 handwritten digits: the split of the comparison."""

from __future__ import annotations

from baselines.encoding.material import Material, Part, Source, limited
from baselines.tasks import TASKS

_TASK = TASKS["digits"]


def load(limit: int, features: str) -> Material:
    """1,077 to train, 360 to validate, 360 to test."""
    data = _TASK.load()
    parts = [Part(p.x.reshape(len(p.x), 1, -1).astype(float), p.y) for p in (data.train, data.validation, data.test)]
    train, validation, test = limited(parts, limit)
    return Material(
        name="digits",
        title=_TASK.title,
        licence=_TASK.licence,
        source=_TASK.source,
        split=f"{len(train.x)} train, {len(validation.x)} validation, {len(test.x)} test, stratified, always the same",
        train=train,
        validation=validation,
        test=test,
        classes=data.classes,
        rows=(8, 8),
        budgets=(4, 8, 16),
    )


SOURCE = Source("digits", _TASK.title, _TASK.remedy, _TASK.available, load)

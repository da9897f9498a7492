"""What an experiment offers to the runner and to the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

POINT = 0.01  # margin of accuracies: what a few hundred test inputs cannot tell anyway
Values = Mapping[str, float]
Tell = Callable[[float], object]  # told which fraction is done


class Found(NamedTuple):
    """What one seed gave.

    Parameters
    ----------
    values : mapping
        Numbers by name; the questions are asked of them.
    axis : sequence of float
        Horizontal axis of the curves.
    curves : mapping
        One number per place of the axis, by the name of the contestant.
    notes : mapping
        What was chosen on validation data, and sizes.
    """

    values: Values
    axis: Sequence[float] = ()
    curves: Mapping[str, Sequence[float]] = {}
    notes: Mapping[str, float] = {}


@dataclass(frozen=True)
class Question:
    """A number that speaks for the claim the larger it is.

    Parameters
    ----------
    title : str
        What must be true for a yes, e.g. "the twin is better than the ANN under noise".
    of : callable
        From the values of a seed to the number; None where there is none (the question is then left out).
    margin : float
        What the number must exceed.
    unit : {"points", "factor"}
        "points" of a fraction; "factor" for the logarithm of a ratio, shown as the ratio.
    decides : bool
        Whether the verdict depends on it; others are answered for information.
    """

    title: str
    of: Callable[[Values], float | None]
    margin: float = POINT
    unit: str = "points"
    decides: bool = True


def more(one: str, other: str) -> Callable[[Values], float | None]:
    """How much larger one value is than another."""
    return lambda v: v[one] - v[other]


class Chart(NamedTuple):
    """Labels of the curves' figure; `log` for a logarithmic horizontal axis (base 2)."""

    title: str
    x: str
    y: str
    log: bool = False


@dataclass(frozen=True)
class Settings:
    """Settings every experiment has; experiments add their own fields.

    Parameters
    ----------
    seeds : int
        Repetitions: each divides the data into training and validation anew, and draws weights, orders and spikes.
    """

    seeds: int = 5


@dataclass(frozen=True)
class Claim:
    """A claim and the experiment that tests it.

    Parameters
    ----------
    name, title : str
        Key (the name of its file), and the claim as it is commonly said.
    task : str
        Data and what is measured.
    settings : Settings
        Defaults.
    quick : mapping
        Settings of a quick run, by field.
    work : float
        Seconds one seed takes on one processor, roughly; for the remaining time.
    run : callable
        From settings, seed and `Tell` to `Found`.
    questions : tuple of Question
    measures : mapping
        Title of each value that the table shows, by its name; joules for names that begin with ``"energy"``.
    chances : tuple of str
        What both sides were given.
    chart : Chart or None
        How the curves are drawn.
    summary : callable or None
        From the answers (entries of the document) to more sentences about them.
    """

    name: str
    title: str
    task: str
    settings: Settings
    run: Callable[[Any, int, Tell], Found]
    questions: tuple[Question, ...]
    measures: Mapping[str, str]
    chances: tuple[str, ...]
    quick: Mapping[str, Any] = field(default_factory=dict)
    work: float = 20.0
    chart: Chart | None = None
    summary: Callable[[Sequence[Mapping[str, Any]]], Sequence[str]] | None = None

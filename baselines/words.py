"""Numbers as words, for tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


def capital(text: str) -> str:
    """With a capital letter at the front and the rest as it is."""
    return text[:1].upper() + text[1:]


def joules(value: float | None) -> str:
    """Energy with a readable prefix."""
    if value is None:
        return "–"
    for factor, unit in ((1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ")):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e-12:.3g} pJ"


def multiple(value: float, digits: int = 2) -> str:
    """A ratio by its first digits, a large one to the next whole number."""
    return f"{value:.{digits}g}" if value < 10**digits - 0.5 else f"{value:,.0f}"


def ratio(snn: float, ann: float) -> str:
    """One as a multiple of the other."""
    return f"{multiple(snn / ann)} times as much"


@dataclass(frozen=True)
class Measured:
    """How a metric is written.

    Parameters
    ----------
    name, percent, higher
        As in `baselines.contract.Metric`.
    """

    name: str
    percent: bool
    higher: bool

    @classmethod
    def of(cls, family: Mapping[str, Any]) -> Measured:
        """The score of a family of the report."""
        return cls(**family["metrics"][0])

    @property
    def factor(self) -> float:
        """What values are multiplied by."""
        return 100.0 if self.percent else 1.0

    @property
    def digits(self) -> str:
        """Format of a value."""
        return ".2f" if self.percent else ".3g"

    @property
    def label(self) -> str:
        """Name, unit, and direction where it is not the usual one."""
        return f"{self.name}{' (%)' if self.percent else ''}{'' if self.higher else ', lower is better'}"

    def value(self, value: float | None) -> str:
        """A value with its unit."""
        if value is None:
            return "–"
        return f"{100 * value:.2f} %" if self.percent else f"{value:.3g}"

    def cell(self, side: Mapping[str, Any], seeds: int) -> str:
        """Mean and standard deviation over seeds of a side of the report, in the unit of the label."""
        mean, std = side[self.name], side[f"{self.name}_std"]
        if mean is None:
            return "–"
        text = f"{self.factor * mean:{self.digits}}"
        return f"{text} ± {self.factor * std:{'.2f' if self.percent else '.2g'}}" if seeds > 1 else text

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is better than `other`."""
        return one > other if self.higher else one < other

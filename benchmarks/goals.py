"""What we aim at, and whether it is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Value = Callable[[Rows], float | None]


@dataclass(frozen=True)
class Goal:
    """One line of the table of goals.

    Parameters
    ----------
    what : str
        What is measured, for people.
    value : callable
        Rows of the benchmark to the measured number, None where a row is missing.
    least, aim : float
        What must be reached, and what we want.
    relation : str
        ``">="`` or ``"<="``.
    scale, threads
        The goal is judged at these only; None at any.
    """

    what: str
    value: Value
    least: float
    aim: float
    relation: str = ">="
    scale: float | None = 1.0
    threads: int | None = 1

    def judge(self, rows: Rows) -> dict[str, Any]:
        """The measured number and one of reached, missed, not judged, with the reason of the latter."""
        row = {"goal": self.what, "relation": self.relation, "least": self.least, "aim": self.aim, "value": None}
        for option, wanted in (("scale", self.scale), ("threads", self.threads)):
            if wanted is not None and rows[0][option] != wanted:
                return row | {"verdict": "not judged", "note": f"needs --{option} {wanted:g}"}
        value = self.value(rows)
        if value is None:
            return row | {"verdict": "not judged", "note": "not measured"}
        return row | {"value": value, "verdict": self._verdict(value), "note": ""}

    def _verdict(self, value: float) -> str:
        def holds(limit: float) -> bool:
            return value >= limit if self.relation == ">=" else value <= limit

        return "aim reached" if holds(self.aim) else "reached" if holds(self.least) else "missed"


def median(row: Mapping[str, Any] | None, key: str) -> float | None:
    """Median of a number of a row; None where it was not measured."""
    value = None if row is None else row.get(key)
    return value["median"] if isinstance(value, Mapping) else value


def of(label: str, key: str) -> Value:
    """The number `key` of the row called `label`."""
    return lambda rows: median(next((r for r in rows if r["side"] == label), None), key)


def times_faster(*peers: str, group: str = "", key: str = "ratio") -> Value:
    """How many times longer the fastest of some peers takes than ours, in one group."""

    def value(rows: Rows) -> float | None:
        found = [median(r, key) for r in rows if r["name"] in peers and r["group"] == group]
        return min((f for f in found if f is not None), default=None)

    return value


def speedup(slow: str, fast: str, key: str = "run_s") -> Value:
    """How many times longer the row `slow` takes than the row `fast`."""

    def value(rows: Rows) -> float | None:
        a, b = of(slow, key)(rows), of(fast, key)(rows)
        return a / b if a and b else None

    return value

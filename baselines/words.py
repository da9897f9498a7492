"""Numbers as words, for tables and sentences."""

from __future__ import annotations


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


def ratio(snn: float, ann: float) -> str:
    """One as a multiple of the other."""
    return f"{snn / ann:.2g} times as much"

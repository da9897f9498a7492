"""The report to be read: tables in the terminal and as Markdown."""

from __future__ import annotations

from typing import Any

from baselines.encoding.report import TABLE
from baselines.words import capital
from spikesim import coding

NONE = "–"
_LEGEND = "`*` no other row is at least as good with as few spikes; `<` recommended"


def columns(d: dict[str, Any]) -> list[str]:
    """Columns of what is kept and what it costs; ``>`` aligns to the right."""
    return [
        "code",
        ">steps",
        ">spikes",
        ">RMSE",
        ">SNR dB",
        ">bits",
        ">bits/spike",
        ">nJ",
        ">samples/s",
        "",
    ]


def cells(d: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """One row of it."""
    mark = ("*" if row["pareto"] else "") + (" <" if row["recommended"] else "")
    return [
        row["encoder"],
        f"{row['steps']}",
        _number(row["spikes_per_sample"]),
        f"{row['rmse']:.3f}",
        _decibel(row["snr_db"]),
        f"{row['mutual_information_bits']:.2f}",
        _number(row["bits_per_spike"]),
        _number(row["energy_nj"][TABLE]),
        f"{row['samples_per_second']:,.0f}",
        mark.strip(),
    ]


def accuracy_columns(d: dict[str, Any]) -> list[str]:
    """Columns of the test accuracies of every readout, in percent, and of the time the first one takes."""
    return ["code", ">steps", *(f">{name}" for name in d["classifiers"]), ">settled (ms)"]


def accuracy_cells(d: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """One row of it."""
    found = [row["encoder"], f"{row['steps']}"]
    for name in d["classifiers"]:
        r = row["readouts"][name]
        spread = f" ± {100 * r['accuracy_std']:.1f}" if r["accuracy_std"] > 5e-4 else ""
        found.append(f"{100 * r['accuracy']:.1f}{spread}")
    return [*found, NONE if row["latency_ms"] is None else f"{row['latency_ms']:g}"]


def fault_columns(d: dict[str, Any]) -> list[str]:
    """Columns of the test accuracy of the first readout under faults, in percent."""
    return ["code", ">steps", ">clean", *(f">{name}" for name in _faults(d))]


def fault_cells(d: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """One row of it."""
    r = row["readouts"][d["classifiers"][0]]
    return [row["encoder"], f"{row['steps']}", *(f"{100 * v:.1f}" for v in (r["accuracy"], *r["robustness"].values()))]


def tables(d: dict[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Heading, columns and rows of every table."""
    found = [(title(d), columns(d), [cells(d, row) for row in d["rows"]])]
    if d["classifiers"] and d["rows"]:
        accuracies = [accuracy_cells(d, row) for row in d["rows"]]
        found.append(("Test accuracy (%) of every readout", accuracy_columns(d), accuracies))
        heading = f"Test accuracy (%) of the readout {d['classifiers'][0]!r} under faults"
        found.append((heading, fault_columns(d), [fault_cells(d, row) for row in d["rows"]]))
    return found


def _faults(d: dict[str, Any]) -> list[str]:
    return list(d["rows"][0]["readouts"][d["classifiers"][0]]["robustness"])


def listing() -> list[dict[str, Any]]:
    """All codes: name, kind, what carries the value, parameters of the laboratory's budget of 16 steps."""
    found = []
    for name, (kind, settings) in coding.codes().items():
        code = kind.within(16, **settings)
        found.append(
            {
                "encoder": name,
                "family": kind.family,
                "signal": issubclass(kind, coding.SignalCode),
                "random": kind.random,
                "neurons": code.neurons,
                "carries": kind.summary,
            }
        )
    return found


def listing_page() -> list[Any]:
    """The same for the terminal."""
    from spikesim.commands import table

    page = table("Codes", "code", "family", "what carries the value", ">neurons", "input", "chance")
    for row in listing():
        what, chance = "signal" if row["signal"] else "values", "yes" if row["random"] else ""
        page.add_row(row["encoder"], row["family"], row["carries"], f"{row['neurons']}", what, chance)
    return [page, "neurons: per value (or channel) with a budget of 16 steps"]


def title(d: dict[str, Any]) -> str:
    """Heading."""
    some = f" — {len(d['rows'])} of {d['rows_planned']} rows (interrupted)" if d["interrupted"] else ""
    return f"Codes on {d['title']}{some}"


def markdown(d: dict[str, Any]) -> str:
    """The whole report."""
    parts = [f"# {title(d)}\n", f"**{d['recommendation']}**\n", f"Rule: {d['rule']}.\n"]
    for number, (heading, names, rows) in enumerate(tables(d)):
        parts += [f"\n## {heading}\n"] if number else []
        parts += _markdown_table(names, rows)
        parts += [] if number else [f"\n{_LEGEND}"]
    for heading, lines in (
        ("How to read it", d["notes"]),
        ("Left out", d["skipped"]),
        ("Data", [f"{d['source']}; licence: {d['licence']}."]),
    ):
        if lines:
            parts += [f"\n## {heading}\n", *(f"- {line}" for line in lines)]
    return "\n".join(parts) + "\n"


def _markdown_table(names: list[str], rows: list[list[str]]) -> list[str]:
    head = "| " + " | ".join(name.lstrip(">") for name in names) + " |"
    rule = "| " + " | ".join("--:" if name.startswith(">") else ":--" for name in names) + " |"
    return [head, rule, *("| " + " | ".join(row) + " |" for row in rows)]


def terminal(d: dict[str, Any]) -> list[Any]:
    """The same for the terminal: tables and texts."""
    from spikesim.commands import table

    items: list[Any] = []
    for heading, names, rows in tables(d):
        page = table(heading, *names)
        for row in rows:
            page.add_row(*row)
        items += [page] if items else [page, _LEGEND, ""]
    if d["recommendation"]:
        items += [capital(d["recommendation"]), f"Rule: {d['rule']}.", ""]
    items += ["\n".join(d["notes"])]
    if d["skipped"]:
        items += ["Left out:", "\n".join(f"  {line}" for line in d["skipped"])]
    return items


def _number(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _decibel(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"

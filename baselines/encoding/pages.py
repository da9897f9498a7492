"""The report to be read: tables in the terminal and as Markdown."""

from __future__ import annotations

from typing import Any

from baselines.encoding.report import TABLE
from baselines.report import capital

NONE = "–"


def columns(d: dict[str, Any]) -> list[str]:
    """Names of the columns; ``>`` aligns to the right."""
    first = ["code", ">steps", ">spikes", ">RMSE", ">SNR dB", ">bits", ">bits/spike"]
    return first + [f">{name} %" for name in d["classifiers"]] + ([">settled ms"] if d["classifiers"] else []) + [
        ">nJ", ">samples/s", ""
    ]  # fmt: skip


def cells(d: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """One row of the table."""
    found = [
        row["encoder"],
        f"{row['steps']}",
        _number(row["spikes_per_sample"]),
        f"{row['rmse']:.3f}",
        _decibel(row["snr_db"]),
        f"{row['mutual_information_bits']:.2f}",
        _number(row["bits_per_spike"]),
    ]
    for name in d["classifiers"]:
        r = row["readouts"][name]
        found.append(
            f"{100 * r['accuracy']:.1f} ± {100 * r['accuracy_std']:.1f}"
            if d["seeds"] > 1
            else f"{100 * r['accuracy']:.1f}"
        )
    if d["classifiers"]:
        found.append(NONE if row["latency_ms"] is None else f"{row['latency_ms']:g}")
    mark = ("*" if row["pareto"] else "") + (" <" if row["recommended"] else "")
    return [*found, _number(row["energy_nj"][TABLE]), f"{row['samples_per_second']:,.0f}", mark.strip()]


def fault_columns(d: dict[str, Any]) -> list[str]:
    """Columns of the table of faults."""
    return ["code", ">steps", ">clean", *(f">{name}" for name in _faults(d))]


def fault_cells(d: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """One row of the table of faults: accuracy of the first readout."""
    r = row["readouts"][d["classifiers"][0]]
    return [row["encoder"], f"{row['steps']}", *(f"{100 * v:.1f}" for v in (r["accuracy"], *r["robustness"].values()))]


def _faults(d: dict[str, Any]) -> list[str]:
    return list(d["rows"][0]["readouts"][d["classifiers"][0]]["robustness"])


def title(d: dict[str, Any]) -> str:
    """Heading."""
    some = f" — {len(d['rows'])} of {d['rows_planned']} rows (interrupted)" if d["interrupted"] else ""
    return f"Codes on {d['title']}{some}"


def markdown(d: dict[str, Any]) -> str:
    """The whole report."""
    parts = [f"# {title(d)}\n", f"**{d['recommendation']}**\n", f"Rule: {d['rule']}.\n"]
    parts += _markdown_table(columns(d), [cells(d, row) for row in d["rows"]])
    parts.append("\n`*`: no other row is at least as good with as few spikes. `<`: recommended.\n")
    if d["classifiers"]:
        parts.append(f"## Under faults: test accuracy (%) of the readout {d['classifiers'][0]!r}\n")
        parts += _markdown_table(fault_columns(d), [fault_cells(d, row) for row in d["rows"]])
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

    page = table(title(d), *columns(d))
    for row in d["rows"]:
        page.add_row(*cells(d, row))
    items: list[Any] = [page, "* no other row is at least as good with as few spikes   < recommended", ""]
    if d["classifiers"] and d["rows"]:
        faults = table(f"Under faults: test accuracy (%), readout {d['classifiers'][0]!r}", *fault_columns(d))
        for row in d["rows"]:
            faults.add_row(*fault_cells(d, row))
        items.append(faults)
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
    return NONE if value is None or not abs(value) < 1e6 else f"{value:.1f}"

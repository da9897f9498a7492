"""The report to be read: tables of a family, in the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from baselines.words import Measured, capital, joules, multiple

NONE = "–"


class Sheet(NamedTuple):
    """A table: heading, columns, rows."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def sheets(f: dict[str, Any]) -> list[Sheet]:
    """All tables of one family; all counts and energies are per inference."""
    found = [
        _sides(f),
        _energies(f),
        _contestants(f),
        *([_metrics(f)] if f["metrics"][1:] else []),
        *([_speeds(f)] if f["speed"] else []),
    ]
    found += [Sheet(e["title"], e["columns"], e["rows"]) for e in f["exhibits"].values()]
    return found


def summary(families: Sequence[dict[str, Any]]) -> Sheet:
    """One row per family."""
    table = "horowitz-int8-sram"
    rows = []
    for f in families:
        e, core = f["energy"][table], f["replay"]
        metric = Measured.of(f)
        rows.append(
            (
                f["family"],
                f["task"],
                str(f["seeds"]),
                metric.label,
                *(metric.cell(f[s], f["seeds"]) for s in ("ann", f["scored"])),
                _count(f["ann"]["macs"]),
                _count(core["synaptic_events"] + core["macs_of_events"]),
                _number(core["spikes_per_synapse"]),
                _number(f["break_even"][table]["spikes_per_synapse"]),
                joules(e["ann"]),
                joules(e["ann_skipping_zeros"]),
                joules(e["snn"]),
            )
        )
    columns = (
        "family", "data", "seeds", "measured", "ANN", "twin", "MACs of the ANN", "operations of the twin",
        "spikes per synapse", "break-even", "energy, ANN", "ANN skipping zeros", "twin",
    )  # fmt: skip
    return Sheet(f"All families; energies are estimates by {table}, per inference", columns, rows)


def _sides(f: dict[str, Any]) -> Sheet:
    ann, snn, core = f["ann"], f["snn"], f["replay"]
    sides, twins = (ann, snn, core), (snn, core)
    rows: list[tuple[str, ...]] = [
        *(
            (f"test {metric.label}", *(metric.cell(s, f["seeds"]) for s in sides))
            for metric in (Measured(**m) for m in f["metrics"])
        ),
        ("spikes per neuron", NONE, *(f"{s['spikes_per_neuron']:.3g}" for s in twins)),
        ("spikes of the encoder", NONE, *(_count(s["spikes_per_input"]) for s in twins)),
        ("synaptic events", NONE, *(_count(s["synaptic_events"]) for s in twins)),
        ("multiply-accumulates", *(_count(s["macs"]) for s in sides)),
        ("  of these with input not zero", *(_count(s["macs_with_nonzero_input"]) for s in sides)),
        ("neuron updates, event-driven", NONE, NONE, _count(core["neuron_updates"])),
        ("neuron updates, clocked", NONE, *(_count(s["neuron_updates_clocked"]) for s in twins)),
        ("bias additions", *(_count(s["biases"]) for s in sides)),
        ("spikes per synapse", NONE, *(_number(s["spikes_per_synapse"]) for s in twins)),
        ("wall time, batches", *(_seconds(s["wall_s"] / s["inferences"]) for s in sides)),
        ("training, all of it", _seconds(ann["train_s"]), _seconds(snn["train_s"]), NONE),
        ("answers equal to torch", NONE, NONE, _equal(core)),
        ("spikes unlike torch", NONE, NONE, _differing(core)),
    ]
    return Sheet(title(f), ("", "ANN", "SNN in torch", "SNN replayed in the core"), rows)


def _energies(f: dict[str, Any]) -> Sheet:
    bits = f["quantised_bits"]
    few = [f"ANN of {bits} bits"] if bits else []
    rows = []
    for name, e in f["energy"].items():
        even = f["break_even"][name]
        values = [e["ann"], e["ann_skipping_zeros"], *([e.get("ann_quantised")] if bits else []), e["snn"]]
        if not any((*values, e["static"])):
            continue  # the notes say which tables these are
        rows.append(
            (
                e["title"],
                *(joules(v) for v in values),
                multiple(e["snn"] / e["ann"]) if e["ann"] and e["snn"] else NONE,
                _number(even["spikes_per_synapse"]),
                joules(e["static"]),
            )
        )
    columns = ("price table", "ANN", "ANN skipping zeros", *few, "twin", "twin / ANN", "break-even", "twin, static")
    counted = _number(f["replay"]["spikes_per_synapse"])
    heading = f"Energy per inference, estimated; break-even in spikes per synapse, of which {counted} were counted"
    return Sheet(heading, columns, rows)


def _contestants(f: dict[str, Any]) -> Sheet:
    metric = Measured.of(f)
    rows = [
        (
            r["title"],
            metric.cell(r, f["seeds"]),
            str(round(r["steps"]) or NONE),
            _count(r["macs"]),
            _count(r["synaptic_events"]),
            _count(r["neuron_updates"]),
            *(joules(f["energy"][t].get(r["name"])) for t in ("horowitz-fp32-naive", "horowitz-int8-sram")),
        )
        for r in f["rivals"]
    ]
    columns = ("contestant", metric.label, "steps", "multiply-accumulates", "synaptic events", "updates",
               "fp32, naive", "int8 + SRAM")  # fmt: skip
    return Sheet("All contestants", columns, rows)


def _metrics(f: dict[str, Any]) -> Sheet:
    metrics = [Measured(**m) for m in f["metrics"]]
    rows = [(r["title"], *(m.cell(r, f["seeds"]) for m in metrics)) for r in f["rivals"]]
    return Sheet("All contestants, all metrics", ("contestant", *(m.label for m in metrics)), rows)


def _speeds(f: dict[str, Any]) -> Sheet:
    rows = [
        (
            f"× {row['threshold']:g}",
            f"{row['rate']:.1%}",
            _seconds(row["torch_s"]),
            *(_seconds(row[key]) for key in ("event_s", "grid_s")),
            multiple(row["torch_s"] / min(row["event_s"], row["grid_s"])),
        )
        for row in f["speed"]
    ]
    columns = ("threshold", "neurons firing per step", "snnTorch", "event engine", "grid engine", "snnTorch / faster")
    return Sheet("Time of an inference, inputs one by one, one thread", columns, rows)


def title(f: dict[str, Any]) -> str:
    """Heading of one family."""
    seeds = f"{f['seeds']} {'seed' if f['seeds'] == 1 else 'seeds'}"
    if f["seeds"] < f["seeds_planned"]:
        why = "diverged" if f["seeds"] + len(f["diverged"]) == f["seeds_planned"] else "interrupted"
        seeds = f"{f['seeds']} of {f['seeds_planned']} seeds ({why})"
    return f"{capital(f['title'])} and its spiking twin on {f['task_title']} — {seeds}"


def notes(f: dict[str, Any]) -> list[str]:
    """What the table needs to be read rightly."""
    n, s, core = f["snn"]["inferences"], f["settings"], f["replay"]
    own = f["ann"]["inferences"]
    inputs = f"{n:,} test inputs" if own == n else f"{own:,} (ANN) and {n:,} (twin) decisions"
    return [
        f"Counts, energies and wall times are per inference, means over {inputs} and all seeds; "
        f"± is the standard deviation over seeds. The twin sees each input for {s['steps']} time steps"
        + (
            f"; the first {core['inferences']:,} inputs were replayed, and the accuracy of the core is that on them."
            if core["inferences"] < n
            else "."
        ),
        "Wall times: inputs encoded beforehand, batches of test inputs, threads: "
        f"{f['threads']['torch']} in torch, {f['threads']['core']} in the core; {f['engine']} engine, compilation not "
        f"included ({f['replay'].get('compile_s', 0.0):.1f} s a seed).",
        "torch multiplies every weight in every step; its column prices that. The core's column prices events only.",
        *_unpriced(f),
    ]


def _unpriced(f: dict[str, Any]) -> list[str]:
    """Which price tables say nothing of this twin, and why."""
    titles = [e["title"] for e in f["energy"].values() if e["snn"] is None]
    if not titles:
        return []
    return [
        f"{', '.join(titles)}: no estimate of the twin either, for they have no price for multiply-accumulates, and it "
        f"makes {_count(f['replay']['macs'])} of its own."
    ]


def sources(f: dict[str, Any]) -> list[str]:
    """Price tables by name."""
    return [f"{e['title']} = {name}: {e['source']}; {e['grade']}; {e['note']}." for name, e in f["energy"].items()]


def markdown(families: list[dict[str, Any]]) -> str:
    """The whole report."""
    parts = ["# ANN and spiking twin\n"]
    if len(families) > 1:
        parts += markdown_table(summary(families))
    for f in families:
        parts.append(f"\n## {title(f)}\n\n{f['verdict']}\n")
        for i, sheet in enumerate(sheets(f)):
            parts += ([f"\n### {sheet.heading}\n"] if i else []) + markdown_table(sheet)
        for heading, lines in texts(f):
            parts.append(f"\n### {heading}\n")
            parts += [f"- {line}" for line in lines]
        parts.append(f"\n{colophon(f)}\n")
    return "\n".join(parts)


def texts(f: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Headings and the sentences below them."""
    return [
        ("What it says", f["findings"]),
        ("How to read it", notes(f)),
        ("Energies are estimates, not measurements", sources(f)),
        ("Deviations", f["deviations"]),
        ("Data", [f"{f['data']['source']}; licence: {f['data']['licence']}.", f"Split: {f['data']['split']}."]),
    ]


def colophon(f: dict[str, Any]) -> str:
    """Settings and versions."""
    settings = ", ".join(f"{k} {v}" for k, v in f["settings"].items())
    versions = ", ".join(f"{k} {v}" for k, v in f["versions"].items())
    return f"Settings: {settings}. Versions: {versions}."


def markdown_table(sheet: Sheet) -> list[str]:
    """Lines of a table."""
    rule = "| " + " | ".join([":--", *["--:"] * (len(sheet.columns) - 1)]) + " |"
    lines = ["| " + " | ".join(sheet.columns) + " |\n" + rule]
    return lines + ["| " + " | ".join(cell.strip() for cell in row) + " |" for row in sheet.rows]


def terminal(families: list[dict[str, Any]]) -> list[Any]:
    """The same for the terminal: tables and texts."""
    from spikesim.commands import table

    items: list[Any] = []

    def add(sheet: Sheet) -> None:
        page = table(sheet.heading, sheet.columns[0], *(f">{name}" for name in sheet.columns[1:]))
        for row in sheet.rows:
            page.add_row(*row)
        items.append(page)

    for f in families:
        for sheet in sheets(f):
            add(sheet)
        items += [f["verdict"], "", "\n".join(f"• {line}" for line in f["findings"]), "", "\n".join(notes(f)), ""]
    if len(families) > 1:
        add(summary(families))
    items.append("Energies are estimates, not measurements; sources and grades stand in the report (--out).")
    return items


def _number(value: float | None) -> str:
    return NONE if value is None else multiple(value, 3)


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _seconds(value: float | None) -> str:
    if value is None:
        return NONE
    if value >= 999.5:  # three digits would show it as a power of ten
        return f"{value / 60:,.0f} min"
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def _equal(core: dict[str, Any]) -> str:
    if core["agreement"] is None:
        return NONE
    return f"{core['predictions_equal']:,} of {core['predictions_compared']:,}"


def _differing(core: dict[str, Any]) -> str:
    return f"{core['spikes_differing']:,} of {core['spikes_in_torch']:,}"

"""The report to be read: one table of rows and three columns, in the terminal and as Markdown."""

from __future__ import annotations

from typing import Any

from baselines.report import capital, joules

COLUMNS = ("", "ANN", "SNN in torch", "SNN replayed in the core")
NONE = "–"


def rows(f: dict[str, Any]) -> list[tuple[str, ...]]:
    """Rows of the table of one family; all counts and energies are per inference."""
    ann, snn, core = f["ann"], f["snn"], f["replay"]
    sides, twins = (ann, snn, core), (snn, core)
    table: list[tuple[str, ...]] = [
        (f"test {f['metric']} (%)", *(_percent(s[f["metric"]], s[f"{f['metric']}_std"], f["seeds"]) for s in sides)),
        ("spikes per neuron", NONE, *(f"{s['spikes_per_neuron']:.3g}" for s in twins)),
        ("spikes of the encoder", NONE, *(_count(s["spikes_per_input"]) for s in twins)),
        ("synaptic events", NONE, *(_count(s["synaptic_events"]) for s in twins)),
        ("multiply-accumulates", *(_count(s["macs"]) for s in sides)),
        ("  of these with input not zero", *(_count(s["macs_with_nonzero_input"]) for s in sides)),
        ("neuron updates", *(_count(s["neuron_updates"]) for s in sides)),
        ("bias additions", *(_count(s["biases"]) for s in sides)),
        ("energy, estimated with prices of", "", "", ""),
    ]
    for e in f["energy"].values():
        table.append((f"  {e['title']}", *(joules(e[k]) for k in ("ann", "snn_in_torch", "snn"))))
    table.append(("spikes per synapse", NONE, *(_number(s["spikes_per_synapse"]) for s in twins)))
    table.append(("  break-even with prices of", "", "", ""))
    for name, even in f["break_even"].items():
        table.append((f"  {f['energy'][name]['title']}", NONE, NONE, _number(even["spikes_per_synapse"])))
    table.append(("wall time", *(_seconds(s["wall_s"] / s["inferences"]) for s in sides)))
    table.append(("training, all of it", _seconds(ann["train_s"]), _seconds(snn["train_s"]), NONE))
    table.append(("answers equal to torch", NONE, NONE, _equal(core)))
    table.append(("spikes unlike torch", NONE, NONE, _differing(core)))
    return table


def title(f: dict[str, Any]) -> str:
    """Heading of one family."""
    seeds = f"{f['seeds']} {'seed' if f['seeds'] == 1 else 'seeds'}"
    if f["seeds"] < f["seeds_planned"]:
        seeds = f"{f['seeds']} of {f['seeds_planned']} seeds (interrupted)"
    return f"{capital(f['title'])} and its spiking twin on {f['task_title']} — {seeds}"


def notes(f: dict[str, Any]) -> list[str]:
    """What the table needs to be read rightly."""
    n, s = f["ann"]["inferences"], f["settings"]
    return [
        f"Counts, energies and wall times are per inference, means over {n:,} test inputs and all seeds; "
        f"± is the standard deviation over seeds. The twin sees each input for {s['steps']} time steps.",
        "Wall times: inputs encoded beforehand, batches of test inputs, threads: "
        f"{f['threads']['torch']} in torch, {f['threads']['core']} in the core; {f['engine']} engine, compilation not "
        f"included ({f['replay'].get('compile_s', 0.0):.1f} s a seed).",
        "torch multiplies every weight in every step; its column prices that. The core's column prices events only.",
    ]


def sources(f: dict[str, Any]) -> list[str]:
    """Price tables by name."""
    return [f"{e['title']} = {name}: {e['source']}; {e['grade']}; {e['note']}." for name, e in f["energy"].items()]


def markdown(families: list[dict[str, Any]]) -> str:
    """The whole report."""
    parts = ["# ANN and spiking twin\n"]
    for f in families:
        parts.append(f"## {title(f)}\n")
        parts.append("| " + " | ".join(COLUMNS) + " |\n| :-- | --: | --: | --: |")
        parts += ["| " + " | ".join(cell.strip() for cell in row) + " |" for row in rows(f)]
        for heading, lines in (
            ("What it says", f["findings"]),
            ("How to read it", notes(f)),
            ("Energies are estimates, not measurements", sources(f)),
            ("Deviations", f["deviations"]),
            ("Data", [f"{f['data']['source']}; licence: {f['data']['licence']}.", f"Split: {f['data']['split']}."]),
        ):
            parts.append(f"\n### {heading}\n")
            parts += [f"- {line}" for line in lines]
        settings = ", ".join(f"{k} {v}" for k, v in f["settings"].items())
        versions = ", ".join(f"{k} {v}" for k, v in f["versions"].items())
        parts.append(f"\nSettings: {settings}. Versions: {versions}.\n")
    return "\n".join(parts)


def terminal(families: list[dict[str, Any]]) -> list[Any]:
    """The same for the terminal: tables and texts."""
    from spikesim.commands import table

    items: list[Any] = []
    for f in families:
        page = table(title(f), COLUMNS[0], *(f">{name}" for name in COLUMNS[1:-1]), ">SNN replayed\nin the core")
        for row in rows(f):
            page.add_row(*row)
        items.append(page)
        items.append("\n".join(f"• {line}" for line in f["findings"]))
        items.append("")
        items.append("\n".join(notes(f)))
        items.append("Energies are estimates, not measurements:")
        items.append("\n".join(f"  {e['title']}: {e['source']}; {e['grade']}" for e in f["energy"].values()))
        items.append("")
    return items


def _percent(mean: float, std: float, seeds: int) -> str:
    return f"{100 * mean:.2f} ± {100 * std:.2f}" if seeds > 1 else f"{100 * mean:.2f}"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.3g}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _seconds(value: float) -> str:
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

"""``spikesim zoo``: the networks that can be run, and the source and parameters of each."""

from __future__ import annotations

from typing import Any

from spikesim import zoo
from spikesim.commands import print_json, show, table
from spikesim.zoo import Description


def command(name: str | None, as_json: bool) -> None:
    """List all networks, or describe one."""
    described = [zoo.describe(n) for n in ([name] if name else zoo.names())]
    rows = [as_row(d) for d in described]
    if as_json:
        print_json(rows[0] if name else rows)
    elif name:
        show(*page(described[0], rows[0]))
    else:
        listing = table(None, "network", ">neurons", ">synapses", "engines", "title")
        for row in rows:
            sizes = f"{row['neurons']:,}", f"{row['synapses']:,}"
            listing.add_row(row["name"], *sizes, ", ".join(row["engines"]), row["title"])
        show(listing, "Run one: spikesim run brunel --scale 0.1   Its source and parameters: spikesim zoo brunel")


def as_row(d: Description) -> dict[str, Any]:
    """The description as plain values, with the sizes at scale 1 (synapses: where a rule does not fix it, the mean)."""
    network = zoo.build(d.name)
    sizes = {"neurons": network.neurons, "synapses": round(network.synapses), "engine": d.engine}
    return {**d._asdict(), **sizes, "parameters": [p._asdict() for p in d.parameters]}


def page(d: Description, row: dict[str, Any]) -> list[Any]:
    """What `spikesim zoo NAME` prints."""
    facts = table(f"{d.name}: {d.title}", "", "")
    facts.show_header = False
    facts.add_row("source", d.citation)
    facts.add_row("size", f"{row['neurons']:,} neurons, {row['synapses']:,} synapses at scale 1")
    facts.add_row("--scale", d.scaling)
    facts.add_row("engines", ", ".join(f"{e} (default)" if e == d.engine else e for e in d.engines))
    facts.add_row("defaults", f"--duration {d.duration:g} ms, --dt {d.dt:g} ms")
    for text in d.deviations:
        facts.add_row("note", text)
    parameters = table("Parameters, set with --set name=value", "name", ">default", "unit", "allowed", "meaning")
    for p in d.parameters:
        default = "-" if p.default is None else f"{p.default:g}" if isinstance(p.default, float) else str(p.default)
        parameters.add_row(p.name, default, p.unit, p.bounds, p.meaning)
    return [facts, parameters]

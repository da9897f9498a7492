"""How much memory a network will need, said before it is built."""

from __future__ import annotations

from pathlib import Path

import psutil

from spikesim.engines.store import CHUNK, KEEP, is_plain, weight_bytes
from spikesim.errors import NetworkError, ParameterError, unknown
from spikesim.network import Network, Projection

NEURON = {"event": 150, "grid": 100}  # bytes of state per neuron, about
PAIR = 20  # bytes of a synapse while it is drawn
SHARE = 0.9  # of the memory that is free
CONTAINER = (  # limit, what is used of it, and files kept in memory that make room when asked to: cgroups 2 and 1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


def free_bytes(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that is free, or that the limit of a container leaves where that is less."""
    free = int(psutil.virtual_memory().available)
    for limit, used, files in CONTAINER:
        try:
            stat = dict(line.split() for line in (root / limit).with_name("memory.stat").read_text().splitlines())
            taken = int((root / used).read_text()) - int(stat.get(files, 0))
            free = min(free, max(0, int((root / limit).read_text()) - taken))
        except (OSError, ValueError):  # no such limit, or "max"
            continue
    return free


def synapse_bytes(projection: Projection, engine: str) -> int:
    """Bytes one synapse of a projection takes once built (event: targets as 4-byte numbers; grid: short delays)."""
    own, plain = weight_bytes(projection), is_plain(projection.delay)
    if engine == "event":
        return 4 + own + (0 if plain else 8)
    return (2 if plain else 4) if not own else 8 if own <= 4 else 16


def estimate(network: Network, engine: str = "event", batch: int = 1) -> dict[str, float]:
    """Bytes by population and projection, an estimate from above for most networks."""
    need = {p.name: float(NEURON[engine] * p.size * batch) for p in network.populations}
    for q in network.projections:
        rows = 8 * (len(q.pre) + 1)  # type: ignore[arg-type]
        need[str(q.name)] = rows + q.synapses * synapse_bytes(q, engine)
    return need


def check_memory(network: Network, engine: str, batch: int) -> None:
    """Raise NetworkError where a network cannot fit into the memory that is free."""
    need = estimate(network, engine, batch)
    largest_rule = max((q.synapses for q in network.projections), default=0.0)
    total = sum(need.values()) + PAIR * min(largest_rule, KEEP if engine == "event" else 4 * CHUNK)
    free = free_bytes()
    if total > SHARE * free:
        largest = max(need, key=lambda name: need[name])
        raise NetworkError(
            f"{network!r} needs about {total / 1e9:,.1f} GB for the {engine} engine, {free / 1e9:,.1f} GB are free; "
            f"the largest part is {largest!r} with {need[largest] / 1e9:,.1f} GB"
        )


class Summary(list[dict[str, object]]):
    """Rows (name, kind, size, bytes) that print as a table."""

    def __repr__(self) -> str:
        lines = [f"{'name':<24} {'kind':<9} {'size':>13} {'memory':>11}"]
        for row in self:
            lines.append(f"{row['name']!s:<24} {row['kind']!s:<9} {row['size']:>13,} {_megabytes(row['bytes']):>11}")
        total = sum(float(str(row["bytes"])) for row in self)
        return "\n".join([*lines, f"{'in all':<48} {_megabytes(total):>11}"])


def _megabytes(count: object) -> str:
    return f"{float(str(count)) / 1e6:,.2f} MB"


def summary(network: Network, engine: str = "event") -> Summary:
    """Table of populations and projections with their neurons, synapses and bytes (estimated before building).

    Examples
    --------
    >>> from spikesim import LIF, Network, Neuron, Population, summary
    >>> summary(Network([Population("cells", 1000, Neuron(LIF()))]))
    name                     kind               size      memory
    cells                    neurons           1,000     0.15 MB
    in all                                               0.15 MB
    """
    if not isinstance(network, Network):
        raise ParameterError(f"summary: network must be a Network, got {network!r}")
    if engine not in NEURON:
        raise unknown("engine", engine, NEURON)
    need = estimate(network, engine)
    rows = Summary(
        {"name": p.name, "kind": "source" if p.is_source else "neurons", "size": p.size, "bytes": need[p.name]}
        for p in network.populations
    )
    rows += [
        {"name": q.name, "kind": "synapses", "size": round(q.synapses), "bytes": need[str(q.name)]}
        for q in network.projections
    ]
    return rows

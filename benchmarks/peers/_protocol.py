"""What every peer's script shares: reading the description, writing spikes and timings, saying what it cannot do."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Cannot(Exception):
    """The simulator has no such part; the message says which."""


def read(path: str) -> dict[str, Any]:
    """The description written by `benchmarks.exchange.write`, arrays in place."""
    with np.load(path) as data:
        return {k: _place(v, data) for k, v in json.loads(str(data["content"])).items()}


def _place(value: Any, data: Any) -> Any:
    if isinstance(value, dict):
        return data[value["array"]] if set(value) == {"array"} else {k: _place(v, data) for k, v in value.items()}
    return [_place(v, data) for v in value] if isinstance(value, list) else value


def main(run: Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Run ``SPEC OUT`` from the command line: `run` returns facts (for JSON) and arrays.

    A combination of parts the simulator cannot run is reported as the fact ``cannot``.
    """
    spec, out = sys.argv[1:]
    try:
        facts, arrays = run(read(spec))
    except Cannot as reason:
        facts, arrays = {"cannot": str(reason)}, {}
    np.savez(out, facts=json.dumps(facts), **arrays)


def peak_mb() -> float:
    """Largest memory of this process so far; on Linux without what its parent held when it started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def only(what: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    """`value` if it is one of `allowed`."""
    if value not in allowed:
        raise Cannot(f"{what} {value!r}")
    return value


def pair_rule(projection: dict[str, Any]) -> dict[str, Any] | None:
    """The plasticity of a projection, None where its weights are fixed; only all-to-all pairing can be run."""
    rule: dict[str, Any] | None = projection.get("plasticity")
    if rule is None:
        return None
    only("plasticity", rule["type"], ("PairSTDP",))
    only("pairing of spikes", rule["pairing"], ("all",))
    only("least weight of plastic synapses", rule["w_min"], (0.0,))
    if rule["a_plus"] <= 0.0 or rule["a_minus"] < 0.0:
        raise Cannot("anti-Hebbian plasticity")
    return rule


def drawn(value: Any, n: int, rng: Any) -> Any:
    """`n` values of a normal distribution, redrawn until they lie within its limits; other values as they are."""
    if not isinstance(value, dict):
        return value
    if only("distribution", value["type"], ("Normal", "Rounded")) == "Rounded":
        steps = np.rint(drawn(value["part"], n, rng) / value["step"])
        return value["step"] * np.maximum(steps, 1.0)
    only("values outside the limits", value.get("outside", "redraw"), ("redraw",))
    values = rng.normal(value["mean"], value["std"], n)
    while len(outside := np.flatnonzero((values < value["low"]) | (values > value["high"]))):
        values[outside] = rng.normal(value["mean"], value["std"], len(outside))
    return values


def single(what: str, items: list[Any]) -> Any:
    """The only item of a list, None of an empty one."""
    if len(items) > 1:
        raise Cannot(f"more than one {what}")
    return items[0] if items else None

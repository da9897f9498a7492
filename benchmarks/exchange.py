"""A `Network` and how to run it, written to one npz file that other simulators read with NumPy alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spikesim.inputs import Steps
from spikesim.network import Network, View
from spikesim.spikes import Spikes


class Unwritable(TypeError):
    """Nothing stands for such a value in the file."""


def write(path: str | Path, network: Network, **run: Any) -> None:
    """Write `network` and the settings `run` (duration, dt, seed, …) to `path`.

    Every part becomes ``{"type": class name, field: value, …}`` and every array ``{"array": key in the file}``, so
    parts that are added later are carried without a change here. Raises `Unwritable` for other values.
    """
    arrays: dict[str, NDArray[Any]] = {}
    content = {
        "populations": [_encode(p, arrays) for p in network.populations],
        "projections": [_encode(p, arrays) for p in network.projections],
        "run": run,
    }
    np.savez(path, content=json.dumps(content), **arrays)  # type: ignore[arg-type]


def _encode(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, View):
        return {"population": value.population.name, "lo": value.lo, "hi": value.hi}
    if isinstance(value, Spikes):
        return {"times": _encode(value.times, arrays), "ids": _encode(value.ids, arrays), "n": value.n}
    if isinstance(value, Steps):
        return {
            "type": "Steps",
            "times": _encode(value.times, arrays),
            "values": _encode(value.values, arrays),
        }
    if sparse.issparse(value):
        return {"type": type(value).__name__}  # no peer takes one: the rule it belongs to is refused by name
    if isinstance(value, np.ndarray):
        key = f"a{len(arrays)}"
        arrays[key] = value
        return {"array": key}
    if is_dataclass(value):
        return {
            "type": type(value).__name__,
            **{f.name: _encode(getattr(value, f.name), arrays) for f in fields(value)},
        }
    if isinstance(value, Mapping):
        return {str(k): _encode(v, arrays) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(v, arrays) for v in value]
    if isinstance(value, (str, int, float)) or value is None:
        return value
    raise Unwritable(f"{type(value).__name__} in its networks")

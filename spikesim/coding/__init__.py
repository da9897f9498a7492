"""Spike codes: numbers and signals to `Spikes` and back. One file a code; each encoder has its decoder.

>>> from spikesim import coding
>>> code = coding.make("first-spike", duration=10.0)
>>> code.encode([0.2, 1.0, 0.0])
Spikes(2 spikes of 3 elements in [0, 10] ms, 66.7 Hz)
>>> code.decode(code.encode([0.2, 1.0, 0.0])).round(6).tolist()
[0.2, 1.0, 0.0]

A file ``my_code.py`` in this folder that ends with ``CODE = MyCode`` is found by its name, ``my-code``; a mapping
``VARIANTS`` of names to parameters adds ``my-code-NAME``. A file of several codes has a mapping ``CODES`` instead.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from spikesim.coding._bits import read_bits
from spikesim.coding._contract import Code, ValueCode
from spikesim.coding._frames import decode_frames, encode_frames, hold
from spikesim.coding._signals import SignalCode
from spikesim.errors import unknown

__all__ = ["Code", "SignalCode", "ValueCode", "codes", "decode_frames", "encode_frames", "hold", "make", "read_bits"]


def codes() -> dict[str, tuple[type[Code], dict[str, Any]]]:
    """All codes by name: the class, and the parameters that make the variant of that name."""
    found: dict[str, tuple[type[Code], dict[str, Any]]] = {}
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_") or info.ispkg:
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        name = info.name.replace("_", "-")
        if hasattr(module, "CODE"):
            found[name] = (module.CODE, {})
        for variant, settings in getattr(module, "VARIANTS", {}).items():
            found[f"{name}-{variant}"] = (module.CODE, settings)
        found |= getattr(module, "CODES", {})
    return dict(sorted(found.items()))


def make(name: str, **parameters: Any) -> Any:
    """Code `name` with the given parameters, the others at their defaults.

    Raises
    ------
    ParameterError
        If the code or a parameter is unknown, or a value is not allowed.
    """
    known = codes()
    if name not in known:
        raise unknown("code", name, known)
    kind, settings = known[name]
    return kind().changed(**{**settings, **parameters})

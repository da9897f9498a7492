"""Other simulators, one file each, which run in environments of their own.

A peer's file is imported here for its `PEER` and run as ``python -m benchmarks.peers.NAME SPEC OUT`` inside the
peer's environment. It therefore imports only the standard library and NumPy at its top, and the simulator inside
its `run` function.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """Another simulator.

    Parameters
    ----------
    name : str
        Name of its file in this folder.
    title : str
        Name in tables.
    requirements : tuple of str
        What pip installs into its environment.
    """

    name: str
    title: str
    requirements: tuple[str, ...]

    @property
    def variable(self) -> str:
        """Environment variable that holds the Python of the peer's environment."""
        return f"SPIKESIM_{self.name.upper()}_PYTHON"

    @property
    def python(self) -> str | None:
        """The interpreter to run it with, None where it is not installed."""
        return shutil.which(os.environ.get(self.variable, ""))

    @property
    def missing(self) -> str:
        """What to do where it is not installed."""
        value = os.environ.get(self.variable)
        found = f"{self.variable}={value} is not a program" if value else f"{self.variable} is not set"
        return f"{self.title} not installed: {found} (python -m benchmarks.peers install {self.name} --into DIR)"


def discover() -> dict[str, Peer]:
    """All peers by name."""
    names = [m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")]
    return {name: importlib.import_module(f"{__name__}.{name}").PEER for name in sorted(names)}

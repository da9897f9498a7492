"""The machine a measurement was taken on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil


def describe() -> dict[str, Any]:
    """Processor, cores, memory, system, versions, and how busy the machine is at this moment."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: _version(name) for name in ("numpy", "numba")},
        "load": round(psutil.getloadavg()[0], 2),
    }


def sentence(machine: dict[str, Any]) -> str:
    """The same on one line."""
    parts = [f"{machine['cores']} cores of {machine['processor']}", f"{machine['memory_gb']:g} GB", machine["system"]]
    parts += [f"{name.capitalize()} {machine[name]}" for name in ("python", "numpy", "numba")]
    return f"{', '.join(parts)}, load {machine['load']:g} at the start"


def busy(machine: dict[str, Any]) -> bool:
    """Whether other work disturbs the measurement."""
    return bool(machine["load"] > 0.5 * machine["cores"])


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"

"""``spikesim info``: version, machine, kernel cache, and which engine runs which parts."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spikesim.commands import print_json, show, table

LIBRARIES = ("numpy", "numba", "scipy", "h5py", "matplotlib")


def command(as_json: bool) -> None:
    """Print what is known of this installation."""
    from spikesim import __version__
    from spikesim.engines import support

    found = {"version": __version__, **machine(), "cache": cache(), "support": support()}
    if as_json:
        print_json(found)
        return
    facts = table(f"spikesim {found['version']}", "", "")
    facts.show_header = False
    facts.add_row("cpu", f"{found['cpu']}, {found['cores']} cores, {found['memory_gb']:.1f} GB memory")
    facts.add_row("system", f"{found['system']}, Python {found['python']}")
    facts.add_row("libraries", ", ".join(f"{name} {v}" for name, v in found["libraries"].items()))
    facts.add_row("kernel cache", f"{found['cache']['folder']} ({found['cache']['size_mb']:.1f} MB)")
    show(facts, matrix(found["support"]))


def machine() -> dict[str, Any]:
    """Processor, memory, operating system, Python and library versions."""
    import psutil

    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": psutil.virtual_memory().total / 2**30,
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def cache() -> dict[str, Any]:
    """Folder of the compiled kernels and its size."""
    from spikesim._jit import CACHE_DIR

    files = [f for f in Path(CACHE_DIR).rglob("*") if f.is_file()] if CACHE_DIR else []
    return {
        "folder": CACHE_DIR or "none: kernels are not compiled",
        "size_mb": sum(f.stat().st_size for f in files) / 1e6,
    }


def matrix(rows: Any) -> Any:
    """The support matrix as a table."""
    columns = list(rows[0])
    made = table("Parts and engines", *columns)
    for row in rows:
        made.add_row(*(_cell(row[c]) for c in columns))
    return made


def _cell(value: Any) -> str:
    return {True: "yes", False: "-"}[value] if isinstance(value, bool) else str(value)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _cpu() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

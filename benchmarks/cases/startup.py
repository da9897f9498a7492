"""How long one waits for a first result: with nothing compiled, with kernels on disk, in a running process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping

from benchmarks.case import Case, Column, Probe
from benchmarks.goals import Goal, of

DURATION = 100.0  # ms
NETWORK = 0.1  # of Brunel's
SCRIPT = """
import json, sys, time
start = time.perf_counter()
import spikesim as ss
imported = time.perf_counter()
network = ss.zoo.build("brunel", scale=float(sys.argv[1]))
seconds = []
for _ in range(2):
    before = time.perf_counter()
    ss.simulate(network, {duration}, engine=sys.argv[2], seed=int(sys.argv[3]), threads=int(sys.argv[4]))
    seconds.append(time.perf_counter() - before)
print(json.dumps([imported - start, *seconds]))
"""
COMMAND = "spikesim run, whole command"


def _environment(cache: str | None = None) -> dict[str, str]:
    """Of a process whose Python may keep its bytecode, as that of an installed package is kept."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | ({"SPIKESIM_CACHE": cache} if cache else {})


def script(engine: str, scale: float, threads: int, seed: int, cache: str | None) -> dict[str, float]:
    """Import, first and second run of a small network in a fresh process."""
    arguments = [f"{NETWORK * scale:g}", engine, str(seed), str(threads)]
    line = [sys.executable, "-c", SCRIPT.format(duration=DURATION), *arguments]
    start = time.perf_counter()
    done = subprocess.run(line, check=True, capture_output=True, text=True, env=_environment(cache))
    total = time.perf_counter() - start
    imported, first, second = json.loads(done.stdout.splitlines()[-1])
    return {"total_s": total - second, "import_s": imported, "first_s": first, "second_s": second}


def cold(engine: str, scale: float, threads: int, seed: int) -> dict[str, float]:
    """Everything has to be compiled."""
    with tempfile.TemporaryDirectory() as folder:
        return script(engine, scale, threads, seed, folder)


def cached(engine: str, scale: float, threads: int, seed: int) -> dict[str, float]:
    """Kernels come from the disk; a run before the one that is timed puts them there."""
    script(engine, scale, threads, seed, None)
    return script(engine, scale, threads, seed, None)


def command(scale: float, threads: int, seed: int) -> Mapping[str, float]:
    """The command of a user who has used it before."""
    run = ["run", "brunel", "--scale", f"{NETWORK * scale:g}", "--duration", f"{DURATION:g}"]
    line = [sys.executable, "-m", "spikesim", *run, "--seed", str(seed), "--threads", str(threads)]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run(line, check=True, capture_output=True, cwd=folder, env=_environment())
            total = time.perf_counter() - start
    return {"total_s": total}


def _probe(label: str, what: str, engine: str) -> Probe:
    measure = {"cold": cold, "cached": cached}[what]
    return Probe(f"{label}, {engine}", lambda scale, threads, seed: measure(engine, scale, threads, seed))


CASE = Case(
    f"Brunel's network at {NETWORK:g} of its size for {DURATION:g} ms, from the start of the process to its result",
    (
        *(_probe("nothing compiled", "cold", engine) for engine in ("grid", "event")),
        *(_probe("kernels on disk", "cached", engine) for engine in ("grid", "event")),
        Probe(COMMAND, command),
    ),
    peers=False,
    compare="total_s",
    columns=(
        Column("total_s", "process (s)"),
        Column("import_s", "import (s)"),
        Column("first_s", "first run (s)"),
        Column("second_s", "second run\nin the process (s)"),
    ),
    goals=(Goal("warm: spikesim run brunel, whole command (s)", of(COMMAND, "total_s"), 2.0, 1.0, "<="),),
)

"""Runs every side of a benchmark in turn, each time in a fresh process, and sums the repetitions up."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks import exchange
from benchmarks.case import Case, Variant
from benchmarks.peers import Peer

ROOT = Path(__file__).parents[1]
TIMES = ("run_s", "build_s", "compile_s")


@dataclass(frozen=True)
class Settings:
    """How to run: sides get the same threads, step, scale, duration and seeds."""

    threads: int = 1
    scale: float = 1.0
    duration: float | None = None
    repeat: int = 3
    seed: int = 1


@dataclass
class Side:
    """One row in the making: a variant of ours or a peer, and what its runs gave."""

    name: str
    label: str
    run: Callable[[int], dict[str, Any]] | None
    neurons: int
    synapses: int
    note: str = ""
    status: str = "ok"
    runs: list[dict[str, Any]] = field(default_factory=list)


class Benchmark:
    """A case with settings and the peers that take part; a context that removes its temporary files."""

    def __init__(self, name: str, case: Case, settings: Settings, peers: Sequence[Peer]) -> None:
        self.name, self.case, self.settings = name, case, settings
        self.duration = case.duration if settings.duration is None else settings.duration
        self.sides = [self._ours(k, variant) for k, variant in enumerate(case.variants)]
        if case.peers:
            self.sides += [self._peer(peer) for peer in peers]
        self._folder = tempfile.TemporaryDirectory(prefix="spikesim-bench-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def _ours(self, number: int, variant: Variant) -> Side:
        network = variant.build(self.settings.scale)
        request = {"case": self.name, "variant": number, "scale": self.settings.scale} | self._common()

        def run(seed: int) -> dict[str, Any]:
            source, target = self._path("request.json"), self._path("answer.json")
            source.write_text(json.dumps(request | {"seed": seed}))
            _process([sys.executable, "-m", "benchmarks.ours", str(source), str(target)])
            answer: dict[str, Any] = json.loads(target.read_text())
            return answer

        return Side(variant.label, variant.label, run, network.neurons, round(network.synapses))

    def _peer(self, peer: Peer) -> Side:
        network = self.case.variants[0].build(self.settings.scale)
        size = network.neurons, round(network.synapses)
        python = peer.python
        if python is None:
            return Side(peer.name, peer.title, None, *size, note=peer.missing, status="missing")
        options = {"precise": self.case.precise, "compiled": True, "record": False}
        shortest = min((p.min_delay for p in network.projections), default=self.case.dt)

        def run(seed: int) -> dict[str, Any]:
            source, target = self._path("spec.npz"), self._path("answer.npz")
            exchange.write(source, network, presim=shortest, seed=seed, **options, **self._common())
            _process([python, "-m", f"benchmarks.peers.{peer.name}", str(source), str(target)])
            with np.load(target) as answer:
                facts: dict[str, Any] = json.loads(str(answer["facts"]))
            return facts

        return Side(peer.name, peer.title, run, *size)

    def _common(self) -> dict[str, Any]:
        return {"threads": self.settings.threads, "duration": self.duration, "dt": self.case.dt}

    def _path(self, name: str) -> Path:
        path = Path(self._folder.name) / name
        path.unlink(missing_ok=True)
        return path

    def turns(self) -> Iterator[tuple[int, Side]]:
        """Run all sides once, then all again …; yields before each run, so that the caller can tell what runs."""
        for repetition in range(self.settings.repeat):
            for side in self.sides:
                if side.run is None or side.status != "ok":
                    continue
                yield repetition, side
                _once(side, self.settings.seed + repetition)

    def rows(self) -> list[dict[str, Any]]:
        """One summary per side."""
        first = self.sides[0]
        return [self._row(side, first) for side in self.sides]

    def _row(self, side: Side, first: Side) -> dict[str, Any]:
        goal = self.case.goals.get(side.name) if self.settings.scale == 1.0 else None
        spikes = statistics.mean(r["spikes"] for r in side.runs) if side.runs else None
        return {
            "benchmark": self.name,
            "side": side.label,
            "status": "not run" if side.status == "ok" and not side.runs else side.status,
            "note": side.note,
            "version": side.runs[0]["version"] if side.runs else None,
            "scale": self.settings.scale,
            "threads": self.settings.threads,
            "duration_ms": self.duration,
            "dt_ms": self.case.dt,
            "neurons": side.neurons,
            "synapses": side.synapses,
            "repeat": len(side.runs),
            **{key: _spread([r[key] for r in side.runs]) for key in TIMES},
            "spikes": spikes,
            "rate_hz": None if spikes is None else spikes / side.neurons / self.duration * 1e3,
            "peak_rss_mb": max((r["peak_rss_mb"] or 0.0 for r in side.runs), default=0.0) or None,
            "ratio": None if side is first else _ratio(side.runs, first.runs),
            "goal": None if goal is None else {"relation": goal[0], "ratio": goal[1]},
        }


def _once(side: Side, seed: int) -> None:
    """One run; a failure ends the side with a note and leaves the others running."""
    assert side.run is not None
    try:
        facts = side.run(seed)
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or "").strip().splitlines()
        reason = lines[-1] if lines else f"ended with code {error.returncode}"
        side.status, side.note = "failed", f"{side.label} failed: {reason}"
        return
    if "cannot" in facts:
        side.status, side.note = "cannot", f"{side.label} has no {facts['cannot']}"
    else:
        side.runs.append(facts)


def _process(command: Sequence[str]) -> None:
    """Run one side where `benchmarks` can be imported; other environments see nothing else of this one's modules."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")] if command[0] == sys.executable else [str(ROOT)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    subprocess.run(command, check=True, capture_output=True, text=True, env=environment)


def _spread(values: list[float]) -> dict[str, Any] | None:
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "all": values}


def _ratio(runs: list[dict[str, Any]], reference: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Ratio of the median run times; its range is that of runs with the same seed, one after the other."""
    times, base = ([r["run_s"] for r in some] for some in (runs, reference))
    spread = _spread([a / b for a, b in zip(times, base, strict=False)])
    return spread and spread | {"median": statistics.median(times) / statistics.median(base)}

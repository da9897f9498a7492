"""Runs every side of a benchmark in turn, each time in a fresh process, and sums the repetitions up."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks import exchange
from benchmarks.activity import Activity, compare
from benchmarks.case import Case, Probe, Variant
from benchmarks.peers import Peer

ROOT = Path(__file__).parents[1]
PEER_SYNAPSES = 30e6  # in larger networks other simulators take minutes per run; they run only where they are named
TRIES = 6  # seeds tried until the activity of a network lasts
Answer = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """How to run: sides get the same threads, step, scale, duration and seeds; None leaves it to the case."""

    threads: int | None = None
    scale: float | None = None
    duration: float | None = None
    repeat: int = 3
    seed: int = 1
    insist: bool = False  # run peers whatever the size


@dataclass
class Side:
    """One row in the making: a variant of ours or a peer, and what its runs gave."""

    name: str
    label: str
    run: Callable[[int], Answer] | None
    duration: float
    threads: int
    group: str = ""
    at: Mapping[str, float] = field(default_factory=dict)
    neurons: int | None = None
    synapses: int | None = None
    note: str = ""
    status: str = "ok"
    died: int = 0
    runs: list[dict[str, Any]] = field(default_factory=list)
    activity: list[Activity] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Name of the simulator."""
        return self.label.removesuffix(f", {self.group}")

    @property
    def where(self) -> str:
        """Group in brackets, where there are several."""
        return f" ({self.group})" if self.group else ""


class Benchmark:
    """A case with settings and the peers that take part; a context that removes its temporary files."""

    def __init__(self, name: str, case: Case, settings: Settings, peers: Sequence[Peer]) -> None:
        self.name, self.case, self.settings = name, case, settings
        self.scale = case.scale if settings.scale is None else settings.scale
        self.threads = case.threads if settings.threads is None else settings.threads
        self.sides: list[Side] = []
        for group in dict.fromkeys(v.group for v in case.variants):
            ours = [(k, v) for k, v in enumerate(case.variants) if v.group == group]
            self.sides += [self._ours(k, v) for k, v in ours]
            if case.peers and isinstance(ours[0][1], Variant):
                self.sides += [self._peer(peer, ours[0][1]) for peer in peers]
        self._folder = tempfile.TemporaryDirectory(prefix="spikesim-bench-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def _ours(self, number: int, variant: Variant | Probe) -> Side:
        request = {"case": self.name, "variant": number, "scale": self.scale} | self._common(variant)

        def run(seed: int) -> Answer:
            source, target = self._path("request.json"), self._path("answer.npz")
            source.write_text(json.dumps(request | {"seed": seed}))
            _process([sys.executable, "-m", "benchmarks.ours", str(source), str(target)])
            return _answer(target)

        return self._side("ours", variant.label, run, variant)

    def _peer(self, peer: Peer, variant: Variant) -> Side:
        label = f"{peer.title}, {variant.group}" if variant.group else peer.title
        side = self._side(peer.name, label, None, variant)
        python = peer.python
        if python is None:
            side.status, side.note = "missing", peer.missing
            return side
        reasons = {
            f"more than {PEER_SYNAPSES / 1e6:g} million synapses": (side.synapses or 0) > PEER_SYNAPSES,
            "it takes minutes to compile": peer.name in self.case.slow_peers,
        }
        reason = next((text for text, holds in reasons.items() if holds), None)
        if reason and not self.settings.insist:
            side.status, side.note = "not run", f"{label} not run: {reason}; --peers {peer.name} runs it"
            return side
        options = {"precise": self.case.precise, "compiled": True}
        network = variant.build(self.scale)
        shortest = min((p.min_delay for p in network.projections if p.min_delay > 0), default=self.case.dt)

        def run(seed: int) -> Answer:
            source, target = self._path("spec.npz"), self._path("answer.npz")
            exchange.write(source, network, presim=shortest, seed=seed, **options, **self._common(variant))
            _process([python, "-m", f"benchmarks.peers.{peer.name}", str(source), str(target)])
            return _answer(target)

        side.run = run
        return side

    def _side(self, name: str, label: str, run: Callable[[int], Answer] | None, variant: Variant | Probe) -> Side:
        common = self._common(variant)
        side = Side(name, label, run, common["duration"], common["threads"], variant.group, dict(variant.at))
        if isinstance(variant, Variant):
            network = variant.build(self.scale)
            side.neurons, side.synapses = network.neurons, round(network.synapses)
        return side

    def _common(self, variant: Variant | Probe) -> dict[str, Any]:
        own = (variant.duration, variant.threads) if isinstance(variant, Variant) else (None, None)
        duration = next(d for d in (self.settings.duration, own[0], self.case.duration) if d is not None)
        return {
            "threads": own[1] or self.threads,
            "duration": duration,
            "warmup": self.case.warmup,
            "dt": self.case.dt,
            "record": self.case.statistics,
        }

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
                self._once(side, self.settings.seed + repetition)

    def _once(self, side: Side, seed: int) -> None:
        """One run; a failure ends the side with a note and leaves the others running."""
        assert side.run is not None
        try:
            for attempt in range(TRIES):
                facts, arrays = side.run(seed + 1000 * attempt)
                if "cannot" in facts:
                    side.status, side.note = "cannot", f"{side.title} has no {facts['cannot']}{side.where}"
                    return
                if not self.case.alive or _rate(facts, side) >= self.case.alive:
                    side.runs.append(facts | self._derived(facts, side))
                    if self.case.statistics:
                        side.activity.append(self._activity(arrays, side))
                    return
                side.died += 1
            side.status, side.note = "failed", f"{side.label} failed: fell silent with {TRIES} seeds"
        except exchange.Unwritable as error:
            side.status, side.note = "cannot", f"{side.title} has no {error}{side.where}"
        except subprocess.CalledProcessError as error:
            lines = (error.stderr or "").strip().splitlines()
            reason = lines[-1] if lines else f"ended with code {error.returncode}"
            side.status, side.note = "failed", f"{side.label} failed: {reason}"

    def _derived(self, facts: dict[str, Any], side: Side) -> dict[str, Any]:
        if "run_s" not in facts or side.neurons is None:
            return {}
        more = {"rate_hz": _rate(facts, side), "real_time_factor": facts["run_s"] / side.duration * 1e3}
        if facts.get("events"):
            more["ns_per_event"] = facts["run_s"] * side.threads / facts["events"] * 1e9
        if side.synapses and facts["build_s"] > 0:
            more["synapses_per_s"] = side.synapses / facts["build_s"]
        return more

    def _activity(self, arrays: dict[str, Any], side: Side) -> Activity:
        network = self._network()
        sizes = {str(p.name): p.size for p in network.populations if not p.is_source}
        return Activity.of(arrays, sizes, self.case.warmup, self.case.warmup + side.duration)

    def _network(self) -> Any:
        first = self.case.variants[0]
        assert isinstance(first, Variant)
        return first.build(self.scale)

    # ------------------------------------------------------------ summary

    def rows(self) -> list[dict[str, Any]]:
        """One summary per side, then what the statistics and the goals say."""
        first = {side.group: side for side in reversed(self.sides)}
        rows = [self._row(side, first[side.group]) for side in self.sides]
        extra = compare(self.sides) if self.case.statistics else []
        judged = [goal.judge([*rows, *extra]) for goal in self.case.goals]
        return [*rows, *({"benchmark": self.name} | row for row in [*extra, *judged])]

    def _row(self, side: Side, first: Side) -> dict[str, Any]:
        numbers = {
            k for r in side.runs for k, v in r.items() if isinstance(v, (int, float)) and not isinstance(v, bool)
        }
        died = f"{side.label}: {side.died} runs fell silent and were repeated with other seeds" if side.died else ""
        return {
            "benchmark": self.name,
            "side": side.label,
            "name": side.name,
            "group": side.group,
            "status": "not run" if side.status == "ok" and not side.runs else side.status,
            "note": side.note or died,
            "version": side.runs[0]["version"] if side.runs else None,
            "scale": self.scale,
            "threads": side.threads,
            "duration_ms": side.duration,
            "warmup_ms": self.case.warmup,
            "dt_ms": self.case.dt,
            "neurons": side.neurons,
            "synapses": side.synapses,
            "repeat": len(side.runs),
            "at": dict(side.at),
            **{key: spread([r[key] for r in side.runs if r.get(key) is not None]) for key in sorted(numbers)},
            "ratio": None if side is first else self._ratio(side.runs, first.runs),
        }

    def _ratio(self, runs: list[dict[str, Any]], reference: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Ratio of the medians; its range is that of runs with the same seed, one after the other."""
        if not self.case.compare:
            return None
        times, base = ([r[self.case.compare] for r in some if r.get(self.case.compare)] for some in (runs, reference))
        found = spread([a / b for a, b in zip(times, base, strict=False)])
        return found and found | {"median": statistics.median(times) / statistics.median(base)}


def _rate(facts: dict[str, Any], side: Side) -> float:
    return float(facts["spikes"] / (side.neurons or 1) / side.duration * 1e3)


def _answer(path: Path) -> Answer:
    with np.load(path) as answer:
        arrays = {name: answer[name] for name in answer.files if name != "facts"}
        return json.loads(str(answer["facts"])), arrays


def _process(command: Sequence[str]) -> None:
    """Run one side where `benchmarks` can be imported; other environments see nothing else of this one's modules."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")] if command[0] == sys.executable else [str(ROOT)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes, **group) as child:
        try:
            _, errors = child.communicate()
        except BaseException:  # interrupted: compilers and programs that a peer has started end with it
            if group:
                os.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
            raise
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command, stderr=errors)


def spread(values: list[float]) -> dict[str, Any] | None:
    """Median, range and all of some numbers."""
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "all": values}

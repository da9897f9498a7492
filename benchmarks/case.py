"""What a benchmark is, and where they are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from benchmarks.goals import Goal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spikesim import Network

Rows = Sequence[Mapping[str, Any]]
Nowhere: Mapping[str, float] = {}


@dataclass(frozen=True)
class Variant:
    """One way we run a network, a row of the table.

    Parameters
    ----------
    label : str
        Name of the row.
    engine : str
        ``"event"`` or ``"grid"``.
    build : callable
        Scale to `Network`; called in the process that runs it.
    group : str
        Rows of one group are compared with each other: the first of ours gives other simulators their network, and
        ratios are taken to it.
    at : mapping
        Where the row stands on the axes of a figure, such as ``{"rate": 10.0}``.
    duration : float or None, ms
        Simulated time, where it is not that of the case.
    record : str
        ``"no"``, ``"memory"`` or ``"file"``.
    threads : int or None
        Threads, where they are not those of the command line.
    """

    label: str
    engine: str
    build: Callable[[float], Network]
    group: str = ""
    at: Mapping[str, float] = field(default_factory=lambda: Nowhere)
    duration: float | None = None
    record: str = "no"
    threads: int | None = None


@dataclass(frozen=True)
class Probe:
    """A measurement of ours that is not the run of a network.

    Parameters
    ----------
    label, group, at
        As those of a `Variant`.
    measure : callable
        ``measure(scale, threads, seed)`` to numbers by name; called in a process of its own.
    """

    label: str
    measure: Callable[[float, int, int], Mapping[str, float]]
    group: str = ""
    at: Mapping[str, float] = field(default_factory=lambda: Nowhere)


@dataclass(frozen=True)
class Column:
    """A column of the table: name of the number and heading."""

    key: str
    heading: str


SIZE = (Column("neurons", "neurons"), Column("synapses", "synapses"))
RUN = (
    Column("rate_hz", "rate (Hz)"),
    Column("build_s", "build (s)"),
    Column("compile_s", "compile (s)"),
    Column("run_s", "run (s)"),
)


@dataclass(frozen=True)
class Case:
    """A benchmark: a file of `benchmarks.cases` that defines one as `CASE`.

    Parameters
    ----------
    title : str
        One line for people.
    variants : tuple of Variant or Probe
        Ours.
    duration, warmup, dt : float, ms
        Simulated time that is measured, time simulated before it, and step, where the command line gives no other.
    scale, threads
        Where the command line gives no other.
    precise : bool
        Whether spikes must be off the grid.
    peers : bool
        Whether other simulators take part.
    slow_peers : tuple of str
        Names of those that take minutes to compile this and run only where the command line names them.
    alive : float, Hz
        A run that fires less is repeated with another seed: activity of this network may die out by chance.
    statistics : bool
        Record all spikes on every side and compare their statistics.
    compare : str
        What ratios compare.
    columns : tuple of Column
        Of the table, besides the name and the ratio.
    goals : tuple of Goal
        What we aim at.
    draw : callable or None
        Rows to a figure; by default bars of `compare`.
    """

    title: str
    variants: tuple[Variant | Probe, ...]
    duration: float = 1000.0
    warmup: float = 0.0
    dt: float = 0.1
    scale: float = 1.0
    threads: int = 1
    precise: bool = False
    peers: bool = True
    slow_peers: tuple[str, ...] = ()
    alive: float = 0.0
    statistics: bool = False
    compare: str = "run_s"
    columns: tuple[Column, ...] = (*SIZE, *RUN)
    goals: tuple[Goal, ...] = ()
    draw: Callable[[Rows], Figure] | None = None


def names() -> list[str]:
    """Names of all benchmarks."""
    import benchmarks.cases

    found = (m.name for m in pkgutil.iter_modules(benchmarks.cases.__path__))
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))


def matching(pattern: str, valid: Iterable[str]) -> list[str]:
    """Names that are `pattern`, fit it (``build*``), or begin with it and a hyphen (``scaling``)."""
    valid = list(valid)
    if pattern in valid:
        return [pattern]
    return [name for name in valid if fnmatch(name, pattern) or name.startswith(f"{pattern}-")]


def load(name: str) -> Case:
    """The benchmark called `name`."""
    case: Case = importlib.import_module(f"benchmarks.cases.{name.replace('-', '_')}").CASE
    return case

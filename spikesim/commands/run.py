"""``spikesim run``: check everything, build and run a network of the zoo, print and write what came out."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from spikesim import zoo
from spikesim.commands import INTERRUPTED, print_json, show
from spikesim.errors import FileError, ParameterError, UnsupportedError, unknown
from spikesim.parameters import as_count, as_values
from spikesim.plotting.page import FORMATS
from spikesim.progress import track

if TYPE_CHECKING:
    from spikesim.network import Network
    from spikesim.result import Result

ENGINES = ("event", "grid")


class Plan(NamedTuple):
    """What was asked for on the command line."""

    network: str
    engine: str | None
    duration: float | None
    dt: float | None
    scale: float
    seed: int
    threads: int
    settings: tuple[str, ...]
    out: Path | None
    plot: Path | None
    overwrite: bool
    states: str | None
    interval: float | None


@dataclass(frozen=True)
class Job:
    """A checked plan: the network described, defaults filled in, files known to be writable."""

    name: str
    network: Network
    overrides: dict[str, float | str]
    engine: str
    duration: float
    dt: float
    scale: float
    seed: int
    threads: int
    out: Path | None
    pictures: tuple[Path, ...]
    overwrite: bool
    states: dict[str, tuple[str, ...]]
    interval: float


def command(plan: Plan, as_json: bool) -> None:
    """Carry out `plan`; a run that Ctrl-C or a full disk ended keeps, prints and writes what was recorded."""
    from spikesim.commands.report import page, summary

    job = check(plan)
    result, stop = execute(job)
    found = summary(job, result, stop is not None)
    written = [] if isinstance(stop, FileError) else write(job, result, found)
    if as_json:
        print_json(found)
    else:
        show(*page(found))
    for path in written:
        typer.echo(f"wrote {path}", err=True)
    if isinstance(stop, FileError):
        raise stop
    if stop:
        kept = "the table and files show" if written else "the table shows"
        typer.secho(
            f"interrupted at {result.duration:g} of {job.duration:g} ms; {kept} what was recorded until then",
            fg="yellow",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)


def check(plan: Plan) -> Job:
    """Fill in defaults and refuse whatever cannot work, before any work starts."""
    known = zoo.describe(plan.network)
    if plan.engine is not None and plan.engine not in ENGINES:
        raise unknown("engine", plan.engine, ENGINES)
    if plan.engine is not None and plan.engine not in known.engines:
        raise UnsupportedError(f"{known.name} does not run on the {plan.engine} engine; use --engine {known.engine}")
    duration = as_values(known.duration if plan.duration is None else plan.duration, "--duration", "ms", "> 0", True)
    dt = as_values(known.dt if plan.dt is None else plan.dt, "--dt", "ms", "> 0", True)
    engine = plan.engine or known.engine
    if engine == "grid" and round(float(duration) / float(dt)) < 1:
        raise ParameterError(f"--duration: must be at least one time step ({dt:g} ms), got {duration:g} ms")
    scale = as_values(plan.scale, "--scale", "", "> 0", True)
    seed, threads = as_count(plan.seed, "--seed", 0), as_count(plan.threads, "--threads")
    overrides = zoo.parse(plan.network, plan.settings)
    network = zoo.build(plan.network, float(scale), **overrides)
    pictures = ((plan.plot,) if plan.plot else ()) + ((plan.out / "overview.png",) if plan.out else ())
    states, interval = _check_states(plan, network, engine, float(dt))
    _check_files(plan, pictures)
    return Job(
        known.name, network, overrides, engine, float(duration), float(dt), float(scale),
        seed, threads, plan.out, pictures, plan.overwrite, states, interval,
    )  # fmt: skip


def execute(job: Job) -> tuple[Result, BaseException | None]:
    """Result of the run, and what ended it early: Ctrl-C, or a file that cannot be written on."""
    from spikesim import Record, Simulation

    record = Record()
    if job.states and job.out:  # states of all neurons may be many: they go to the file as the run goes
        record = Record(states=job.states, interval=job.interval, to=job.out / "spikes.h5", overwrite=job.overwrite)
    options: dict[str, Any] = {"engine": job.engine, "dt": job.dt, "seed": job.seed, "threads": job.threads}
    with announced(), track(None, None, f"building {job.name}", ""):
        sim = Simulation(job.network, **options, record=record)
    with announced(), closing(sim):
        try:
            sim.run(job.duration)
        except (KeyboardInterrupt, FileError) as stop:  # raised between two slices: everything recorded is complete
            return sim.result(), stop
        sim.warn_unchanged()
        return sim.result(), None


@contextmanager
def announced() -> Iterator[None]:
    """Say so in a terminal when kernels are compiled, which happens once and takes long, not when they are loaded."""
    from numba.core.event import Event, Listener, install_listener

    class Announcer(Listener):
        """Speaks at the first compilation."""

        told = not (sys.stderr and sys.stderr.isatty())

        def on_start(self, event: Event) -> None:
            """Speak once."""
            if not self.told:
                typer.echo("compiling kernels for this kind of network; they are kept for the next run", err=True)
            self.told = True

        def on_end(self, event: Event) -> None:
            """Nothing to say."""

    with install_listener("numba:compile", Announcer()):
        yield


def write(job: Job, result: Result, found: dict[str, Any]) -> list[Path]:
    """Write spikes, summary and pictures; return their paths."""
    from spikesim.commands import to_json

    written = []
    if job.out:
        spikes, text = job.out / "spikes.h5", job.out / "summary.json"
        if not job.states:
            result.save(spikes, overwrite=job.overwrite)
        write_text(text, to_json(found) + "\n")
        written += [spikes, text]
    if job.pictures and result.duration:
        from spikesim import plotting

        figure = plotting.overview(result)
        for path in job.pictures:
            plotting.save(figure, path, overwrite=job.overwrite)
            written.append(path)
    return written


def _check_states(plan: Plan, network: Network, engine: str, dt: float) -> tuple[dict[str, tuple[str, ...]], float]:
    """States to sample, by population, and how often."""
    if plan.states is None:
        if plan.interval is not None:
            raise ParameterError("--interval: is the time between samples of states; name them with --record-states")
        return {}, 1.0
    if plan.out is None:
        raise ParameterError("--record-states: needs --out DIR, where spikes.h5 takes the states")
    interval = float(as_values(1.0 if plan.interval is None else plan.interval, "--interval", "ms", "> 0", True))
    steps = interval / dt
    if engine == "grid" and (round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps):
        raise ParameterError(f"--interval: must be a multiple of the time step of {dt:g} ms, got {interval:g} ms")
    neurons = {p.name: p.model.variables for p in network if not p.is_source}  # type: ignore[union-attr]
    names = [name.strip() for name in plan.states.strip(" ,").split(",")]
    valid = dict.fromkeys(v for variables in neurons.values() for v in variables)
    for name in names:
        if name not in valid:
            raise unknown(f"state in --record-states of {plan.network}:", name, valid)
    chosen = {p: tuple(v for v in variables if v in names) for p, variables in neurons.items()}
    return {p: v for p, v in chosen.items() if v}, interval


def _check_files(plan: Plan, pictures: tuple[Path, ...]) -> None:
    """Make the output folder and be sure that every file can be written."""
    if plan.plot and plan.plot.suffix.lower() not in FORMATS:
        raise FileError(f"--plot {plan.plot}: must end in {', '.join(FORMATS)}")
    files = [*pictures, *((plan.out / "spikes.h5", plan.out / "summary.json") if plan.out else ())]
    for path in files:
        if path.is_dir():
            raise FileError(f"{path}: is a folder, not a file")
        if path.exists() and not plan.overwrite:
            raise FileError(f"{path}: exists already; add --overwrite to replace it")
    for folder in dict.fromkeys(path.parent for path in files):
        try:
            if folder == plan.out:
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise FileError(f"{folder}: cannot write there ({error.strerror})") from None


def write_text(path: Path, text: str) -> None:
    """Write a whole file or none."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(f"{path}: cannot be written ({error.strerror})") from None


def peak_rss_mb() -> float:
    """Largest memory this process has held, in MB."""
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset / 1e6)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

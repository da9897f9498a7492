"""What to compare, checked before anything starts."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from typing import Any, NamedTuple

from baselines.contract import ENGINES, Family, Metric, Settings, Task
from baselines.families import FAMILIES
from baselines.records import plain
from baselines.tasks import TASKS
from spikesim.errors import FileError, ParameterError, unknown
from spikesim.parameters import as_count

AUTO = "auto"
_QUICK_PART = 3  # a quick comparison trains for this part of the passes
_REPLAY = 0.15  # work of the replay, where training the twin is 1


@dataclasses.dataclass(frozen=True)
class Options:
    """What may be chosen about a comparison; None takes the family's own setting for the task.

    Parameters
    ----------
    data : str
        Name of a task, or ``"auto"``: the family's best task whose data are there.
    seeds, epochs, steps : int or None
        Repetitions, passes over the training data, time steps of the twin.
    engine : str
        Engine of the replay, ``"event"`` or ``"grid"``.
    threads : int or None
        Threads of torch and of the core; None takes 1 for torch, and for the core the processors there are, at most 4.
    out : path or None
        Folder for records, report and figures; None writes nothing. An interrupted comparison found there goes on.
    overwrite : bool
        Whether the files of an earlier comparison in `out` may be replaced.
    quick : bool
        Embedded data, one seed, fewer passes: minutes, not hours, and figures to match.
    jobs : int
        Processes that work on seeds; side by side, they disturb one another's wall times. With more than one, call from
        a module that can be imported without effects.
    """

    data: str = AUTO
    seeds: int | None = None
    epochs: int | None = None
    steps: int | None = None
    engine: str = "event"
    threads: int | None = None
    out: str | os.PathLike[str] | None = None
    overwrite: bool = False
    quick: bool = False
    jobs: int = 1


class Stage(NamedTuple):
    """A part of the work of one seed: whose training or replay, and how much, in passes over the training data."""

    name: str
    replay: bool
    work: float


class Plan(NamedTuple):
    """One family on one task, all settings fixed."""

    family: Family
    task: Task
    settings: Settings
    engine: str
    torch_threads: int
    core_threads: int
    quick: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured, the score first."""
        return self.family.metrics or (Metric(self.task.metric),)

    @property
    def key(self) -> dict[str, Any]:
        """What records must share to belong to one comparison, as JSON gives it back."""
        settings = {k: v for k, v in plain(self.settings).items() if k != "seeds"}
        return {"family": self.family.name, "task": self.task.name, "engine": self.engine, "settings": settings}

    @property
    def stages(self) -> list[Stage]:
        """Parts of the work of one seed, in order; a time step of a spiking network counts as a pass."""
        epochs, steps = self.settings.epochs, self.settings.steps
        stages = [Stage("ann", False, epochs), *_spiking("snn", epochs * steps)]
        for other in self.family.others:
            stages += _spiking(other.name, epochs * steps) if other.spiking else [Stage(other.name, False, epochs)]
        return stages

    @property
    def work(self) -> float:
        """Work of one seed."""
        return sum(stage.work for stage in self.stages)


def _spiking(name: str, passes: float) -> list[Stage]:
    return [Stage(name, False, passes), Stage(name, True, _REPLAY * passes)]


def make_plan(name: str, options: Options) -> Plan:
    """Family `name` with the settings of its task and those in `options`.

    Raises
    ------
    ParameterError
        If a name is unknown or a number is not a whole number >= 1.
    FileError
        If the data are not there.
    """
    family = FAMILIES[name]
    if options.engine not in ENGINES:
        raise unknown("engine", options.engine, ENGINES)
    task = _choose_task(family, _embedded(family) if options.quick and options.data == AUTO else options.data)
    jobs = as_count(options.jobs, "jobs")
    given = {key: getattr(options, key) for key in ("seeds", "epochs", "steps")}
    chosen = {key: as_count(value, key) for key, value in given.items() if value is not None}
    settings = family.settings[task.name]
    if options.quick:
        passes = settings.quick_epochs or max(1, settings.epochs // _QUICK_PART)
        settings = dataclasses.replace(settings, seeds=1, epochs=passes)
    settings = dataclasses.replace(settings, **chosen)
    if settings.frames and settings.steps % settings.frames:
        raise ParameterError(
            f"steps: {name} on {task.name} shows {settings.frames} frames one after the other; must be a multiple of "
            f"{settings.frames}, got {settings.steps}"
        )
    there = tuple(o for o in family.others if not o.needs or importlib.util.find_spec(o.needs))
    left_out = tuple(
        f"{o.title} (not installed: {o.needs}; pip install {o.needs})" for o in family.others if o not in there
    )
    family = dataclasses.replace(family, others=there)
    if options.threads is None:  # small layers lose more to torch's waiting threads than they gain
        return Plan(family, task, settings, options.engine, 1, max(1, _processors() // jobs), options.quick, left_out)
    threads = as_count(options.threads, "threads")
    return Plan(family, task, settings, options.engine, threads, threads, options.quick, left_out)


def _embedded(family: Family) -> str:
    return list(family.settings)[-1]


def _choose_task(family: Family, data: str) -> Task:
    if data == AUTO:
        there = [TASKS[name] for name in family.settings if TASKS[name].available()]
        if not there:
            names, remedy = ", ".join(family.settings), TASKS[_embedded(family)].remedy
            raise FileError(f"{family.name}: no data found for any of its tasks ({names}); {remedy}")
        return there[0]
    if data not in family.settings:
        raise unknown(f"data for family {family.name!r}:", data, (AUTO, *family.settings))
    if not TASKS[data].available():
        raise FileError(f"data {data!r} is not there: {TASKS[data].remedy}")
    return TASKS[data]


def _processors() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(4, usable)

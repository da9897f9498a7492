"""What to try, checked before anything starts."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from baselines.encoding.files import FEATURES, SUFFIXES, load_file
from baselines.encoding.material import Material
from baselines.encoding.readouts import READOUTS
from baselines.encoding.sets import SETS
from spikesim import coding
from spikesim.errors import FileError, ParameterError, unknown
from spikesim.parameters import as_count, as_values

SHORTLIST = (
    "bernoulli", "regular", "poisson", "words", "first-spike", "rank-order", "phase", "burst", "gaussian-fields",
    "current", "send-on-delta", "integrate-and-fire",
)  # fmt: skip
CLASSIFIERS = ("surrogate", "linear", "count", "stdp")
_NOISE, _SEEDS = 0.2, 3


@dataclasses.dataclass(frozen=True)
class Options:
    """What may be chosen; None takes the default.

    Parameters
    ----------
    data : str
        Name of a data set, or path of a file.
    encoders : sequence of str
        Codes; none means a shortlist, ``("all",)`` every code there is.
    classifiers : sequence of str
        Readouts; the first decides Pareto mark and recommendation. None means all.
    budgets : sequence of int
        Time steps of 1 ms per frame (for still pictures: altogether); none means those of the data set.
    noise : sequence of float
        Standard deviations of noise added to the input (range 0 … 1), for the test of robustness; none means 0.2.
    seeds : int
        Repetitions with other spikes, initial weights and orders.
    limit : int
        Training samples at most, 0 for the data set's own choice; a quarter validates, half tests.
    features : str
        From sound to channels: ``mel``, ``cochlea`` or ``raw``.
    labels : path or None
        Labels of a user's file.
    out : path or None
        Folder for rows, report and figures. An interrupted run found there goes on.
    overwrite : bool
        Whether the files of an earlier run in `out` may be replaced.
    jobs : int
        Processes that work on rows. With more than one, call from a module that can be imported without effects.
    """

    data: str = "digits"
    encoders: Sequence[str] = ()
    classifiers: Sequence[str] = ()
    budgets: Sequence[int] = ()
    noise: Sequence[float] = ()
    seeds: int = _SEEDS
    limit: int = 0
    features: str = "mel"
    labels: str | os.PathLike[str] | None = None
    out: str | os.PathLike[str] | None = None
    overwrite: bool = False
    jobs: int = 1


class Plan(NamedTuple):
    """Checked options and loaded data."""

    material: Material
    encoders: tuple[str, ...]
    classifiers: tuple[str, ...]
    budgets: tuple[int, ...]
    noise: tuple[float, ...]
    seeds: int
    limit: int
    features: str
    jobs: int

    def key(self, encoder: str, budget: int) -> dict[str, Any]:
        """What a row must share to be the same one."""
        settings = {
            "classifiers": list(self.classifiers),
            "noise": list(self.noise),
            "seeds": self.seeds,
            "limit": self.limit,
            "features": self.features,
        }
        material = self.material
        data = {"data": material.name, "fingerprint": material.fingerprint}
        return {"encoder": encoder, "budget": budget, **data, "settings": settings}

    @property
    def rows(self) -> list[tuple[str, int]]:
        """Codes and budgets, one row each; a code of signals takes at least one step for each row of a picture."""
        found = []
        for encoder in self.encoders:
            signal = issubclass(coding.codes()[encoder][0], coding.SignalCode)
            least = (
                (self.material.rows or (self.material.train.x.shape[2],))[0] if self.material.still and signal else 1
            )
            found += [(encoder, budget) for budget in sorted({max(b, least) for b in self.budgets})]
        return found


def make_plan(options: Options) -> Plan:
    """Check everything, and load the data.

    Raises
    ------
    ParameterError
        If a name is unknown or a number not allowed.
    FileError
        If the data are missing, damaged or of an unknown kind.
    """
    known = coding.codes()
    wanted = tuple(dict.fromkeys(options.encoders)) or SHORTLIST
    encoders = tuple(known) if wanted == ("all",) else wanted
    for name in encoders:
        if name not in known:
            raise unknown("encoder", name, known)
    classifiers = tuple(dict.fromkeys(options.classifiers)) or tuple(c for c in CLASSIFIERS if c in READOUTS)
    for name in classifiers:
        if name not in READOUTS:
            raise unknown("classifier", name, READOUTS)
    noise = tuple(float(as_values(v, "--noise", "", ">= 0", scalar=True)) for v in options.noise) or (_NOISE,)
    seeds, limit = as_count(options.seeds, "--seeds"), as_count(options.limit, "--limit", 0)
    if 0 < limit < 8:
        raise ParameterError(f"--limit: must be 0 (the data set's own choice) or >= 8, got {limit}")
    if options.features not in FEATURES:
        raise unknown("features", options.features, FEATURES)
    budgets = tuple(sorted({as_count(b, "--budget") for b in options.budgets}))
    jobs = as_count(options.jobs, "--jobs")
    material = _load(options, limit)
    if not material.classes:
        classifiers = ()
    budgets = budgets or material.budgets
    return Plan(material, encoders, classifiers, budgets, noise, seeds, limit, options.features, jobs)


def _load(options: Options, limit: int) -> Material:
    if options.data in SETS:
        if options.labels is not None:
            raise ParameterError(f"--labels: data set {options.data!r} has labels of its own; leave the option out")
        source = SETS[options.data]
        if not source.available():
            raise FileError(f"data {options.data!r} is not there: {source.remedy}")
        return source.load(limit, options.features)
    path = Path(options.data)
    if path.suffix.lower() in SUFFIXES or path.exists():
        return load_file(path, options.labels, options.features, limit)
    raise unknown(f"data (no file {options.data!r} either)", options.data, SETS)


def processors() -> int:
    """Processors this process may use, 4 at most."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(4, usable)

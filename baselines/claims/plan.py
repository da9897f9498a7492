"""What to test, checked before anything starts."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from baselines.claims.contract import Claim, Settings
from baselines.claims.experiments import CLAIMS
from spikesim.parameters import as_count

MOST_JOBS = 4


@dataclasses.dataclass(frozen=True)
class Options:
    """What may be chosen.

    Parameters
    ----------
    claims : sequence of str
        Names; none means all.
    seeds : int or None
        Repetitions; None takes those of each claim.
    quick : bool
        Smaller networks, fewer passes: to see that it works; figures to match.
    jobs : int
        Processes that work on seeds. With more than one, call from a module that can be imported without effects.
    out : path or None
        Folder for records, report and figures. An interrupted run found there goes on.
    overwrite : bool
        Whether the files of an earlier run in `out` may be replaced.
    """

    claims: Sequence[str] = ()
    seeds: int | None = None
    quick: bool = False
    jobs: int = 1
    out: str | os.PathLike[str] | None = None
    overwrite: bool = False


class Plan(NamedTuple):
    """One claim with all settings fixed."""

    claim: Claim
    settings: Settings
    quick: bool

    @property
    def key(self) -> dict[str, Any]:
        """What records must share to be of one experiment."""
        settings = {k: v for k, v in dataclasses.asdict(self.settings).items() if k != "seeds"}
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
        return {"claim": self.claim.name, "settings": plain}

    @property
    def work(self) -> float:
        """Seconds of one seed, roughly."""
        return self.claim.work / (5.0 if self.quick else 1.0)


def make_plans(options: Options) -> list[Plan]:
    """The claims asked for.

    Raises
    ------
    ParameterError
        If a name is unknown or a number is not a whole number >= 1.
    """
    as_count(options.jobs, "--jobs")
    claims = [CLAIMS[name] for name in dict.fromkeys(options.claims or CLAIMS)]
    plans = []
    for claim in claims:
        settings = dataclasses.replace(claim.settings, **claim.quick) if options.quick else claim.settings
        if options.seeds is not None:
            settings = dataclasses.replace(settings, seeds=as_count(options.seeds, "--seeds"))
        plans.append(Plan(claim, settings, options.quick))
    return plans


def processors() -> int:
    """Processors this process may use, 4 at most."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_JOBS, usable)

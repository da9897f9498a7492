"""Learning experiments from the literature: ``studies.run("tempotron-capacity", seed=1, n=100)``.

One file a study. A file ``my_study.py`` in this folder that defines a `Study` and ends with ``STUDY = …`` is found by
its name, ``my-study``, and becomes the command ``spikesim learn my-study``.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from spikesim.errors import unknown
from spikesim.progress import ProgressOption
from spikesim.studies._model import Outcome, Study

__all__ = ["Outcome", "Study", "get", "names", "run"]


def names() -> tuple[str, ...]:
    """Names of all studies, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))


def get(name: str) -> type[Study]:
    """The study called `name`: its title, citation and settings, without running it.

    Raises
    ------
    ParameterError
        If the study is unknown.
    """
    if name not in names():
        raise unknown("study", name, names())
    study: type[Study] = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").STUDY
    return study


def run(name: str, seed: int = 0, progress: ProgressOption = None, **settings: Any) -> Outcome:
    """Run a study.

    Parameters
    ----------
    name : str
        One of `names()`.
    seed : int
        Decides every random number.
    progress : None, bool or callable
        As in `spikesim.progress.track`.
    **settings
        By name, see ``get(name).settings()``.

    Returns
    -------
    Outcome
        Ctrl-C ends a study early; its outcome then holds what was found until then.

    Raises
    ------
    ParameterError
        If the study or a setting is unknown, or a value is not allowed.
    """
    return get(name).named(settings).execute(seed, progress)

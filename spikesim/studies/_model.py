"""What every study declares: source, settings with unit, bounds and meaning, and how it is run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from spikesim.errors import unknown
from spikesim.learning.learner import Learner
from spikesim.parameters import ParameterInfo, as_count, check_settings, settings_of
from spikesim.progress import ProgressOption
from spikesim.simulation import Simulation

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class Outcome:
    """What a study found.

    Attributes
    ----------
    found : dict
        Plain values by name; a list of dicts is a table.
    draw : callable
        Makes the picture.
    learner : Learner, Simulation or None
        What was trained, for saving.
    interrupted : bool
        Whether Ctrl-C ended the study early.
    """

    found: dict[str, Any]
    draw: Callable[[], Figure]
    learner: Learner | Simulation | None = None
    interrupted: bool = False
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, Any]:
        """Everything as plain values: name, settings and seed of the study, what it found, time taken."""
        return {**self.about, "interrupted": self.interrupted, **self.found}


@dataclass(frozen=True)
class Study:
    """Base of the studies: a frozen, checked set of settings that can be run.

    Raises
    ------
    ParameterError
        If a setting is outside what its field allows.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    folder: ClassVar[Path | None] = None  # where a long study may keep how far it has come, set for one execution

    def __post_init__(self) -> None:
        check_settings(self, f"{self.name}: ")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """Carry it out."""
        raise NotImplementedError

    def execute(self, seed: int, progress: ProgressOption, folder: Path | None = None) -> Outcome:
        """Carry it out, and add what it was and how long it took."""
        from spikesim import __version__

        object.__setattr__(self, "folder", folder)
        seed, start = as_count(seed, f"{self.name}: seed", 0), time.perf_counter()
        outcome = self.run(seed, progress)
        spent = time.perf_counter() - start
        what = {"study": self.name, "seed": seed, "settings": asdict(self), "version": __version__, "wall_s": spent}
        outcome.about = {**what, **outcome.about}
        return outcome

    @classmethod
    def settings(cls) -> tuple[ParameterInfo, ...]:
        """Documented settings in the order of their declaration."""
        return settings_of(cls)

    @classmethod
    def named(cls, settings: Mapping[str, Any]) -> Study:
        """An instance with some settings replaced; unknown names list the valid ones."""
        valid = [f.name for f in fields(cls)]
        for name in settings:
            if name not in valid:
                raise unknown(f"setting of {cls.name}:", name, valid)
        return cls(**settings)

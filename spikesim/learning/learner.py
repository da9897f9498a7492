"""What all learners share: checked settings, lists of `Spikes` as flat arrays, epochs that stop cleanly, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import files
from spikesim.errors import FileError, ParameterError
from spikesim.interrupt import Interrupt
from spikesim.parameters import as_count, check_settings
from spikesim.progress import ProgressOption, track
from spikesim.spikes import Spikes

KIND = "learner"
RULES: dict[str, type[Learner]] = {}  # by class name, filled as rules are defined


class Trains(NamedTuple):
    """Spikes of many patterns in flat arrays, those of pattern p at ``start[p] … start[p + 1]``, sorted by time.

    Attributes
    ----------
    times : array (k,), ms, counted from the start of each pattern
    ids : array (k,), int64
    start : array (patterns + 1,), int64
    stop : array (patterns,), ms, duration of each pattern
    """

    times: NDArray[np.float64]
    ids: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.float64]

    def pick(self, which: NDArray[np.int64]) -> Trains:
        """Some of the patterns, in the order given."""
        lengths = (self.start[1:] - self.start[:-1])[which]
        start = np.concatenate(([0], np.cumsum(lengths)))
        index = np.arange(start[-1]) + np.repeat(self.start[which] - start[:-1], lengths)
        return Trains(self.times[index], self.ids[index], start, self.stop[which])


def pack(inputs: Sequence[Spikes], n: int, owner: str, silent: bool = True) -> Trains:
    """Check a list of `Spikes` of `n` elements each and lay it out flat; with `silent` false, refuse empty ones."""
    if isinstance(inputs, Spikes):
        raise ParameterError(f"{owner}: must be a list of Spikes, one per pattern, got one Spikes; write [spikes]")
    if not isinstance(inputs, Sequence) or not len(inputs) or not all(isinstance(s, Spikes) for s in inputs):
        what = "an empty one" if isinstance(inputs, Sequence) and not len(inputs) else f"{inputs!r:.60}"
        raise ParameterError(f"{owner}: must be a list of Spikes, one per pattern, got {what}")
    for k, spikes in enumerate(inputs):
        if spikes.n != n:
            raise ParameterError(f"{owner}: must hold Spikes of {n} elements, got {spikes.n} (pattern {k})")
        if not silent and not len(spikes):
            raise ParameterError(f"{owner}: pattern {k} has no spikes; nothing can be learnt from it, leave it out")
    start = np.concatenate(([0], np.cumsum([len(s) for s in inputs]))).astype(np.int64)
    times = np.concatenate([s.times - s.t_start for s in inputs])
    ids = np.concatenate([s.ids for s in inputs]).astype(np.int64)
    return Trains(times, ids, start, np.array([s.duration for s in inputs]))


def unpack(trains: Trains, n: int, inputs: Sequence[Spikes]) -> list[Spikes]:
    """`Spikes` of `n` elements, observed when `inputs` were."""
    parts = zip(inputs, trains.start[:-1], trains.start[1:], strict=True)
    return [Spikes(np.clip(trains.times[a:b] + s.t_start, s.t_start, s.t_stop), trains.ids[a:b], n, s.t_stop, s.t_start)
            for s, a, b in parts]  # fmt: skip


def check_labels(labels: ArrayLike, patterns: int, classes: int, owner: str) -> NDArray[np.int64]:
    """One whole number in 0 … classes - 1 per pattern."""
    try:
        array = np.asarray(labels)
        whole = array.astype(np.int64)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(f"{owner}: must be whole numbers, got {labels!r:.60}") from None
    if array.shape != (patterns,):
        raise ParameterError(f"{owner}: must be one label per pattern ({patterns}), got shape {array.shape}")
    bad = (whole != array) | (whole < 0) | (whole >= classes)
    if bad.any():
        k = int(np.flatnonzero(bad)[0])
        raise ParameterError(f"{owner}: must be whole numbers in 0 … {classes - 1}, got {array[k]} (pattern {k})")
    return whole


def check_sizes(sizes: Sequence[int], owner: str) -> list[int]:
    """Numbers of neurons per layer, the inputs first."""
    if isinstance(sizes, str) or not isinstance(sizes, Sequence) or len(sizes) < 2:
        raise ParameterError(f"{owner}: must be (inputs, hidden …, outputs), such as (5, 120, 3), got {sizes!r}")
    return [as_count(k, f"{owner}[{i}]") for i, k in enumerate(sizes)]


@dataclass(eq=False, repr=False)
class Learner:
    """Base of all rules: settings declared with bounds, arrays that learning changes, a history, saving and loading.

    Attributes
    ----------
    history : dict of str to list of float
        One value per epoch of what a rule measures.
    """

    arrays: ClassVar[tuple[str, ...]] = ("weights",)
    history: dict[str, list[float]] = field(init=False, default_factory=dict)

    def __init_subclass__(cls) -> None:
        RULES[cls.__name__] = cls

    def __post_init__(self) -> None:
        check_settings(self, f"{type(self).__name__}.")

    def note(self, **values: float) -> None:
        """Append to the history."""
        for name, value in values.items():
            self.history.setdefault(name, []).append(float(value))

    @property
    def epochs(self) -> int:
        """Epochs seen so far."""
        return max((len(v) for v in self.history.values()), default=0)

    def run_epochs(self, epochs: int, step: Callable[[], bool], progress: ProgressOption, label: str) -> Self:
        """Call `step` up to `epochs` times, until it says that all is learnt; Ctrl-C stops between two of them."""
        epochs = as_count(epochs, f"{type(self).__name__}.fit: epochs")
        with track(progress, epochs, label, "epochs") as report, Interrupt() as interrupt:
            for k in range(epochs):
                done = step()
                report(k + 1)
                if interrupt.asked:
                    raise KeyboardInterrupt
                if done:
                    break
        return self

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write settings, weights and history to an HDF5 file, whole or not at all.

        Raises
        ------
        FileError
            If the file exists and `overwrite` is false, or cannot be written.
        """
        tree = {
            "rule": type(self).__name__,
            "settings": {f.name: getattr(self, f.name) for f in fields(self) if f.init},
            "arrays": dict(self._flat_arrays()),
            "history": {name: np.array(values) for name, values in self.history.items()},
        }
        files.write_tree(Path(path), KIND, tree, overwrite)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        FileError
            If the file is missing, damaged, or holds another rule.
        """
        tree = files.read_tree(Path(path), KIND)
        rule = RULES.get(tree["rule"])
        if rule is None or not issubclass(rule, cls):
            raise FileError(f"{path} holds a {tree['rule']}, not a {cls.__name__}")
        learner = rule(**tree["settings"])
        learner.history = {name: values.tolist() for name, values in tree.get("history", {}).items()}
        for name in rule.arrays:
            learner._restore(name, tree["arrays"])
        return learner  # type: ignore[return-value]

    def _flat_arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        for name in self.arrays:
            value = getattr(self, name)
            if isinstance(value, list):
                yield from ((f"{name}.{k}", v) for k, v in enumerate(value))
            else:
                yield name, value

    def _restore(self, name: str, arrays: dict[str, NDArray[Any]]) -> None:
        if name in arrays:
            setattr(self, name, arrays[name])
        else:
            many = [k for k in arrays if k.startswith(f"{name}.")]
            setattr(self, name, [arrays[f"{name}.{k}"] for k in range(len(many))])

    def __repr__(self) -> str:
        inner = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.init)
        return f"{type(self).__name__}({inner}; {self.epochs} epochs)"


def load(path: str | Path) -> Learner:
    """Any learner from a file that `Learner.save` wrote.

    Raises
    ------
    FileError
        If the file is missing, damaged, or holds something else.
    """
    return Learner.load(path)

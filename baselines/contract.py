"""What tasks, families and the two sides of a comparison offer to the runner.

The runner trains a `Learner` and asks a `SpikingLearner` for its replay; it knows nothing else about a family.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spikesim.energy import Operations
from spikesim.spikes import Spikes

ENGINES = ("event", "grid")  # of the core
Advance = Callable[[int], None]  # told how many inferences have just been done


def rival_bits(steps: int) -> int:
    """Bits of the rival's activations for a twin of T steps: ceil(log2(T + 1)), at most 8."""
    return min(8, math.ceil(math.log2(steps + 1)))


@dataclass(frozen=True)
class Metric:
    """A number that says how well a side did.

    Parameters
    ----------
    name : str
        As a word; its key in the report.
    percent : bool
        Whether it is a fraction, shown in per cent.
    higher : bool
        Whether more is better.
    """

    name: str
    percent: bool = True
    higher: bool = True


@dataclass(frozen=True)
class Task:
    """A task by name; `load` returns what its families train on.

    Parameters
    ----------
    name, title : str
        Key (the name of its file) and readable name.
    metric : str
        What is measured, as a word: a fraction, higher is better. A family may measure something else on the same data.
    licence, source, split : str
        Terms of the data, the work to cite, and how the parts were divided.
    remedy : str
        What to do where the data are not there.
    available : callable
        Whether they are there.
    load : callable
        Returns the data.
    """

    name: str
    title: str
    metric: str
    licence: str
    source: str
    split: str
    remedy: str
    available: Callable[[], bool]
    load: Callable[[], Any]


class Split(NamedTuple):
    """Inputs (k, …) float32 in 0 … 1 and labels (k,) int64."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]


class Classification(NamedTuple):
    """Data of a classification task; `test` is looked at once, after training."""

    train: Split
    validation: Split
    test: Split
    classes: int


class Graph(NamedTuple):
    """Data of a node classification task: features (n, f), each edge once (m, 2), labels (n,), numbers of nodes."""

    x: NDArray[np.float32]
    edges: NDArray[np.int64]
    y: NDArray[np.int64]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    classes: int


class Control(NamedTuple):
    """A control task: actions chosen one after the other, a return at the end of an episode.

    Parameters
    ----------
    name : str
        What the environment is called.
    make : callable
        A new environment with gymnasium's `reset` and `step`, discrete actions, observations a vector (n,).
    scale : array (n,)
        What observations are divided by; most then lie in -1 … 1.
    actions, horizon : int
        Actions to choose from, steps of an episode at most.
    worst, best : float
        Returns that count as 0 and as 1.
    """

    name: str
    make: Callable[[], Any]
    scale: NDArray[np.float32]
    actions: int
    horizon: int
    worst: float
    best: float

    def score(self, returns: NDArray[np.float64]) -> float:
        """Mean return on the scale from worst to best."""
        return float(np.mean(returns) - self.worst) / (self.best - self.worst)


@dataclass(frozen=True)
class Settings:
    """Settings every family has; families add their own fields.

    Parameters
    ----------
    seeds : int
        Repetitions with other initial weights, orders and input spikes.
    epochs : int
        Passes over the training data; the weights of the best validation score are kept.
    steps : int
        Time steps the spiking twin sees each input for.
    batch_size : int
        Inputs per update.
    lr_ann, lr_snn : float
        Learning rates of the two sides.
    decay_ann, decay_snn : float
        Weight decay (decoupled, as in AdamW).
    gain : float
        The twin's logits are its output rates (spikes per step) times this.
    replayed : int
        Test inputs replayed in the core, from the first on; 0 for all.
    quick_epochs : int
        Passes of a quick comparison, 0 for a third.
    frames : int
        Frames of an input that the twin sees one after the other, each for ``steps / frames`` steps; 0 for a still one.
    """

    seeds: int = 3
    epochs: int = 20
    steps: int = 25
    batch_size: int = 64
    lr_ann: float = 1e-3
    lr_snn: float = 1e-3
    decay_ann: float = 0.0
    decay_snn: float = 0.0
    gain: float = 10.0
    replayed: int = 0
    quick_epochs: int = 0
    frames: int = 0


@dataclass(frozen=True)
class Example:
    """One inference of the replay, to be looked at; `animation` writes a GIF of more than one.

    `shows` says what the image is.
    """

    title: str
    image: NDArray[np.float32] | None
    layers: Mapping[str, Spikes]
    animation: Callable[[BinaryIO], object] | None = None
    shows: str = "input"


@dataclass(frozen=True)
class Outcome:
    """What one side did on the test set.

    Parameters
    ----------
    score : float
        The first metric of the family, else that of the task.
    measures : mapping
        Its further metrics, by name.
    operations : Operations
        Per inference.
    neurons, synapses : int
        Size of the network, inputs and biases not counted.
    inferences : int
        Size of the test set.
    wall_s : float
        Wall time of all inferences, inputs already encoded.
    spikes : int
        Spikes of all neurons in all inferences, inputs not counted.
    input_spikes : int
        Spikes of the encoder in all inferences.
    predictions : array (inferences, …) or None
        What was answered, where the task has answers to compare.
    expected : array (inferences, …) or None
        Replay: torch's answers to the same inputs, where these follow from the answers before (control).
    skipping : Operations or None
        The same inferences on hardware that skips factors of zero; of a spiking network, on hardware that works per
        event.
    example : Example or None
        One inference (replay).
    curve : sequence of mapping
        The same network with other steps and thresholds: ``steps``, ``threshold`` (factor), ``score``, ``operations``.
    speed : sequence of mapping
        Inputs one by one: ``threshold`` (factor), ``rate`` (spikes per neuron and step), ``torch_s``,
        ``event_s`` and ``grid_s``.
    confusion : sequence of sequences of int
        How often each class (row) was answered as each class (column), where the task has classes.
    notes : mapping
        More numbers worth keeping.
    tables : mapping
        What else was found, by title.
    material : object
        What the galleries of the family draw from; not kept.
    """

    score: float
    operations: Operations
    neurons: int
    synapses: int
    inferences: int
    wall_s: float
    spikes: int = 0
    input_spikes: int = 0
    predictions: NDArray[np.int64] | None = None
    expected: NDArray[np.int64] | None = None
    skipping: Operations | None = None
    example: Example | None = None
    curve: Sequence[Mapping[str, Any]] = ()
    speed: Sequence[Mapping[str, float]] = ()
    confusion: Sequence[Sequence[int]] = ()
    notes: Mapping[str, float] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    material: Any = None


class Learner(Protocol):
    """One side while it learns."""

    updates: int  # updates in one epoch; a learner that has an attribute `finished`, and it is true, gets no more

    def epoch(self) -> Iterator[float]:
        """Learn one pass over the training data; yields the loss after each update."""

    def validate(self) -> float:
        """The metric on the validation data, or a number that is better in the same direction."""

    def snapshot(self) -> Any:
        """All that was learned, for `restore`."""

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""

    def test(self) -> Outcome:
        """The test set, once."""


@runtime_checkable
class Quantisable(Protocol):
    """An artificial side that can also answer with few bits."""

    def test_quantised(self, bits: int) -> Outcome:
        """The test set with activations of `bits` bits and weights of 8, `Outcome.skipping` included."""


class SpikingLearner(Learner, Protocol):
    """The spiking side: it can also be replayed in the core."""

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The test set in spikesim, with the weights and the input spikes of `test`."""


@dataclass(frozen=True)
class Contestant:
    """One more network on the same data.

    Parameters
    ----------
    name, title : str
        Key and readable name.
    build : callable
        From data, settings and seed to a learner.
    spiking : bool
        Whether it can be replayed (`SpikingLearner`); it then runs over the steps of the settings.
    within : float or None
        How far below the artificial network the literature lets it stay, as a fraction.
    needs : str
        Package without which it is left out, if any.
    """

    name: str
    title: str
    build: Callable[[Any, Any, int], Any]
    spiking: bool = False
    within: float | None = None
    needs: str = ""


class Table(NamedTuple):
    """What an exhibit found: a table, sentences, and curves (label, x, y) over one axis, if any."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    findings: Sequence[str]
    axes: tuple[str, str] = ("", "")
    curves: Sequence[tuple[str, Sequence[float], Sequence[float]]] = ()


@dataclass(frozen=True)
class Exhibit:
    """A small experiment that is no classification task.

    Parameters
    ----------
    name, title : str
        Key and readable name.
    show : callable
        From ``quick`` to what was found; fixed seeds.
    """

    name: str
    title: str
    show: Callable[[bool], Table]


Fill = Callable[[BinaryIO], object]  # writes a picture into an open file


@dataclass(frozen=True)
class Gallery:
    """A picture of what the networks of the first seed made.

    Parameters
    ----------
    name, title : str
        Key (part of the name of its file) and caption.
    draw : callable
        From data and the outcomes by side (``"ann"``, ``"snn"``, ``"replay"``, other contestants by name, their replays
        as ``"NAME replay"``) to what writes a PNG.
    """

    name: str
    title: str
    draw: Callable[[Any, Mapping[str, Outcome]], Fill]


@dataclass(frozen=True)
class Family:
    """An artificial network and its spiking twin.

    Parameters
    ----------
    name, title : str
        Key (the name of its file) and readable name.
    settings : mapping
        Default settings by task, the best task first, the embedded one last.
    ann, snn : callable
        From data, settings and seed to a learner.
    twin : str
        What the spiking side is called where it has rivals.
    others : tuple of Contestant
        More twins, and controls, trained and tested on the same data.
    exhibits : tuple of Exhibit
        Small experiments of the family's own.
    targets : mapping
        By task, what the literature lets one expect of ``"ann"``, ``"snn"`` and others by name, in the score.
    deviations : tuple of str
        Where the twin is not what the literature or the artificial network does.
    metrics : tuple of Metric
        What is measured, the score first; none means the task's metric alone.
    validated : str
        What `Learner.validate` returns, if it is not the score on the validation data.
    galleries : tuple of Gallery
        What the networks made.
    judge : callable or None
        From the family's entry in the report to sentences about it.
    """

    name: str
    title: str
    settings: Mapping[str, Settings]
    ann: Callable[[Any, Any, int], Learner]
    snn: Callable[[Any, Any, int], SpikingLearner]
    twin: str = "spiking twin"
    others: tuple[Contestant, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    targets: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    validated: str = ""
    galleries: tuple[Gallery, ...] = ()
    judge: Callable[[Mapping[str, Any]], Sequence[str]] | None = None

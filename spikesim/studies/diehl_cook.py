"""Handwritten digits learnt without labels by competing neurons, read out by what each neuron answers to most."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim import files
from spikesim.datasets import digits, mnist
from spikesim.errors import ParameterError
from spikesim.inputs import SpikeSource
from spikesim.parameters import choice, count, number
from spikesim.progress import ProgressOption, track
from spikesim.recording import Record
from spikesim.simulation import Simulation
from spikesim.spikes import Spikes
from spikesim.studies._model import Outcome, Study
from spikesim.zoo.diehl_cook import LEARNING, DiehlCook

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DT, SHOWN, REST = 0.5, 350.0, 150.0  # ms
SILENCE = 10.0  # ms after which nothing is on its way any more
ABREAST = 64  # images shown at once to a network that does not learn
LEARNT, LABELLED, TESTED = 1, 2, 3  # purposes of random numbers
LEAST = 5  # spikes that an image must evoke
BRIGHTEST = 32  # times the first intensity: an image that evokes nothing even then is left
SAVE_EVERY = 2000  # images
LATELY = 200  # images over which thresholds are averaged
TAU_E = 1.27  # ms, in effect the 1 ms that the authors' program has, which takes Euler steps of 0.5 ms


class Fit(NamedTuple):
    """What fits the images of a data set, chosen on training images; of MNIST on some neither learnt nor labelling."""

    rate: float  # Hz, of the brightest pixel
    total: float  # sum of the weights onto a neuron
    w_inh: float  # nS; of the digits in effect the 17 nS of the authors' program
    eta_post: float


FITTING = {"mnist": Fit(63.75, 78.0, 40.0, 0.02), "digits": Fit(300.0, 12.0, 19.2, 0.01)}


class Images(NamedTuple):
    """Grey values of images (k, pixels) from 0 to 1 and their labels, for learning and for the test."""

    train: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    test: NDArray[np.float64]
    test_labels: NDArray[np.int64]


def images(name: str) -> Images:
    """MNIST as published; of the digits, which come in one set, every fifth for the test."""
    if name == "mnist":
        found = mnist.load()
        flat = [x.reshape(len(x), -1) / 255.0 for x in (found.train_images, found.test_images)]
        return Images(flat[0], found.train_labels.astype(np.int64), flat[1], found.test_labels.astype(np.int64))
    data = digits.load()
    x, y = data.images.reshape(len(data.images), -1) / 16.0, data.labels.astype(np.int64)
    held = np.arange(len(x)) % 5 == 0
    return Images(x[~held], y[~held], x[held], y[held])


@dataclass(frozen=True)
class DiehlCookStudy(Study):
    """Digits as Poisson spikes, one after the other, to a network that learns by timing alone.

    Before each image weights onto each neuron are scaled to a common sum. When learning is over, weights and thresholds
    stay; each neuron gets the label to which it answers most among the last training images, shown once more, and a
    test image the label whose neurons answer most. Test labels are compared with at the very end.
    """

    name = "diehl-cook"
    title = "Handwritten digits without labels, by competition and timing"
    citation = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"

    data: str = choice("digits", ("digits", "mnist"), "images")
    neurons: int = count(100, "excitatory neurons", 2)
    epochs: int = count(3, "passes through the training images")
    train: int = count(0, "training images, the first of them; 0: all", 0)
    test: int = count(0, "test images, the first of them; 0: all", 0)
    labelling: int = count(10_000, "last training images, shown once more to label the neurons")
    rate: float = number(0.0, "Hz", ">= 0", "rate of the brightest pixel; 0: 63.75 for mnist, 300 for digits")
    total: float = number(0.0, "", ">= 0", "sum of the weights onto a neuron; 0: 78 for mnist, 12 for digits")
    threads: int = count(1, "threads of the simulation")

    def run(self, seed: int, progress: ProgressOption) -> Outcome:
        """Learn, label, test."""
        data = images(self.data)
        a, b = self.train or len(data.train), self.test or len(data.test)
        data = Images(data.train[:a], data.train_labels[:a], data.test[:b], data.test_labels[:b])
        show = Show(self, data, seed)
        labelled = min(self.labelling, len(data.train))
        stages = (self.epochs * len(data.train), labelled, len(data.test))
        stopped = False
        with track(progress, sum(stages), self.name, "images") as report:
            try:
                show.learn(stages[0], lambda k, text: report(k, f"{self.name}{text}"))
                answers = show.ask(data.train[-labelled:], LABELLED, lambda k: report(stages[0] + k, "labelling"))
                belongs = labels_of(answers, data.train_labels[-labelled:])
                tested = show.ask(data.test, TESTED, lambda k: report(stages[0] + labelled + k, "test"))
                said = vote(tested, belongs)
                accuracy: float | None = float(np.mean(said == data.test_labels))
                shares = shares_of(answers, data.train_labels[-labelled:])
                weighed: float | None = float(np.mean(weigh(tested, shares) == data.test_labels))
                confusion = np.zeros((10, 10), np.int64)
                np.add.at(confusion, (data.test_labels, said), 1)
            except KeyboardInterrupt:
                stopped, accuracy, weighed, confusion, belongs = True, None, None, None, None
                show.save()
        found = {
            "neurons": self.neurons,
            "epochs": self.epochs,
            "train_images": len(data.train),
            "images_learnt": show.done,
            "test_images": len(data.test),
            "test_accuracy": accuracy,
            "test_accuracy_weighed": weighed,
            "images_per_s": show.done / show.spent if show.spent else None,
            "learning_s": show.spent,
            "mean_spikes_per_image": show.spikes / max(1, show.done),
            "running_accuracy": show.curve,
        }
        weights = show.weights()
        return Outcome(found, lambda: draw(weights, belongs, confusion, show.curve), show.simulation, stopped)


class Show:
    """The network and what has been shown to it."""

    def __init__(self, study: DiehlCookStudy, data: Images, seed: int) -> None:
        self.study, self.data, self.seed = study, data, seed
        pixels = data.train.shape[1]
        fit = FITTING[study.data]
        self.rate, self.total = study.rate or fit.rate, study.total or fit.total
        self.network = DiehlCook(
            inputs=pixels, n=study.neurons, inhibition="direct", tau_e=TAU_E, w_inh=fit.w_inh, eta_post=fit.eta_post
        )
        self.done, self.spent, self.spikes = 0, 0.0, 0
        self.curve: list[dict[str, Any]] = []
        self.recent: list[NDArray[np.int64]] = []
        silent = SpikeSource(_silence(pixels))
        self.simulation = Simulation(
            self.network.assemble(silent),
            engine="grid",
            dt=DT,
            seed=seed,
            threads=study.threads,
            record=Record(spikes=False),
        )
        self.theta = self.simulation.state("exc", "theta")
        self._resume()

    def present(self, image: NDArray[np.float64], key: int) -> NDArray[np.int64]:
        """Show one image to the learning network, brighter until it evokes spikes enough; spikes of each neuron."""
        factor = 1.0
        while True:
            self.simulation.normalise(LEARNING, self.total)
            before = self.simulation.spike_counts("exc")
            self.simulation.feed("input", self._spikes(image, factor, (LEARNT, key)))
            self.simulation.run(SHOWN + REST, progress=False)
            counts = self.simulation.spike_counts("exc") - before
            if counts.sum() >= LEAST or factor >= BRIGHTEST:
                self.theta += (self.simulation.state("exc", "theta") - self.theta) / LATELY
                return counts
            factor += 0.5

    def _spikes(self, image: NDArray[np.float64], factor: float, key: tuple[int, ...]) -> Spikes:
        return poisson(image * self.rate * factor, (self.seed, *key, int(2 * factor)))

    def learn(self, until: int, report: Any) -> None:
        """Show training images up to number `until`, epoch by epoch."""
        size, window = len(self.data.train), max(100, min(10_000, len(self.data.train)))
        while self.done < until:
            start = time.perf_counter()
            k = self.done % size
            counts = self.present(self.data.train[k], self.done)
            self.recent.append(counts)
            self.done += 1
            self.spikes += int(counts.sum())
            self.spent += time.perf_counter() - start
            if self.done % (window // 2) == 0:
                self._judge(window)
            if self.done % SAVE_EVERY == 0:
                self.save()
            last = f", accuracy {self.curve[-1]['accuracy']:.1%}" if self.curve else ""
            report(self.done, last)

    def _judge(self, window: int) -> None:
        """Accuracy on recent training images, half of which label the neurons."""
        self.recent = self.recent[-window:]
        answers = np.array(self.recent)
        seen = self.data.train_labels[np.arange(self.done - len(answers), self.done) % len(self.data.train)]
        half = len(answers) // 2
        right = vote(answers[half:], labels_of(answers[:half], seen[:half])) == seen[half:]
        self.curve.append({"images": self.done, "accuracy": float(np.mean(right))})

    def ask(self, shown: NDArray[np.float64], purpose: int, report: Callable[[int], object]) -> NDArray[np.int64]:
        """Answers (images, neurons) of the network as it is now; neither weights nor thresholds move.

        Thresholds are the means of late: at any one moment some neurons are less excitable than others because of what
        they happen to have answered to last. Each image finds the network at rest, so that many can be shown at once.
        """
        study, pixels = self.study, self.data.train.shape[1]
        silent = SpikeSource(_silence(pixels))
        network = self.network.settled(silent, self.weights(), self.theta)
        simulation = Simulation(
            network, engine="grid", dt=DT, threads=study.threads, batch=ABREAST, record=Record(spikes=False)
        )
        answers, factor = np.zeros((len(shown), study.neurons), np.int64), 1.0
        waiting = np.arange(len(shown))
        while len(waiting) and factor <= BRIGHTEST:
            for lo in range(0, len(waiting), ABREAST):
                some = waiting[lo : lo + ABREAST]
                trains = [self._spikes(shown[k], factor, (purpose, int(k))) for k in some]
                answers[some] = _evoked(simulation, trains + [_silence(pixels)] * (ABREAST - len(some)))[: len(some)]
                report(len(shown) - len(waiting) + lo + len(some))
            waiting = waiting[answers[waiting].sum(axis=1) < LEAST]
            factor += 0.5
        simulation.close()
        return answers

    def weights(self) -> NDArray[np.float64]:
        """Weights (pixels, neurons)."""
        pre, post, weight = self.simulation.weights(LEARNING)
        table = np.zeros((self.data.train.shape[1], self.study.neurons))
        table[pre, post] = weight
        return table

    # ------------------------------------------------------------ going on after an interruption

    def _paths(self) -> tuple[Path, Path] | None:
        folder = self.study.folder
        return None if folder is None else (folder / "network.h5", folder / "progress.h5")

    def save(self) -> None:
        """Keep the network and the position between two images."""
        paths = self._paths()
        if paths is None:
            return
        self.simulation.save(paths[0], overwrite=True)
        recent = np.array(self.recent) if self.recent else np.zeros((0, self.study.neurons), np.int64)
        curve = np.array([[c["images"], c["accuracy"]] for c in self.curve]).reshape(-1, 2)
        values = np.array([self.done, self.spent, self.spikes])
        about = repr((self.seed, {k: v for k, v in asdict(self.study).items() if k != "threads"}))
        tree = {"values": values, "theta": self.theta, "recent": recent, "curve": curve, "about": about}
        files.write_tree(paths[1], "study", tree, overwrite=True)

    def _resume(self) -> None:
        paths = self._paths()
        if paths is None or not all(p.exists() for p in paths):
            return
        tree = files.read_tree(paths[1], "study")
        if tree["about"] != repr((self.seed, {k: v for k, v in asdict(self.study).items() if k != "threads"})):
            raise ParameterError(
                f"{paths[1]}: was made with other settings or another seed; remove it, or choose another folder"
            )
        self.simulation = Simulation.load(paths[0], threads=self.study.threads)
        self.done, self.spent, self.spikes = int(tree["values"][0]), float(tree["values"][1]), int(tree["values"][2])
        self.recent, self.theta = list(tree["recent"]), tree["theta"]
        self.curve = [{"images": int(k), "accuracy": float(a)} for k, a in tree["curve"]]


def _silence(pixels: int) -> Spikes:
    return Spikes(np.empty(0), np.empty(0, np.int64), pixels, 1.0)


def _evoked(simulation: Simulation, trains: list[Spikes]) -> NDArray[np.int64]:
    """Spikes of each neuron, (stimuli, neurons), that trains evoke in neurons at rest."""
    for variable, value in (("v", -65.0), ("g_ge", 0.0), ("g_gi", 0.0)):
        simulation.set_state("exc", variable, value)
    before = simulation.spike_counts("exc")
    simulation.feed("input", trains)
    simulation.run(SHOWN + SILENCE, progress=False)
    return simulation.spike_counts("exc") - before


def poisson(rates: NDArray[np.float64], key: tuple[int, ...]) -> Spikes:
    """Poisson spikes (Hz) for the time an image is shown."""
    rng = np.random.default_rng(key)
    counts = rng.poisson(rates * SHOWN * 1e-3)
    ids = np.repeat(np.arange(len(rates)), counts)
    return Spikes(np.sort(rng.uniform(0.0, SHOWN, len(ids))), rng.permutation(ids), len(rates), SHOWN)


def means_of(answers: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean answers of each neuron to each label (10, neurons)."""
    means = np.zeros((10, answers.shape[1]))
    for c in np.unique(labels):
        means[c] = answers[labels == c].mean(axis=0)
    return means


def labels_of(answers: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Label of each neuron: that of the images to which it answers most in the mean; -1 if it never fires."""
    means = means_of(answers, labels)
    return np.where(means.max(axis=0) > 0.0, means.argmax(axis=0), -1)


def vote(answers: NDArray[np.int64], belongs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Label whose neurons answer most in the mean, for each image."""
    means = np.full((10, len(answers)), -1.0)
    for c in np.unique(belongs[belongs >= 0]):
        means[c] = answers[:, belongs == c].mean(axis=1)
    return means.argmax(axis=0)


def shares_of(answers: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much of a neuron's mean answers goes to each label (10, neurons): labels by degrees instead of one."""
    means = np.stack(
        [answers[labels == c].mean(axis=0) if (labels == c).any() else 0.0 * answers[0] for c in range(10)]
    )
    return means / np.maximum(means.sum(axis=0), 1e-12)  # type: ignore[no-any-return]


def weigh(answers: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Label to whose shares the answers add up most, for each image."""
    return (answers @ shares.T).argmax(axis=1)


def draw(weights: Any, belongs: Any, confusion: Any, curve: list[dict[str, Any]]) -> Figure:
    """Receptive fields with their labels, the confusion matrix, the accuracy while learning."""
    import matplotlib.pyplot as plt

    figure, (fields, right) = plt.subplots(1, 2, figsize=(11.0, 5.5), layout="constrained", width_ratios=(3, 2))
    side, n = round(len(weights) ** 0.5), weights.shape[1]
    across = int(np.ceil(n**0.5))
    sheet = np.full((across * (side + 1), across * (side + 1)), np.nan)
    for j in range(n):
        y, x = (side + 1) * (j // across), (side + 1) * (j % across)
        sheet[y : y + side, x : x + side] = weights[:, j].reshape(side, side)
        if belongs is not None and n <= 400:
            fields.text(x, y + 1, str(belongs[j]) if belongs[j] >= 0 else "", fontsize=5, va="top", color="C3")
    fields.imshow(sheet, cmap="Greys")
    fields.set(title="weights of each neuron, and its label", xticks=[], yticks=[])
    if confusion is not None:
        right.imshow(confusion, cmap="Blues")
        for (i, j), k in np.ndenumerate(confusion):
            if k:
                right.text(j, i, str(k), ha="center", va="center", fontsize=7)
        right.set(xlabel="answer", ylabel="digit", title="test images", xticks=range(10), yticks=range(10))
    else:
        right.plot([c["images"] for c in curve], [100 * c["accuracy"] for c in curve])
        right.set(xlabel="images learnt", ylabel="accuracy on training images (%)")
    return figure


STUDY = DiehlCookStudy

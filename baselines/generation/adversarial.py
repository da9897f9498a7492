"""Generator against discriminator: the learner, artificial or spiking by what it is built from."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from baselines.contract import Classification, Outcome, Settings
from baselines.counting import ann_operations, watched
from baselines.errors import TrainingError
from baselines.generation.judge import DISTANCE, judge_of, judged_by
from baselines.quantised import quantised
from spikesim.energy import Operations

TRAIN, VALIDATE, TEST, SHOWN = 0, 1, 2, 3  # purposes of random numbers
_ROWS, _COLUMNS = 5, 9  # of interpolations
_CHUNK = 250
CLASSES = 10  # of digits


@dataclass(frozen=True)
class GanSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    latent : int
        Random numbers an image is made from.
    hidden : int
        Neurons of each hidden layer of generator and discriminator.
    channels : int
        Of the first feature maps of a convolutional generator.
    passes : int
        Over the training data in one epoch.
    lr_critic : float
        Learning rate of the discriminator.
    beta : float
        Decay of the twin's membranes per time step.
    noise : float
        Standard deviation of noise added to all images the discriminator sees.
    average : float
        What the averaged generator, which is the one that is judged, keeps of itself at each update.
    judged : int
        Images to be judged, and test images to judge by; 0 for as many as there are.
    """

    latent: int = 16
    hidden: int = 128
    channels: int = 32
    passes: int = 5
    lr_critic: float = 1e-3
    beta: float = 0.9
    noise: float = 0.1
    average: float = 0.99
    judged: int = 0


class Adversary:
    """Learner of a generator by the hinge loss; the generator that is judged is averaged over updates.

    Parameters
    ----------
    generator, discriminator : callable
        Make the modules from data and settings: random numbers (k, latent) to images (k, size, size) in 0 … 1, and
        images to numbers (k,).
    data : Classification
    settings : GanSettings
    seed : int
    lr : float
        Learning rate of the generator at the start.

    References
    ----------
    Goodfellow et al. 2014, arXiv:1406.2661. Lim & Ye 2017, arXiv:1705.02894 (hinge loss).
    """

    def __init__(
        self,
        generator: Callable[[Classification, GanSettings], nn.Module],
        discriminator: Callable[[Classification, GanSettings], nn.Module],
        data: Classification,
        settings: GanSettings,
        seed: int,
        lr: float,
    ) -> None:
        self.data, self.settings, self.seed = judged_by(data, settings.judged), settings, seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._raw, self.discriminator = generator(data, settings), discriminator(data, settings)
        self.module = copy.deepcopy(self._raw)
        self._batches = math.ceil(len(data.train.y) / settings.batch_size)
        self.updates, self._done = settings.passes * self._batches, 0
        whole = settings.epochs * self.updates
        self._optimizers = [
            torch.optim.Adam(module.parameters(), lr=rate, betas=(0.5, 0.99))
            for module, rate in ((self._raw, lr), (self.discriminator, settings.lr_critic))
        ]
        self._schedules = [
            torch.optim.lr_scheduler.LambdaLR(o, lambda update: 1.0 - 0.9 * update / whole) for o in self._optimizers
        ]
        self._rng = np.random.default_rng((seed, TRAIN))

    # ------------------------------------------------------------ learning

    def epoch(self) -> Iterator[float]:
        """Some passes over the training images; yields the discriminator's loss."""
        for _ in range(self.settings.passes):
            order = self._rng.permutation(len(self.data.train.y))
            for batch in np.array_split(order, self._batches):
                yield self._update(torch.from_numpy(self.data.train.x[batch]))

    def _update(self, real: Tensor) -> float:
        for_generator, for_discriminator = self._optimizers
        self._raw.train()
        made = self._raw(self._normal(len(real), self.settings.latent))
        wrong, right = self.discriminator(self._noisy(made.detach())), self.discriminator(self._noisy(real))
        loss = functional.relu(1 + wrong).mean() + functional.relu(1 - right).mean()
        for_discriminator.zero_grad()
        loss.backward()
        for_discriminator.step()
        for_generator.zero_grad()
        fooled = -self.discriminator(self._noisy(made)).mean()
        fooled.backward()
        for_generator.step()
        for schedule in self._schedules:
            schedule.step()
        self._done += 1
        self._average()
        value = loss.item()
        if not (math.isfinite(value) and math.isfinite(fooled.item())):
            raise TrainingError(f"training diverged at update {self._done} (loss {value}); lower the learning rate")
        return value

    def _average(self) -> None:
        keep = min(self.settings.average, self._done / (self._done + 10))
        with torch.no_grad():
            for mean, now in zip(self.module.state_dict().values(), self._raw.state_dict().values(), strict=True):
                mean.mul_(keep).add_(now, alpha=1 - keep) if mean.is_floating_point() else mean.copy_(now)

    def _normal(self, *shape: int) -> Tensor:
        return torch.from_numpy(self._rng.standard_normal(shape, dtype=np.float32))

    def _noisy(self, images: Tensor) -> Tensor:
        return images + self.settings.noise * self._normal(*images.shape)

    def validate(self) -> float:
        """Distance to the validation images."""
        return judge_of(self.data).distance(self.make(self.latent(VALIDATE, len(self.data.validation.y))), "validation")

    def snapshot(self) -> Any:
        """Copy of the averaged generator."""
        return copy.deepcopy(self.module.state_dict())

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self.module.load_state_dict(snapshot)

    # ------------------------------------------------------------ judging

    def latent(self, purpose: int, count: int) -> Tensor:
        """What images are made from, the same for both sides."""
        rng = np.random.default_rng((self.seed, purpose))
        return torch.from_numpy(rng.standard_normal((count, self.settings.latent), dtype=np.float32))

    def make(self, latent: Tensor) -> NDArray[np.float32]:
        """Images (k, size, size) of the averaged generator."""
        self.module.eval()
        with torch.inference_mode():
            return torch.cat([self.module(part) for part in latent.split(_CHUNK)]).numpy()

    def test(self) -> Outcome:
        """As many images as there are to test by."""
        return self._judged()

    def test_quantised(self, bits: int) -> Outcome:
        """The same with activations of `bits` bits and weights of 8, ranges from other random numbers."""
        sample = self.latent(TRAIN, _CHUNK)
        with quantised(self.module.eval(), bits, lambda: self.module(sample)):
            return self._judged()

    def _judged(self) -> Outcome:
        latent = self.latent(TEST, len(self.data.test.y))
        self.make(latent[:_CHUNK])
        started = time.perf_counter()
        images = self.make(latent)
        seconds = time.perf_counter() - started
        with watched(self.module) as layers:
            self.make(latent)
        n = len(latent)
        layers = [layer for layer in layers if layer.rows]
        return Outcome(
            **scored(self.data, images),
            operations=ann_operations(layers, n),
            skipping=ann_operations(layers, n, skip_zeros=True),
            neurons=sum(layer.outputs for layer in layers) // n,
            synapses=sum(layer.dense for layer in layers) // n,
            inferences=n,
            wall_s=seconds,
            material={"images": images, "between": self.between()},
        )

    def between(self) -> NDArray[np.float32]:
        """Images (rows, columns, size, size) on straight ways between random places."""
        ends = self.latent(SHOWN, 2 * _ROWS).reshape(2, _ROWS, 1, -1)
        part = torch.linspace(0, 1, _COLUMNS)[None, :, None]
        images = self.make(((1 - part) * ends[0] + part * ends[1]).flatten(0, 1))
        return images.reshape(_ROWS, _COLUMNS, *images.shape[1:])


def scored(data: Classification, images: NDArray[np.float32]) -> dict[str, Any]:
    """Score and measures of made images, as fields of an outcome."""
    score, measures = judge_of(data).measures(images)
    return {"score": score, "measures": measures}


class RealImages:
    """The floor: training images, judged as if they had been made.

    Parameters
    ----------
    data : Classification
    settings : GanSettings or DiffusionSettings
    seed : int
    """

    updates = 1

    def __init__(self, data: Classification, settings: Any, seed: int) -> None:
        self.data, self.seed = judged_by(data, settings.judged), seed

    def epoch(self) -> Iterator[float]:
        """Nothing is learned."""
        yield 0.0

    def validate(self) -> float:
        """Nothing is chosen."""
        return 0.0

    def snapshot(self) -> Any:
        """Nothing is kept."""
        return None

    def restore(self, snapshot: Any) -> None:
        """Nothing is kept."""

    def test(self) -> Outcome:
        """As many training images as there are to test by."""
        n = len(self.data.test.y)
        images = self.data.train.x[np.random.default_rng((self.seed, TEST)).permutation(len(self.data.train.y))[:n]]
        nothing: dict[str, Any] = {"operations": Operations(), "neurons": 0, "synapses": 0, "wall_s": 0.0}
        return Outcome(**scored(self.data, images), **nothing, inferences=n, material={"images": images})


def judged_alike(f: Mapping[str, Any], floor: str = "real") -> list[str]:
    """Sentences on the floor, and on classes that nothing was made of."""
    real, found = f["others"][floor], []
    found.append(
        f"The floor of the distance, training images against test images, is {real[DISTANCE]:.3g}; the ANN stands at "
        f"{f['ann'][DISTANCE]:.3g}, the twin at {f['replay'][DISTANCE]:.3g}."
    )
    for who, side in (("ANN", f["ann"]), ("twin", f["replay"])):
        least = min(r["ann" if who == "ANN" else "replay"]["measures"]["classes"] for r in f["per_seed"])
        verdict = "no mode is lost" if least >= CLASSES else f"MODES ARE LOST: {CLASSES - least:.0f} classes in a seed"
        found.append(f"The {who} makes {side['classes']:.3g} of {CLASSES} classes: {verdict}.")
    return found

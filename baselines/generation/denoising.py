"""Diffusion: noise is added to images in many small steps, and a network learns to take it away again."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from baselines.contract import Classification, Outcome, Settings
from baselines.counting import LayerCount, ann_operations, watched
from baselines.errors import TrainingError
from baselines.generation.adversarial import scored
from baselines.generation.judge import judged_by
from baselines.graph import SpikingGraph
from baselines.quantised import quantised

TRAIN, VALIDATE, TEST, SHOWN = 0, 1, 2, 3  # purposes of random numbers
_ROWS, _COLUMNS = 5, 9  # of interpolations
_CHAINS, _SHOWN = 6, 10  # chains that are drawn, steps of each
_CHUNK = 200
_SETTLING = 10  # batches
_OFFSET = 0.008  # of the cosine schedule


@dataclass(frozen=True)
class DiffusionSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    times : int
        Steps in which noise is added.
    sampled : int
        Steps in which it is taken away, evenly spaced.
    fresh : float
        Part of the noise that is drawn anew in each of these steps: 0 for DDIM, 1 for DDPM.
    channels : int
        Of the largest maps.
    patch : int
        Height and width of the pixels that share a place in the largest maps.
    mixed : bool
        Whether a linear layer mixes the places of the smallest maps, the same for all channels.
    passes : int
        Over the training data in one epoch.
    beta : float
        Decay of the twin's membranes per time step.
    average : float
        What the averaged network, which is the one that is judged, keeps of itself at each update.
    judged : int
        Images to be judged, and test images to judge by; 0 for as many as there are.
    """

    times: int = 100
    sampled: int = 25
    fresh: float = 0.0
    channels: int = 32
    patch: int = 1
    mixed: bool = False
    passes: int = 10
    beta: float = 1.0
    average: float = 0.995
    judged: int = 0


def schedule(times: int) -> NDArray[np.float64]:
    """Part of the signal's power that is left after each time (times,), along a cosine.

    References
    ----------
    Nichol & Dhariwal 2021, arXiv:2102.09672, equation 17.
    """
    at = (np.arange(times + 1) / times + _OFFSET) / (1 + _OFFSET)
    left = np.cos(at * np.pi / 2) ** 2
    return np.clip(left[1:] / left[0], 1e-4, 1.0)


Predict = Callable[
    [Tensor], Tensor
]  # from images, flat, with the time behind them (k, pixels + 1) to noise (k, pixels)


def denoise(noises: Tensor, left: NDArray[np.float64], predict: Predict, fresh: float = 0.0) -> Iterator[Tensor]:
    """Images (k, pixels) in -1 … 1 after each step, from noise (k, steps, pixels), the first of which is the start.

    ``x₀ = (x - √(1 - a) ε) / √a``, cut to -1 … 1, and ``x' = √a' x₀ + √(1 - a' - b) ε + √b ξ`` with
    ``b = η² (1 - a') / (1 - a) (1 - a / a')``, where η is `fresh` and ξ new noise.

    References
    ----------
    Song, Meng & Ermon 2021, arXiv:2010.02502, equations 12 and 16.
    """
    taken = noises.shape[1]
    order = np.linspace(len(left) - 1, 0, taken).round().astype(int)
    x = noises[:, 0]
    for i, at in enumerate(order):
        now, then = left[at], left[order[i + 1]] if i + 1 < taken else 1.0
        given = torch.cat([x, torch.full((len(x), 1), float(at))], 1)
        noise = predict(given).to(x.dtype)
        clean = ((x - math.sqrt(1 - now) * noise) / math.sqrt(now)).clamp(-1, 1)
        noise = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)  # what is left where the image was cut
        anew = fresh * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
        x = math.sqrt(then) * clean + math.sqrt(1 - then - anew**2) * noise
        if anew:
            x = x + anew * noises[:, i + 1]
        yield x


class Denoiser:
    """Learner of a network that tells noise from image; the network that is judged is averaged over updates.

    What it is asked for is the velocity ``v = √a ε - √(1 - a) x₀``, from which noise and image follow at any time: with
    the noise alone, the image at the noisiest times would be a difference of large numbers.

    Parameters
    ----------
    build : callable
        Makes a `SpikingGraph` whose last cell, read after the last step and divided by the steps, is the velocity.
    data : Classification
    settings : DiffusionSettings
    seed : int
    lr : float
        Learning rate at the start.

    References
    ----------
    Ho, Jain & Abbeel 2020, arXiv:2006.11239, algorithm 1. Salimans & Ho 2022, arXiv:2202.00512, section 4.
    """

    def __init__(
        self, build: Callable[[], SpikingGraph], data: Classification, settings: DiffusionSettings, seed: int, lr: float
    ) -> None:
        self.data, self.settings, self.seed = judged_by(data, settings.judged), settings, seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._raw = build()
        self.module = copy.deepcopy(self._raw)
        self.left = schedule(settings.times)
        self._power = torch.from_numpy(self.left).float()
        self._batches = math.ceil(len(data.train.y) / settings.batch_size)
        self.updates, self._done = settings.passes * self._batches, 0
        self._optimizer = torch.optim.Adam(self._raw.parameters(), lr=lr)
        whole = settings.epochs * self.updates
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, whole)
        self._rng = np.random.default_rng((seed, TRAIN))

    # ------------------------------------------------------------ learning

    def epoch(self) -> Iterator[float]:
        """Some passes over the training images; yields the loss after each update."""
        for _ in range(self.settings.passes):
            order = self._rng.permutation(len(self.data.train.y))
            for batch in np.array_split(order, self._batches):
                loss = self._loss(self._raw.train(), self.data.train.x[batch], self._rng)
                self._optimizer.zero_grad()
                loss.backward()
                self._optimizer.step()
                self._schedule.step()
                self._done += 1
                self._average()
                if not math.isfinite(value := loss.item()):
                    raise TrainingError(
                        f"training diverged at update {self._done} (loss {value}); lower the learning rate"
                    )
                yield value

    def _loss(self, module: SpikingGraph, images: NDArray[np.float32], rng: np.random.Generator) -> Tensor:
        """Squared error of the velocity, at random times."""
        clean = torch.from_numpy(2 * images.reshape(len(images), -1) - 1)
        noise = torch.from_numpy(rng.standard_normal(clean.shape, dtype=np.float32))
        at = torch.from_numpy(rng.integers(0, self.settings.times, len(images)))
        power = self._power[at][:, None]
        x = power.sqrt() * clean + (1 - power).sqrt() * noise
        velocity = power.sqrt() * noise - (1 - power).sqrt() * clean
        return functional.mse_loss(self._velocity(torch.cat([x, at[:, None].float()], 1), module), velocity)

    def _velocity(self, given: Tensor, graph: SpikingGraph) -> Tensor:
        held = graph(given)[graph.cells[-1].name]
        return held[-1].flatten(1) / len(held)

    def predict(self, given: Tensor) -> Tensor:
        """Noise (k, pixels) in images with their time behind them."""
        return self.noise(given, self._velocity(given, self.module))

    def noise(self, given: Tensor, velocity: Tensor) -> Tensor:
        """Noise (k, pixels) in images with their time behind them, ``√a v + √(1 - a) x``."""
        power = torch.from_numpy(self.left).to(velocity.dtype)[given[:, -1].long()][:, None]
        return power.sqrt() * velocity + (1 - power).sqrt() * given[:, :-1].to(velocity.dtype)

    def settle(self) -> None:
        """Batch statistics of the averaged network itself: those of its parts, averaged, are not its own."""
        norms = [m for m in self.module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        kept = [m.momentum for m in norms]
        for m in norms:
            m.reset_running_stats()
            m.momentum = None  # a plain mean over what follows
        rng = np.random.default_rng((self.seed, TRAIN, 1))
        with torch.no_grad():
            for _ in range(_SETTLING):
                some = rng.integers(len(self.data.train.y), size=_CHUNK)
                self._loss(self.module.train(), self.data.train.x[some], rng)
        for m, momentum in zip(norms, kept, strict=True):
            m.momentum = momentum
        self.module.eval()

    def _average(self) -> None:
        keep = min(self.settings.average, self._done / (self._done + 10))
        with torch.no_grad():
            for mean, now in zip(self.module.state_dict().values(), self._raw.state_dict().values(), strict=True):
                mean.mul_(keep).add_(now, alpha=1 - keep) if mean.is_floating_point() else mean.copy_(now)

    def validate(self) -> float:
        """Squared error of the velocity in validation images, times and noise always the same."""
        self.settle()
        rng = np.random.default_rng((self.seed, VALIDATE))
        with torch.inference_mode():
            parts = [
                float(self._loss(self.module, self.data.validation.x[lo : lo + _CHUNK], rng))
                for lo in range(0, len(self.data.validation.y), _CHUNK)
            ]
        return float(np.mean(parts))

    def snapshot(self) -> Any:
        """Copy of the averaged network."""
        return copy.deepcopy(self.module.state_dict())

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self.module.load_state_dict(snapshot)

    # ------------------------------------------------------------ judging

    def start(self, purpose: int, count: int) -> Tensor:
        """Noise (k, steps, pixels) that images are made from, the same for both sides."""
        rng, shape = np.random.default_rng((self.seed, purpose)), (self.settings.sampled, self.data.train.x[0].size)
        return torch.from_numpy(rng.standard_normal((count, *shape), dtype=np.float32))

    def chain(self, start: Tensor, predict: Predict | None = None) -> list[NDArray[np.float32]]:
        """Images (k, size, size) in 0 … 1 after each step."""
        size = self.data.train.x.shape[1]
        self.module.eval()
        with torch.inference_mode():
            steps = list(denoise(start, self.left, predict or self.predict, self.settings.fresh))
        return [((x + 1) / 2).clamp(0, 1).reshape(-1, size, size).float().numpy() for x in steps]

    def make(self, start: Tensor) -> NDArray[np.float32]:
        """Images (k, size, size) in 0 … 1."""
        return np.concatenate([self.chain(part)[-1] for part in start.split(_CHUNK)])

    def made(self) -> int:
        """How many images are made to be judged."""
        return len(self.data.test.y)

    def test(self) -> Outcome:
        """As many images as there are to test by."""
        return self._judged()

    def test_quantised(self, bits: int) -> Outcome:
        """The same with activations of `bits` bits and weights of 8, ranges from other noise."""
        sample = self.start(TRAIN, _CHUNK)
        with quantised(self.module.eval(), bits, lambda: self.make(sample)):
            return self._judged()

    def _judged(self) -> Outcome:
        n, taken = self.made(), self.settings.sampled
        images, layers, seconds = self._timed(n)
        return Outcome(
            **scored(self.data, images),
            operations=ann_operations(layers, n),
            skipping=ann_operations(layers, n, skip_zeros=True),
            neurons=sum(layer.outputs for layer in layers) // n // taken,
            synapses=sum(layer.dense for layer in layers) // n // taken,
            inferences=n,
            wall_s=seconds,
            material=self.shown(images),
        )

    def _timed(self, n: int) -> tuple[NDArray[np.float32], list[LayerCount], float]:
        """Images, the products they took, and the seconds."""
        start = self.start(TEST, n)
        started = time.perf_counter()
        images = self.make(start)
        seconds = time.perf_counter() - started
        with watched(self.module) as layers:
            self.make(start)
        return images, [layer for layer in layers if layer.rows], seconds

    def shown(self, images: NDArray[np.float32]) -> dict[str, Any]:
        """What pictures are drawn from: images, ways between places of noise, and chains."""
        noise = self.start(SHOWN, 2 * _ROWS)
        ends = noise.reshape(2, _ROWS, 1, *noise.shape[1:])
        part = torch.linspace(0, math.pi / 2, _COLUMNS)[None, :, None, None]
        between = self.make((torch.cos(part) * ends[0] + torch.sin(part) * ends[1]).flatten(0, 1))
        chain = self.chain(self.start(TEST, _CHAINS))
        some = np.linspace(0, len(chain) - 1, min(_SHOWN, len(chain))).round().astype(int)
        return {
            "images": images,
            "between": between.reshape(_ROWS, _COLUMNS, *between.shape[1:]),
            "chain": np.stack([chain[i] for i in some], 1),
        }

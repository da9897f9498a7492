"""How good made images are: distances in the features of a digit classifier that is trained once and then frozen.

Inception features say little about digits, so that distances here compare with nothing but each other; real images
against real ones give the floor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg
from torch import Tensor, nn
from torch.nn import functional

from baselines.contract import Classification, Metric, Split

DISTANCE = "classifier-FID"
METRICS = (
    Metric(DISTANCE, percent=False, higher=False),
    Metric("precision"),
    Metric("recall"),
    Metric("coverage"),
    Metric("classes", percent=False),
    Metric("label divergence", percent=False, higher=False),
    Metric("nearest training image", percent=False),
)
VERSION = 1  # of the classifier; distances of other versions do not compare
_FEATURES, _EPOCHS, _LARGEST, _SEED = 32, 12, 20_000, 7
_NEIGHBOURS = 5
_AT_ONCE = 500  # images whose nearest ones are looked for together
_PRESENT = 0.01  # part of the images from which a class counts as made


class _Classifier(nn.Module):
    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * (size // 4) ** 2, _FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(_FEATURES, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class Judge:
    """Metrics of made images against the validation or test images of a task.

    Parameters
    ----------
    data : Classification
        Images (k, size, size) in 0 … 1. The classifier sees the training part alone, with a seed of its own.
    """

    def __init__(self, data: Classification) -> None:
        self.data = data
        self.classifier = _trained(data)
        self.accuracy = float(np.mean(self.labels(data.test.x) == data.test.y))
        self._known = {part: self.features(getattr(data, part).x) for part in ("validation", "test")}

    def features(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """What the classifier's last but one layer makes of images (k, size, size)."""
        return self._run(self.classifier.body, images)

    def labels(self, images: NDArray[np.float32]) -> NDArray[np.int64]:
        """Classes of images."""
        return self._run(self.classifier, images).argmax(1)

    def distance(self, images: NDArray[np.float32], part: str = "test") -> float:
        """Fréchet distance to the images of a part."""
        return frechet(self.features(images), self._known[part])

    def measures(self, images: NDArray[np.float32]) -> tuple[float, dict[str, float]]:
        """The distance to the test images, and everything else by name."""
        made, real = self.features(images), self._known["test"]
        precision, recall, coverage = neighbourhoods(real, made)
        balance = np.bincount(self.labels(images), minlength=self.data.classes) / len(images)
        wanted = np.bincount(self.data.train.y, minlength=self.data.classes) / len(self.data.train.y)
        there = balance > 0
        return frechet(made, real), {
            "precision": precision,
            "recall": recall,
            "coverage": coverage,
            "classes": float(np.count_nonzero(balance >= _PRESENT)),
            "label divergence": float(np.sum(balance[there] * np.log(balance[there] / wanted[there]))),
            "nearest training image": float(np.mean(nearest(self.data, images)[1])),
        }

    def _run(self, module: nn.Module, images: NDArray[np.float32]) -> NDArray[Any]:
        with torch.inference_mode():
            parts = [module(part[:, None]) for part in torch.from_numpy(np.ascontiguousarray(images)).split(1000)]
        return torch.cat(parts).double().numpy()


_JUDGES: dict[int, tuple[Classification, Judge]] = {}  # by identity of the data, which are kept alive here


def judge_of(data: Classification) -> Judge:
    """The judge of these data, made when first asked for."""
    if id(data) not in _JUDGES:
        _JUDGES.clear()
        _JUDGES[id(data)] = (data, Judge(data))
    return _JUDGES[id(data)][1]


def nearest(data: Classification, images: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Training image closest to each image, and its distance (root mean square of pixels)."""
    train = data.train.x[:_LARGEST].reshape(min(len(data.train.x), _LARGEST), -1).astype(np.float64)
    half, flat = np.square(train).sum(1) / 2, images.reshape(len(images), -1).astype(np.float64)
    parts = np.array_split(flat, -(-len(flat) // _AT_ONCE))  # a tree gains nothing among hundreds of pixels
    place = np.concatenate([np.argmax(part @ train.T - half, axis=1) for part in parts])
    return place, np.sqrt(np.square(flat - train[place]).mean(1))


_FEWER: dict[tuple[int, int], tuple[Classification, Classification]] = {}  # by identity of the data, and how many


def judged_by(data: Classification, count: int) -> Classification:
    """The same data with the first `count` test images alone, 0 for all of them."""
    if not 0 < count < len(data.test.y):
        return data
    if (id(data), count) not in _FEWER:
        _FEWER.clear()
        some = Split(data.test.x[:count], data.test.y[:count])
        _FEWER[id(data), count] = (data, data._replace(test=some))
    return _FEWER[id(data), count][1]


def _trained(data: Classification) -> _Classifier:
    x, y = (torch.from_numpy(part[:_LARGEST]) for part in data.train)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        module = _Classifier(x.shape[1], data.classes)
        epochs = max(2, round(_EPOCHS * min(1.0, 2000 / len(x))))
        optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
        for _ in range(epochs):
            for part in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                functional.cross_entropy(module(x[part][:, None]), y[part]).backward()
                optimizer.step()
    return module.eval()


def frechet(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """``|μ_a - μ_b|² + tr(C_a + C_b - 2 (C_a C_b)^½)`` of two sets of features (n, f).

    References
    ----------
    Heusel et al. 2017, arXiv:1706.08500, equation 6.
    """
    gap = a.mean(0) - b.mean(0)
    first, second = np.cov(a.T), np.cov(b.T)
    values = linalg.eigvals(first @ second)
    return float(gap @ gap + np.trace(first) + np.trace(second) - 2 * np.sum(np.sqrt(np.maximum(values.real, 0))))


def neighbourhoods(real: NDArray[np.float64], made: NDArray[np.float64]) -> tuple[float, float, float]:
    """Precision, recall and coverage by balls that reach to the fifth neighbour.

    References
    ----------
    Kynkäänniemi et al. 2019, arXiv:1904.06991 (precision, recall). Naeem et al. 2020, arXiv:2002.09797 (coverage).
    """
    from scipy.spatial.distance import cdist

    reach_real, reach_made = (np.partition(cdist(x, x), _NEIGHBOURS, 1)[:, _NEIGHBOURS] for x in (real, made))
    between = cdist(real, made)
    precision = (between <= reach_real[:, None]).any(0).mean()
    recall = (between <= reach_made[None, :]).any(1).mean()
    coverage = (between.min(1) <= reach_real).mean()
    return float(precision), float(recall), float(coverage)

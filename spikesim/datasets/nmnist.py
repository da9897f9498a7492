"""N-MNIST, small part: event-camera recordings of the first 1,000 training and 100 test digits of MNIST."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset, File, missing_files, read_npz

DATASET = Dataset(
    name="nmnist",
    title="N-MNIST, 1,000 + 100 recordings",
    files=(
        File("nmnist_small_train.npz", "286258d316769bc39c88e95d25b295c9452d30fbec630c319c97334b9975c3a9", 13302990),
        File("nmnist_small_test.npz", "9728807fce101c3ccb577d881dc7c8450577b6c354f39372b0a529a407c8eb52", 1248997),
    ),
    url="",
    licence="CC BY-SA 4.0 (as widely given; the files themselves carry none)",
    source="Orchard, Jayawant, Cohen & Thakor 2015, doi:10.3389/fnins.2015.00437",
)


class Recordings(NamedTuple):
    """Events: pixels x, y (0 … 33), polarity p (1 = on), time t in µs; recording i is ``offsets[i]:offsets[i + 1]``."""

    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    p: NDArray[np.uint8]
    t: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.uint8]


class Nmnist(NamedTuple):
    """Recordings to train and to test."""

    train: Recordings
    test: Recordings


def available() -> bool:
    """Whether both files are in the folder."""
    return not missing_files(DATASET)


def load() -> Nmnist:
    """Read all recordings; accuracies on these 100 test digits do not compare with published ones.

    Raises
    ------
    FileError
        If a file is missing, damaged or not the published one.
    """
    return Nmnist(*(_read(file.name) for file in DATASET.files))


def _read(name: str) -> Recordings:
    f = read_npz(DATASET, name)
    return Recordings(*(f[key] for key in ("x", "y", "p", "t", "offsets", "label")))

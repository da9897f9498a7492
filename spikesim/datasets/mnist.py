"""MNIST: 60,000 + 10,000 handwritten digits of 28 × 28 pixels."""

from __future__ import annotations

import gzip
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset, File, missing_files, read_file

DATASET = Dataset(
    name="mnist",
    title="MNIST handwritten digits",
    files=(
        File("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422),
        File("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881),
        File("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877),
        File("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542),
    ),
    url="https://ossci-datasets.s3.amazonaws.com/mnist",
    licence="CC BY-SA 3.0 (as widely given; the files themselves carry none)",
    source="LeCun, Bottou, Bengio & Haffner 1998, doi:10.1109/5.726791",
)


class Mnist(NamedTuple):
    """Images (k, 28, 28) uint8 with background 0, and labels (k,) uint8."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def available() -> bool:
    """Whether all four files are in the folder."""
    return not missing_files(DATASET)


def load() -> Mnist:
    """Read all four files.

    Raises
    ------
    FileError
        If a file is missing, damaged or not the published one.
    """
    return Mnist(*(_read_idx(file.name) for file in DATASET.files))


def _read_idx(name: str) -> NDArray[np.uint8]:
    """Array in IDX form: two zero bytes, type 8 (uint8), number of axes, big-endian sizes, values."""
    raw = gzip.decompress(read_file(DATASET, name))
    axes = raw[3]
    shape = np.frombuffer(raw, ">u4", axes, offset=4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)

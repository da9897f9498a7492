"""The 1,797 handwritten digits of 8 × 8 pixels that come inside scikit-learn."""

from __future__ import annotations

import importlib.util
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset
from spikesim.errors import FileError

DATASET = Dataset(
    name="digits",
    title="scikit-learn digits",
    files=(),
    url="",
    licence="CC BY 4.0",
    source="Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49 (its test set)",
)


class Digits(NamedTuple):
    """Images (1797, 8, 8) uint8 with values 0 … 16, and labels (1797,) uint8."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def available() -> bool:
    """Whether scikit-learn is installed."""
    return importlib.util.find_spec("sklearn") is not None


def load() -> Digits:
    """Read the digits from scikit-learn.

    Raises
    ------
    FileError
        If scikit-learn is not installed.
    """
    if not available():
        raise FileError("data set 'digits' comes inside scikit-learn: pip install 'spikesim[baselines]'")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return Digits(bunch.images.astype(np.uint8), bunch.target.astype(np.uint8))

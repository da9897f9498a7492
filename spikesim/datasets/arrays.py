"""Data sets that are one file of NumPy arrays."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset, read_file
from spikesim.errors import FileError


def read_npz(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """Arrays by name of the one file of `dataset`; FileError unless it is there and the published one."""
    name = dataset.files[0].name
    raw = read_file(dataset, name)
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except (ValueError, zipfile.BadZipFile) as error:
        raise FileError(f"data set {dataset.name!r}: {name} cannot be read: {error}") from None

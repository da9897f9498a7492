"""Free Spoken Digit Dataset: 3,000 recordings of spoken English digits, repacked as one file."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset, File, missing_files, read_npz

DATASET = Dataset(
    name="fsdd",
    title="Free Spoken Digit Dataset",
    files=(File("fsdd.npz", "e2b6a13cd51fc32adc44ec36616d45d3a57e712035987fef7b8b983882d15b90", 15436936),),
    url="",
    licence="CC BY-SA 4.0",
    source="Z. Jackson et al., Free Spoken Digit Dataset, Zenodo, doi:10.5281/zenodo.1342401",
)


class Fsdd(NamedTuple):
    """Recording i is ``samples[offsets[i]:offsets[i + 1]]`` (int16, 8 kHz); digits, take 0 … 49, and the test part."""

    samples: NDArray[np.int16]
    offsets: NDArray[np.int64]
    labels: NDArray[np.uint8]
    takes: NDArray[np.int16]
    is_test: NDArray[np.bool_]
    sample_rate: int


def available() -> bool:
    """Whether the file is in the folder."""
    return not missing_files(DATASET)


def load() -> Fsdd:
    """Read the recordings; takes 0 … 4 of every speaker and digit are the official test part.

    Raises
    ------
    FileError
        If the file is missing, damaged or not the published one.
    """
    f = read_npz(DATASET, "fsdd.npz")
    return Fsdd(f["samples"], f["offsets"], f["label"], f["index"], f["is_test"], int(f["sample_rate"]))

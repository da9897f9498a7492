"""Free Spoken Digit Dataset: 3,000 recordings of the digits 0 to 9 by six speakers, 8 kHz."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.arrays import read_npz
from spikesim.datasets.store import Dataset, File, missing_files

DATASET = Dataset(
    name="fsdd",
    title="Free Spoken Digit Dataset",
    files=(File("fsdd.npz", "e2b6a13cd51fc32adc44ec36616d45d3a57e712035987fef7b8b983882d15b90", 15436936),),
    url="",
    licence="CC BY-SA 4.0",
    source="Jackson et al., Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401",
)


class Fsdd(NamedTuple):
    """Recordings end to end (int16), where each begins (3001,), digits, numbers 0 … 49, and the sample rate in Hz."""

    samples: NDArray[np.int16]
    offsets: NDArray[np.int64]
    label: NDArray[np.int64]
    number: NDArray[np.int64]
    speaker: NDArray[np.str_]
    rate: int


def available() -> bool:
    """Whether the file is in the folder."""
    return not missing_files(DATASET)


def load() -> Fsdd:
    """Read all recordings; those with ``number < 5`` are the official test part.

    Raises
    ------
    FileError
        If the file is missing, damaged or not the known one.
    """
    a = read_npz(DATASET)
    label, number = a["label"].astype(np.int64), a["index"].astype(np.int64)
    return Fsdd(a["samples"], a["offsets"], label, number, a["speaker"], int(a["sample_rate"]))

"""Tactile Braille letters: 12 touch sensors sliding over 27 characters, 50 times each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.arrays import read_npz
from spikesim.datasets.store import Dataset, File, missing_files

DATASET = Dataset(
    name="braille",
    title="tactile Braille letters",
    files=(File("braille.npz", "a3dcac0cc8c7ae8ba63c38ad67a710e824e815625e305e34bf570622d460d0f1", 203479),),
    url="",
    licence="CC BY 4.0",
    source="Müller-Cleve et al. 2022, doi:10.3389/fnins.2022.951164",
)


class Braille(NamedTuple):
    """Readings (1350, 77, 12) with 255 for no touch, characters (1350,), repetitions 0 … 49 (1350,), names (27,)."""

    readings: NDArray[np.uint8]
    label: NDArray[np.int64]
    repetition: NDArray[np.int64]
    names: NDArray[np.str_]


def available() -> bool:
    """Whether the file is in the folder."""
    return not missing_files(DATASET)


def load() -> Braille:
    """Read all readings; only sensors 1, 2, 6 and 10 vary.

    Raises
    ------
    FileError
        If the file is missing, damaged or not the known one.
    """
    a = read_npz(DATASET)
    return Braille(a["x"], a["label"].astype(np.int64), a["repetition"].astype(np.int64), a["class_name"])

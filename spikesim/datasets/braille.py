"""Braille letters read by a robot's fingertip: 1,350 trials of 27 classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset, File, missing_files, read_npz

DATASET = Dataset(
    name="braille",
    title="tactile Braille letters",
    files=(File("braille.npz", "a3dcac0cc8c7ae8ba63c38ad67a710e824e815625e305e34bf570622d460d0f1", 203479),),
    url="",
    licence="CC BY 4.0",
    source="Mueller-Cleve et al. 2022, Braille letter reading, doi:10.3389/fnins.2022.951164",
)


class Braille(NamedTuple):
    """Touch (1350, 77, 12) uint8, 255 without touch; labels; repetition 0 … 49 of each class; names of the classes."""

    touch: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    repetitions: NDArray[np.int16]
    names: NDArray[np.str_]


def available() -> bool:
    """Whether the file is in the folder."""
    return not missing_files(DATASET)


def load() -> Braille:
    """Read the trials; only sensors 1, 2, 6 and 10 ever vary.

    Raises
    ------
    FileError
        If the file is missing, damaged or not the published one.
    """
    f = read_npz(DATASET, "braille.npz")
    return Braille(f["x"], f["label"], f["repetition"], f["class_name"])

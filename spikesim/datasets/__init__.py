"""Named data: which files, from where, under which licence, and how to read them. One file per data set.

Data are looked for in the folder named by the environment variable ``SPIKESIM_DATA`` (default
``~/.local/share/spikesim``), each set in a folder of its own name, and checked against their sha256 sums.

Examples
--------
>>> from spikesim import datasets
>>> datasets.describe("mnist").licence
'CC BY-SA 3.0 (as widely given; the files themselves carry none)'
"""

from __future__ import annotations

from typing import Any

from spikesim.datasets import (
    braille,
    cora,
    corpora,
    digits,
    fsdd,
    karate,
    mnist,
    movie_reviews,
    nmnist,
    wordsim,
    yin_yang,
)
from spikesim.datasets.store import Dataset, data_folder, fetch_files, missing_files
from spikesim.errors import unknown

__all__ = ["DATASETS", "Dataset", "available", "data_folder", "describe", "fetch", "load", "missing"]

_MODULES = (braille, cora, corpora, digits, fsdd, karate, mnist, movie_reviews, nmnist, wordsim, yin_yang)
DATASETS = {module.DATASET.name: module for module in _MODULES}


def _module(name: str) -> Any:
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return DATASETS[name]


def describe(name: str) -> Dataset:
    """Title, files, source, licence and citation of data set `name`; ParameterError if there is none."""
    return _module(name).DATASET


def available(name: str) -> bool:
    """Whether `load(name)` would find its files (or, for embedded data, the package that carries them)."""
    return _module(name).available()


def load(name: str) -> Any:
    """Arrays of data set `name`; what comes back stands in the `load` of its own module.

    Raises
    ------
    ParameterError
        If there is no such data set.
    FileError
        If files are missing, damaged or not the published ones.
    """
    return _module(name).load()


def fetch(name: str) -> None:
    """Download the files of data set `name` that are missing into its folder, checking their sha256 sums.

    Raises
    ------
    ParameterError
        If there is no such data set.
    FileError
        If a file cannot be downloaded or is not the published one; nothing is then left behind.
    """
    fetch_files(describe(name))


def missing(name: str) -> list[str]:
    """Names of the files of data set `name` that are not in its folder."""
    return [file.name for file in missing_files(describe(name))]

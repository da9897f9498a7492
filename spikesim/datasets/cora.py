"""Cora: 2,708 papers, 5,278 citations, 1,433 words, 7 subjects, with the public split of Planetoid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spikesim.datasets.store import Dataset, File, missing_files, read_npz

DATASET = Dataset(
    name="cora",
    title="Cora citation graph",
    files=(File("cora.npz", "08f0bd69763d4f600d33c29d6cf1095be44c87c1d387bce83aacde4499d809a0", 89422),),
    url="",
    licence="none of its own; the repository it comes from is under MIT",
    source="Yang, Cohen & Salakhutdinov 2016, arXiv:1603.08861; Sen et al. 2008, doi:10.1609/aimag.v29i3.2157",
    directory="planetoid",
)


class Cora(NamedTuple):
    """Words of each paper (2708, 1433) as 0 and 1, citations (5278, 2), subjects (2708,), and the public split."""

    features: sparse.csr_array
    edges: NDArray[np.int64]
    label: NDArray[np.int64]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def available() -> bool:
    """Whether the file is in the folder."""
    return not missing_files(DATASET)


def load() -> Cora:
    """Read the graph from a file that holds Planetoid's as arrays.

    Raises
    ------
    FileError
        If the file is missing, damaged or not the known one.
    """
    a = read_npz(DATASET, DATASET.files[0].name)
    ones = np.ones(len(a["feat_indices"]))
    features = sparse.csr_array((ones, a["feat_indices"], a["feat_indptr"]), shape=tuple(a["feat_shape"]))
    numbers = {key: a[key].astype(np.int64) for key in ("edges", "label", "train", "val", "test")}
    return Cora(features, *numbers.values())

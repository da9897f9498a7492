"""Movie reviews: 1,000 positive and 1,000 negative ones, tokenised."""

from __future__ import annotations

import io
import zipfile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset, File, missing_files, read_file

DATASET = Dataset(
    name="movie_reviews",
    title="movie reviews, polarity data set 2.0",
    files=(File("movie_reviews.zip", "a41211ae685019137410268134db6a1a14428c89b671eb83056151a878539008", 4004848),),
    url="https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora",
    licence="CC BY 4.0",
    source="Pang & Lee 2004, arXiv:cs/0409058, data set 2.0",
    directory="text",
)


class Reviews(NamedTuple):
    """Words of each review, and whether it is positive (2000,); in the order of the file names, which fixes folds."""

    words: list[list[str]]
    positive: NDArray[np.int64]
    fold: NDArray[np.int64]


def available() -> bool:
    """Whether the file is in the folder."""
    return not missing_files(DATASET)


def load() -> Reviews:
    """Read all reviews; `fold` 0 … 9 is the published one, from the file names (cv000 … cv999, 100 to a fold).

    Raises
    ------
    FileError
        If the file is missing, damaged or not the published one.
    """
    words, positive, fold = [], [], []
    with zipfile.ZipFile(io.BytesIO(read_file(DATASET, DATASET.files[0].name))) as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".txt") and "/cv" in n):
            words.append(archive.read(name).decode("latin-1").split())
            positive.append(int("/pos/" in name))
            fold.append(int(name.rsplit("/cv", 1)[1][0]))
    return Reviews(words, np.array(positive), np.array(fold))

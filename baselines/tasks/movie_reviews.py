"""Movie reviews: positive or negative, from which words occur in each eighth of a review."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Classification, Split, Task
from spikesim import datasets

PARTS, WORDS = 8, 2000
_VALIDATION, _TEST = 8, 9  # folds


def load() -> Classification:
    """Words (k, 8, 2000) as 0 and 1, those that occur in most training reviews, the commonest 50 left out."""
    data = datasets.load("movie_reviews")
    test, validation = data.fold == _TEST, data.fold == _VALIDATION
    train = ~(test | validation)
    seen = Counter(word for i in np.flatnonzero(train) for word in set(data.words[i]))
    ordered = sorted(seen, key=lambda word: (-seen[word], word))[_COMMON : _COMMON + WORDS]
    place = {word: i for i, word in enumerate(ordered)}
    x = np.stack([_parts(words, place) for words in data.words])
    parts = [Split(x[part], data.positive[part]) for part in (train, validation, test)]
    return Classification(parts[0], parts[1], parts[2], 2)


_COMMON = 50


def _parts(words: list[str], place: dict[str, int]) -> NDArray[np.float32]:
    x = np.zeros((PARTS, WORDS), np.float32)
    for i, word in enumerate(words):
        if word in place:
            x[i * PARTS // len(words), place[word]] = 1.0
    return x


_DATA = datasets.describe("movie_reviews")
TASK = Task(
    name="movie_reviews",
    title="movie reviews, positive or negative",
    metric="accuracy",
    licence=_DATA.licence,
    source=_DATA.source,
    split="1,600 train (folds 0 to 7), 200 validation (fold 8), 200 test (fold 9), folds as published",
    remedy="put movie_reviews.zip into $SPIKESIM_DATA/text, or call spikesim.datasets.fetch('movie_reviews')",
    available=lambda: datasets.available("movie_reviews"),
    load=load,
)

"""A generated language: words that have a place in a space, and texts that wander through it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Task
from baselines.language.corpus import Corpus, Pairs

WORDS, DIMENSIONS, SENTENCES, LENGTH = 300, 6, 5000, 16
_SHARPNESS, _STEP, _SEED = 3.0, 0.3, 1
_VALIDATION, _TEST = 1000, 2000
_PARTS = slice(_VALIDATION), slice(_VALIDATION, None)


def load() -> Corpus:
    """Words at random places of a sphere; a sentence is a walk on it, each word drawn by ``exp(sharpness cos)``.

    The similarity of two words is the cosine of their places. Common words lie anywhere: a weight of 1 / rank scales
    the probability of each.
    """
    rng = np.random.default_rng(_SEED)
    places = _unit(rng.normal(size=(WORDS, DIMENSIONS)))
    common = 1.0 / (np.arange(WORDS) + 20.0)
    walk, tokens = _unit(rng.normal(size=(SENTENCES, DIMENSIONS))), []
    for _ in range(LENGTH):
        chances = common * np.exp(_SHARPNESS * walk @ places.T)
        bounds = np.cumsum(chances, 1)
        tokens.append((rng.random((SENTENCES, 1)) * bounds[:, -1:] > bounds).sum(1))
        walk = _unit(walk + _STEP * rng.normal(size=walk.shape))
    first, second = np.triu_indices(WORDS, 1)
    chosen = rng.permutation(len(first))[: _VALIDATION + _TEST]
    first, second = first[chosen], second[chosen]
    pairs = Pairs(first, second, np.sum(places[first] * places[second], 1))
    validation, test = (Pairs(pairs.first[part], pairs.second[part], pairs.score[part]) for part in _PARTS)
    return Corpus(
        tuple(f"w{i:03d}" for i in range(WORDS)),
        np.stack(tokens, 1).ravel(),
        np.repeat(np.arange(SENTENCES), LENGTH),
        validation,
        {"known relations": test},
        {"known relations": _TEST},
    )


def _unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


TASK = Task(
    name="generated_words",
    title="a generated language, 300 words with known relations",
    metric="correlation",
    licence="made by this program",
    source="a random walk in a space of words, as in Arora et al. 2016, arXiv:1502.03520, section 2",
    split="one text of 80,000 words; 1,000 word pairs to validate, 2,000 others to test, the same for every seed",
    remedy="it is generated and cannot be missing",
    available=lambda: True,
    load=load,
)

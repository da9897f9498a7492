"""Text as numbers: vocabulary, windows around words, and lists of word pairs with known similarity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ABSENT = -1  # where a window reaches beyond its sentence


class Pairs(NamedTuple):
    """Pairs of words (n,), by place in the vocabulary, and how similar they are (n,)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: NDArray[np.float64]


class Corpus(NamedTuple):
    """Data of a task of words.

    Parameters
    ----------
    words : tuple of str
        Vocabulary, the commonest first.
    tokens, sentence : array (n,)
        Words of the text by place in the vocabulary, and the number of the sentence each stands in.
    validation : Pairs
        To choose settings and epochs by.
    test : mapping
        Lists of pairs by name, looked at once.
    listed : mapping
        Pairs each published list has; those with a word outside the vocabulary are not in `test`.
    """

    words: tuple[str, ...]
    tokens: NDArray[np.int64]
    sentence: NDArray[np.int64]
    validation: Pairs
    test: Mapping[str, Pairs]
    listed: Mapping[str, int]

    def counts(self) -> NDArray[np.int64]:
        """How often each word occurs."""
        return np.bincount(self.tokens, minlength=len(self.words))


def number(
    sentences: Iterable[Sequence[str]], least: int
) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    """Vocabulary of the words that occur at least `least` times, tokens, and the sentence of each token."""
    kept = [list(sentence) for sentence in sentences]
    seen = Counter(word for sentence in kept for word in sentence)
    words = tuple(sorted((w for w, n in seen.items() if n >= least), key=lambda w: (-seen[w], w)))
    place = {word: i for i, word in enumerate(words)}
    tokens = [place[w] for sentence in kept for w in sentence if w in place]
    lengths = [sum(w in place for w in sentence) for sentence in kept]
    return words, np.array(tokens, np.int64), np.repeat(np.arange(len(kept)), lengths)


def subsampled(
    corpus: Corpus, threshold: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tokens and sentences, a word of frequency f kept with probability ``sqrt(t / f) + t / f``; all for t = 0.

    References
    ----------
    Mikolov et al. 2013, arXiv:1310.4546, section 2.3, in the form of the published program.
    """
    if not threshold:
        return corpus.tokens, corpus.sentence
    part = threshold / np.maximum(corpus.counts() / len(corpus.tokens), 1e-12)
    kept = rng.random(len(corpus.tokens)) < (np.sqrt(part) + part)[corpus.tokens]
    return corpus.tokens[kept], corpus.sentence[kept]


def windows(
    tokens: NDArray[np.int64], sentence: NDArray[np.int64], width: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Words around each word (n, 2 width), `ABSENT` where there is none; each reach is drawn from 1 … width."""
    n = len(tokens)
    around = np.full((n, 2 * width), ABSENT, np.int64)
    reach = rng.integers(1, width + 1, n)
    for distance in range(1, min(width, n - 1) + 1):
        together = sentence[distance:] == sentence[:-distance]
        after = together & (reach[:-distance] >= distance)
        around[:-distance][after, distance - 1] = tokens[distance:][after]
        before = together & (reach[distance:] >= distance)
        around[distance:][before, width + distance - 1] = tokens[:-distance][before]
    return around


def pairs_of(rows: Iterable[tuple[str, str, float]], words: Sequence[str]) -> Pairs:
    """The pairs of which both words are in the vocabulary."""
    place = {word: i for i, word in enumerate(words)}
    known = [(place[a], place[b], score) for a, b, score in rows if a in place and b in place]
    table = np.array(known, float).reshape(-1, 3)
    return Pairs(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def correlation(similarity: NDArray[np.float64], pairs: Pairs) -> float:
    """Spearman's correlation between similarities and scores; 0 where all similarities are equal."""
    from scipy.stats import spearmanr

    if np.ptp(similarity) == 0:
        return 0.0
    return float(spearmanr(similarity, pairs.score).statistic)

"""What vectors have to beat: a factorised table of word pairs; and the standard program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from baselines.contract import Outcome
from baselines.language.corpus import Corpus, correlation
from baselines.language.embedding import WordSettings, cosines, judged

_POWER = 0.75


class AtOnce:
    """A learner that learns all in its first pass.

    Parameters
    ----------
    data : Corpus
    settings : WordSettings
    seed : int
    """

    updates = 1

    def __init__(self, data: Corpus, settings: WordSettings, seed: int) -> None:
        self.data, self.settings, self.seed = data, settings, seed
        self._vectors: NDArray[np.float64] | None = None

    def fit(self) -> NDArray[np.float64]:
        """Vectors (words, dimensions)."""
        raise NotImplementedError

    def epoch(self) -> Iterator[float]:
        """The first pass learns; no loss is known."""
        if self._vectors is None:
            self._vectors = self.fit()
        yield 0.0

    def validate(self) -> float:
        """Spearman's correlation with the validation pairs."""
        return correlation(cosines(self.snapshot(), self.data.validation), self.data.validation)

    def snapshot(self) -> Any:
        """The vectors."""
        return self._vectors

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self._vectors = snapshot

    def test(self) -> Outcome:
        """Cosines of all test pairs."""
        return judged(self.data, self.snapshot())


class Factorised(AtOnce):
    """Positive pointwise mutual information of words in one window, singular vectors by the roots of their values.

    References
    ----------
    Levy, Goldberg & Dagan 2015, doi:10.1162/tacl_a_00134: contexts smoothed by 0.75, windows weighted by distance.
    """

    def fit(self) -> NDArray[np.float64]:
        """Vectors (words, dimensions)."""
        table = counted(self.data, self.settings.window)
        total, rows = table.sum(), np.asarray(table.sum(1)).ravel()
        smoothed = np.asarray(table.sum(0)).ravel() ** _POWER
        smoothed /= smoothed.sum()
        entries = table.tocoo()
        information = np.log(entries.data / total) - np.log(rows[entries.row] / total) - np.log(smoothed[entries.col])
        positive = np.maximum(information - self.settings.shift, 0.0)
        positive = sparse.csr_array((positive, (entries.row, entries.col)), table.shape)
        start = np.random.default_rng(self.seed).uniform(-1, 1, min(table.shape))
        u, s, _ = sparse.linalg.svds(positive, min(self.settings.rank, min(table.shape) - 1), v0=start)
        return u * np.sqrt(s)


def counted(data: Corpus, width: int) -> Any:
    """How often two words stand together (words, words), weighted by ``1 - (distance - 1) / width``."""
    n, tokens, sentence = len(data.words), data.tokens, data.sentence
    table = sparse.csr_array((n, n))
    for distance in range(1, width + 1):
        together = sentence[distance:] == sentence[:-distance]
        pair = tokens[:-distance][together], tokens[distance:][together]
        weight = np.full(len(pair[0]), 1.0 - (distance - 1) / width)
        found = sparse.csr_array((weight, pair), (n, n))
        table = table + found + found.T
    return table


class Standard(AtOnce):
    """gensim's word2vec, skip-gram, one thread, with the same window, noise, passes and length."""

    def fit(self) -> NDArray[np.float64]:
        """Vectors (words, dimensions)."""
        from gensim.models import Word2Vec

        data, s = self.data, self.settings
        ends = np.flatnonzero(np.diff(data.sentence)) + 1
        sentences = [[data.words[i] for i in part] for part in np.split(data.tokens, ends)]
        model = Word2Vec(
            sentences, vector_size=s.dimensions, window=s.window, negative=s.negatives, sample=s.subsample, sg=1,
            min_count=1, epochs=max(s.epochs, _LEAST), workers=1, seed=self.seed + 1,
        )  # fmt: skip
        return np.stack([model.wv[word] for word in data.words]).astype(float)


_LEAST = 5  # passes the standard program makes of its own accord

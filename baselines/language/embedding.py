"""Skip-gram and continuous bag of words with negative sampling, in torch; products are counted."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from baselines.contract import Outcome, Settings, Table
from baselines.counting import ann_operations, watched
from baselines.errors import TrainingError
from baselines.language.corpus import ABSENT, Corpus, Pairs, correlation, subsampled, windows

TRAIN = 0  # purpose of random numbers
_SHARED = 256  # noise words drawn for a batch, shared by its examples
_POWER = 0.75  # of the frequencies, for the noise


@dataclass(frozen=True)
class WordSettings(Settings):
    """Settings of this family; an epoch is a pass over the text.

    Parameters
    ----------
    dimensions : int
        Length of a vector, neurons of a word.
    window : int
        Words to each side, at most.
    negatives : int
        Weight of the noise.
    subsample : float
        Frequency above which words are left out more and more often; 0 for none.
    rank : int
        Length of the control's vectors.
    shift : float
        What the control subtracts from its information.
    """

    dimensions: int = 64
    window: int = 4
    negatives: int = 5
    subsample: float = 0.0
    rank: int = 100
    shift: float = 0.0


class Vectors(nn.Module):
    """A vector for each word.

    Parameters
    ----------
    words, dimensions : int
    """

    def __init__(self, words: int, dimensions: int) -> None:
        super().__init__()
        self.table = nn.Parameter((torch.rand(words, dimensions) - 0.5) / math.sqrt(dimensions))

    def forward(self, words: Tensor) -> Tensor:
        """Vectors (…, dimensions) of words (…)."""
        return functional.embedding(words, self.table)


class Similarity(nn.Module):
    """Scalar products of vectors whose length is 1; each is one inference.

    Parameters
    ----------
    table : array (words, dimensions)
        Any length.
    """

    def __init__(self, table: NDArray[np.float64]) -> None:
        super().__init__()
        self.table = nn.Parameter(functional.normalize(torch.from_numpy(np.asarray(table, np.float32))))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Cosines of words (n,) and words (n,)."""
        return (self.table[first] * self.table[second]).sum(1)

    def products(self, first: Tensor, second: Tensor, output: Tensor) -> tuple[int, int, int]:
        """Rows, products, and those with no factor of zero."""
        a, b = self.table[first], self.table[second]
        return len(first), a.numel(), int(torch.count_nonzero(a * b))


class WordLearner:
    """Learner of vectors by telling the words of a window from noise.

    The loss of an input h (a word, or the mean of a window) and a target c is
    ``-log s(h · u_c) - k E log s(-h · u_n)`` with s the logistic function and noise n.

    Parameters
    ----------
    data : Corpus
    settings : WordSettings
    seed : int
    bag : bool
        Continuous bag of words instead of skip-gram.
    lr : float or None
        Learning rate at the start; None takes the settings' for the artificial side.

    References
    ----------
    Mikolov et al. 2013, arXiv:1310.4546, equation 4; arXiv:1301.3781 (bag of words).
    """

    def __init__(
        self, data: Corpus, settings: WordSettings, seed: int, bag: bool = False, lr: float | None = None
    ) -> None:
        self.data, self.settings, self.seed, self.bag = data, settings, seed, bag
        words = len(data.words)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.module = self.build(words)
            self.contexts = nn.Parameter(torch.zeros(words, settings.dimensions))
            self.offset = nn.Parameter(torch.zeros(()))
        self._rng = np.random.default_rng((seed, TRAIN))
        chance = data.counts().astype(float) ** _POWER
        self._noise = np.cumsum(chance / chance.sum())
        self._batches = list(self._cut(*self._examples()))
        self.updates, self._done = len(self._batches), 0
        parameters = [*self.module.parameters(), self.contexts, self.offset]
        self._optimizer = torch.optim.Adam(parameters, lr=lr or settings.lr_ann, fused=True)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, settings.epochs * self.updates)

    def build(self, words: int) -> Any:
        """What turns words into vectors."""
        return Vectors(words, self.settings.dimensions)

    def hidden(self, words: Tensor) -> Tensor:
        """Vectors of words (n,) while learning."""
        return self.module(words)

    def vectors(self) -> NDArray[np.float64]:
        """Vectors of the whole vocabulary."""
        return self.module.table.detach().double().numpy()

    # ------------------------------------------------------------ learning

    def _examples(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Inputs (n, m) and targets (n,) of one pass, the windows drawn anew."""
        tokens, sentence = subsampled(self.data, self.settings.subsample, self._rng)
        around = windows(tokens, sentence, self.settings.window, self._rng)
        there = around != ABSENT
        if self.bag:
            some = there.any(1)
            return around[some], tokens[some]
        centre = np.broadcast_to(tokens[:, None], around.shape)[there]
        return centre[:, None], around[there]

    def _cut(
        self, inputs: NDArray[np.int64], targets: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        order = self._rng.permutation(len(targets))
        for part in np.array_split(order, math.ceil(len(order) / self.settings.batch_size)):
            yield inputs[part], targets[part]

    def epoch(self) -> Iterator[float]:
        """One pass over the text."""
        batches = self._batches or list(self._cut(*self._examples()))
        self._batches = []
        for inputs, targets in batches[: self.updates]:
            loss = self._loss(torch.from_numpy(inputs), torch.from_numpy(targets))
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self._schedule.step()
            self._done += 1
            if not math.isfinite(value := loss.item()):
                raise TrainingError(f"training diverged at update {self._done} (loss {value}); lower the learning rate")
            yield value

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        there = inputs != ABSENT
        unique, place = torch.unique(inputs.clamp_min(0), return_inverse=True)
        hidden = self.hidden(unique)[place]
        hidden = (hidden * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        noise = torch.from_numpy(np.searchsorted(self._noise, self._rng.random(_SHARED)))
        positive = (hidden * self.contexts[targets]).sum(1) + self.offset
        negative = hidden @ self.contexts[noise].T + self.offset
        return functional.softplus(-positive).mean() + self.settings.negatives * functional.softplus(negative).mean()

    # ------------------------------------------------------------ judging

    def similarity(self, pairs: Pairs) -> NDArray[np.float64]:
        """How alike the words of pairs are."""
        return cosines(self.vectors(), pairs)

    def validate(self) -> float:
        """Spearman's correlation with the validation pairs."""
        return correlation(self.similarity(self.data.validation), self.data.validation)

    def snapshot(self) -> Any:
        """Copy of the vectors."""
        return copy.deepcopy(self.module.state_dict())

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self.module.load_state_dict(snapshot)

    def test(self) -> Outcome:
        """Cosines of all test pairs."""
        return judged(self.data, self.vectors())


def cosines(vectors: NDArray[np.float64], pairs: Pairs) -> NDArray[np.float64]:
    """Cosines of the vectors of pairs; 0 where one is nothing."""
    length = np.linalg.norm(vectors, axis=1)
    product = np.sum(vectors[pairs.first] * vectors[pairs.second], 1)
    return product / np.maximum(length[pairs.first] * length[pairs.second], 1e-12)


def all_pairs(data: Corpus) -> Pairs:
    """The test pairs of all lists, one after the other."""
    lists = list(data.test.values())
    first, second = (np.concatenate([each[k] for each in lists]) for k in (0, 1))
    return Pairs(first, second, np.concatenate([each.score for each in lists]))


def scores(data: Corpus, similarity: NDArray[np.float64]) -> tuple[float, dict[str, float]]:
    """Mean of the correlations over lists, and each, from the similarities of `all_pairs`."""
    found, start = {}, 0
    for name, pairs in data.test.items():
        found[name] = correlation(similarity[start : start + len(pairs.score)], pairs)
        start += len(pairs.score)
    return float(np.mean(list(found.values()))), found if len(found) > 1 else {}


def judged(data: Corpus, vectors: NDArray[np.float64]) -> Outcome:
    """Outcome of vectors by cosines; an inference is one pair, lengths divided out beforehand."""
    pairs = all_pairs(data)
    module = Similarity(vectors).eval()
    first, second = torch.from_numpy(pairs.first), torch.from_numpy(pairs.second)
    with torch.inference_mode():
        module(first, second)
        started = time.perf_counter()
        module(first, second)
        seconds = time.perf_counter() - started
        with watched(module) as layers:
            module(first, second)
    score, measures = scores(data, cosines(vectors, pairs))
    return Outcome(
        score=score,
        measures=measures,
        operations=ann_operations(layers, len(first)),
        skipping=ann_operations(layers, len(first), skip_zeros=True),
        neurons=vectors.shape[1],
        synapses=vectors.size,
        inferences=len(first),
        wall_s=seconds,
        material=vectors,
    )


def neighbours(
    data: Corpus, words: NDArray[np.int64], columns: Mapping[str, NDArray[np.float64]], count: int = 4
) -> Table:
    """The words most alike to some, by similarity (words asked, candidates); a candidate is no neighbour of itself."""
    rows = []
    for row, word in enumerate(words):
        cells = [data.words[word]]
        for similarity in columns.values():
            order = [i for i in np.argsort(-similarity[row], kind="stable") if i != word]
            cells.append(", ".join(data.words[i] for i in order[:count]))
        rows.append(tuple(cells))
    return Table(("word", *columns), rows, ())

"""Words: windows and counts by hand, correlations that hold, and spikes in the core that equal torch's."""

from __future__ import annotations

import dataclasses
import importlib.util

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("snntorch")
pytest.importorskip("sklearn")

from baselines import Options, compare  # noqa: E402
from baselines.errors import TrainingError  # noqa: E402
from baselines.families import FAMILIES  # noqa: E402
from baselines.language.controls import Factorised, Standard, counted  # noqa: E402
from baselines.language.corpus import ABSENT, Corpus, Pairs, number, pairs_of, subsampled, windows  # noqa: E402
from baselines.language.embedding import WordLearner, WordSettings, cosines, neighbours  # noqa: E402
from baselines.language.spiking import SpikingWordLearner, balance, with_themselves  # noqa: E402
from baselines.seeds import agreement, train  # noqa: E402
from baselines.tasks import TASKS  # noqa: E402
from spikesim import datasets  # noqa: E402
from spikesim.errors import FileError, ParameterError  # noqa: E402

SMALL = WordSettings(epochs=1, batch_size=512, lr_ann=1e-2, lr_snn=1e-2, steps=4, gain=0.3, dimensions=8, rank=3)


@pytest.fixture(scope="module")
def language() -> Corpus:
    """The first sentences of the generated language, a few pairs to test."""
    whole = TASKS["generated_words"].load()
    tokens, pairs = 16 * 1500, whole.test["known relations"]
    few = Pairs(pairs.first[:60], pairs.second[:60], pairs.score[:60])
    return whole._replace(tokens=whole.tokens[:tokens], sentence=whole.sentence[:tokens], test={"known relations": few})


def test_vocabulary_and_pairs() -> None:
    words, tokens, sentence = number([["b", "a", "c"], ["a", "b", "a"], ["d"]], 2)
    assert words == ("a", "b") and tokens.tolist() == [1, 0, 0, 1, 0] and sentence.tolist() == [0, 0, 1, 1, 1]
    pairs = pairs_of([("a", "b", 3.0), ("a", "zebra", 1.0)], words)
    assert pairs.first.tolist() == [0] and pairs.second.tolist() == [1] and pairs.score.tolist() == [3.0]
    assert len(pairs_of([], words).first) == 0


def test_windows_stay_in_their_sentence_and_reach_as_far_as_drawn() -> None:
    tokens, sentence = np.arange(7), np.array([0, 0, 0, 0, 1, 1, 1])
    around = windows(tokens, sentence, 1, np.random.default_rng(0))
    assert around.tolist() == [[1, -1], [2, 0], [3, 1], [-1, 2], [5, -1], [6, 4], [-1, 5]]
    long = np.zeros(4000, int)
    wide = windows(np.arange(4000), long, 4, np.random.default_rng(1))[10:-10]
    present = (wide != ABSENT).mean(0)
    assert present == pytest.approx([1.0, 0.75, 0.5, 0.25] * 2, abs=0.03)


def test_common_words_are_left_out_more_often() -> None:
    tokens = np.array([0] * 9000 + [1] * 1000)
    nothing = Pairs(*(np.zeros(0, int),) * 2, np.zeros(0))
    text = Corpus(("a", "b"), tokens, np.zeros(10_000, int), nothing, {}, {})
    kept, _ = subsampled(text, 0.01, np.random.default_rng(0))
    part = 0.01 / 0.9
    assert np.mean(kept == 0) * len(kept) == pytest.approx(9000 * (np.sqrt(part) + part), rel=0.1)
    assert len(subsampled(text, 0.0, np.random.default_rng(0))[0]) == 10_000


def test_pairs_are_counted_by_distance() -> None:
    nothing = Pairs(*(np.zeros(0, int),) * 2, np.zeros(0))
    text = Corpus(("a", "b", "c"), np.array([0, 1, 2, 0]), np.array([0, 0, 0, 1]), nothing, {}, {})
    assert counted(text, 2).toarray().tolist() == [[0, 1, 0.5], [1, 0, 1], [0.5, 1, 0]]


def test_learners_know_relations_of_the_language() -> None:
    """On all of the text a factorised table and skip-gram find what the language was made from."""
    data = TASKS["generated_words"].load()
    control = Factorised(data, dataclasses.replace(SMALL, rank=6), 0)
    train(control, 1, lambda fraction: None)
    learner = WordLearner(data, dataclasses.replace(SMALL, epochs=3, batch_size=1024, dimensions=32), 0)
    train(learner, 3, lambda fraction: None)
    assert control.test().score > 0.7 and learner.test().score > 0.5


@pytest.mark.parametrize("bag", [False, True])
def test_spiking_words_in_the_core_equal_torch(language, bag) -> None:
    twin = SpikingWordLearner(language, SMALL, 0, bag)
    train(twin, 1, lambda fraction: None)
    tested, done = twin.test(), []
    replayed = twin.replay("event", 1, done.append)
    found = agreement(tested, replayed)
    assert found["equal"] == found["inferences"] == sum(done) and found["spikes_torch"] == found["spikes_core"] > 0
    assert replayed.score == pytest.approx(tested.score) and set(tested.measures) == {"by rates", "by first spikes"}
    (table,) = replayed.tables.values()
    assert len(table.rows) == 8 and all(len(row[1].split(", ")) == 6 for row in table.rows)
    pairs = language.test["known relations"]
    own = with_themselves(pairs)
    n = len(pairs.first)
    assert np.array_equal(tested.predictions[n:], (twin.vectors()[own.first[n:]] ** 2).sum(1))
    product = np.sum(twin.vectors()[pairs.first] * twin.vectors()[pairs.second], 1)
    assert np.array_equal(tested.predictions[:n], product)  # coincidences are the product of the spike trains


def test_opposite_neurons_count_against() -> None:
    assert balance(np.array([[2, 1, 0, 1], [0, 0, 3, 0]])).tolist() == [2, -3]


def test_operations_of_a_pair(language) -> None:
    learner = WordLearner(language, SMALL, 0)
    train(learner, 1, lambda fraction: None)
    outcome = learner.test()
    assert outcome.operations.macs == SMALL.dimensions and outcome.inferences == 60
    assert cosines(np.zeros((2, 3)), Pairs(np.array([0]), np.array([1]), np.zeros(1))).tolist() == [0.0]
    table = neighbours(language, np.array([0]), {"x": np.arange(5.0)[None, :]}, 2)
    assert table.rows == [("w000", "w004, w003")]


def test_diverging_vectors_are_told(language) -> None:
    learner = WordLearner(language, SMALL, 0, lr=float("inf"))
    with pytest.raises(TrainingError, match="diverged at update"):
        list(learner.epoch())


@pytest.mark.skipif(not importlib.util.find_spec("gensim"), reason="gensim is not installed: pip install gensim")
def test_the_standard_program_learns(language) -> None:
    learner = Standard(language, dataclasses.replace(SMALL, epochs=20), 0)
    train(learner, 1, lambda fraction: None)
    assert learner.validate() > 0.1


def test_corpora_are_read_and_missing_ones_named(tmp_path, monkeypatch) -> None:
    if TASKS["corpora"].available():
        data = TASKS["corpora"].load()
        assert len(data.words) > 15_000 and data.words[0] == "the" and len(data.tokens) > 1_500_000
        assert {name: len(pairs.first) > 300 for name, pairs in data.test.items()} == dict.fromkeys(data.listed, True)
    monkeypatch.setenv("SPIKESIM_DATA", str(tmp_path))
    with pytest.raises(FileError, match="SPIKESIM_DATA/wordsim"):
        compare(["word2vec"], Options(data="corpora"), progress=False)
    with pytest.raises(FileError, match=r"text/brown\.zip"):
        datasets.load("corpora")
    with pytest.raises(ParameterError, match="unknown data for family 'word2vec': 'digits'"):
        compare(["word2vec"], Options(data="digits"), progress=False)


def test_family_is_listed() -> None:
    assert {"corpora", "generated_words"} == set(FAMILIES["word2vec"].settings)

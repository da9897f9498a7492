"""Brown corpus and ABC news, with WordSim-353, SimLex-999 and MEN: do vectors know what people say."""

from __future__ import annotations

from baselines.contract import Task
from baselines.language.corpus import Corpus, number, pairs_of
from spikesim import datasets

_LEAST = 5  # occurrences of a word in the vocabulary
_HELD_OUT = 3  # every third pair of MEN validates


def load() -> Corpus:
    """Vocabulary of the words that occur five times, and the pairs of which both words do."""
    words, tokens, sentence = number(datasets.load("corpora"), _LEAST)
    lists = datasets.load("wordsim")
    men = lists["MEN"]
    rows = {
        "WordSim-353": lists["WordSim-353"],
        "SimLex-999": lists["SimLex-999"],
        "MEN": [pair for i, pair in enumerate(men) if i % _HELD_OUT],
    }
    test = {name: pairs_of(each, words) for name, each in rows.items()}
    listed = {name: len(each) for name, each in rows.items()}
    return Corpus(words, tokens, sentence, pairs_of(men[::_HELD_OUT], words), test, listed)


_TEXT, _LISTS = datasets.describe("corpora"), datasets.describe("wordsim")
TASK = Task(
    name="corpora",
    title="Brown corpus and ABC news, judged by WordSim-353, SimLex-999 and MEN",
    metric="correlation",
    licence=f"{_TEXT.licence}; word lists: {_LISTS.licence}",
    source=f"{_TEXT.source}; {_LISTS.source}",
    split="all text to train; every third pair of MEN validates, the other 2,000, WordSim-353 and SimLex-999 test; "
    "pairs with a word of fewer than five occurrences are left out",
    remedy="put brown.zip and abc.zip into $SPIKESIM_DATA/text and the lists into $SPIKESIM_DATA/wordsim, or call "
    "spikesim.datasets.fetch('corpora') and fetch('wordsim')",
    available=lambda: datasets.available("corpora") and datasets.available("wordsim"),
    load=load,
)

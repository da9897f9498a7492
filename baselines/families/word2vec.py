"""word2vec and its spiking twin: skip-gram and bag of words, beside a factorised table and the standard program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from baselines.contract import Contestant, Family, Gallery, Metric
from baselines.language.controls import Factorised, Standard
from baselines.language.corpus import Corpus
from baselines.language.embedding import WordLearner, WordSettings
from baselines.language.pictures import draw_words
from baselines.language.spiking import SpikingWordLearner

DEVIATIONS = (
    "an inference is the similarity of one pair of words: of vectors of length 1 a scalar product, of spikes a count",
    "noise words are drawn once for each batch and shared by its examples; a learned offset takes up their number",
    "no spiking counterpart is published; a dimension of the twin is two neurons with opposite currents and no leak, "
    "so that their rates while learning are known in closed form; contexts are synapses that read rates",
    "the twin's words are compared by coincidences of the same neurons less those of opposite ones; the same spikes "
    "read as rates and as times of first spikes stand beside it",
    "the control is a table of positive pointwise mutual information and its singular vectors (Levy et al. 2015)",
)
_PART = 0.9  # of the correlation of the artificial side
_BAG_PART = 8  # bags of words have fewer examples: smaller batches make as many updates


def skip_gram(data: Corpus, s: WordSettings, seed: int) -> WordLearner:
    """Skip-gram as a learner."""
    return WordLearner(data, s, seed)


def bag(data: Corpus, s: WordSettings, seed: int) -> WordLearner:
    """Continuous bag of words as a learner."""
    return WordLearner(data, _small(s), seed, bag=True)


def spiking_skip_gram(data: Corpus, s: WordSettings, seed: int) -> SpikingWordLearner:
    """The spiking skip-gram as a learner."""
    return SpikingWordLearner(data, s, seed)


def spiking_bag(data: Corpus, s: WordSettings, seed: int) -> SpikingWordLearner:
    """The spiking bag of words as a learner."""
    return SpikingWordLearner(data, _small(s), seed, bag=True)


def _small(s: WordSettings) -> WordSettings:
    return replace(s, batch_size=max(1, s.batch_size // _BAG_PART))


def judge(f: Mapping[str, Any]) -> list[str]:
    """The twin against its artificial side, and both against the control."""
    ann, snn = f["ann"]["correlation"], f["replay"]["correlation"]
    control = f["others"]["ppmi"]["correlation"]
    part = snn / ann if ann > 0 else 0.0
    reached = "reached" if part >= _PART else "NOT reached"
    above = "at or above" if ann >= control else "BELOW"
    return [
        f"The twin keeps {part:.0%} of the correlation of the ANN ({_PART:.0%} wanted: {reached}).",
        f"The ANN lies {above} the factorised table on the same text ({ann:.3f} and {control:.3f}).",
    ]


FAMILY = Family(
    name="word2vec",
    title="word2vec",
    settings={
        "corpora": WordSettings(
            seeds=3, epochs=15, steps=16, batch_size=4096, lr_ann=3e-3, lr_snn=4e-3, gain=0.3, dimensions=100,
            window=5, negatives=15, subsample=1e-4, rank=100, quick_epochs=1,
        ),
        "generated_words": WordSettings(
            seeds=3, epochs=6, steps=8, batch_size=1024, lr_ann=5e-3, lr_snn=8e-3, gain=0.3, rank=6, quick_epochs=4
        ),
    },
    ann=skip_gram,
    snn=spiking_skip_gram,
    twin="spiking skip-gram",
    others=(
        Contestant("spiking_bag", "spiking bag of words", spiking_bag, spiking=True),
        Contestant("bag", "continuous bag of words", bag),
        Contestant("ppmi", "PPMI and singular vectors", Factorised),
        Contestant("gensim", "gensim's skip-gram", Standard, needs="gensim"),
    ),
    deviations=DEVIATIONS,
    metrics=(
        Metric("correlation", percent=False),
        *(Metric(name, percent=False) for name in ("WordSim-353", "SimLex-999", "MEN", "by rates", "by first spikes")),
    ),
    galleries=(Gallery("words", "words as the ANN and the twin see them", draw_words),),
    judge=judge,
)  # fmt: skip

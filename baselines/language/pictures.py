"""Pictures of words: which are alike to which, seen by both sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Fill, Outcome
from baselines.figures import new_figure
from baselines.language.corpus import Corpus
from baselines.language.embedding import all_pairs

_WORDS = 60


def draw_words(data: Corpus, outcomes: Mapping[str, Outcome]) -> Fill:
    """Similarities of the commonest tested words, in one order for both sides, and one side over the other."""
    pairs = all_pairs(data)
    words = np.unique(np.concatenate([pairs.first, pairs.second]))[:_WORDS]
    ann, snn = (_cosines(outcomes[side].material[words]) for side in ("ann", "snn"))
    order = np.argsort(np.linalg.svd(ann)[0][:, 1])
    figure = new_figure(12.0, 4.2)
    axes = figure.subplots(1, 3)
    for ax, table, title in ((axes[0], ann, "ANN: cosines"), (axes[1], snn, "twin: coincidences")):
        image = ax.imshow(table[np.ix_(order, order)], cmap="RdBu_r", vmin=-1, vmax=1)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel(f"{len(words)} words, in the ANN's order")
        ax.set_xticks([])
        ax.set_yticks([])
    figure.colorbar(image, ax=axes[:2], shrink=0.7, label="similarity")
    above = np.triu_indices(len(words), 1)
    axes[2].plot(ann[above], snn[above], ".", ms=3, color="0.3")
    axes[2].set_xlabel("ANN: cosine")
    axes[2].set_ylabel("twin: coincidences")
    axes[2].spines[["top", "right"]].set_visible(False)
    axes[2].set_title("the same pairs on both sides", fontsize=10)
    return lambda file: figure.savefig(file, dpi=110, format="png")


def _cosines(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit @ unit.T

"""Words as spikes: each word drives leaky neurons, and two words are alike if their neurons fire together."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from baselines.contract import Advance, Example, Outcome
from baselines.counting import Events, event_operations, stepped_operations, watched
from baselines.graph import INPUT, Select, SpikingGraph
from baselines.language.corpus import Corpus, Pairs
from baselines.language.embedding import WordLearner, WordSettings, all_pairs, cosines, neighbours, scores
from baselines.lowering import STEP, Blueprint
from baselines.replay import replay, watch
from baselines.spiking import Converted, Gate, to_spikes
from spikesim import Spikes

_AT_ONCE = 500  # pairs worked off together
_ASKED = 8  # words whose neighbours are looked for
_CANDIDATES = 400  # the commonest words, among which
LAST = "coincidences"


class Given(nn.Module):
    """An encoder that is handed spikes.

    Parameters
    ----------
    steps : int
        Time steps.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, prepared: Tensor) -> Tensor:
        """What it was handed."""
        return prepared


class Mirrored(nn.Module):
    """Each input twice; the second half, with `crossed`, has the two halves of the input exchanged.

    Parameters
    ----------
    crossed : bool
    """

    def __init__(self, crossed: bool) -> None:
        super().__init__()
        self.crossed = crossed

    def forward(self, x: Tensor) -> Tensor:
        """(k, n) to (k, 2 n)."""
        return torch.cat([x, x.roll(x.shape[1] // 2, 1) if self.crossed else x], 1)


class SpikingVectors(nn.Module):
    """Spikes of each word: it drives two neurons for each dimension, one of them by the opposite current.

    The neurons have no leak and start at half a threshold: over T steps a current I makes ``floor(I T + 1/2)`` spikes,
    at most T (`baselines.spiking.Converted`).

    Parameters
    ----------
    words, dimensions, steps : int
    """

    def __init__(self, words: int, dimensions: int, steps: int) -> None:
        super().__init__()
        self.table = nn.Parameter(_WIDTH * torch.randn(words, dimensions))
        self.neuron, self.steps = Converted(steps), steps

    def currents(self) -> Tensor:
        """Current of every neuron for every word (words, 2 dimensions)."""
        return torch.cat([self.table, -self.table], 1)

    def forward(self, words: Tensor) -> Tensor:
        """Spikes (steps, n, 2 dimensions) of words (n,); while learning their rates, as one step."""
        currents = functional.embedding(words, self.table)
        both = torch.cat([currents, -currents], 1)
        return self.neuron(both[None] if self.training else both[None].expand(self.steps, *both.shape))


_WIDTH = 0.2  # of the currents at the start, in thresholds per step


class SpikingWordLearner(WordLearner):
    """Twin of `WordLearner`: a word's vector is what its neurons fired, the contexts are synapses that read rates.

    While learning, ``h = gain (r⁺ - r⁻)`` with the rates r of the two neurons of a dimension, rounded as the spikes
    will be; the gradient passes the rounding. Words are judged by coincidences: c(a, b) counts the steps in which the
    same neurons of both words fire, less those in which opposite ones do, over ``sqrt(c(a, a) c(b, b))``.
    """

    def __init__(self, data: Corpus, settings: WordSettings, seed: int, bag: bool = False) -> None:
        super().__init__(data, settings, seed, bag, settings.lr_snn)

    def build(self, words: int) -> SpikingVectors:
        """Words, their currents, and the neurons."""
        return SpikingVectors(words, self.settings.dimensions, self.settings.steps)

    def hidden(self, words: Tensor) -> Tensor:
        """Differences of rates of words (n, dimensions) while learning."""
        on, off = self.module.train()(words).mean(0).chunk(2, 1)
        return self.settings.gain * (on - off)

    def spikes(self) -> NDArray[np.float32]:
        """Spikes (words, steps, 2 dimensions) of the whole vocabulary."""
        self.module.eval()
        parts = torch.arange(len(self.data.words)).split(_AT_ONCE)
        with torch.inference_mode():
            return torch.cat([self.module(part).transpose(0, 1) for part in parts]).numpy()

    def vectors(self) -> NDArray[np.float64]:
        """Spike trains of the whole vocabulary, those of opposite neurons subtracted, end to end."""
        on, off = np.split(self.spikes(), 2, axis=2)
        return (on - off).reshape(len(self.data.words), -1).astype(float)

    def test(self) -> Outcome:
        """Coincidences of all test pairs, torch multiplying every weight in every step."""
        pairs = self._asked()
        graph, words = self._graph(pairs)
        outputs, counts, seconds = [], np.zeros(2, np.int64), 0.0
        with watched(graph) as layers, torch.inference_mode():
            for part in self._stimuli(pairs, words):
                started = time.perf_counter()
                spikes = graph(part)
                seconds += time.perf_counter() - started
                outputs.append(balance(spikes[LAST].sum(0).numpy()))
                counts += np.array([int(spikes[INPUT].sum()), sum(int(s.sum()) for s in spikes.values())])
        found, n = np.concatenate(outputs), len(pairs.first)
        layers = [layer for layer in layers if layer.rows]
        neurons, steps = 8 * self.settings.dimensions, self.settings.steps
        events = Events(sum(layer.spiked for layer in layers), 0, n * steps * neurons, int(counts[1] - counts[0]),
                        int(counts[0]), int(np.abs(found).sum()))  # fmt: skip
        sizes: dict[str, Any] = {"draws": 0, "classes": 1, "inferences": n}
        score, measures = self._scores(found)
        return Outcome(
            score=score,
            measures=measures,
            operations=stepped_operations(layers, steps, neurons, n),
            skipping=event_operations(layers, events, steps=steps, neurons=neurons, **sizes),
            neurons=neurons,
            synapses=4 * len(words) * self.settings.dimensions,
            inferences=n,
            wall_s=seconds,
            spikes=events.spikes,
            input_spikes=events.input_spikes,
            predictions=found,
            material=self.vectors(),
        )

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The same in the core: two words fire, their neurons answer, and a third layer fires where both did."""
        pairs = self._asked()
        graph, words = self._graph(pairs)
        blueprint, n = Blueprint(graph, self._shapes(words)), len(pairs.first)
        r = replay(blueprint.network, self._batches_of(pairs, words), self._duration, engine, threads, advance)
        events = Events(r.synaptic_events, r.biases, r.neuron_updates, r.neuron_spikes, r.input_spikes,
                        int(r.outputs.sum()))  # fmt: skip
        sizes: dict[str, Any] = {"neurons": blueprint.neurons, "draws": 0, "classes": 1, "inferences": n}
        found = balance(r.outputs)
        score, measures = self._scores(found)
        return Outcome(
            score=score,
            measures=measures,
            operations=event_operations([], events, steps=self.settings.steps, **sizes),
            neurons=blueprint.neurons,
            synapses=r.synapses,
            inferences=n,
            wall_s=r.wall_s,
            spikes=r.neuron_spikes,
            input_spikes=r.input_spikes,
            predictions=found,
            example=self._example(blueprint, pairs, words, engine),
            notes=r.timing,
            tables={"Nearest words, by coincidences in the core": self._retrieved(engine, threads)},
        )

    # ------------------------------------------------------------ pairs as stimuli

    def _asked(self) -> Pairs:
        """The test pairs, then each of their words with itself, whose coincidences are its spikes."""
        pairs = all_pairs(self.data)
        return with_themselves(pairs)

    def _scores(self, found: NDArray[np.int64]) -> tuple[float, dict[str, float]]:
        """Score by coincidences; other codes of the same spikes beside it."""
        pairs, own = all_pairs(self.data), np.zeros(len(self.data.words))
        n = len(pairs.first)
        own[with_themselves(pairs).first[n:]] = found[n:]
        alike = found[:n] / np.sqrt(np.maximum(own[pairs.first] * own[pairs.second], 1))
        score, measures = scores(self.data, alike)
        spikes = self.spikes()
        first = np.where(spikes.any(1), 1.0 - spikes.argmax(1) / spikes.shape[1], 0.0)
        codes = {"by rates": _opposed(spikes.sum(1)), "by first spikes": _opposed(first)}
        more = {name: scores(self.data, cosines(code, pairs))[0] for name, code in codes.items()}
        return score, measures | more

    @property
    def _duration(self) -> float:
        return self.settings.steps * STEP

    def _graph(self, pairs: Pairs) -> tuple[SpikingGraph, NDArray[np.int64]]:
        """The network of the words of `pairs`, once for each of two; and these words."""
        words, s = np.unique([pairs.first, pairs.second]), self.settings
        g = SpikingGraph(Given(s.steps))
        for i, side in enumerate(("first", "second")):
            synapses = nn.Linear(len(words), 2 * s.dimensions, bias=False)
            with torch.no_grad():
                synapses.weight.copy_(self.module.currents()[words].T)
            chosen = Select(i * len(words), (i + 1) * len(words))
            g.add(side, Converted(s.steps), g.wire(nn.Sequential(chosen, synapses), INPUT))
        g.add(LAST, Gate(2), g.wire(Mirrored(False), "first"), g.wire(Mirrored(True), "second"))
        return g.eval(), words

    def _shapes(self, words: NDArray[np.int64]) -> dict[str, tuple[int, ...]]:
        n = 2 * self.settings.dimensions
        return {INPUT: (2 * len(words),), "first": (n,), "second": (n,), LAST: (2 * n,)}

    def _places(self, pairs: Pairs, words: NDArray[np.int64]) -> NDArray[np.int64]:
        """Inputs that fire for each pair (n, 2)."""
        first, second = np.searchsorted(words, pairs.first), np.searchsorted(words, pairs.second)
        return np.stack([first, second + len(words)], 1)

    def _stimuli(self, pairs: Pairs, words: NDArray[np.int64]) -> Iterator[Tensor]:
        """Spikes (steps, k, 2 words) of the input, some pairs at a time."""
        places = torch.from_numpy(self._places(pairs, words))
        for part in places.split(_AT_ONCE):
            one = torch.zeros(len(part), 2 * len(words)).scatter_(1, part, 1.0)
            yield one.expand(self.settings.steps, *one.shape)

    def _batches_of(self, pairs: Pairs, words: NDArray[np.int64]) -> Iterator[Sequence[Spikes]]:
        """The same for the core."""
        times = np.repeat(np.arange(1, self.settings.steps + 1) * STEP, 2)
        places = self._places(pairs, words)
        for lo in range(0, len(places), _AT_ONCE):
            part = places[lo : lo + _AT_ONCE]
            yield [Spikes(times, np.tile(p, self.settings.steps), 2 * len(words), self._duration) for p in part]

    # ------------------------------------------------------------ to be looked at

    def _example(self, blueprint: Blueprint, pairs: Pairs, words: NDArray[np.int64], engine: str) -> Example:
        one = np.zeros((self.settings.steps, 2 * len(words)), bool)
        one[:, self._places(pairs, words)[0]] = True
        layers = watch(blueprint.network([to_spikes(one)]), self._duration, engine)
        a, b = (self.data.words[int(w)] for w in (pairs.first[0], pairs.second[0]))
        return Example(f"{a!r} and {b!r}", None, {name: layers[name] for name in ("first", "second", LAST)})

    def _retrieved(self, engine: str, threads: int) -> Any:
        """Neighbours of a few common words among the commonest, every pair of them in the core."""
        asked, candidates = retrieval(self.data)
        pairs = Pairs(np.repeat(asked, len(candidates)), np.tile(candidates, len(asked)), np.zeros(0))
        pairs = with_themselves(pairs)
        graph, words = self._graph(pairs)
        blueprint = Blueprint(graph, self._shapes(words))
        batches = self._batches_of(pairs, words)
        found = balance(replay(blueprint.network, batches, self._duration, engine, threads, lambda n: None).outputs)
        n, own = len(asked) * len(candidates), np.ones(len(self.data.words))
        own[pairs.first[n:]] = np.maximum(found[n:], 1)
        alike = np.zeros((len(asked), len(self.data.words)))
        alike[:, candidates] = found[:n].reshape(len(asked), -1)
        return neighbours(self.data, asked, {"nearest words": alike / np.sqrt(own)}, 6)


def balance(outputs: NDArray[Any]) -> NDArray[np.int64]:
    """Coincidences of the same neurons less those of opposite ones, from spikes of the last cell (n, 4 dimensions)."""
    same, opposite = np.split(outputs.astype(np.int64), 2, axis=1)
    return same.sum(1) - opposite.sum(1)


def _opposed(code: NDArray[Any]) -> NDArray[np.float64]:
    on, off = np.split(code.astype(float), 2, axis=1)
    return on - off


def with_themselves(pairs: Pairs) -> Pairs:
    """Pairs, and after them each of their words with itself; scores are left as they are."""
    words = np.unique([pairs.first, pairs.second])
    return Pairs(np.concatenate([pairs.first, words]), np.concatenate([pairs.second, words]), pairs.score)


def retrieval(data: Corpus) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Words whose neighbours are looked for, and the words looked at: tested ones, the commonest first."""
    pairs = all_pairs(data)
    candidates = np.unique(np.concatenate([pairs.first, pairs.second]))[:_CANDIDATES]
    return candidates[:: max(1, len(candidates) // _ASKED)][:_ASKED], candidates

"""The spiking side of diffusion, replayed in the core step by step; thresholds shifted after learning."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.contract import Advance, Outcome, Table
from baselines.counting import Events, event_operations, stepped_operations
from baselines.generation.adversarial import scored
from baselines.generation.denoising import TEST, VALIDATE, Denoiser, Predict
from baselines.generation.judge import judge_of
from baselines.generation.spiking import by_events, counted, example_of, fired_in, greys, in_core, size_of
from baselines.graph import INPUT, SpikingGraph
from baselines.lowering import Blueprint
from baselines.replay import Replayed

GUIDES = (0.997, 1.0, 1.003)  # of the trained thresholds
_AT_ONCE = 60  # images denoised side by side
_NEURONS = 250_000  # of all images side by side in the core: one with 64,000 takes 0.7 GB of arrivals
_GUIDED = 120  # images made to choose between thresholds


class SpikingDenoiser(Denoiser):
    """`Denoiser` of spiking neurons: every evaluation runs over the time steps and starts from rest.

    Images that the core makes too, torch makes in 64 bits: a spike decided by rounding would change all that follows.
    """

    _images: NDArray[np.float32] | None = None  # made by `test`, for `replay`

    def chain(self, start: Tensor, predict: Predict | None = None) -> list[NDArray[np.float32]]:
        """Images (k, size, size) in 0 … 1 after each step."""
        return super().chain(start.to(next(self.module.parameters()).dtype), predict)

    def test(self) -> Outcome:
        """As many images as there are to test by; torch multiplies every weight in every step."""
        n, s, graph, start = self.made(), self.settings, self.module, self.start(TEST, self.made())
        started = time.perf_counter()
        images, given = self._met(start)
        seconds = time.perf_counter() - started
        layers, fired, shapes = counted(graph, given)
        with self._as(self._exact()):
            images[: self._replayed()] = self._met(start[: self._replayed()])[0]
        score, measures = judge_of(self.data).measures(images)
        self._images = images
        steps, neurons = s.steps * s.sampled, size_of(graph, shapes)
        events = Events(sum(layer.spiked for layer in layers), sum(layer.added for layer in layers if not layer.active),
                        n * steps * (neurons + int(np.prod(shapes[INPUT]))), fired_in(graph, fired), fired[INPUT],
                        0)  # fmt: skip
        return Outcome(
            score=score,
            measures=measures,
            operations=stepped_operations(layers, steps, neurons, n),
            skipping=event_operations(layers, events, steps=steps, neurons=neurons, draws=0,
                                      classes=s.sampled * images[0].size, inferences=n),
            neurons=neurons,
            synapses=sum(layer.dense for layer in layers) // n // steps,
            inferences=n,
            wall_s=seconds,
            spikes=events.spikes,
            input_spikes=events.input_spikes,
            predictions=greys(images),
            tables={f"Thresholds shifted after learning, {s.steps} time steps": self._guided(score)},
            material=self.shown(images),
        )  # fmt: skip

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The first of these images, all noise predicted by spikesim; they are judged with the rest of torch's."""
        with self._as(self._exact()):
            return self._replay(engine, threads, advance)

    def _replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        s, graph, n = self.settings, self.module, self._replayed()
        start = self.start(TEST, self.made())[:n]
        made, given = self._met(start)
        layers, fired, shapes = counted(graph, given)
        blueprint, total, parts = Blueprint(graph, shapes), Replayed(np.empty((0, 0), np.int64)), []

        def predict(given: Tensor) -> Tensor:
            held = in_core(graph, blueprint, given, total, engine, threads)
            return self.noise(given, torch.from_numpy(held) / s.steps)

        for part in start.split(min(_AT_ONCE, max(1, _NEURONS // blueprint.neurons))):
            parts.append(self.chain(part, predict)[-1])
            advance(len(part))
        images = np.concatenate(parts)
        steps = s.steps * s.sampled
        all_images = np.concatenate([images, (made if self._images is None else self._images)[n:]])
        return Outcome(
            **scored(self.data, all_images),
            operations=by_events(layers, total, n, steps, blueprint.neurons, s.sampled * images[0].size, shapes),
            neurons=blueprint.neurons,
            synapses=total.synapses,
            inferences=n,
            wall_s=total.wall_s,
            spikes=total.neuron_spikes,
            input_spikes=total.input_spikes,
            predictions=greys(images),
            example=example_of(graph, blueprint, given[:1], images[0], engine),
            notes={**total.timing, "spikes_in_torch": fired_in(graph, fired)},
            material={"images": all_images},
        )

    def _replayed(self) -> int:
        """How many images the core makes."""
        return min(self.settings.replayed or self.made(), self.made())

    def _met(self, start: Tensor) -> tuple[NDArray[np.float32], Tensor]:
        """Images of noise (n, …), and all that the network is given on the way to them (sampled · n, pixels + 1)."""
        met: list[Tensor] = []

        def predict(given: Tensor) -> Tensor:
            met.append(given)
            return self.predict(given)

        images = [self.chain(part, predict)[-1] for part in start.split(_AT_ONCE)]
        return np.concatenate(images), torch.cat(met)

    def _exact(self) -> SpikingGraph:
        """The network in 64 bits."""
        return copy.deepcopy(self.module).double().eval()

    def _shifted(self, factor: float) -> SpikingGraph:
        """The network with all thresholds, and what spikes subtract, times a factor."""
        graph = copy.deepcopy(self.module)
        neurons: list[Any] = [graph.encoder.neuron, *graph.neurons.values()]
        for neuron in neurons:
            if hasattr(neuron, "scale_threshold"):
                neuron.scale_threshold(factor)
        return graph

    @contextmanager
    def _as(self, graph: SpikingGraph) -> Iterator[None]:
        """Another network in place of one's own."""
        own, self.module = self.module, graph
        try:
            yield
        finally:
            self.module = own

    def _guided(self, unshifted: float) -> Table:
        """Distances with shifted thresholds: validation images choose, then test images tell."""
        judge, found = judge_of(self.data), []
        start = self.start(VALIDATE, min(_GUIDED, len(self.data.validation.y)))
        for factor in GUIDES:
            with self._as(self._shifted(factor)):
                found.append(judge.distance(self.make(start), "validation"))
        best = GUIDES[int(np.argmin(found))]
        with self._as(self._shifted(best)):
            told = unshifted if best == 1.0 else judge.distance(self.make(self.start(TEST, self.made())))
        text = (
            f"Threshold guidance, {self.settings.steps} time steps: by validation × {best:g} is best; test distance "
            f"{told:.3g}, unshifted {unshifted:.3g}."
        )
        rows = [(f"× {factor:g}", f"{distance:.3g}") for factor, distance in zip(GUIDES, found, strict=True)]
        return Table(("threshold", "distance to validation images"), rows, (text,))

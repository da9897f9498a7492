"""The spiking side of diffusion, replayed in the core step by step; thresholds shifted after learning."""

from __future__ import annotations

import copy
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
from baselines.graph import INPUT
from baselines.lowering import Blueprint
from baselines.replay import Replayed

GUIDES = (0.997, 1.0, 1.003)  # of the trained thresholds
_AT_ONCE = 60  # images denoised side by side in the core


class SpikingDenoiser(Denoiser):
    """`Denoiser` of spiking neurons: every evaluation runs over the time steps and starts from rest.

    Once it has learned, torch computes in 64 bits: a spike decided by rounding would change all steps that follow.
    """

    def chain(self, start: Tensor, predict: Predict | None = None) -> list[NDArray[np.float32]]:
        """Images (k, size, size) in 0 … 1 after each step."""
        return super().chain(start.to(next(self.module.parameters()).dtype), predict)

    def test(self) -> Outcome:
        """As many images as there are to test by; torch multiplies every weight in every step."""
        n, s, graph = self.made(), self.settings, self.module.double()
        images, layers, seconds = self._timed(n)
        given = self._met(n)
        _, fired, shapes = counted(graph, given)
        steps, neurons = s.steps * s.sampled, size_of(graph, shapes)
        events = Events(sum(layer.spiked for layer in layers), sum(layer.added for layer in layers if not layer.active),
                        n * steps * (neurons + int(np.prod(shapes[INPUT]))), fired_in(graph, fired), fired[INPUT],
                        0)  # fmt: skip
        return Outcome(
            **scored(self.data, images),
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
            tables={f"Thresholds shifted after learning, {s.steps} time steps": self._guided()},
            material=self.shown(images),
        )  # fmt: skip

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The first of these images, all noise predicted by spikesim; they are judged with the rest of torch's."""
        s, graph = self.settings, self.module.double().eval()
        n = min(s.replayed or self.made(), self.made())
        given = self._met(n)
        layers, fired, shapes = counted(graph, given)
        blueprint, total, parts = Blueprint(graph, shapes), Replayed(np.empty((0, 0), np.int64)), []

        def predict(given: Tensor) -> Tensor:
            held = in_core(graph, blueprint, given, total, engine, threads)
            return torch.from_numpy(held) / s.steps

        for part in self.start(TEST, n).split(_AT_ONCE):
            parts.append(self.chain(part, predict)[-1])
            advance(len(part))
        images = np.concatenate(parts)
        steps = s.steps * s.sampled
        all_images = np.concatenate([images, self.make(self.start(TEST, self.made()))[n:]])
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

    def _met(self, n: int) -> Tensor:
        """All that the network is given on the way to `n` images (sampled · n, pixels + 1)."""
        met: list[Tensor] = []

        def predict(given: Tensor) -> Tensor:
            met.append(given)
            return self.predict(given)

        for part in self.start(TEST, n).split(_AT_ONCE):
            self.chain(part, predict)
        return torch.cat(met)

    @contextmanager
    def _shifted(self, factor: float) -> Iterator[None]:
        """All thresholds, and what spikes subtract, times a factor."""
        own = self.module
        self.module = copy.deepcopy(own)
        neurons: list[Any] = [self.module.encoder.neuron, *self.module.neurons.values()]
        for neuron in neurons:
            if hasattr(neuron, "scale_threshold"):
                neuron.scale_threshold(factor)
        try:
            yield
        finally:
            self.module = own

    def _guided(self) -> Table:
        """Distances with shifted thresholds: validation images choose, test images tell."""
        judge, rows, found = judge_of(self.data), [], []
        for factor in GUIDES:
            with self._shifted(factor):
                chosen = judge.distance(self.make(self.start(VALIDATE, len(self.data.validation.y))), "validation")
                told = judge.distance(self.make(self.start(TEST, self.made())))
            found.append((chosen, told))
            rows.append((f"× {factor:g}", f"{chosen:.3g}", f"{told:.3g}"))
        best = int(np.argmin([chosen for chosen, _ in found]))
        own = found[GUIDES.index(1.0)][1]
        text = (
            f"Threshold guidance, {self.settings.steps} time steps: by validation × {GUIDES[best]:g} is best; test "
            f"distance {found[best][1]:.3g}, unshifted {own:.3g}."
        )
        return Table(("threshold", "distance, validation", "distance, test"), rows, (text,))

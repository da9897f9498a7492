"""The learner for the spiking twin of a classifier, with its replay in the core."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.contract import Advance, Classification, Example, Outcome, Settings
from baselines.counting import Events, LayerCount, accuracy, event_operations, more_macs, stepped_operations, watched
from baselines.graph import INPUT, SpikingGraph
from baselines.lowering import STEP, Blueprint
from baselines.replay import Replayed, replay, watch
from baselines.speed import INPUTS, speeds
from baselines.spiking import to_spikes
from baselines.supervised import TEST, Classifier
from spikesim import Spikes
from spikesim.energy import Operations

THRESHOLDS = (0.75, 1.0, 1.5, 2.0)  # of the trained one
FRACTIONS = (0.25, 0.5, 0.75, 1.0)  # of the trained steps
_CURVE_INPUTS = 500
_AT_ONCE = 3_000_000  # neurons simulated side by side, all stimuli of a batch together


class SpikingClassifier(Classifier):
    """Surrogate gradients; answers by the spike counts of the cell added last, of one or more neurons for each class.

    Parameters
    ----------
    build, data, settings, seed, lr, decay, before
        As in `Classifier`; `build` makes a `SpikingGraph`.
    """

    module: SpikingGraph

    def __init__(
        self,
        build: Callable[[], SpikingGraph],
        data: Classification,
        settings: Settings,
        seed: int,
        lr: float,
        decay: float = 0.0,
        before: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        super().__init__(build, data, settings, seed, lr, decay, before)
        self._shapes: dict[str, tuple[int, ...]] = {}

    def prepare(self, x: NDArray[np.float32], purpose: int, number: int) -> Tensor:
        """What the encoder makes of inputs before torch's clock runs."""
        return self.module.encoder.prepare(x, (self.seed, purpose, number))  # type: ignore[operator]

    def answer(self, prepared: Tensor) -> Tensor:
        """Rates (k, classes) of the last cell, times the gain; the mean of the neurons of a class."""
        output = self.module(prepared)[self.module.cells[-1].name]
        votes = output.sum(0).unflatten(1, (self.data.classes, -1))
        return votes.sum(2) * (self.settings.gain / (len(output) * votes.shape[2]))

    def test(self) -> Outcome:
        """The test set: once for answers and wall time, once more to count."""
        test, steps = self.data.test, self.settings.steps
        predictions, wall_s = self._predict(test, TEST)
        layers, fired, _ = self._counted(test.x, steps)
        neurons = self._neurons()
        n, cells = len(test.y), self.module.cells
        return Outcome(
            score=accuracy(predictions, test.y),
            inferences=n,
            wall_s=wall_s,
            predictions=predictions,
            confusion=self.confusion(predictions),
            neurons=neurons,
            synapses=sum(layer.dense for layer in layers) // n // steps,
            spikes=sum(fired[cell.name] for cell in cells),
            input_spikes=fired[INPUT],
            operations=more_macs(stepped_operations(layers, steps, neurons, n), self.before[0]),
            skipping=self._by_tensors(layers, fired, neurons, n, steps),
            curve=self._curve(neurons),
        )

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The test set in spikesim, with the weights and the input spikes of `test`."""
        n = min(self.settings.replayed or len(self.data.test.y), len(self.data.test.y))
        test = self.data.test
        layers, fired, shapes = self._counted(test.x[:n], self.settings.steps)
        blueprint = Blueprint(self.module, shapes)
        duration = self.settings.steps * STEP
        batch = max(1, _AT_ONCE // blueprint.neurons)
        replayed = replay(blueprint.network, self._stimuli(n, batch), duration, engine, threads, advance)
        predictions = replayed.outputs.reshape(n, self.data.classes, -1).sum(2).argmax(axis=1)
        cells = [cell.name for cell in self.module.cells]
        return Outcome(
            score=accuracy(predictions, test.y[:n]),
            inferences=n,
            wall_s=replayed.wall_s,
            predictions=predictions,
            confusion=self.confusion(predictions),
            neurons=blueprint.neurons,
            synapses=replayed.synapses,
            spikes=sum(replayed.spikes[name] for name in cells),
            input_spikes=replayed.input_spikes,
            operations=self._by_events(layers, replayed, blueprint, n),
            example=self._example(blueprint, int(predictions[0]), engine),
            speed=self._speeds(shapes),
            notes={**replayed.timing, "spikes_in_torch": sum(fired[name] for name in cells)},
        )

    # ------------------------------------------------------------ counting

    def _counted(
        self, x: NDArray[np.float32], steps: int, module: SpikingGraph | None = None
    ) -> tuple[list[LayerCount], dict[str, int], dict[str, tuple[int, ...]]]:
        """Layers, spikes by cell and shapes of cells over inputs `x`, answers of the first `steps` steps."""
        module = module or self.module
        fired: dict[str, int] = {}
        module.eval()
        with watched(module) as layers, torch.inference_mode():
            for number, lo in enumerate(range(0, len(x), self.chunk)):
                spikes = module(self.prepare(x[lo : lo + self.chunk], TEST, number))
                for name, s in spikes.items():
                    fired[name] = fired.get(name, 0) + int(s.sum())
        self._shapes = {name: tuple(s.shape[2:]) for name, s in spikes.items()}
        return [layer for layer in layers if layer.rows], fired, self._shapes

    def _neurons(self) -> int:
        return sum(int(np.prod(self._shapes[cell.name])) for cell in self.module.cells)

    def _encoder_updates(self, steps: int) -> int:
        """Changes of the neurons of a direct-coded first layer."""
        return steps * int(np.prod(self._shapes[INPUT])) if hasattr(self.module.encoder, "neuron") else 0

    def _draws(self) -> int:
        return self.module.encoder.draws(self.data.test.x)  # type: ignore[operator]

    def _by_tensors(
        self, layers: list[LayerCount], fired: dict[str, int], neurons: int, n: int, steps: int
    ) -> Operations:
        """Per event, with synaptic events as the tensors tell them."""
        cells = self.module.cells
        own = [layer for layer in layers if not layer.active]  # `event_operations` counts the biases of the others
        events = Events(
            synaptic_events=sum(layer.spiked for layer in layers),
            biases=sum(layer.added for layer in own),
            updates=n * (steps * neurons + self._encoder_updates(steps)),
            spikes=sum(fired[cell.name] for cell in cells),
            input_spikes=fired[INPUT],
            output_spikes=fired[cells[-1].name],
        )
        sizes: dict[str, Any] = {"neurons": neurons, "draws": self._draws(), "classes": self.data.classes}
        return more_macs(event_operations(layers, events, steps=steps, inferences=n, **sizes), self.before[1])

    def _by_events(self, layers: list[LayerCount], r: Replayed, blueprint: Blueprint, n: int) -> Operations:
        """Per event, as the core counted; a direct-coded first layer runs before it, as the tensors tell."""
        steps = self.settings.steps
        encoder = [layer for layer in layers if layer.name.startswith("encoder.")]
        events = Events(
            synaptic_events=r.synaptic_events + sum(layer.spiked for layer in encoder),
            biases=r.biases,
            updates=r.neuron_updates + n * self._encoder_updates(steps),
            spikes=r.neuron_spikes,
            input_spikes=r.input_spikes,
            output_spikes=int(r.outputs.sum()),
        )
        rest = [layer for layer in layers if layer not in encoder]
        for layer in rest:  # the core delivers sums of spikes one spike at a time
            layer.active = 0
        sizes: dict[str, Any] = {"neurons": blueprint.neurons, "draws": self._draws(), "classes": self.data.classes}
        made = event_operations([*encoder, *rest], events, steps=steps, inferences=n, **sizes)
        return more_macs(made, self.before[1])

    # ------------------------------------------------------------ other steps and thresholds, no retraining

    def _curve(self, neurons: int) -> list[dict[str, Any]]:
        x, y = self.data.test.x[:_CURVE_INPUTS], self.data.test.y[:_CURVE_INPUTS]
        points = []
        for factor in THRESHOLDS:
            for steps in sorted({max(1, round(f * self.settings.steps)) for f in self._fractions()}):
                module = self._changed(factor, steps)
                score, operations = self._point(module, x, y, steps, neurons)
                points.append({"steps": steps, "threshold": factor, "score": score, "operations": operations})
        return points

    def _fractions(self) -> tuple[float, ...]:
        """A sequence is seen whole or not at all."""
        return (1.0,) if getattr(self.module.encoder, "frames", 0) else FRACTIONS

    def _changed(self, factor: float, steps: int) -> SpikingGraph:
        module = copy.deepcopy(self.module)
        module.encoder.steps = steps  # type: ignore[assignment]
        for part in module.encoder.modules():
            if hasattr(part, "repeats") and not getattr(module.encoder, "frames", 0):
                part.repeats = steps  # type: ignore[assignment]
        for neuron in module.neurons.values():
            if hasattr(neuron, "scale_threshold"):
                neuron.scale_threshold(factor)  # type: ignore[operator]
        return module

    def _point(
        self, module: SpikingGraph, x: NDArray[np.float32], y: NDArray[np.int64], steps: int, neurons: int
    ) -> tuple[float, Operations]:
        own, self.module = self.module, module
        try:
            layers, fired, _ = self._counted(x, steps)
            with torch.inference_mode():
                parts = [
                    self.answer(self.prepare(x[lo : lo + self.chunk], TEST, k)).numpy()
                    for k, lo in enumerate(range(0, len(x), self.chunk))
                ]
            operations = self._by_tensors(layers, fired, neurons, len(y), steps)
        finally:
            self.module = own
        return accuracy(np.concatenate(parts).argmax(axis=1), y), operations

    # ------------------------------------------------------------ one by one, and stimuli

    def _speeds(self, shapes: dict[str, tuple[int, ...]]) -> list[dict[str, Any]]:
        n = min(INPUTS, len(self.data.test.y))
        prepared = [self.prepare(self.data.test.x[i : i + 1], TEST, i) for i in range(n)]
        steps = self.settings.steps
        return speeds(lambda factor: self._changed(factor, steps), THRESHOLDS, prepared, shapes)

    def _example(self, blueprint: Blueprint, prediction: int, engine: str) -> Example:
        """The first test input, with the spikes it met in the replay."""
        x, label = self.data.test.x[0], int(self.data.test.y[0])
        stimulus = next(self._stimuli(1))[0]
        layers = watch(blueprint.network([stimulus]), self.settings.steps * STEP, engine)
        layers = {name: s for name, s in layers.items() if not name.endswith(".gates")}
        return Example(f"class {label}, answered {prediction}", x, layers)

    def _stimuli(self, n: int, batch: int = 1 << 30) -> Iterator[list[Spikes]]:
        """Spikes of the cell ``input`` as `test` saw them, at most `batch` at a time."""
        self.module.eval()
        for number, lo in enumerate(range(0, n, self.chunk)):
            with torch.inference_mode():
                encoded = self.module.encoder(self.prepare(self.data.test.x[lo : lo + self.chunk], TEST, number))
            spikes = encoded.transpose(0, 1).flatten(2).numpy() > 0
            stimuli = [to_spikes(one) for one in spikes[: n - lo]]
            yield from (stimuli[i : i + batch] for i in range(0, len(stimuli), batch))

"""The learner for the spiking twin of a classifier, with its replay in the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.contract import Advance, Classification, Example, Outcome, Settings
from baselines.counting import Watched, accuracy, spiking_operations, stepped_operations, watched
from baselines.replay import STEP, Replayed, replay, watch
from baselines.spiking import SpikingStack, rate_encode, to_spikes
from baselines.supervised import CHUNK, TEST, Classifier
from spikesim import Network, Spikes


class SpikingClassifier(Classifier):
    """Rate-coded input, surrogate gradients, answers by the spike counts of the last layer.

    Parameters
    ----------
    build, data, settings, seed, lr
        As in `Classifier`; `build` makes a `SpikingStack`.
    network : callable
        From the trained stack and the stimuli of a batch to the same network in spikesim.
    """

    def __init__(
        self,
        build: Callable[[], SpikingStack],
        data: Classification,
        settings: Settings,
        seed: int,
        lr: float,
        network: Callable[[SpikingStack, Sequence[Spikes]], Network],
    ) -> None:
        super().__init__(build, data, settings, seed, lr)
        self._network = network

    def prepare(self, x: NDArray[np.float32], purpose: int, number: int) -> Tensor:
        """Rate-coded spikes (T, k, n)."""
        return torch.from_numpy(self._encode(x, purpose, number)).transpose(0, 1).float()

    def answer(self, prepared: Tensor) -> Tensor:
        """Spike counts (k, classes) of the last layer."""
        return self.module(prepared)[-1].sum(0)

    def operations(self, counted: Watched, inferences: int) -> dict[str, Any]:
        """What an `Outcome` tells of operations and spikes."""
        layers, steps = counted.layers, self.settings.steps
        input_spikes = layers[0].active // layers[0].outputs
        updates = steps * sum(layer.outputs for layer in layers)
        return {
            "spikes": counted.spikes,
            "input_spikes": input_spikes,
            "operations": stepped_operations(layers, steps, inferences),
            "skipping": spiking_operations(
                layers,
                steps,
                synaptic_events=sum(layer.active for layer in layers) / inferences,
                biases=updates,
                updates=updates,
                spikes=counted.spikes / inferences,
                input_spikes=input_spikes / inferences,
            ),
        }

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The test set in spikesim, with the weights and the input spikes of `test`."""
        test = self.data.test
        replayed = replay(self._build, self._stimuli(), self.settings.steps * STEP, engine, threads, advance)
        predictions = replayed.outputs.argmax(axis=1)
        with watched(self.module) as shape:
            layers = shape.layers
        return Outcome(
            score=accuracy(predictions, test.y),
            inferences=len(test.y),
            wall_s=replayed.wall_s,
            predictions=predictions,
            neurons=sum(layer.outputs for layer in layers),
            synapses=sum(layer.inputs * layer.outputs for layer in layers),
            spikes=replayed.neuron_spikes,
            input_spikes=replayed.input_spikes,
            operations=self._event_operations(shape, replayed, len(test.y)),
            example=self._example(int(predictions[0]), engine),
            notes=replayed.timing,
        )

    def _event_operations(self, shape: Watched, replayed: Replayed, inferences: int) -> Any:
        return spiking_operations(
            shape.layers,
            self.settings.steps,
            synaptic_events=replayed.synaptic_events / inferences,
            biases=replayed.biases / inferences,
            updates=replayed.neuron_updates / inferences,
            spikes=replayed.neuron_spikes / inferences,
            input_spikes=replayed.input_spikes / inferences,
        )

    def _example(self, prediction: int, engine: str) -> Example:
        """The first test input, with the spikes it met in the replay."""
        x, label = self.data.test.x[0], int(self.data.test.y[0])
        stimulus = next(self._stimuli())[0]
        layers = watch(self._build([stimulus]), self.settings.steps * STEP, engine)
        return Example(f"class {label}, answered {prediction}", x, layers)

    def _encode(self, x: NDArray[np.float32], purpose: int, number: int) -> NDArray[np.bool_]:
        return rate_encode(x, self.settings.steps, (self.seed, purpose, number))

    def _build(self, inputs: Sequence[Spikes]) -> Network:
        assert isinstance(self.module, SpikingStack)
        return self._network(self.module, inputs)

    def _stimuli(self) -> Iterator[list[Spikes]]:
        for number, lo in enumerate(range(0, len(self.data.test.y), CHUNK)):
            yield [to_spikes(e) for e in self._encode(self.data.test.x[lo : lo + CHUNK], TEST, number)]

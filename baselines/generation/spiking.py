"""Spiking networks that make images: torch and the core run the same graph, whose last cell is read as membranes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.contract import Advance, Example, Outcome
from baselines.counting import Events, LayerCount, event_operations, stepped_operations, watched
from baselines.generation.adversarial import TEST, Adversary, scored
from baselines.graph import INPUT, SpikingGraph
from baselines.lowering import STEP, Blueprint
from baselines.replay import Replayed, answer_by, watch
from baselines.spiking import to_spikes
from spikesim import Spikes
from spikesim.energy import Operations

LEVELS = 16  # of grey, by which images of torch and core are compared
_AT_ONCE = 200  # images made side by side


class Painter(nn.Module):
    """A generator: a spiking graph whose last membranes, per step, are the image before a logistic function.

    Parameters
    ----------
    graph : SpikingGraph
        Its encoder takes (k, latent), its last cell is a `Membrane`.
    shape : (int, int)
        Of an image.
    gain : float
        From membranes per step to the logistic function.
    """

    def __init__(self, graph: SpikingGraph, shape: tuple[int, int], gain: float) -> None:
        super().__init__()
        self.graph, self.shape, self.gain = graph, shape, gain

    def forward(self, latent: Tensor) -> Tensor:
        """Images (k, size, size)."""
        held = self.graph(latent)[self.graph.cells[-1].name]
        return self.paint(held[-1])

    def paint(self, held: Tensor) -> Tensor:
        """Images of membranes (k, pixels) after the last step."""
        steps: Any = self.graph.encoder.steps
        return torch.sigmoid(held.flatten(1) * (self.gain / steps)).unflatten(1, self.shape)


class Critic(nn.Module):
    """A discriminator: a spiking graph whose last membrane, per step, is the answer.

    Parameters
    ----------
    graph : SpikingGraph
        Its encoder takes (k, size, size), its last cell is a `Membrane`.
    """

    def __init__(self, graph: SpikingGraph) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, images: Tensor) -> Tensor:
        """Numbers (k,), large for images held to be real."""
        held = self.graph(images)[self.graph.cells[-1].name]
        return held[-1].flatten() / len(held)


class SpikingAdversary(Adversary):
    """`Adversary` of a `Painter` and a `Critic`; the painter is replayed in the core."""

    module: Painter

    def test(self) -> Outcome:
        """As many images as there are to test by; torch multiplies every weight in every step."""
        latent, graph = self.latent(TEST, len(self.data.test.y)), self.module.graph
        self.make(latent[:_AT_ONCE])
        started = time.perf_counter()
        images = self.make(latent)
        seconds = time.perf_counter() - started
        layers, fired, shapes = counted(graph, latent)
        n, steps, neurons = len(latent), self.settings.steps, size_of(graph, shapes)
        events = Events(sum(layer.spiked for layer in layers), sum(layer.added for layer in layers if not layer.active),
                        n * steps * (neurons + int(np.prod(shapes[INPUT]))), fired_in(graph, fired), fired[INPUT],
                        0)  # fmt: skip
        return Outcome(
            **scored(self.data, images),
            operations=stepped_operations(layers, steps, neurons, n),
            skipping=event_operations(layers, events, steps=steps, neurons=neurons, draws=0,
                                      classes=images[0].size, inferences=n),
            neurons=neurons,
            synapses=sum(layer.dense for layer in layers) // n // steps,
            inferences=n,
            wall_s=seconds,
            spikes=events.spikes,
            input_spikes=events.input_spikes,
            predictions=greys(images),
            material={"images": images, "between": self.between()},
        )  # fmt: skip

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The same images, painted by spikesim."""
        n = min(self.settings.replayed or len(self.data.test.y), len(self.data.test.y))
        latent, graph = self.latent(TEST, n), self.module.eval().graph
        layers, fired, shapes = counted(graph, latent)
        blueprint, total, parts = Blueprint(graph, shapes), Replayed(np.empty((0, 0), np.int64)), []
        for part in latent.split(_AT_ONCE):
            held = in_core(graph, blueprint, part, total, engine, threads)
            parts.append(self.module.paint(torch.from_numpy(held)).float().numpy())
            advance(len(part))
        images = np.concatenate(parts)
        return Outcome(
            **scored(self.data, images),
            operations=by_events(layers, total, n, self.settings.steps, blueprint.neurons, images[0].size, shapes),
            neurons=blueprint.neurons,
            synapses=total.synapses,
            inferences=n,
            wall_s=total.wall_s,
            spikes=total.neuron_spikes,
            input_spikes=total.input_spikes,
            predictions=greys(images),
            example=example_of(graph, blueprint, latent[:1], images[0], engine),
            notes={**total.timing, "spikes_in_torch": fired_in(graph, fired)},
            material={"images": images},
        )


def greys(images: NDArray[np.float32]) -> NDArray[np.int64]:
    """Images in `LEVELS` levels of grey, by which torch and core are compared."""
    return np.rint(LEVELS * images).astype(np.int64)


def counted(graph: SpikingGraph, inputs: Any) -> tuple[list[LayerCount], dict[str, int], dict[str, tuple[int, ...]]]:
    """Layers, sums of all cells, and shapes of one step of every cell, over `inputs` worked off in parts."""
    fired: dict[str, int] = {}
    graph.eval()
    with watched(graph) as layers, torch.inference_mode():
        for part in inputs.split(_AT_ONCE):
            found = graph(part)
            for name, spikes in found.items():
                fired[name] = fired.get(name, 0) + (0 if is_silent(graph, name) else int(spikes.sum()))
    return [layer for layer in layers if layer.rows], fired, {name: tuple(s.shape[2:]) for name, s in found.items()}


def is_silent(graph: SpikingGraph, name: str) -> bool:
    """Whether a cell never fires."""
    return name != INPUT and bool(getattr(graph.neurons[name], "silent", False))


def fired_in(graph: SpikingGraph, fired: dict[str, int]) -> int:
    """Spikes of all neurons, inputs not counted."""
    return sum(fired[cell.name] for cell in graph.cells)


def size_of(graph: SpikingGraph, shapes: dict[str, tuple[int, ...]]) -> int:
    """Neurons, inputs not counted."""
    return sum(int(np.prod(shapes[cell.name])) for cell in graph.cells)


def stimuli_of(graph: SpikingGraph, inputs: Any) -> list[Spikes]:
    """Spikes of the encoder for the core."""
    with torch.inference_mode():
        encoded = graph.encoder(inputs).transpose(0, 1).flatten(2).numpy() > 0
    return [to_spikes(one) for one in encoded]


def in_core(
    graph: SpikingGraph, blueprint: Blueprint, inputs: Any, total: Replayed, engine: str, threads: int
) -> NDArray[np.float64]:
    """Membranes (k, n) of the last cell at the end, by the core; what it counted is added to `total`."""
    stimuli = stimuli_of(graph, inputs)
    steps: Any = graph.encoder.steps
    return answer_by(total, blueprint.network(stimuli), len(stimuli), steps * STEP, engine, threads)


def by_events(
    layers: list[LayerCount],
    total: Replayed,
    inferences: int,
    steps: int,
    neurons: int,
    outputs: int,
    shapes: dict[str, tuple[int, ...]],
) -> Operations:
    """Operations as the core counted; a direct-coded first layer runs before it, as the tensors tell."""
    encoder = [layer for layer in layers if layer.name.startswith("encoder.")]
    rest = [layer for layer in layers if layer not in encoder]
    for layer in rest:
        layer.active = 0
    events = Events(
        synaptic_events=total.synaptic_events + sum(layer.spiked for layer in encoder),
        biases=total.biases,
        updates=total.neuron_updates + inferences * steps * int(np.prod(shapes[INPUT])),
        spikes=total.neuron_spikes,
        input_spikes=total.input_spikes,
        output_spikes=0,
    )
    sizes: dict[str, Any] = {"neurons": neurons, "draws": 0, "classes": outputs, "inferences": inferences}
    return event_operations([*encoder, *rest], events, steps=steps, **sizes)


def example_of(
    graph: SpikingGraph, blueprint: Blueprint, inputs: Any, image: NDArray[np.float32], engine: str
) -> Example:
    """The first image and the spikes it was made by."""
    steps: Any = graph.encoder.steps
    layers = watch(blueprint.network(stimuli_of(graph, inputs)), steps * STEP, engine)
    shown = {name: spikes for name, spikes in layers.items() if not is_silent(graph, name)}
    return Example("from noise to an image", image, shown, shows="image made")

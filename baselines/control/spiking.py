"""Deep Q-learning with a spiking network: populations of input neurons, Q-values from membranes that never fire."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.contract import Advance, Example, Outcome
from baselines.control.animation import episode_gif
from baselines.control.dqn import DQN, TEST, TESTED, noted
from baselines.control.episodes import Episodes, play
from baselines.counting import Events, LayerCount, event_operations, stepped_operations, watched
from baselines.graph import INPUT, SpikingGraph
from baselines.lowering import STEP, Blueprint
from baselines.replay import Replayed, answer_by, watch
from baselines.speed import INPUTS, speeds
from baselines.spiking import to_spikes
from spikesim import Spikes
from spikesim.energy import Operations

THRESHOLDS = (0.75, 1.0, 1.5, 2.0)  # of the trained one
FRACTIONS = (0.25, 0.5, 0.75, 1.0)  # of the trained steps
_CURVE_EPISODES = 20
_SPEEDS = 1000  # decisions among which the timed ones are spread
_CHUNK = 4096
_FIELD = 3  # multiply-accumulates for one Gaussian: difference, square, exponent by table


class Fields(nn.Module):
    """Population code: every number drives neurons that each prefer a value, evenly spaced from -1 to 1.

    A neuron gets ``exp(-(x - c)² / 2 s²)`` in every step, with s the distance of preferred values, and fires whenever
    the sum, which starts at one half, passes the next whole number. Numbers beyond -1 … 1 count as these.

    Parameters
    ----------
    n, per, steps : int
        Numbers, neurons for each, time steps.

    References
    ----------
    Tang et al. 2020, arXiv:2010.09635 (PopSAN, deterministic encoding; preferred values are fixed here).
    """

    centres: Tensor

    def __init__(self, n: int, per: int, steps: int) -> None:
        super().__init__()
        self.n, self.per, self.steps = n, per, steps
        self.register_buffer("centres", torch.linspace(-1.0, 1.0, per))
        self.width = 2.0 / (per - 1)

    def prepare(self, x: NDArray[np.float32], seed: Sequence[int]) -> Tensor:
        """The numbers themselves."""
        return torch.from_numpy(np.ascontiguousarray(x))

    def forward(self, prepared: Tensor) -> Tensor:
        """Spikes (T, k, n · per) of numbers (k, n)."""
        x = prepared.clamp(-1, 1)[..., None].double()
        drive = torch.exp(-0.5 * ((x - self.centres.double()) / self.width) ** 2).flatten(1)
        steps = torch.arange(self.steps + 1, dtype=torch.float64)[:, None, None]
        return torch.floor(drive * steps + _START).diff(dim=0).to(prepared.dtype)


_START = 0.5  # counts are then rounded, not cut


class SpikingDQN(DQN):
    """The spiking side: the cell added last is a `Membrane` whose value after the last step is Q.

    Parameters
    ----------
    build, task, settings, seed, lr
        As in `DQN`; `build` makes a `SpikingGraph` with the encoder `Fields`.
    """

    module: SpikingGraph

    def values(self, observations: Tensor, module: nn.Module | None = None) -> Tensor:
        """Q-values (k, actions): membranes at the end, per step, times the gain."""
        graph: Any = module or self.module
        held = graph(observations)[graph.cells[-1].name]
        return held[-1] * (self.settings.gain / len(held))

    def test(self) -> Outcome:
        """A hundred episodes: once to play, once more over the same states to count."""
        episodes, wall_s = self._timed()
        layers, fired = self._fired(self.module, episodes.observations)
        n, steps = len(episodes.actions), self.settings.steps
        return Outcome(
            score=self.task.score(episodes.returns),
            inferences=n,
            wall_s=wall_s,
            predictions=episodes.actions,
            neurons=self._neurons(),
            synapses=sum(layer.dense for layer in layers) // n // steps,
            spikes=sum(fired[name] for name in self._firing()),
            input_spikes=fired[INPUT],
            operations=stepped_operations(layers, steps, self._neurons(), n),
            skipping=self._by_tensors(layers, fired, n, steps),
            curve=self._curve(),
            notes=noted(episodes),
        )

    def replay(self, engine: str, threads: int, advance: Advance) -> Outcome:
        """The test episodes played in spikesim: every decision is a run of the core, of all episodes side by side."""
        k = min(self.settings.replayed or TESTED, TESTED)
        blueprint, total = Blueprint(self.module, self._shapes()), Replayed(np.empty((0, 0), np.int64))
        scale = self.settings.gain / self.settings.steps

        def act(observations: NDArray[np.float32]) -> NDArray[np.int64]:
            network = blueprint.network(self._stimuli(observations))
            held = answer_by(total, network, len(observations), self.settings.steps * STEP, engine, threads)
            return np.asarray((held * scale).argmax(axis=1))

        episodes = play(self.task, act, self._seeds(TEST, TESTED)[:k], advance)
        layers, fired = self._fired(self.module, episodes.observations)
        expected = np.concatenate([self.act(x) for x in _parts(episodes.observations)])
        return Outcome(
            score=self.task.score(episodes.returns),
            inferences=len(episodes.actions),
            wall_s=total.wall_s,
            predictions=episodes.actions,
            expected=expected,
            neurons=blueprint.neurons,
            synapses=total.synapses,
            spikes=sum(total.spikes[name] for name in self._firing()),
            input_spikes=total.input_spikes,
            operations=self._by_events(layers, total, len(episodes.actions)),
            example=self._example(blueprint, episodes, engine),
            speed=self._speeds(episodes),
            notes={**total.timing, **noted(episodes), "spikes_in_torch": sum(fired[n] for n in self._firing())},
        )

    # ------------------------------------------------------------ counting

    def _firing(self) -> list[str]:
        return [cell.name for cell in self.module.cells[:-1]]

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of one step of every cell."""
        self.module.eval()
        with torch.inference_mode():
            found = self.module(torch.zeros(1, len(self.task.scale)))
        return {name: tuple(s.shape[2:]) for name, s in found.items()}

    def _neurons(self) -> int:
        shapes = self._shapes()
        return sum(int(np.prod(shapes[cell.name])) for cell in self.module.cells)

    def _fired(
        self, module: SpikingGraph, observations: NDArray[np.float32]
    ) -> tuple[list[LayerCount], dict[str, int]]:
        """Products of all layers, and spikes by cell, over all observations."""
        fired: dict[str, int] = {}
        module.eval()
        with watched(module) as layers, torch.inference_mode():
            for part in _parts(observations):
                for name, spikes in module(torch.from_numpy(part)).items():
                    fired[name] = fired.get(name, 0) + int(spikes.sum())
        return [layer for layer in layers if layer.rows], fired

    def _by_tensors(self, layers: list[LayerCount], fired: dict[str, int], n: int, steps: int) -> Operations:
        """Per event, with synaptic events as the tensors tell them."""
        events = Events(
            synaptic_events=sum(layer.spiked for layer in layers),
            biases=sum(layer.added for layer in layers),
            updates=n * steps * self._neurons(),
            spikes=sum(fired[name] for name in self._firing()),
            input_spikes=fired[INPUT],
            output_spikes=0,
        )
        return self._with_encoder(layers, events, n, steps)

    def _by_events(self, layers: list[LayerCount], total: Replayed, n: int) -> Operations:
        """Per event, as the core counted."""
        events = Events(
            synaptic_events=total.synaptic_events,
            biases=total.biases,
            updates=total.neuron_updates,
            spikes=total.neuron_spikes,
            input_spikes=total.input_spikes,
            output_spikes=0,
        )
        return self._with_encoder(layers, events, n, self.settings.steps)

    def _with_encoder(self, layers: list[LayerCount], events: Events, n: int, steps: int) -> Operations:
        """Input neurons are updated in every step, and their drive is computed once for each decision."""
        inputs = len(self.task.scale) * self.settings.fields
        whole = replace(events, updates=events.updates + n * steps * inputs, spikes=events.spikes + events.input_spikes)
        made = event_operations(
            layers,
            replace(whole, input_spikes=0),
            steps=steps,
            neurons=self._neurons() + inputs,
            draws=0,
            classes=self.task.actions,
            inferences=n,
        )
        macs = _FIELD * inputs
        return replace(made, macs=made.macs + macs, activation_accesses=made.activation_accesses + len(self.task.scale))

    # ------------------------------------------------------------ other steps and thresholds, no retraining

    def _curve(self) -> list[dict[str, Any]]:
        points = []
        for factor in THRESHOLDS:
            for steps in sorted({max(1, round(f * self.settings.steps)) for f in FRACTIONS}):
                module = self._changed(factor, steps)
                own, self.module = self.module, module
                try:
                    episodes = self._played(TEST, _CURVE_EPISODES)
                    layers, fired = self._fired(module, episodes.observations)
                    operations = self._by_tensors(layers, fired, len(episodes.actions), steps)
                finally:
                    self.module = own
                score = self.task.score(episodes.returns)
                points.append({"steps": steps, "threshold": factor, "score": score, "operations": operations})
        return points

    def _changed(self, factor: float, steps: int) -> SpikingGraph:
        module = copy.deepcopy(self.module)
        module.encoder.steps = steps  # type: ignore[assignment]
        for name in self._firing():
            module.neurons[name].scale_threshold(factor)  # type: ignore[operator]
        return module

    # ------------------------------------------------------------ one by one, and stimuli

    def _stimuli(self, observations: NDArray[np.float32]) -> list[Spikes]:
        with torch.inference_mode():
            encoded = self.module.encoder(torch.from_numpy(observations))
        return [to_spikes(one) for one in encoded.transpose(0, 1).numpy() > 0]

    def _speeds(self, episodes: Episodes) -> list[dict[str, Any]]:
        at = np.linspace(0, min(_SPEEDS, len(episodes.actions)) - 1, INPUTS).astype(int)
        prepared = [torch.from_numpy(episodes.observations[i : i + 1]) for i in at]
        steps = self.settings.steps
        return speeds(lambda factor: self._changed(factor, steps), THRESHOLDS, prepared, self._shapes())

    def _example(self, blueprint: Blueprint, episodes: Episodes, engine: str) -> Example:
        """The first decision of the first episode; and the whole of it as moving pictures."""
        mine = np.flatnonzero(episodes.episode == 0)
        (stimulus,) = self._stimuli(episodes.observations[mine[:1]])
        layers = watch(blueprint.network([stimulus]), self.settings.steps * STEP, engine)
        del layers[self.module.cells[-1].name]  # its membranes never fire
        title = f"first decision of an episode: action {int(episodes.actions[mine[0]])}"
        with torch.inference_mode():
            values = self.values(torch.from_numpy(episodes.observations[mine])).numpy()
        moving = episode_gif(self.task, episodes.observations[mine], values, float(episodes.returns[0]))
        return Example(title, None, layers, moving)


def _parts(observations: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [observations[lo : lo + _CHUNK] for lo in range(0, len(observations), _CHUNK)]

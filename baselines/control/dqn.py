"""Deep Q-learning with any torch module: replay memory, target network, double Q-learning."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from baselines.contract import Control, Outcome, Settings
from baselines.control.episodes import Episodes, play, scaled
from baselines.control.memory import Batch, Memory
from baselines.counting import LayerCount, ann_operations, watched
from baselines.errors import TrainingError
from baselines.quantised import quantised

TRAIN, VALIDATE, TEST = 0, 1, 2  # purposes of random numbers
TESTED = 100  # episodes of the test
_VALIDATED = 20
_ENOUGH = 3  # validations in a row without fault
_CHUNK = 4096  # decisions counted together
_CLIP = 10.0  # norm of a gradient at most
_FAR = 10.0  # Q-values beyond this many times the largest possible return have diverged


@dataclass(frozen=True)
class DQNSettings(Settings):
    """Settings of deep Q-learning; a pass is `pass_steps` steps of the environment.

    Parameters
    ----------
    hidden : int
        Neurons of the twin's hidden layer.
    hidden_ann : int
        Units of each of the network's two hidden layers.
    pass_steps, worlds : int
        Steps of the environment in one pass, all worlds together; environments side by side.
    updates_per_step : float
        Updates for each step of the environment.
    warmup, memory : int
        Steps before the first update; transitions kept.
    gamma : float
        Discount of a step.
    explore : float
        Share of all steps over which the probability of a random action falls from 1 to `last_random`.
    last_random : float
        See there.
    follow : float
        Share of the difference by which the target network follows with every update.
    double : bool
        Double Q-learning: the network chooses the next action, the target network values it.
    fields : int
        Gaussian fields for each observed number (spiking twin).
    beta : float
        Decay of the twin's membranes per time step.
    """

    hidden: int = 256
    hidden_ann: int = 128
    pass_steps: int = 1000
    worlds: int = 8
    updates_per_step: float = 0.5
    warmup: int = 1000
    memory: int = 50_000
    gamma: float = 0.99
    explore: float = 0.2
    last_random: float = 0.04
    follow: float = 0.005
    double: bool = True
    fields: int = 10
    beta: float = 0.9


class DQN:
    """Learner for one control task.

    Parameters
    ----------
    build : callable
        Makes the module, from scaled observations (k, n) to Q-values (k, actions); called with torch's random numbers
        seeded.
    task : Control
    settings : DQNSettings
    seed : int
    lr : float
        Learning rate, falling to a tenth along a line.

    References
    ----------
    Mnih et al. 2015, doi:10.1038/nature14236. van Hasselt et al. 2016, arXiv:1509.06461 (double).
    """

    def __init__(self, build: Callable[[], Any], task: Control, settings: DQNSettings, seed: int, lr: float) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.module = build()
        self.task, self.settings, self.seed = task, settings, seed
        self.target = copy.deepcopy(self.module)
        self.updates = round(settings.pass_steps * settings.updates_per_step)
        self._optimizer = torch.optim.Adam(self.module.parameters(), lr=lr)
        ends = max(1, settings.epochs * self.updates)
        self._schedule = torch.optim.lr_scheduler.LinearLR(self._optimizer, 1.0, 0.1, ends)
        self._memory = Memory(settings.memory, len(task.scale), (seed, TRAIN, 1))
        self._rng = np.random.default_rng((seed, TRAIN, 2))
        self.finished, self._perfect = False, 0
        self._steps, self._done, self._worlds, self._states = 0, 0, [], []  # type: ignore[var-annotated]
        self._limit = _FAR * max(abs(task.best), abs(task.worst))

    # ------------------------------------------------------------ what is learned

    def values(self, observations: Tensor, module: nn.Module | None = None) -> Tensor:
        """Q-values (k, actions) of scaled observations (k, n)."""
        return (module or self.module)(observations)

    def act(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        """The best actions, the first of equals."""
        with torch.inference_mode():
            return self.values(torch.from_numpy(observations)).argmax(1).numpy()

    def epoch(self) -> Iterator[float]:
        """Live through one pass; yields the loss after each update."""
        s = self.settings
        self._begin()
        self.module.train()
        due, end = 0.0, self._steps + s.pass_steps
        while self._steps < end:
            self._live()
            if self._steps < s.warmup:
                continue
            due += len(self._worlds) * s.updates_per_step
            while due >= 1.0:
                due -= 1.0
                yield self._update()

    def validate(self) -> float:
        """Score of episodes that start in states of their own; the best there is, thrice in a row, is enough."""
        score = self.task.score(self._played(VALIDATE, _VALIDATED).returns)
        self._perfect = self._perfect + 1 if score >= 1.0 else 0
        self.finished = self._perfect >= _ENOUGH
        return score

    def snapshot(self) -> Any:
        """Copy of all parameters."""
        return copy.deepcopy(self.module.state_dict())

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self.module.load_state_dict(snapshot)

    def _begin(self) -> None:
        if not self._worlds:
            self._worlds = [self.task.make() for _ in range(self.settings.worlds)]
            seeds = self._seeds(TRAIN, len(self._worlds))
            self._states = [scaled(self.task, w.reset(seed=k)[0]) for w, k in zip(self._worlds, seeds, strict=True)]

    def _random(self) -> float:
        """Probability of a random action."""
        s = self.settings
        part = self._steps / max(1.0, s.explore * s.epochs * s.pass_steps)
        return max(s.last_random, 1.0 - (1.0 - s.last_random) * part)

    def _live(self) -> None:
        """One step of every world."""
        actions = self.act(np.stack(self._states))
        for i, world in enumerate(self._worlds):
            if self._rng.random() < self._random():
                actions[i] = self._rng.integers(self.task.actions)
            state, reward, terminated, truncated, _ = world.step(int(actions[i]))
            then = scaled(self.task, state)
            self._memory.add(self._states[i], actions[i], float(reward), then, terminated)
            self._states[i] = scaled(self.task, world.reset()[0]) if terminated or truncated else then
        self._steps += len(self._worlds)

    def _update(self) -> float:
        batch = self._memory.draw(self.settings.batch_size)
        wanted = self._wanted(batch)
        found = self.values(batch.seen).gather(1, batch.action[:, None])[:, 0]
        loss = functional.smooth_l1_loss(found, wanted)
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.module.parameters(), _CLIP)
        self._optimizer.step()
        self._schedule.step()
        self._done += 1
        self._follow()
        value, largest = loss.item(), float(found.detach().abs().max())
        if not (math.isfinite(value) and largest < self._limit):
            raise TrainingError(
                f"Q-learning diverged at update {self._done} (loss {value:.3g}, largest Q-value {largest:.3g}, returns "
                f"are at most {max(abs(self.task.best), abs(self.task.worst)):g}); lower the learning rate"
            )
        return value

    def _follow(self) -> None:
        """Bring the target network closer."""
        with torch.no_grad():
            for own, other in zip(self.target.parameters(), self.module.parameters(), strict=True):
                own.lerp_(other, self.settings.follow)

    def _wanted(self, batch: Batch) -> Tensor:
        """Reward and the discounted value of what comes next."""
        with torch.no_grad():
            values = self.values(batch.next, self.target)
            if self.settings.double:
                best = self.values(batch.next).argmax(1, keepdim=True)
                then = values.gather(1, best)[:, 0]
            else:
                then = values.amax(1)
            return batch.reward + self.settings.gamma * batch.goes_on * then

    # ------------------------------------------------------------ the test

    def test(self) -> Outcome:
        """A hundred episodes: once to play, once more over the same states to count."""
        episodes, wall_s = self._timed()
        return self._outcome(episodes, wall_s, self._counted(episodes.observations))

    def test_quantised(self, bits: int) -> Outcome:
        """The same with activations of `bits` bits and weights of 8, ranges from the episodes of the validation."""
        sample = torch.from_numpy(self._played(VALIDATE, _VALIDATED).observations[:_CHUNK])
        with quantised(self.module.eval(), bits, lambda: self.values(sample)):
            episodes, wall_s = self._timed()
            return self._outcome(episodes, wall_s, self._counted(episodes.observations))

    def _outcome(self, episodes: Episodes, wall_s: float, layers: list[LayerCount]) -> Outcome:
        n = len(episodes.actions)
        return Outcome(
            score=self.task.score(episodes.returns),
            inferences=n,
            wall_s=wall_s,
            predictions=episodes.actions,
            neurons=sum(layer.outputs for layer in layers) // n,
            synapses=sum(layer.dense for layer in layers) // n,
            operations=ann_operations(layers, n),
            skipping=ann_operations(layers, n, skip_zeros=True),
            notes=noted(episodes),
        )

    def _played(self, purpose: int, episodes: int) -> Episodes:
        self.module.eval()
        return play(self.task, self.act, self._seeds(purpose, episodes))

    def _timed(self) -> tuple[Episodes, float]:
        """The test episodes, and the seconds the network took for all decisions."""
        seconds = 0.0

        def act(observations: NDArray[np.float32]) -> NDArray[np.int64]:
            nonlocal seconds
            started = time.perf_counter()
            actions = self.act(observations)
            seconds += time.perf_counter() - started
            return actions

        self.module.eval()
        return play(self.task, act, self._seeds(TEST, TESTED)), seconds

    def _counted(self, observations: NDArray[np.float32]) -> list[LayerCount]:
        self.module.eval()
        with watched(self.module) as layers, torch.inference_mode():
            for lo in range(0, len(observations), _CHUNK):
                self.values(torch.from_numpy(observations[lo : lo + _CHUNK]))
        return [layer for layer in layers if layer.rows]

    def _seeds(self, purpose: int, k: int) -> list[int]:
        """Of environments; training, validation and test never share one."""
        return [int(v) for v in np.random.SeedSequence((self.seed, purpose)).generate_state(k)]


def noted(episodes: Episodes) -> dict[str, float]:
    """Returns as the environment counts them."""
    return {"mean_return": float(episodes.returns.mean()), "worst_return": float(episodes.returns.min())}

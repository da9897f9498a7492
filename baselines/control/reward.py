"""An agent that learns inside the core: places, two or more actions that compete, and reward-modulated STDP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Control, Outcome
from baselines.control.dqn import TEST, TESTED, TRAIN, VALIDATE, DQNSettings, noted
from baselines.control.episodes import Episodes, play, scaled
from spikesim import (
    LIF,
    AllToAll,
    Counts,
    Current,
    Delta,
    FixedThreshold,
    Network,
    Neuron,
    Population,
    Projection,
    Record,
    ResetTo,
    Result,
    Simulation,
    Spikes,
    SpikeSource,
    simulate,
)
from spikesim.energy import Operations
from spikesim.plasticity import RewardSTDP

DECISION = 20.0  # ms from an observation to the next
_EDGES: dict[str, tuple[tuple[float, ...], ...]] = {  # Barto, Sutton & Anderson 1983: 162 boxes
    "CartPole-v1": ((-0.8, 0.8), (-0.5, 0.5), (-0.105, -0.0175, 0.0, 0.0175, 0.105), (-0.87, 0.87)),
}
_THIRDS = (-1 / 3, 1 / 3)  # where nothing else is known, of the scaled observation
_AT_ONCE = 100  # steps of the environment between two reports
_VALIDATED, _ENOUGH = 20, 3
_CHUNK = 2000  # decisions run side by side
_DEEP, _NEAR, _DRIVE = -1000.0, 0.98, 1.5
_START, _NOISE = 0.5, 0.1  # of weights, of action membranes
_RATE, _CRITIC, _TRACE, _DISCOUNT = 0.3, 0.2, 0.8, 0.97
_TAU = 10.0


class Places:
    """One place for each box of a grid over the observations.

    Parameters
    ----------
    task : Control
    """

    def __init__(self, task: Control) -> None:
        scale = [float(s) for s in task.scale]
        known = _EDGES.get(task.name) or tuple(tuple(e * s for e in _THIRDS) for s in scale)
        self.edges = [np.array(edges) / s for edges, s in zip(known, scale, strict=True)]
        self.shape = tuple(len(edges) + 1 for edges in self.edges)
        self.n = int(np.prod(self.shape))

    def of(self, observations: NDArray[np.float32]) -> NDArray[np.int64]:
        """Places (k,) of scaled observations (k, n)."""
        index = [np.searchsorted(edges, observations[:, i]) for i, edges in enumerate(self.edges)]
        return np.asarray(np.ravel_multi_index(index, self.shape))


class RewardAgent:
    """Learner whose weights change in the core: ``dw/dt = c d``, eligibility times modulator.

    For every observation the neuron of its place fires once. Action neurons, driven by a constant current, start from
    a little noise; the first to fire inhibits the others and acts, and the pair leaves an eligibility at the synapse
    from place to action. The modulator is the error of a prediction: the reward and the discounted value of the next
    place, less the value of this one. Where every step pays 1, the reward is -1 at the end and 0 before. These values,
    one per place with eligibilities of their own, are learned beside the network (Frémaux et al. 2013 have neurons for
    them). Validation and test take the weights as they are and add no noise.

    Parameters
    ----------
    task : Control
    settings : DQNSettings
        Passes, their length, and nothing else.
    seed : int

    References
    ----------
    Barto, Sutton & Anderson 1983, doi:10.1109/TSMC.1983.6313077. Izhikevich 2007, doi:10.1093/cercor/bhl152.
    Frémaux, Sprekeler & Gerstner 2013, doi:10.1371/journal.pcbi.1003024.
    """

    def __init__(self, task: Control, settings: DQNSettings, seed: int) -> None:
        self.task, self.settings, self.seed, self.places = task, settings, seed, Places(task)
        self.updates = max(1, settings.pass_steps // _AT_ONCE)
        self.weights = np.full((self.places.n, task.actions), _START)
        self.values, self._survival = np.zeros(self.places.n), task.best == task.horizon
        self.finished, self._perfect = False, 0
        self._rng = np.random.default_rng((seed, TRAIN, 3))
        self._lives = self._episodes()

    # ------------------------------------------------------------ learning in the core

    def epoch(self) -> Iterator[float]:
        """One pass; yields the mean size of the prediction errors every hundred steps."""
        for _ in range(self.updates):
            yield float(np.mean([abs(next(self._lives)) for _ in range(_AT_ONCE)]))

    def _episodes(self) -> Iterator[float]:
        """Episode after episode; yields the prediction error of every step."""
        world: Any = self.task.make()
        start: int | None = self._seeds(TRAIN, 1)[0]
        while True:
            state = scaled(self.task, world.reset(seed=start)[0])
            start = None
            yield from self._episode(world, state)

    def _episode(self, world: Any, state: NDArray[np.float32]) -> Iterator[float]:
        simulation = Simulation(self._network(), engine="event", record=Record(spikes=False))
        trace, fired = np.zeros(self.places.n), np.zeros(self.task.actions, np.int64)
        here, over = int(self.places.of(state[None])[0]), False
        while not over:
            self._excite(simulation, here)
            simulation.run(DECISION)
            counts = simulation.counts().spikes
            now = np.array([counts[f"action {k}"] for k in range(self.task.actions)])
            action, fired = int((now - fired).argmax()), now
            observed, reward, ended, cut, _ = world.step(action)
            there = int(self.places.of(scaled(self.task, observed)[None])[0])
            gain = -float(ended) if self._survival else float(reward)
            error = gain + (0.0 if ended else _DISCOUNT * self.values[there]) - self.values[here]
            trace *= _TRACE * _DISCOUNT
            trace[here] = 1.0
            self.values += _CRITIC * error * trace
            simulation.reward(_RATE * error)
            here, over = there, ended or cut
            if over:
                simulation.run(DECISION)  # the last error acts
                self._read(simulation)
                simulation.close()
            yield error

    def _excite(self, simulation: Simulation, here: int) -> None:
        """Put the neuron of a place just below threshold, and action neurons a little above rest."""
        membranes = np.full(self.places.n, _DEEP)
        membranes[here] = _NEAR
        simulation.set_state("places", "v", membranes)
        for k, noise in enumerate(self._rng.random(self.task.actions)):
            simulation.set_state(f"action {k}", "v", _NOISE * noise)

    def _read(self, simulation: Simulation) -> None:
        for k in range(self.task.actions):
            source, _, weight = simulation.weights(f"learn {k}")
            self.weights[source, k] = weight

    def _network(self) -> Network:
        """Places that are silent unless excited, and actions that learn from them."""
        rule = RewardSTDP(a_plus=1.0, a_minus=0.0, tau_plus=50.0, tau_c=_eligible(), tau_d=0.3, w_max=1.0)
        membranes = {"v": _DEEP}
        places = Population("places", self.places.n, _cell(_DEEP), inputs=(Current(_DRIVE),), initial=membranes)
        actions = self._actions()
        learn = [
            Projection(
                places, a, AllToAll(), self.weights[:, k : k + 1].copy(), 1.0, plasticity=rule, name=f"learn {k}"
            )
            for k, a in enumerate(actions)
        ]
        return Network([places, *actions], [*learn, *_rivalry(actions)])

    def _actions(self) -> list[Population]:
        return [Population(f"action {k}", 1, _cell(-4.0), inputs=(Current(_DRIVE),)) for k in range(self.task.actions)]

    # ------------------------------------------------------------ acting with what was learned

    def validate(self) -> float:
        """Score of episodes without noise and without learning."""
        score = self.task.score(self._played(VALIDATE, _VALIDATED).returns)
        self._perfect = self._perfect + 1 if score >= 1.0 else 0
        self.finished = self._perfect >= _ENOUGH
        return score

    def snapshot(self) -> Any:
        """Copy of weights and values."""
        return self.weights.copy(), self.values.copy()

    def restore(self, snapshot: Any) -> None:
        """Return to a snapshot."""
        self.weights, self.values = (part.copy() for part in snapshot)

    def test(self) -> Outcome:
        """A hundred episodes, every decision of theirs in the core."""
        episodes = self._played(TEST, TESTED)
        places = self.places.of(episodes.observations)
        runs = [self._decided(places[lo : lo + _CHUNK]) for lo in range(0, len(places), _CHUNK)]
        n, counts = len(places), [run.counts for run in runs]
        spikes = sum(sum(c.spikes.values()) for c in counts)
        return Outcome(
            score=self.task.score(episodes.returns),
            operations=self._operations(counts, n),
            neurons=self.places.n + self.task.actions,
            synapses=self._synapses,
            inferences=n,
            wall_s=sum(run.timing["run_s"] for run in runs),
            spikes=spikes,
            input_spikes=n,
            predictions=episodes.actions,
            notes=noted(episodes),
        )

    @property
    def _synapses(self) -> int:
        return self.task.actions * (self.places.n + self.task.actions - 1)

    def _operations(self, counts: list[Counts], n: int) -> Operations:
        """Per decision; the neuron of a place fires by itself, whatever found the place."""
        spikes, events, updates = (
            sum(sum(found.values()) for found in group) / n
            for group in zip(*((c.spikes, c.synaptic_events, c.neuron_updates) for c in counts), strict=True)
        )
        neurons = float(self.places.n + self.task.actions)
        return Operations(
            synaptic_events=events,
            updates=updates,
            spikes=spikes,
            decodes=float(self.task.actions),
            weight_reads=events,
            state_accesses=2 * updates,
            spike_accesses=2 * spikes,
            weights=float(self._synapses),
            states=neurons,
            activation_words=neurons,
            steps=DECISION,
        )

    def policy(self) -> NDArray[np.int64]:
        """The action of every place, without noise: which action neuron fires first."""
        trains = self._decided(np.arange(self.places.n)).spikes
        first = [[t.times[0] if len(t) else np.inf for t in trains[f"action {k}"]] for k in range(self.task.actions)]
        return np.asarray(np.argmin(first, axis=0))

    def _decided(self, places: NDArray[np.int64]) -> Result:
        """A run in which the neurons of `places` fire, each in a stimulus of its own; nothing is learned."""
        spikes = [Spikes(np.array([0.5]), np.array([p]), self.places.n, DECISION) for p in places]
        source = Population("places", self.places.n, SpikeSource(tuple(spikes)))
        actions = self._actions()
        learned = [
            Projection(source, a, AllToAll(), self.weights[:, k : k + 1].copy(), 1.0, name=f"learned {k}")
            for k, a in enumerate(actions)
        ]
        network = Network([source, *actions], [*learned, *_rivalry(actions)])
        return simulate(network, DECISION, engine="event", batch=len(spikes), progress=False)

    def _played(self, purpose: int, episodes: int) -> Episodes:
        policy = self.policy()
        return play(self.task, lambda seen: policy[self.places.of(seen)], self._seeds(purpose, episodes))

    def _seeds(self, purpose: int, k: int) -> list[int]:
        return [int(v) for v in np.random.SeedSequence((self.seed, purpose)).generate_state(k)]


def _cell(reset: float) -> Neuron:
    return Neuron(LIF(tau_m=_TAU, c_m=_TAU, v_rest=0.0), Delta(), FixedThreshold(1.0), ResetTo(reset))


def _rivalry(actions: Sequence[Population]) -> list[Projection]:
    """The first action that fires keeps the others from it for the rest of the decision."""
    return [Projection(a, b, AllToAll(), -5.0, 0.1) for a in actions for b in actions if a is not b]


def _eligible() -> float:
    """Time constant at which an eligibility falls as fast as the critic's."""
    return float(-DECISION / np.log(_TRACE * _DISCOUNT))

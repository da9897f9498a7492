"""Q-learning by table where the best policy can be computed: FrozenLake, whose transitions are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Table
from baselines.control.gym import make

_GAMMA = 0.99
_MAPS = (("4 × 4", "4x4"), ("8 × 8", "8x8"))
_SEEDS = 5


class Lake(NamedTuple):
    """Transitions of a Markov decision process: probabilities (states, actions, states), mean rewards, final states."""

    move: NDArray[np.float64]
    reward: NDArray[np.float64]
    final: NDArray[np.bool_]


def lake(map_name: str) -> Lake:
    """FrozenLake-v1 with slippery ice, as gymnasium tells it."""
    world = make("FrozenLake-v1", map_name=map_name, is_slippery=True).unwrapped
    states, actions = world.observation_space.n, world.action_space.n
    move, reward = np.zeros((states, actions, states)), np.zeros((states, actions))
    final = np.zeros(states, bool)
    for s in range(states):
        for a in range(actions):
            for probability, then, gain, ended in world.P[s][a]:
                move[s, a, then] += probability
                reward[s, a] += probability * gain
                final[then] |= ended
    return Lake(move, reward, final)


def value_iteration(found: Lake, gamma: float = _GAMMA, tolerance: float = 1e-12) -> NDArray[np.float64]:
    """Best Q-values (states, actions), exact up to `tolerance`."""
    q = np.zeros_like(found.reward)
    while True:
        after = found.reward + gamma * found.move @ np.where(found.final, 0.0, q.max(axis=1))
        after[found.final] = 0.0
        if np.abs(after - q).max() < tolerance:
            return after
        q = after


def success(found: Lake, policy: NDArray[np.int64]) -> float:
    """Probability that `policy` reaches the goal from state 0, however long it takes, exactly."""
    states = np.arange(len(policy))
    move, reward = found.move[states, policy], found.reward[states, policy]
    going = ~found.final
    inner = np.eye(int(going.sum())) - move[np.ix_(going, going)]
    reach = np.zeros(len(policy))
    reach[going] = np.linalg.lstsq(inner, reward[going], rcond=None)[0]
    return float(min(max(reach[0], 0.0), 1.0))  # rounding


def learn(found: Lake, sweeps: int, seed: int, double: bool = False, gamma: float = _GAMMA) -> NDArray[np.float64]:
    """Q-values learned from moves drawn by chance, one from every state by every action in each sweep.

    Parameters
    ----------
    found : Lake
    sweeps : int
    seed : int
    double : bool
        Two tables, each of which values what the other one chooses; every move goes to one of them.

    References
    ----------
    Watkins & Dayan 1992, doi:10.1007/BF00992698. van Hasselt 2010, NeurIPS 23 (double).
    """
    rng = np.random.default_rng(seed)
    states, actions = found.reward.shape
    tables, visits = np.zeros((1 + double, states, actions)), np.zeros((1 + double, states, actions))
    reach = found.move.cumsum(axis=2)
    pairs = np.indices((states, actions))
    for _ in range(sweeps):
        then = (rng.random((states, actions, 1)) > reach).sum(axis=2).clip(max=states - 1)
        mine = rng.integers(2, size=(states, actions)) if double else np.zeros((states, actions), np.int64)
        best = tables[mine, then].argmax(axis=2)
        ahead = np.where(found.final[then], 0.0, tables[mine ^ double, then, best])
        gain = (then == states - 1) & ~found.final[:, None]  # the goal is the last state
        at = (mine, *pairs)
        visits[at] += 1
        tables[at] += (gain + gamma * ahead - tables[at]) / visits[at] ** _SLOWER
    tables[:, found.final] = 0.0
    return np.asarray(tables.mean(axis=0))


_SLOWER = 0.7  # power of the number of visits; between 1/2 and 1 it converges


def show(quick: bool) -> Table:
    """Q-learning on both lakes against the best there is."""
    rows, curves, findings = [], [], []
    budgets = (10, 30, 100, 300, 1_000) if quick else (10, 30, 100, 300, 1_000, 3_000)
    for title, name in _MAPS:
        found = lake(name)
        best = value_iteration(found)
        top = success(found, best.argmax(axis=1))
        for kind, double in (("Q-learning", False), ("double Q-learning", True)):
            reached = [
                [success(found, learn(found, sweeps, seed, double).argmax(axis=1)) for seed in range(_SEEDS)]
                for sweeps in budgets
            ]
            means = [float(np.mean(r)) for r in reached]
            rows.append((title, kind, f"{100 * means[-1]:.1f} ± {100 * np.std(reached[-1]):.1f}", f"{100 * top:.1f}"))
            curves.append((f"{kind}, {title}", budgets, [100 * m / top for m in means]))
        findings.append(
            f"FrozenLake {title}: after {budgets[-1]:,} moves from every state the greedy policy of a table reaches "
            f"the goal in {rows[-2][2]} % (Q-learning) and {rows[-1][2]} % (double) of cases, {_SEEDS} seeds; the best "
            f"policy, by value iteration, in {100 * top:.1f} %."
        )
    columns = ("lake", "table", "goal reached (%)", "best there is (%)")
    return Table(
        columns,
        rows,
        findings,
        ("moves from every state by every action", "share of the best policy's success (%)"),
        curves,
    )

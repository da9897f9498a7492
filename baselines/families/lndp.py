"""Lifelong neural developmental programs and a spiking twin: networks that grow, and rewire while they live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from baselines.contract import Contestant, Family, Gallery
from baselines.growing.division import Seedling, dividing
from baselines.growing.evolution import EvolutionSettings, Evolved
from baselines.growing.figures import draw_lives
from baselines.growing.neat import Neat
from baselines.growing.worlds import habitat_of

DEVIATIONS = (
    "10 to 20 nodes, four of them neither sense nor action; four numbers a node, three an edge; LNDP: 32, 8, 4",
    "nodes attend with one head and without a gate of edges; edges come and go by thresholds on a linear layer",
    "separable CMA-ES, 32 genomes a generation with two to eight lives each; the paper's runs are a thousand times "
    "longer",
    "nodes are born in random states, so that genes reach senses through their spontaneous activity alone, but states "
    "of actions are genes (the paper: random too); in the tasks of gymnasium, and of the NDP, those of all nodes are",
    "a life is ten steps of development and one episode; activity starts from rest for every decision, so that only "
    "nodes, edges and traces remember",
    "numbers that an environment shows are two senses each, for what is above and below zero; Pendulum has three "
    "torques to choose from",
    "the NDP grows from senses, actions and one node to 12 nodes in between at most, by the rules of the others and "
    "one of division; the network fixed after birth is the LNDP without its life",
    "the twin has leaky neurons, four or eight steps for a decision, a delay of one step on every edge; what the rule "
    "of edges sees is fading traces of both ends' spikes and the reward (three factors); no published counterpart",
    "one inference is one decision; energies count activity, the rule of every edge, and edges grown and pruned",
    "the replay is one run for all lives, whose synapses the core removes, adds and sets between decisions; the rule "
    "that says which runs beside the core",
)


def lndp(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The network with tanh units as a learner."""
    return Evolved(habitat_of(data), s, seed)


def spiking(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The spiking twin as a learner."""
    return Evolved(habitat_of(data), s, seed, spiking=True)


def fixed(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The network that develops and then stays fixed, as a learner."""
    return Evolved(habitat_of(data), s, seed, plastic=False)


def ndp(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The network whose nodes divide before birth, and which then stays fixed, as a learner."""
    return Evolved(dividing(habitat_of(data)), s, seed, Seedling)


def quiet(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The network that develops before birth without activity of its senses, as a learner."""
    return Evolved(habitat_of(data), s, seed, spontaneous=False)


def unborn(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The network that does not develop before birth, as a learner: what the authors' program does without activity."""
    return Evolved(habitat_of(data), s, seed, developed=False)


def neat(data: Any, s: EvolutionSettings, seed: int) -> Neat:
    """NEAT as a learner."""
    return Neat(habitat_of(data), s, seed)


_WITHOUT = {
    "fixed": "Rewiring in life",
    "ndp": "Rewiring in life instead of nodes that divide before it",
    "unborn": "Development by spontaneous activity before birth",
    "quiet": "Spontaneous activity instead of silence in this development",
    "neat": "Development instead of NEAT",
}
_TESTED = 3  # seeds from which on a test says anything


def judge(family: Mapping[str, Any]) -> list[str]:
    """Whether each part of development helps: means over seeds, and a one-sided rank test."""
    from scipy.stats import mannwhitneyu

    found = []
    for name, what in _WITHOUT.items():
        rows = [
            (r["ann"]["score"], r["others"][name]["ann"]["score"]) for r in family["per_seed"] if name in r["others"]
        ]
        if not rows:
            continue
        own, other = (np.array(side) for side in zip(*rows, strict=True))
        text = f"{what}: {own.mean():.1%} with, {other.mean():.1%} without"
        if len(rows) < _TESTED:
            found.append(f"{text}; too few seeds for a test.")
            continue
        p = mannwhitneyu(own, other, alternative="greater").pvalue
        found.append(
            f"{text}; {'helps' if p < 0.05 else 'NOT shown to help'} ({len(rows)} seeds, rank test p = {p:.2g})."
        )
    return [*found, _paid(family["ann"], family["replay"])] if "ann" in family else found


def _paid(ann: Mapping[str, Any], twin: Mapping[str, Any]) -> str:
    """What energy goes to: mostly to development, on both sides."""
    rule, spiking_rule = ann["development_macs"], twin["development_macs"]
    return (
        f"Of {ann['macs']:,.0f} multiply-accumulates for a decision of the ANN {rule:,.0f} are development, of "
        f"{twin['macs'] + twin['synaptic_events']:,.0f} operations of the twin {spiking_rule:,.0f}: what sets their "
        f"energies apart is how many edges they have ({ann['synapses']:,.0f} and {twin['synapses']:,.0f}). Activity "
        f"alone takes {ann['macs'] - rule:,.0f} products there and {twin['synaptic_events']:,.0f} synaptic events here."
    )


def _controlled(epochs: int, quick_epochs: int) -> EvolutionSettings:
    """Settings for tasks of gymnasium: genes are wider apart at the start, or evolution finds nothing to begin with."""
    return EvolutionSettings(
        seeds=5, epochs=epochs, steps=8, lives=4, validated=20, sigma=2.0, quick_epochs=quick_epochs
    )


FAMILY = Family(
    name="lndp",
    title="lifelong developmental network",
    settings={
        "cartpole": _controlled(150, quick_epochs=40),
        "acrobot": _controlled(100, quick_epochs=10),
        "pendulum": _controlled(150, quick_epochs=15),
        "foraging": EvolutionSettings(seeds=5, epochs=300, steps=4, lives=8, quick_epochs=40),
    },
    ann=lndp,
    snn=spiking,
    others=(
        Contestant("fixed", "fixed after birth", fixed),
        Contestant("ndp", "grown from one node, then fixed (NDP)", ndp),
        Contestant("unborn", "no development before birth", unborn),
        Contestant("quiet", "development in silence", quiet),
        Contestant("neat", "NEAT", neat, needs="neat"),
    ),
    deviations=DEVIATIONS,
    judge=judge,
    galleries=(Gallery("lives", "the first test life of both sides: its graph, and its edges", draw_lives),),
)

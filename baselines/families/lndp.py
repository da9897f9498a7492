"""Lifelong neural developmental programs and a spiking twin: networks that grow, and rewire while they live."""

from __future__ import annotations

from typing import Any

from baselines.contract import Contestant, Family
from baselines.growing.evolution import EvolutionSettings, Evolved
from baselines.growing.neat import Neat

DEVIATIONS = (
    "ten nodes (four senses, four hidden, two actions), four numbers a node, three an edge; LNDP: 32, 8, 4",
    "nodes attend with one head and without a gate of edges; edges come and go by thresholds on a linear layer",
    "separable CMA-ES, 32 genomes a generation with two lives each; the paper's runs are a thousand times longer",
    "a life is ten steps of development and sixty of foraging; activity starts from rest for every decision, so that "
    "only nodes and edges remember",
    "the fixed network develops before birth like the others and then stays as it is, as a NDP does; its nodes are "
    "given, a NDP grows them",
    "the twin has leaky neurons, four steps for a decision, a delay of one step on every edge; what the rule of edges "
    "sees is spikes per step of both ends and the reward (three factors); no published counterpart",
    "one inference is one decision; energies count activity, the rule of every edge, and edges grown and pruned",
    "the replay runs the decisions with the weights of the moment; development itself runs beside the core",
)


def lndp(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The network with tanh units as a learner."""
    return Evolved(s, seed)


def spiking(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The spiking twin as a learner."""
    return Evolved(s, seed, spiking=True)


def fixed(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The network that develops and then stays fixed, as a learner."""
    return Evolved(s, seed, plastic=False)


def quiet(data: Any, s: EvolutionSettings, seed: int) -> Evolved:
    """The network without activity before birth, as a learner."""
    return Evolved(s, seed, spontaneous=False)


def neat(data: Any, s: EvolutionSettings, seed: int) -> Neat:
    """NEAT as a learner."""
    return Neat(s, seed)


FAMILY = Family(
    name="lndp",
    title="lifelong developmental network",
    settings={"foraging": EvolutionSettings(seeds=5, epochs=300, steps=4, quick_epochs=60)},
    ann=lndp,
    snn=spiking,
    others=(
        Contestant("fixed", "fixed after birth (NDP)", fixed),
        Contestant("quiet", "no spontaneous activity", quiet),
        Contestant("neat", "NEAT", neat, needs="neat"),
    ),
    deviations=DEVIATIONS,
)

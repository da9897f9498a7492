"""Deep Q-network and a spiking twin: actions by values that are learned from rewards."""

from __future__ import annotations

from torch import nn

from baselines.contract import Contestant, Control, Exhibit, Family
from baselines.control import tabular
from baselines.control.dqn import DQN, DQNSettings
from baselines.control.reward import RewardAgent
from baselines.control.spiking import Fields, SpikingDQN
from baselines.graph import INPUT, SpikingGraph
from baselines.spiking import Leaky, Membrane

DEVIATIONS = (
    "two hidden layers of 128 units; the twin's populations of input neurons stand for the first of them, and a layer "
    "of 256 neurons follows",
    "a pass is 1,000 steps of the environment, after each 20 episodes "
    "validate, and the weights of the best validation score are kept; three in a row without fault end the training",
    "eight environments side by side, one update for two steps; double Q-learning, Huber loss, gradients clipped, the "
    "target network following by a small share of the difference with every update",
    "scores are returns on a scale from 0 to 100 %, and the best is known; one inference is one decision",
    "the twin sees populations of input neurons (PopSAN's, with fixed fields) and answers with membranes that never "
    "fire, read after the last step; all its layers start at rest for every decision",
    "the replay plays the episodes anew, the core choosing every action; where it differs from torch the states that "
    "follow differ too, so that its answers are compared with torch's in the states it came to",
)


def build_ann(task: Control, s: DQNSettings) -> nn.Module:
    """Linear, ReLU, twice; linear."""
    n, h = len(task.scale), s.hidden_ann
    return nn.Sequential(nn.Linear(n, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, task.actions))


def build_snn(task: Control, s: DQNSettings) -> SpikingGraph:
    """Fields, leaky neurons, membranes that never fire."""
    n = len(task.scale)
    g = SpikingGraph(Fields(n, s.fields, s.steps))
    g.add("hidden", Leaky(s.beta), g.wire(nn.Linear(n * s.fields, s.hidden), INPUT))
    g.add("output", Membrane(), g.wire(nn.Linear(s.hidden, task.actions), "hidden"))
    return g


def ann(task: Control, s: DQNSettings, seed: int) -> DQN:
    """The Q-network as a learner."""
    return DQN(lambda: build_ann(task, s), task, s, seed, s.lr_ann)


def twin(task: Control, s: DQNSettings, seed: int) -> SpikingDQN:
    """The spiking Q-network as a learner."""
    return SpikingDQN(lambda: build_snn(task, s), task, s, seed, s.lr_snn)


FAMILY = Family(
    name="dqn",
    title="deep Q-network",
    settings={
        "acrobot": DQNSettings(seeds=3, epochs=60, steps=8, lr_ann=3e-4, lr_snn=1e-3, gain=10.0),
        "cartpole": DQNSettings(seeds=5, epochs=60, steps=8, lr_ann=3e-4, lr_snn=1e-3, gain=10.0, quick_epochs=30),
    },
    ann=ann,
    snn=twin,
    others=(Contestant("rstdp", "agent of reward-modulated STDP, learning in the core", RewardAgent),),
    exhibits=(Exhibit("tabular", "Q-learning by table on FrozenLake, against the best policy", tabular.show),),
    targets={"cartpole": {"ann": 0.95, "snn": 0.95}},
    deviations=DEVIATIONS,
)

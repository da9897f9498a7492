"""Transformer of one or two blocks, and spiking twins: Spikformer's attention, and the spike-driven one."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from baselines.attention import Attention, PerToken, Position, SpikingAttention, TokenMean
from baselines.contract import Classification, Contestant, Family, Settings
from baselines.graph import INPUT, SpikingGraph, Wire
from baselines.spiking import Direct, Gate, Leaky
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier

DEVIATIONS = (
    "tokens are the rows of an image, the frames of a spectrum or the words of an eighth of a review, with a learned "
    "vector for each place",
    "the twins are direct-coded: a linear map of the tokens drives the first neurons in every step "
    "(multiply-accumulates × steps); their spikes are the input of the replay",
    "Spikformer (Zhou et al. 2023, arXiv:2209.15425): queries, keys and values are spikes, no softmax; spikes are "
    "added after the neurons, so that 2 and more travel; one block, no convolutions",
    "spike-driven (Yao et al. 2023, arXiv:2307.01694): keys gate values, their sum over tokens fires, that gates "
    "queries; currents are added before the neurons, so that all that travels is spikes",
    "in the core, products of spikes are gates: neurons without memory that fire when all their inputs do",
    "batch normalisation is folded into the weights before the replay",
)


@dataclass(frozen=True)
class TransformerSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    channels, heads, wide : int
        Channels of a token, heads of attention, channels inside the feed-forward part.
    blocks : int
        Blocks of attention and feed-forward part.
    beta : float
        Decay of the twins' membranes per time step.
    dropout : float
        Of the artificial network.
    blanked : float
        Fraction of the inputs that are left out while learning, on all sides.
    """

    channels: int = 32
    heads: int = 4
    wide: int = 64
    blocks: int = 1
    beta: float = 0.7
    dropout: float = 0.1
    blanked: float = 0.0


class Block(nn.Module):
    """Attention and feed-forward part, normalised before each."""

    def __init__(self, s: TransformerSettings) -> None:
        super().__init__()
        self.attend = nn.Sequential(nn.LayerNorm(s.channels), Attention(s.channels, s.heads), nn.Dropout(s.dropout))
        self.think = nn.Sequential(
            nn.LayerNorm(s.channels),
            *(nn.Linear(s.channels, s.wide), nn.ReLU(), nn.Linear(s.wide, s.channels), nn.Dropout(s.dropout)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(k, tokens, channels), the same shape."""
        x = x + self.attend(x)
        return x + self.think(x)


def build_ann(data: Classification, s: TransformerSettings) -> nn.Module:
    """Tokens, blocks, mean, linear."""
    tokens, n = data.train.x[0].shape
    return nn.Sequential(
        *(nn.Dropout(s.blanked), nn.Linear(n, s.channels), Position(tokens, s.channels)),
        *(Block(s) for _ in range(s.blocks)),
        *(nn.LayerNorm(s.channels), TokenMean(), nn.Linear(s.channels, data.classes)),
    )


def start(data: Classification, s: TransformerSettings) -> SpikingGraph:
    """Graph with direct-coded tokens."""
    tokens, n = data.train.x[0].shape
    embed = nn.Sequential(nn.Dropout(s.blanked), PerToken(n, s.channels), Position(tokens, s.channels))
    return SpikingGraph(Direct(embed, Leaky(s.beta), s.steps))


def qkv(g: SpikingGraph, s: TransformerSettings, name: str, *fired: str) -> list[str]:
    """Spikes of queries, keys and values."""
    c = s.channels
    return [g.add(f"{name} {part}", Leaky(s.beta), g.wire(PerToken(c, c), *fired)) for part in ("q", "k", "v")]


def answer(g: SpikingGraph, data: Classification, s: TransformerSettings, *fired: str) -> SpikingGraph:
    """Mean over tokens, linear, leaky neurons."""
    g.add("output", Leaky(s.beta), g.wire(nn.Sequential(TokenMean(), nn.Linear(s.channels, data.classes)), *fired))
    return g


def build_spikformer(data: Classification, s: TransformerSettings) -> SpikingGraph:
    """Shortcuts of spikes."""
    g, c = start(data, s), s.channels
    fired: tuple[str, ...] = (INPUT,)
    for i in range(s.blocks):
        q, k, v = qkv(g, s, f"block{i}", *fired)
        attended = g.add(f"block{i} attention", Leaky(s.beta, 0.5), g.wire(SpikingAttention(s.heads, 0.25), q, k, v))
        fired = (*fired, g.add(f"block{i} out", Leaky(s.beta), g.wire(PerToken(c, c), attended)))
        wide = g.add(f"block{i} wide", Leaky(s.beta), g.wire(PerToken(c, s.wide), *fired))
        fired = (*fired, g.add(f"block{i} narrow", Leaky(s.beta), g.wire(PerToken(s.wide, c), wide)))
    return answer(g, data, s, *fired)


class OverTokens(nn.Module):
    """Sum over tokens, given back to each of them."""

    def forward(self, x: Tensor) -> Tensor:
        """(k, tokens, channels), the same shape."""
        return x.sum(1, keepdim=True).expand_as(x)


def build_driven(data: Classification, s: TransformerSettings) -> SpikingGraph:
    """Shortcuts of currents, attention by gates."""
    g, c = start(data, s), s.channels
    stream: list[Wire] = [g.wire(nn.Identity(), INPUT)]
    fired = INPUT
    for i in range(s.blocks):
        q, k, v = qkv(g, s, f"block{i}", fired)
        both = g.add(f"block{i} kv", Gate(2), g.wire(nn.Identity(), k), g.wire(nn.Identity(), v))
        mask = g.add(f"block{i} mask", Leaky(s.beta), g.wire(OverTokens(), both))
        attended = g.add(f"block{i} attention", Gate(2), g.wire(nn.Identity(), q), g.wire(nn.Identity(), mask))
        stream = [*stream, g.wire(PerToken(c, c), attended)]
        fired = g.add(f"block{i} middle", Leaky(s.beta), *stream)
        wide = g.add(f"block{i} wide", Leaky(s.beta), g.wire(PerToken(c, s.wide), fired))
        stream = [*stream, g.wire(PerToken(s.wide, c), wide)]
        fired = g.add(f"block{i} end", Leaky(s.beta), *stream)
    return answer(g, data, s, fired)


def ann(data: Classification, s: TransformerSettings, seed: int) -> Classifier:
    """The transformer as a learner."""
    return Classifier(lambda: build_ann(data, s), data, s, seed, s.lr_ann, s.decay_ann)


def spikformer(data: Classification, s: TransformerSettings, seed: int) -> SpikingClassifier:
    """The twin with Spikformer's attention as a learner."""
    return SpikingClassifier(lambda: build_spikformer(data, s), data, s, seed, s.lr_snn, s.decay_snn)


def driven(data: Classification, s: TransformerSettings, seed: int) -> SpikingClassifier:
    """The spike-driven twin as a learner."""
    return SpikingClassifier(lambda: build_driven(data, s), data, s, seed, s.lr_snn, s.decay_snn)


FAMILY = Family(
    name="transformer",
    title="transformer",
    settings={
        "movie_reviews": TransformerSettings(
            seeds=3,
            epochs=12,
            steps=4,
            channels=32,
            lr_ann=1e-3,
            decay_ann=0.1,
            lr_snn=1e-3,
            decay_snn=0.1,
            dropout=0.3,
            blanked=0.5,
        ),
        "fsdd": TransformerSettings(
            seeds=3, epochs=12, steps=4, channels=32, wide=64, lr_ann=3e-3, decay_ann=0.05, lr_snn=5e-3, replayed=50
        ),
        "digits": TransformerSettings(seeds=3, epochs=40, steps=4, lr_ann=3e-3, lr_snn=5e-3, quick_epochs=14),
    },
    ann=ann,
    snn=spikformer,
    twin="Spikformer twin",
    others=(Contestant("spike-driven", "spike-driven twin", driven, spiking=True, within=0.03),),
    targets={"movie_reviews": {"ann": 0.80, "snn": 0.77}, "fsdd": {"ann": 0.95, "snn": 0.92}},
    deviations=DEVIATIONS,
)

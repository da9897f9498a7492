"""From a `Network` to blocks and shards: what both engines work on.

A block is a group of populations whose neurons are made of the same parts, laid out as one; every source population
is a block of its own. A shard is the part of a block one thread works on: a range of neurons, or, when there are
more stimuli than threads, a range of stimuli. Element numbers within a block are ``stimulus * size + neuron``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from spikesim.connectivity.distributions import Distribution
from spikesim.inputs import Steps
from spikesim.network import Network, Neuron, Population, Projection
from spikesim.parameters import Part, Values, declared
from spikesim.rng import make_key


class Setting(NamedTuple):
    """What a part needs to know to be lowered: time step (None: continuous time), exactness, leak, capacitance.

    `affine`: not exact, but all currents are affine in v.
    """

    h: float | None
    exact: bool
    leak: Values
    c_m: Values
    affine: bool = False


@dataclass(eq=False)
class Block:
    """Populations laid out as one."""

    number: int
    populations: list[Population]
    offsets: list[int]
    size: int

    @property
    def neuron(self) -> Neuron | None:
        """Model of the first population, None for sources."""
        model = self.populations[0].model
        return model if isinstance(model, Neuron) else None

    def offset(self, population: Population) -> int:
        """First element of a population within the block."""
        return self.offsets[[p is population for p in self.populations].index(True)]


@dataclass(eq=False)
class Shard:
    """Stimuli b0 … b1-1 of the neurons lo … hi-1 of a block; local number ``(stimulus - b0) * width + neuron - lo``."""

    block: Block
    b0: int
    b1: int
    lo: int
    hi: int

    @property
    def width(self) -> int:
        """Neurons per stimulus."""
        return self.hi - self.lo

    @property
    def n(self) -> int:
        """Local neurons."""
        return (self.b1 - self.b0) * self.width

    def overlap(self, population: Population) -> tuple[int, int, int]:
        """Neurons a … b-1 of a population that live here, and what to add for the local number (a >= b: none)."""
        offset = self.block.offset(population)
        a, b = max(0, self.lo - offset), min(population.size, self.hi - offset)
        return a, b, offset - self.lo

    def gather(self, values: dict[int, Any], default: Any = 0.0) -> NDArray[np.float64]:
        """Local vector from values by position of the population in the block: numbers, (n,) or (batch, n)."""
        out = np.empty((self.b1 - self.b0, self.width))
        for k, p in enumerate(self.block.populations):
            a, b, shift = self.overlap(p)
            if a < b:
                value = np.asarray(values.get(k, default), dtype=np.float64)
                if value.ndim == 2:
                    value = value[self.b0 : self.b1]
                out[:, a + shift : b + shift] = value[..., a:b] if value.ndim else value
        return out.ravel()

    def part(self, get: Any) -> Part:
        """The part ``get(neuron)`` of all populations as one: numbers where all agree, else local vectors."""
        parts = [get(p.model) for p in self.block.populations]
        merged = object.__new__(type(parts[0]))
        for f in fields(parts[0]):
            values = {k: getattr(part, f.name) for k, part in enumerate(parts)}
            plain = all(isinstance(v, float) and v == values[0] for v in values.values())
            is_number = f.name in {d.name for d in declared(parts[0])}
            object.__setattr__(merged, f.name, values[0] if plain or not is_number else self.gather(values))
        return merged

    def t_ref(self) -> Values:
        """Refractory periods."""
        values = {k: p.model.t_ref for k, p in enumerate(self.block.populations)}  # type: ignore[union-attr]
        plain = all(isinstance(v, float) and v == values[0] for v in values.values())
        return values[0] if plain else self.gather(values)

    def initial(self, variable: str, seed: int) -> NDArray[np.float64]:
        """Initial values of a variable."""
        values = {}
        for k, p in enumerate(self.block.populations):
            value = p.initial.get(variable)
            if isinstance(value, Distribution):
                elements = np.arange(p.size, dtype=np.int64)
                value = value.sample(make_key(seed, "initial", p.name, variable), elements, np.zeros_like(elements))
            values[k] = _default(p, variable) if value is None else value
        return self.gather(values)


def _default(population: Population, variable: str) -> Values:
    membrane = population.model.membrane  # type: ignore[union-attr]
    return membrane.start.get(variable, 0.0)  # type: ignore[union-attr]


def _kind(model: Neuron) -> tuple[Any, ...]:
    """What populations must share to be laid out as one."""
    receptors = tuple((name, type(s)) for name, s in model.receptors.items())
    return (type(model.membrane), receptors, type(model.threshold), type(model.reset), model.reset.lag)  # type: ignore[attr-defined]


def _blocks(network: Network) -> list[Block]:
    """Group populations; none are merged where delay 0 asks for an order between them."""
    ordered = any(p.min_delay == 0 and not p.pre.population.is_source for p in network.projections)  # type: ignore[union-attr]
    groups: dict[Any, list[Population]] = {}
    for p in network.populations:
        key = p.name if p.is_source or ordered else _kind(p.model)  # type: ignore[arg-type]
        groups.setdefault(key, []).append(p)
    blocks = []
    for number, members in enumerate(groups.values()):
        offsets = np.concatenate([[0], np.cumsum([p.size for p in members])]).astype(int).tolist()
        blocks.append(Block(number, members, offsets[:-1], offsets[-1]))
    return blocks


SYNAPSE_COST, LEARNING_COST = 1 / 750, 1 / 100  # of a synapse at 10 Hz, in neurons moved at steps of 0.1 ms


class Layout:
    """Blocks in an order of update, their shards, and which projections bound the length of a slice.

    Attributes
    ----------
    blocks : list of Block, in an order in which sources of feed-forward paths come first
    shards : list of Shard
    recurrent : projections on loops; the shortest of their delays is the longest slice in which no neuron of a loop
        can feel another's spikes of the same slice
    """

    def __init__(self, network: Network, threads: int, batch: int) -> None:
        self.network, self.threads, self.batch = network, threads, batch
        blocks = _blocks(network)
        self._of = {p.name: b for b in blocks for p in b.populations}
        order, self.recurrent = self._order(blocks)
        self.blocks = [blocks[k] for k in order]
        for k, block in enumerate(self.blocks):
            block.number = k
        self.shards = [s for b in self.blocks if b.neuron for s in self._shards(b)]

    def block_of(self, population: Population) -> Block:
        """The block a population is laid out in."""
        return self._of[population.name]

    def _order(self, blocks: list[Block]) -> tuple[list[int], list[Projection]]:
        edges = [
            (self._of[p.pre.population.name].number, self._of[p.post.population.name].number)  # type: ignore[union-attr]
            for p in self.network.projections
        ]
        n = len(blocks)
        rows, cols = zip(*edges, strict=True) if edges else ((), ())
        graph = csr_array((np.ones(len(edges)), (rows, cols)), shape=(n, n)) if edges else csr_array((n, n))
        _, label = connected_components(graph, directed=True, connection="strong")
        recurrent = [p for p, (a, b) in zip(self.network.projections, edges, strict=True) if label[a] == label[b]]
        after: dict[int, set[int]] = {int(c): set() for c in label}
        for a, b in edges:
            if label[a] != label[b]:
                after[int(label[b])].add(int(label[a]))
        ranked: list[int] = []
        while after:
            ready = sorted(c for c, needs in after.items() if not needs)
            ranked += ready
            after = {c: needs - set(ready) for c, needs in after.items() if c not in ready}
        rank = {c: k for k, c in enumerate(ranked)}
        zero = {(a, b) for p, (a, b) in zip(self.network.projections, edges, strict=True) if p.min_delay == 0}
        inner = _inner_order(n, zero)
        return sorted(range(n), key=lambda k: (rank[int(label[k])], inner[k], k)), recurrent

    def _shards(self, block: Block) -> list[Shard]:
        if self.batch >= self.threads:
            cut = np.linspace(0, self.batch, self.threads + 1).astype(int).tolist()
            return [Shard(block, a, b, 0, block.size) for a, b in pairwise(cut) if a < b]
        cut = self._cuts(block)
        return [Shard(block, 0, self.batch, a, b) for a, b in pairwise(cut) if a < b]

    def _cuts(self, block: Block) -> list[int]:
        """Where to cut a block so that all threads have about as much to do."""
        cost = [float(p.size) for p in block.populations]
        for q in self.network.projections:
            for k, p in enumerate(block.populations):
                if q.post.population is p:  # type: ignore[union-attr]
                    cost[k] += q.synapses * (LEARNING_COST if q.plasticity is not None else SYNAPSE_COST)
        total = np.concatenate([[0.0], np.cumsum(cost)])
        shares = np.linspace(0.0, total[-1], self.threads + 1)
        return np.rint(np.interp(shares, total, [*block.offsets, block.size])).astype(int).tolist()  # type: ignore[no-any-return]


def _inner_order(n: int, zero: set[tuple[int, int]]) -> list[int]:
    """Depth of each block along paths of delay 0, so that such paths run forwards inside a slice too."""
    depth = [0] * n
    for _ in range(n):
        for a, b in zero:
            depth[b] = max(depth[b], depth[a] + 1)
    return depth


def change_times(network: Network, rates: bool = False) -> NDArray[np.float64]:
    """Times at which injected currents, and if asked for the rates of private input, step."""
    names = ("value", "rate") if rates else ("value",)
    signals = [getattr(item, name, None) for p in network.populations for item in p.inputs for name in names]
    times = [signal.times for signal in signals if isinstance(signal, Steps)]
    return np.unique(np.concatenate(times)) if times else np.empty(0)

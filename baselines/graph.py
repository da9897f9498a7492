"""A spiking network as a graph of neurons and linear maps: trained in torch, and replayed in the core from the same."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

INPUT = "input"


class Wire(NamedTuple):
    """A map from the sum of some cells' spikes to a current; with `delay`, of the step before."""

    map: str
    sources: tuple[str, ...]
    delay: int = 0


class Cell(NamedTuple):
    """Neurons by name, and the wires that drive them; the product of wires, not their sum, for gates of "all"."""

    name: str
    wires: tuple[Wire, ...]


class Select(nn.Module):
    """Some of the inputs.

    Parameters
    ----------
    start, stop : int
    """

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        """(k, n) to (k, stop - start)."""
        return x[:, self.start : self.stop]


class SpikingGraph(nn.Module):
    """Cells of neurons over time, each worked off for all steps before the next, which changes no result.

    Parameters
    ----------
    encoder : Bernoulli or Direct
        Makes the spikes of the cell ``"input"``.

    Examples
    --------
    A layer of neurons and a read-out, as the families build them::

        g = SpikingGraph(Bernoulli(steps))
        g.add("hidden", Leaky(0.9), g.wire(nn.Linear(64, 128), INPUT))
        g.add("output", Leaky(0.9), g.wire(nn.Linear(128, 10), "hidden"))
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.maps, self.neurons = nn.ModuleList(), nn.ModuleDict()
        self.cells: list[Cell] = []

    def wire(self, map_: nn.Module, *sources: str, delay: int = 0) -> Wire:
        """Wire through `map_`; the same module given again shares its weights, and is computed once."""
        known = [i for i, m in enumerate(self.maps) if m is map_]
        if not known:
            self.maps.append(map_)
        return Wire(str(known[0] if known else len(self.maps) - 1), sources, delay)

    def add(self, name: str, neuron: nn.Module, *wires: Wire) -> str:
        """Add neurons driven by `wires`; returns `name`. The cell added last answers."""
        self.neurons[name] = neuron
        self.cells.append(Cell(name, wires))
        return name

    def map_of(self, wire: Wire) -> nn.Module:
        """Module of a wire."""
        return self.maps[int(wire.map)]

    def forward(self, prepared: Tensor) -> dict[str, Tensor]:
        """Spikes (T, batch, …) of all cells by name, the input included."""
        return self.rest(self.encoder(prepared))

    def rest(self, encoded: Tensor) -> dict[str, Tensor]:
        """The same from the spikes of the encoder on."""
        spikes = {INPUT: encoded}
        currents: dict[tuple[str, tuple[str, ...]], Tensor] = {}
        for cell in self.cells:
            back = [w for w in cell.wires if w.delay]
            driven = [self._current(w, spikes, currents) for w in cell.wires if not w.delay]
            neuron = self.neurons[cell.name]
            drive = torch.stack(driven).prod(0) if getattr(neuron, "needed", 1) > 1 else sum(driven)
            feedback = self.map_of(back[0]) if back else None
            spikes[cell.name] = neuron(drive, feedback)
        return spikes

    def _current(
        self, wire: Wire, spikes: dict[str, Tensor], known: dict[tuple[str, tuple[str, ...]], Tensor]
    ) -> Tensor:
        key = (wire.map, wire.sources)
        if key not in known:
            given = [spikes[source] for source in wire.sources]
            map_, steps = self.map_of(wire), given[0].shape[:2]
            flat = [s.flatten(0, 1) for s in given]
            current = map_(*flat) if getattr(map_, "multilinear", False) else map_(sum(flat[1:], flat[0]))
            known[key] = current.unflatten(0, steps)
        return known[key]

"""How long one inference takes in torch and in the core, inputs one by one, at different sparsities."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from baselines.contract import ENGINES
from baselines.graph import INPUT, SpikingGraph
from baselines.lowering import STEP, Blueprint
from baselines.spiking import to_spikes
from spikesim import Record, simulate

INPUTS = 10  # test inputs timed one by one
_LARGEST = 200_000  # neurons up to which other thresholds are timed too


def speeds(
    changed: Callable[[float], SpikingGraph],
    factors: Sequence[float],
    prepared: Sequence[Tensor],
    shapes: dict[str, tuple[int, ...]],
) -> list[dict[str, Any]]:
    """Seconds per inference for each factor of the thresholds.

    Parameters
    ----------
    changed : callable
        From a factor to the trained network with thresholds multiplied by it.
    factors : sequence of float
        1 among them.
    prepared : sequence of Tensor
        Inputs one by one, as the network takes them.
    shapes : mapping
        Shape of one step of every cell.

    Returns
    -------
    list of dict
        ``threshold`` (factor), ``rate`` (spikes per neuron and step), ``torch_s``, and of the core's engines
        ``event_s`` and ``grid_s``; networks built and inputs encoded beforehand, one thread.
    """
    rows = []
    for factor in factors:
        graph = changed(factor).eval()
        blueprint = Blueprint(graph, shapes)
        if factor == 1.0 or blueprint.neurons <= _LARGEST:
            spikes, torch_s = _in_torch(graph, prepared)
            cells = [cell.name for cell in graph.cells if not getattr(graph.neurons[cell.name], "silent", False)]
            fired = sum(float(one[name].mean() * one[name][0].numel()) for one in spikes for name in cells)
            neurons = sum(spikes[0][name][0].numel() for name in cells)
            rate = fired / len(spikes) / neurons
            inputs = [one[INPUT] for one in spikes]
            core = {f"{engine}_s": _in_core(blueprint, inputs, engine) for engine in ENGINES}
            rows.append({"threshold": factor, "rate": rate, "torch_s": torch_s, **core})
    return rows


def _in_torch(graph: SpikingGraph, prepared: Sequence[Tensor]) -> tuple[list[dict[str, Tensor]], float]:
    with torch.inference_mode():
        encoded = [graph.encoder(one) for one in prepared]
        graph.rest(encoded[0])
        started = time.perf_counter()
        spikes = [graph.rest(one) for one in encoded]
    return spikes, (time.perf_counter() - started) / len(prepared)


def _in_core(blueprint: Blueprint, inputs: Sequence[Tensor], engine: str) -> float:
    """Seconds of a run; the first input goes first once more, to warm up."""
    seconds, record = 0.0, Record(spikes=False)
    for i, one in enumerate([inputs[0], *inputs]):
        encoded = one[:, 0].flatten(1).numpy() > 0
        network = blueprint.network([to_spikes(encoded)])
        result = simulate(network, len(encoded) * STEP, engine=engine, dt=STEP, record=record, progress=False)
        seconds += result.timing["run_s"] if i else 0.0
    return seconds / len(inputs)

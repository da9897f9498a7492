"""A `Network` as a tree of numbers, strings and arrays, and back: what saved states and results carry."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from scipy import sparse

from spikesim import connectivity
from spikesim.connectivity.rule import MEMBERS
from spikesim.errors import FileError, SpikesimError
from spikesim.inputs import Steps
from spikesim.network import Network, Neuron, Population, Projection, View
from spikesim.parameters import Part
from spikesim.spikes import Spikes

_TYPE = "__type__"
_ROOMS = ("connectivity", "inputs", "neurons", "network", "plasticity", "synapses")


def _subclasses(base: type) -> Iterator[type]:
    sub: type
    for sub in base.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _house(kind: type) -> bool:
    """Whether a class belongs to what networks are made of; other rooms may use the same names."""
    package, _, module = kind.__module__.partition(".")
    return package == "spikesim" and module.partition(".")[0] in _ROOMS


def _name(kind: type) -> str:
    """Name of a class in files: ours plain, a user's with its module, so that equal names cannot be mixed up."""
    return kind.__name__ if _house(kind) else f"{kind.__module__}:{kind.__qualname__}"


def _type(name: str) -> type:
    """The class a file names: a part, rule or neuron, a user's only where its module has been imported."""
    known = {x: getattr(connectivity, x) for x in connectivity.__all__} | {"Neuron": Neuron}
    known |= {_name(c): c for c in _subclasses(Part)}
    module, _, plain = name.rpartition(":")
    rule = getattr(sys.modules.get(module), plain, None) if module else None
    if name not in known and isinstance(rule, type) and all(hasattr(rule, x) for x in MEMBERS):
        return rule
    # a script that was run is the module __main__, the same file imported is not
    same = [c for c in _subclasses(Part) if module and not _house(c) and c.__qualname__ == plain]
    if name not in known and not same:
        raise FileError(f"the file uses {name!r}, which is not known here; import the module that defines it first")
    return known.get(name) or same[-1]


def encode(value: Any) -> Any:
    """`value` as a tree."""
    if isinstance(value, (str, bool, int, float, type(None), np.ndarray)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Spikes):
        names = ("times", "ids", "n", "t_stop", "t_start")
        return {_TYPE: "Spikes", **{k: encode(getattr(value, k)) for k in names}}
    if isinstance(value, Steps):
        return {_TYPE: "Steps", "times": value.times, "values": value.values}
    if sparse.issparse(value):
        coo = value.tocoo()
        return {_TYPE: "sparse", "shape": list(coo.shape), "row": coo.row, "col": coo.col, "data": coo.data}
    if isinstance(value, Mapping):
        return {_TYPE: "map", "keys": list(value), **{str(k): encode(v) for k, v in enumerate(value.values())}}
    if isinstance(value, (tuple, list)):
        return {_TYPE: "tuple", **{str(k): encode(v) for k, v in enumerate(value)}}
    if is_dataclass(value):
        shown = [f.name for f in fields(value) if f.init]
        return {_TYPE: _name(type(value)), **{name: encode(getattr(value, name)) for name in shown}}
    raise FileError(f"{type(value).__name__} cannot be written to a file")


def decode(tree: Any) -> Any:
    """Inverse of `encode`."""
    if not isinstance(tree, Mapping):
        return tree
    kind = tree[_TYPE]
    inner = {k: decode(v) for k, v in tree.items() if k != _TYPE}
    if kind == "Spikes":
        return Spikes(**inner)
    if kind == "Steps":
        return Steps(**inner)
    if kind == "sparse":
        return sparse.coo_array((inner["data"], (inner["row"], inner["col"])), shape=tuple(tree["shape"])).tocsr()
    if kind == "map":
        return {key: inner[str(k)] for k, key in enumerate(inner["keys"])}
    if kind == "tuple":
        return tuple(inner[str(k)] for k in range(len(inner)))
    return _type(kind)(**inner)


def network_to_tree(network: Network) -> dict[str, Any]:
    """Description of a network."""
    populations = {
        str(k): {
            "name": p.name,
            "size": p.size,
            "model": encode(p.model),
            "initial": encode(p.initial),
            "inputs": encode(tuple(p.inputs)),
        }
        for k, p in enumerate(network.populations)
    }
    projections = {
        str(k): {
            "name": p.name,
            "pre": _view(p.pre),
            "post": _view(p.post),
            "rule": encode(p.rule),
            "weight": encode(p.weight),
            "delay": encode(p.delay),
            "receptor": p.receptor,
            "plasticity": encode(p.plasticity),
            "dendritic": p.dendritic,
            "short_term": encode(p.short_term),
        }
        for k, p in enumerate(network.projections)
    }
    return {"populations": populations, "projections": projections}


def _view(view: Any) -> list[Any]:
    return [view.population.name, view.lo, view.hi]


def network_from_tree(tree: Mapping[str, Any]) -> Network:
    """Network of a description."""
    try:
        populations = {}
        for k in range(len(tree["populations"])):
            fields_ = tree["populations"][str(k)]
            populations[fields_["name"]] = Population(
                fields_["name"],
                int(fields_["size"]),
                decode(fields_["model"]),
                decode(fields_["initial"]),
                decode(fields_["inputs"]),
            )
        projections = []
        for k in range(len(tree.get("projections", {}))):
            fields_ = tree["projections"][str(k)]
            pre, post = (View(populations[name], lo, hi) for name, lo, hi in (fields_["pre"], fields_["post"]))
            rule, weight, delay = (decode(fields_[x]) for x in ("rule", "weight", "delay"))
            learning = (decode(fields_.get(x)) for x in ("plasticity", "dendritic", "short_term"))
            projections.append(
                Projection(pre, post, rule, weight, delay, fields_["receptor"], fields_["name"], *learning)
            )
        return Network(list(populations.values()), projections)
    except FileError:
        raise
    except (KeyError, TypeError, AttributeError, SpikesimError) as error:
        raise FileError(f"the network description in the file cannot be read: {error!r}") from None

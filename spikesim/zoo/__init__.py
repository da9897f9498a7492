"""Networks from the literature, ready to run: ``zoo.build("brunel", scale=0.1, v_reset=10.0)``.

One file a network. A file ``my_network.py`` in this folder that defines a `ZooNetwork` and ends with ``NETWORK = …``
is found by its name, ``my-network``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim.errors import ParameterError, SpikesimError, unknown
from spikesim.parameters import as_values
from spikesim.zoo._model import Description, ParameterInfo, ZooNetwork

if TYPE_CHECKING:
    from spikesim.network import Network

__all__ = ["Description", "ParameterInfo", "ZooNetwork", "build", "describe", "names", "parse"]


def names() -> tuple[str, ...]:
    """Names of all networks, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))


def build(name: str, scale: float = 1.0, **overrides: Any) -> Network:
    """Build the description of a network.

    Parameters
    ----------
    name : str
        One of `names()`.
    scale : float
        Multiplies the neuron numbers, > 0; ``describe(name).scaling`` tells what else it changes.
    **overrides
        Parameters by name, see ``describe(name).parameters``.

    Returns
    -------
    Network

    Raises
    ------
    ParameterError
        If the network or a parameter is unknown, or a value is not allowed.
    """
    factor = as_values(scale, f"{name}: scale", "", "> 0", scalar=True)
    network = _load(name).named(overrides)
    try:
        with np.errstate(all="ignore"):
            return network.build(float(factor))
    except (ArithmeticError, SpikesimError) as error:
        if str(error).startswith(f"{name}: "):
            raise
        given = ", ".join(f"{key}={value}" for key, value in overrides.items()) or f"scale {factor:g}"
        why = error if isinstance(error, SpikesimError) else "numbers too large or too small to compute with"
        raise ParameterError(f"{name}: no network can be made with {given}: {why}") from None


def describe(name: str) -> Description:
    """Title, citation, deviations, parameters, engines and defaults of a network.

    Raises
    ------
    ParameterError
        If the network is unknown.
    """
    return _load(name).describe()


def parse(name: str, settings: Iterable[str]) -> dict[str, float | str]:
    """Overrides from texts such as ``"v_reset=10"``.

    Raises
    ------
    ParameterError
        If a text is not ``name=value``, names an unknown parameter, repeats one, or its value cannot be read.
    """
    network, overrides = _load(name), dict[str, float | str]()
    for setting in settings:
        key, equals, text = (part.strip() for part in str(setting).partition("="))
        if not (key and equals and text):
            raise ParameterError(f"setting {setting!r}: must look like name=value, such as v_reset=10")
        if key in overrides:
            raise ParameterError(f"setting {setting!r}: {key} is set twice")
        overrides[key] = network.read(key, text)
    network.named(overrides)
    return overrides


def _load(name: str) -> type[ZooNetwork]:
    if name not in names():
        raise unknown("network", name, names())
    network: type[ZooNetwork] = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").NETWORK
    return network

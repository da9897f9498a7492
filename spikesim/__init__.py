"""spikesim: exact, fast spiking neural networks on a CPU.

Describe a network of `Population` and `Projection`, run it with `simulate`, look at the `Result`.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from spikesim.api import *  # noqa: F403
    from spikesim.connectivity import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """Import modules and public names when they are asked for: `spikesim --help` needs none (PEP 562)."""
    if name == "__all__":
        return importlib.import_module("spikesim.api").__all__
    if name.startswith("_"):
        raise AttributeError(f"module 'spikesim' has no attribute {name!r}")
    if importlib.util.find_spec(f"spikesim.{name}") is not None:
        return importlib.import_module(f"spikesim.{name}")
    api = importlib.import_module("spikesim.api")
    globals().update({public: getattr(api, public) for public in api.__all__})
    try:
        return globals()[name]
    except KeyError:
        raise AttributeError(f"module 'spikesim' has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *importlib.import_module("spikesim.api").__all__})

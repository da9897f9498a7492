"""What can go wrong in a comparison, and the test for the packages it needs."""

from __future__ import annotations

import importlib.util

from spikesim.errors import SpikesimError

_NEEDED = ("torch", "snntorch", "sklearn")


class MissingExtraError(SpikesimError, ImportError):
    """A package of the extra ``baselines`` is not installed."""


class TrainingError(SpikesimError, RuntimeError):
    """A training diverged."""


def require_extra() -> None:
    """Raise MissingExtraError unless torch, snnTorch and scikit-learn are installed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"not installed: {', '.join(missing)}; install with: pip install 'spikesim[baselines]'")

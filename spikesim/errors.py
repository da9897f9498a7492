"""Typed errors: every mistake a user can make ends in one of these, never in a traceback from a library below."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SpikesimError(Exception):
    """Base of all errors raised on purpose."""


class ParameterError(SpikesimError, ValueError):
    """A value is outside what its field allows."""


class NetworkError(SpikesimError, ValueError):
    """The parts of a network do not fit together."""


class UnsupportedError(SpikesimError):
    """An engine cannot run this combination of parts."""


class SimulationError(SpikesimError, RuntimeError):
    """A run could not be started or continued."""


class FileError(SpikesimError, OSError):
    """A file is missing, damaged, of another kind, or cannot be written."""


def unknown(kind: str, name: object, valid: Iterable[str]) -> ParameterError:
    """Error for an unknown name that lists the valid ones and the nearest."""
    names = sorted(valid)
    near = get_close_matches(str(name), names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return ParameterError(f"unknown {kind} {name!r}{hint}; valid: {', '.join(names) or 'none'}")

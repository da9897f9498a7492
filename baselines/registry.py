"""Discovery: every module in a package is one entry, so that a new entry is one new file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

from spikesim.errors import unknown


class Registry(Mapping[str, Any]):
    """Entries of a package by module name, imported when first asked for.

    Parameters
    ----------
    package : str
        Package whose modules are the entries.
    attribute : str
        What each module defines, e.g. ``"FAMILY"``.
    kind : str
        What to call an entry in errors.
    """

    def __init__(self, package: str, attribute: str, kind: str) -> None:
        self._package, self._attribute, self._kind = package, attribute, kind

    def __iter__(self) -> Iterator[str]:
        path = importlib.import_module(self._package).__path__
        return iter(sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise unknown(self._kind, name, self)
        return getattr(importlib.import_module(f"{self._package}.{name}"), self._attribute)

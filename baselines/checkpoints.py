"""Trained networks of seeds that are not finished, so that a comparison that was interrupted need not train them again.

Each is a file of arrays, which nothing is executed to read. They go when the record of their seed is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.records import of_another
from spikesim.errors import FileError
from spikesim.files import read_tree, write_tree

UNFINISHED = "unfinished"
_KIND = "trained network"


class Checkpoints:
    """Trained networks of one seed by the names of their stages; without a folder nothing is kept.

    Parameters
    ----------
    out : path or None
        Folder of the comparison.
    key : dict
        What the comparison is about (`Plan.key`).
    seed : int
    """

    def __init__(self, out: str | os.PathLike[str] | None, key: Mapping[str, Any], seed: int) -> None:
        self._folder = Path(out) / UNFINISHED if out else None
        self._key, self._prefix = dict(key), f"{key['family']}_{seed}_"

    def find(self, name: str) -> tuple[dict[str, Any], Any] | None:
        """Training and snapshot of a stage, or None if it is not there."""
        path = self._folder / f"{self._prefix}{name}.h5" if self._folder else None
        if path is None or not path.exists():
            return None
        tree = read_tree(path, _KIND)
        return tree["training"], _unpacked(tree["form"], tree["arrays"])

    def keep(self, name: str, training: Mapping[str, Any], snapshot: Any) -> None:
        """Write a stage; one that holds more than tensors, arrays, numbers and containers of them is not kept."""
        if self._folder is None:
            return
        arrays: dict[str, NDArray[Any]] = {}
        try:
            form = _packed(snapshot, arrays)
        except TypeError:
            return
        self._folder.mkdir(exist_ok=True)
        tree = {"key": self._key, "training": dict(training), "form": form, "arrays": arrays}
        write_tree(self._folder / f"{self._prefix}{name}.h5", _KIND, tree, overwrite=True)

    def clear(self) -> None:
        """Remove what was kept of this seed."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in [*self._folder.glob(f"{self._prefix}*.h5"), *self._folder.glob(f".{self._prefix}*.part")]:
            path.unlink()
        if not any(self._folder.iterdir()):
            self._folder.rmdir()


def look_through(out: str | os.PathLike[str], keys: Sequence[dict[str, Any]], overwrite: bool) -> None:
    """Before anything is trained: what is there can be read and belongs to one of the comparisons `keys`, or may go.

    Raises
    ------
    FileError
        If it is damaged, or belongs to another.
    """
    for path in sorted((Path(out) / UNFINISHED).glob("*.h5")):
        if overwrite:
            path.unlink()
            continue
        try:
            key = read_tree(path, _KIND)["key"]
        except FileError as error:
            raise FileError(f"{error}; delete this file to train that network anew") from None
        if key not in keys:
            raise of_another(path)


def _packed(value: Any, arrays: dict[str, NDArray[Any]]) -> list[Any]:
    """`value` as lists that JSON knows, tensors and arrays apart."""
    if isinstance(value, Mapping):
        return ["dict", [[key, _packed(item, arrays)] for key, item in value.items()]]
    if type(value) in (list, tuple):
        return [type(value).__name__, [_packed(item, arrays) for item in value]]
    if value is None or isinstance(value, (bool, int, float, str)):
        return ["value", value]
    kind = "array" if isinstance(value, np.ndarray) else "tensor"
    if kind == "tensor" and not hasattr(value, "detach"):
        raise TypeError(f"{type(value).__name__} cannot be kept")
    name = str(len(arrays))
    arrays[name] = value if kind == "array" else value.detach().numpy()
    return [kind, name]


def _unpacked(form: Sequence[Any], arrays: Mapping[str, Any]) -> Any:
    kind, held = form
    if kind == "dict":
        return {key: _unpacked(item, arrays) for key, item in held}
    if kind in ("list", "tuple"):
        return {"list": list, "tuple": tuple}[kind](_unpacked(item, arrays) for item in held)
    if kind == "value":
        return held
    array = np.asarray(arrays[held])
    if kind == "array":
        return array
    import torch

    return torch.from_numpy(array.copy())

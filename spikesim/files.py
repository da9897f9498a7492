"""HDF5 files: trees of arrays written whole or not at all, and streams that stay readable when a run is cut short."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikesim.errors import FileError

VERSION = 1


def guard(path: Path, overwrite: bool) -> None:
    """Raise FileError where a file may not or cannot be written."""
    if path.exists() and not overwrite:
        raise FileError(f"{path} exists; choose another name or ask for overwriting (overwrite=True, --overwrite)")
    if path.is_dir():
        raise FileError(f"{path} is a folder; give a file name")
    if not path.parent.is_dir():
        raise FileError(f"{path}: folder {path.parent} does not exist")


def write_tree(path: Path, kind: str, tree: Mapping[str, Any], overwrite: bool) -> None:
    """Write a nested mapping of arrays, numbers and strings as one file."""
    guard(path, overwrite)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        with h5py.File(temporary, "w") as file:
            file.attrs["spikesim"] = kind
            file.attrs["version"] = VERSION
            _fill(file, tree)
        os.replace(temporary, path)
    except OSError as error:
        raise FileError(f"{path} could not be written: {error}") from None
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def _fill(group: Any, tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            _fill(group.create_group(name), value)
        elif isinstance(value, np.ndarray):
            group.create_dataset(name, data=value)
        else:
            group.attrs[name] = json.dumps(value)


def read_tree(path: Path, kind: str) -> dict[str, Any]:
    """Read what `write_tree` or a `Stream` wrote; FileError if it is missing, damaged or of another kind."""
    if not path.exists():
        raise FileError(f"{path} does not exist")
    try:
        with _open(path) as file:
            found = file.attrs.get("spikesim")
            if found != kind:
                what = f"holds a {found}" if found else "was not written by spikesim"
                raise FileError(f"{path} is not a saved {kind}: it {what}")
            if file.attrs["version"] > VERSION:
                raise FileError(f"{path} was written by a newer spikesim (format {file.attrs['version']})")
            return _tree(file)
    except (KeyError, RuntimeError, OSError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} is not a saved {kind}, or damaged: {error}") from None


def _open(path: Path) -> Any:
    try:
        return h5py.File(path, "r")
    except OSError:  # a stream whose run was killed still counts as open for writing
        return h5py.File(path, "r", swmr=True)


def _tree(group: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {
        name: json.loads(value) for name, value in group.attrs.items() if name not in ("spikesim", "version")
    }
    for name, item in group.items():
        tree[name] = _tree(item) if isinstance(item, h5py.Group) else item[()]
    return tree


class Stream:
    """An HDF5 file that grows while a run goes on; what was flushed stays readable whatever happens.

    Parameters
    ----------
    path, overwrite : where to write
    header : attributes (JSON) and groups that do not grow
    vectors : growing vectors by name, with their dtype
    tables : growing arrays by name, with the shape of one row (float64)
    """

    def __init__(
        self, path: Path, overwrite: bool, header: Mapping[str, Any], vectors: Mapping[str, Any], tables: Mapping[str, Any]
    ) -> None:
        guard(path, overwrite)
        self.path = path
        try:
            self.file = h5py.File(path, "w", libver="latest")
            self.file.attrs["spikesim"] = "result"
            self.file.attrs["version"] = VERSION
            _fill(self.file, header)
            for name, kind in vectors.items():
                self.file.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(1 << 15,))
            for name, shape in tables.items():
                rows = max(1, (1 << 17) // max(1, 8 * int(np.prod(shape))))
                self.file.create_dataset(name, (0, *shape), np.float64, maxshape=(None, *shape), chunks=(rows, *shape))
            self.file.create_dataset("state_times", (0,), np.float64, maxshape=(None,), chunks=(1 << 12,))
            self.file.create_dataset("progress", data=np.zeros(1))
            self.file.swmr_mode = True
        except OSError as error:
            raise FileError(f"{path} could not be written: {error}") from None

    def append(self, name: str, rows: Any) -> None:
        """Add rows to a growing array."""
        try:
            data = self.file[name]
            data.resize(len(data) + len(rows), axis=0)
            data[len(data) - len(rows) :] = rows
        except (OSError, RuntimeError) as error:
            raise FileError(f"{self.path} could not be written on (disk full?): {error}") from None

    def put(self, name: str, values: Any) -> None:
        """Replace the values of an array of fixed shape."""
        try:
            self.file[name][...] = values
        except (OSError, RuntimeError) as error:
            raise FileError(f"{self.path} could not be written on (disk full?): {error}") from None

    def flush(self) -> None:
        """Make all of it safe on disk."""
        try:
            self.file.flush()
        except (OSError, RuntimeError) as error:
            raise FileError(f"{self.path} could not be written on (disk full?): {error}") from None

    def close(self) -> None:
        """Close the file; what could not be written stays unwritten."""
        try:
            self.file.close()
        except (OSError, RuntimeError):
            return

"""HDF5 files: trees of arrays written whole or not at all, and streams that stay readable when a run is cut short."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikesim.errors import FileError

VERSION = 1
SLACK = 1 << 20  # room for what HDF5 writes besides the data
CHUNK = 1 << 17  # bytes of a growing array written at a time


def as_path(value: Any, owner: str) -> Path:
    """`value` as a path that a file system can have."""
    if not isinstance(value, (str, os.PathLike)) or not str(value):
        raise FileError(f"{owner}: must be the name of a file, got {value!r}")
    try:
        os.lstat(value)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        raise FileError(f"{owner}: {str(value)[:80]!r}: {_reason(error)}") from None
    return Path(value)


def guard(path: Path, overwrite: bool) -> None:
    """Raise FileError where a file may not or cannot be written."""
    if path.is_dir():
        raise FileError(f"{path} is a folder; give a file name")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is no regular file; give another name")
    if path.exists() and not overwrite:
        raise FileError(f"{path} exists; choose another name or ask for overwriting (overwrite=True, --overwrite)")
    if not path.parent.is_dir():
        raise FileError(f"{path}: folder {path.parent} does not exist")


def write_tree(path: Path, kind: str, tree: Mapping[str, Any], overwrite: bool) -> None:
    """Write a nested mapping of arrays, numbers and strings as one file."""
    guard(path, overwrite)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _be_sure_of_room(temporary, tree)
        with h5py.File(temporary, "w", libver="latest") as file:
            _begin(file, kind, tree)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        raise FileError(f"{path} could not be written: {_reason(error)}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _begin(file: Any, kind: str, tree: Mapping[str, Any]) -> None:
    file.attrs["spikesim"] = kind
    file.attrs["version"] = VERSION
    _fill(file, tree)


def _fill(group: Any, tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            _fill(group.create_group(name), value)
        elif isinstance(value, np.ndarray):
            summed = {"fletcher32": True} if value.size and value.ndim else {}  # damage is noticed when it is read
            group.create_dataset(name, data=value, **summed)
        else:
            group.attrs[name] = json.dumps(value)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _be_sure_of_room(path: Path, tree: Mapping[str, Any]) -> None:
    """Create an empty file where all of `tree` fits; OSError, and no file, if it does not."""
    with open(path, "wb") as file:
        try:
            _reserve(file.fileno(), path, 0, _size(tree) + SLACK)
        except OSError as error:
            full: OSError | None = error
        else:
            full = None
        file.truncate(0)
    if full:
        path.unlink()
        raise full


def _size(tree: Mapping[str, Any]) -> int:
    """Bytes of all arrays, with something for each entry."""
    sizes = (_size(v) if isinstance(v, Mapping) else getattr(v, "nbytes", 0) for v in tree.values())
    return sum(size + 2048 for size in sizes)


def _reserve(handle: int, path: Path, start: int, length: int) -> None:
    """Have the disk set bytes aside: HDF5 does not survive a write that fails, so none may."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, start, length)
    elif shutil.disk_usage(path).free < length:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# ---------------------------------------------------------------- reading


@contextmanager
def opened(path: Path, kind: str) -> Iterator[Any]:
    """A file of one kind, open for reading; FileError if it is missing, damaged or of another kind."""
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
            yield file
    except FileError:
        raise
    except (KeyError, RuntimeError, OSError, ValueError, TypeError) as error:
        raise FileError(f"{path} is not a saved {kind}, or damaged: {error}") from None


def _open(path: Path) -> Any:
    try:
        return h5py.File(path, "r")
    except OSError:
        if not _left_open(path):
            raise
        return h5py.File(path, "r", swmr=True)


def _left_open(path: Path) -> bool:
    """Whether a stream is still written or its run was killed: flag 4 of the superblock, HDF5 format III.A.

    Only such a file may be opened as one that grows: HDF5 would wait for ever for the rest of a truncated one.
    """
    with open(path, "rb") as file:
        head = file.read(12)
    return len(head) == 12 and head[8] >= 3 and bool(head[11] & 4)


def read_tree(path: Path, kind: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read what `write_tree` or a `Stream` wrote, except the groups named in `without`."""
    with opened(path, kind) as file:
        return _tree(file, without)


def _tree(group: Any, without: tuple[str, ...] = ()) -> dict[str, Any]:
    tree: dict[str, Any] = {
        name: json.loads(value) for name, value in group.attrs.items() if name not in ("spikesim", "version")
    }
    for name, item in group.items():
        if name not in without:
            tree[name] = _tree(item) if isinstance(item, h5py.Group) else item[()]
    return tree


def read_rows(path: Path, kind: str, name: str, start: int, stop: int) -> NDArray[Any]:
    """Rows start … stop-1 of one array of a file."""
    with opened(path, kind) as file:
        rows: NDArray[Any] = file[name][start:stop]
    if len(rows) != stop - start:
        raise FileError(f"{path} holds {start + len(rows)} of {stop} rows of {name}: it was cut or written anew since")
    return rows


class Stream:
    """An HDF5 file that grows while a run goes on; what was written stays readable whatever happens.

    Parameters
    ----------
    path, overwrite : where to write
    header : numbers, strings and arrays that stay
    growing : arrays that grow, by name: their dtype and the shape of one row
    values : arrays of fixed shape that are written anew each time, by name

    Attributes
    ----------
    rows : number of rows written of each growing array; the file holds the same numbers as its array `rows`
    """

    def __init__(
        self,
        path: Path,
        overwrite: bool,
        header: Mapping[str, Any],
        growing: Mapping[str, tuple[Any, tuple[int, ...]]],
        values: Mapping[str, NDArray[Any]],
    ) -> None:
        guard(path, overwrite)
        self.path, self.rows = path, dict.fromkeys(growing, 0)
        rows = np.zeros(len(growing), np.int64)
        tree = {**header, "growing": list(growing), "rows": rows, **values}
        try:
            _be_sure_of_room(path, {**tree, **dict.fromkeys(growing, np.empty(1024))})
            self.file = h5py.File(path, "w", libver="latest")
            _begin(self.file, "result", tree)
            for name, (kind, shape) in growing.items():
                width = int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize
                chunk = (max(1, CHUNK // max(1, width)), *(max(1, k) for k in shape))
                self.file.create_dataset(
                    name, (0, *shape), kind, maxshape=(None, *shape), chunks=chunk, fletcher32=True
                )
            self.file.swmr_mode = True
        except (OSError, RuntimeError) as error:
            raise FileError(f"{path} could not be written: {_reason(error)}") from None

    def write(self, rows: Mapping[str, NDArray[Any]], values: Mapping[str, NDArray[Any]]) -> None:
        """Add rows to growing arrays and replace values; where there is no room, FileError and nothing is changed."""
        try:
            self._room(rows, values)
            for name, new in rows.items():
                data, old = self.file[name], self.rows[name]
                data.resize(old + len(new), axis=0)
                data[old:] = new
            self.file.flush()
            counted = self.rows | {name: self.rows[name] + len(new) for name, new in rows.items()}
            for name, value in {**values, "rows": np.array(list(counted.values()), np.int64)}.items():
                self.file[name][...] = value
            self.file.flush()
            os.truncate(self.path, self.file.id.get_filesize())  # give back what was set aside beyond it
            self.rows = counted
        except (OSError, RuntimeError) as error:
            raise FileError(f"{self.path} could not be written on: {_reason(error)}") from None

    def _room(self, rows: Mapping[str, NDArray[Any]], values: Mapping[str, NDArray[Any]]) -> None:
        chunks = sum(2 * int(np.prod(self.file[name].chunks)) * self.file[name].dtype.itemsize for name in rows)
        need = sum(a.nbytes for a in (*rows.values(), *values.values())) + chunks + SLACK
        _reserve(self.file.id.get_vfd_handle(), self.path, self.file.id.get_filesize(), need)

    def close(self) -> None:
        """Close the file."""
        self.file.close()

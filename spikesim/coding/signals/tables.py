"""Numbers from ``.npy`` and ``.csv`` files."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import FileError

LABELS = ("label", "class", "target", "y")  # names of a column that holds labels


class Table(NamedTuple):
    """Numbers (any shape; rows × columns from CSV), labels or None, and names of the columns of a CSV file."""

    values: NDArray[Any]
    labels: NDArray[Any] | None
    columns: tuple[str, ...]


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read an array, or a comma-separated table with or without names in its first line.

    A column named label, class, target or y holds labels.

    Raises
    ------
    FileError
        If the file is missing, damaged, empty, or holds something that is no finite number.
    """
    target = Path(path)
    try:
        if target.suffix.lower() == ".csv":
            return _csv(target)
        values = np.load(target, allow_pickle=False)
    except FileNotFoundError:
        raise FileError(f"{target} does not exist") from None
    except (ValueError, OSError, EOFError, UnicodeDecodeError) as error:
        raise error if isinstance(error, FileError) else FileError(f"{target}: cannot be read ({error})") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "buif" or not values.size:
        raise FileError(f"{target}: must hold an array of numbers that is not empty")
    _finite(values, target)
    return Table(values.astype(float) if values.dtype.kind != "f" else values, None, ())


def _csv(target: Path) -> Table:
    with target.open(newline="", encoding="utf-8-sig") as file:
        lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
    if not lines:
        raise FileError(f"{target}: is empty")
    names: tuple[str, ...] = ()
    if not all(_is_number(cell) for cell in lines[0]):
        names, lines = tuple(cell.strip() for cell in lines[0]), lines[1:]
    if not lines:
        raise FileError(f"{target}: has names of columns but no rows")
    label = next((i for i, name in enumerate(names) if name.lower() in LABELS), None)
    labels = np.array([line[label].strip() for line in lines if label < len(line)]) if label is not None else None
    rows = []
    for number, line in enumerate(lines, start=2 if names else 1):
        if len(line) != len(lines[0]):
            raise FileError(f"{target}: line {number} has {len(line)} cells, the first has {len(lines[0])}")
        cells = [cell for i, cell in enumerate(line) if i != label]
        bad = [cell for cell in cells if not _is_number(cell)]
        if bad:
            raise FileError(f"{target}: line {number} holds {bad[0]!r}, which is no number")
        rows.append([float(cell) for cell in cells])
    values = np.array(rows)
    if not values.size:
        raise FileError(f"{target}: has no column of numbers besides the labels")
    _finite(values, target)
    return Table(values, labels, tuple(name for i, name in enumerate(names) if i != label))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _finite(values: NDArray[Any], target: Path) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        raise FileError(f"{target}: must hold finite numbers, got {values[bad][0]} at {np.argwhere(bad)[0].tolist()}")

"""The folder of a comparison: one record per finished seed, kept as it comes, then the report."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from baselines.contract import Outcome
from spikesim.errors import FileError

RECORDS, REPORT, PAGE, HTML = "results.jsonl", "report.json", "report.md", "report.html"


class Folder:
    """Output folder; every file appears whole or not at all.

    Parameters
    ----------
    path : path
        Made if it is not there.
    overwrite : bool
        Whether files of an earlier comparison may be replaced.
    keys : sequence of dict
        What the comparison is about (`Plan.key`); records of the same are taken up again.
    pictures : sequence of str
        Names of the pictures that will be written.
    key : sequence of str
        Fields of a record that make up its key.

    Raises
    ------
    FileError
        If the folder cannot be written, or holds files that would be replaced.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        overwrite: bool,
        keys: Sequence[dict[str, Any]],
        pictures: Sequence[str],
        key: Sequence[str] = ("family", "task", "engine", "settings"),
    ) -> None:
        self.path = Path(path)
        self._names = tuple(key)
        self.written: list[Path] = []
        self._stale: list[Path] = []
        self.records: list[dict[str, Any]] = []
        ours = [self.path / name for name in (REPORT, PAGE, HTML, RECORDS, *pictures)]
        there = [p for p in ours if p.exists()]
        if overwrite:
            self._stale = there
        elif there and (there[0].name in (REPORT, PAGE, HTML) or not (self.path / RECORDS).exists()):
            raise FileError(f"{there[0]}: exists already; add --overwrite to replace it, or name another folder")
        elif there:
            self.records = _read(self.path / RECORDS)
            if any(self._key(record) not in keys for record in self.records):
                raise of_another(self.path / RECORDS)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise FileError(f"{self.path}: cannot write there ({error.strerror})") from None

    def find(self, key: dict[str, Any], seed: int) -> dict[str, Any] | None:
        """Record of a seed that was finished before, or None."""
        return next((r for r in self.records if self._key(r) == key and r["seed"] == seed), None)

    def _key(self, record: dict[str, Any]) -> dict[str, Any]:
        return {name: record.get(name) for name in self._names}

    def has(self, name: str) -> bool:
        """Whether a file is there that will not be replaced."""
        return (self.path / name).exists() and self.path / name not in self._stale

    def add(self, record: dict[str, Any]) -> None:
        """Keep the record of a finished seed."""
        self.records.append(record)
        self.write_text(RECORDS, "".join(json.dumps(r) + "\n" for r in self.records))

    def write_text(self, name: str, text: str) -> None:
        """Write a text file whole."""
        self.write(name, lambda file: file.write(text.encode()))

    def write(self, name: str, fill: Callable[[BinaryIO], object]) -> None:
        """Write a file whole; `fill` is given the open file. The first file replaces the earlier comparison."""
        target = self.path / name
        part = target.with_name(f".{name}.part")
        try:
            while self._stale:
                self._stale.pop().unlink(missing_ok=True)
            with part.open("wb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        except OSError as error:
            raise FileError(f"{target}: cannot be written ({error.strerror})") from None
        finally:
            part.unlink(missing_ok=True)
        if target not in self.written:
            self.written.append(target)


def of_another(path: Path) -> FileError:
    """What to raise where a file would be taken up that was written with other settings."""
    return FileError(
        f"{path}: belongs to a comparison with other settings; add --overwrite to replace it, or name another folder"
    )


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """Plain values of an outcome, answers and example left out."""
    record = {f.name: getattr(outcome, f.name) for f in dataclasses.fields(outcome)}
    for name in ("predictions", "expected", "example", "tables", "material"):
        del record[name]
    return {name: plain(value) for name, value in record.items()}


def plain(value: Any) -> Any:
    """Dictionaries, lists and numbers for dataclasses and tuples."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read ({error}); add --overwrite to replace it") from None

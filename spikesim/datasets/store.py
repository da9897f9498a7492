"""Where data files lie, and whether they are the published ones."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import FileError


@dataclass(frozen=True)
class File:
    """One published file."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Dataset:
    """A named data set.

    Parameters
    ----------
    name, title : str
        Key (also the name of its folder) and readable name.
    files : tuple of File
        Published files; empty for data that come inside a Python package.
    url : str
        Folder the files are downloaded from, "" where there is none.
    licence, source : str
        Terms of use, and the work to cite.
    directory : str
        Name of its folder where that is not its own name.
    """

    name: str
    title: str
    files: tuple[File, ...]
    url: str
    licence: str
    source: str
    directory: str = ""

    @property
    def folder(self) -> Path:
        """Where its files are looked for."""
        return data_folder() / (self.directory or self.name)


def data_folder() -> Path:
    """``$SPIKESIM_DATA``, or ``spikesim`` in the user's data folder."""
    given = os.environ.get("SPIKESIM_DATA")
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(given) if given else Path(base) / "spikesim"


def missing_files(dataset: Dataset) -> list[File]:
    """Files of `dataset` that are not in its folder."""
    return [file for file in dataset.files if not (dataset.folder / file.name).is_file()]


def read_file(dataset: Dataset, name: str) -> bytes:
    """Content of file `name`; FileError unless it is there and has the published sha256 sum."""
    file = next(f for f in dataset.files if f.name == name)
    path = dataset.folder / name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        fetch = f", or call spikesim.datasets.fetch({dataset.name!r})" if dataset.url else ""
        raise FileError(
            f"data set {dataset.name!r}: {path} is not there; set SPIKESIM_DATA to a folder that contains "
            f"{dataset.folder.name}/{name}{fetch}"
        ) from None
    except OSError as error:
        raise FileError(f"data set {dataset.name!r}: cannot read {path}: {error.strerror}") from None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        fetch = f"; remove it and call spikesim.datasets.fetch({dataset.name!r})" if dataset.url else ""
        raise FileError(f"data set {dataset.name!r}: {path} is not the published file (its sha256 sum differs){fetch}")
    return content


def read_npz(dataset: Dataset, name: str) -> dict[str, NDArray[Any]]:
    """Arrays of file `name` of the kind .npz; FileError as in `read_file`."""
    with np.load(io.BytesIO(read_file(dataset, name)), allow_pickle=False) as arrays:
        return dict(arrays)


def fetch_files(dataset: Dataset) -> None:
    """Download what is missing; each file appears whole and checked, or not at all."""
    missing = missing_files(dataset)
    if missing and not dataset.url:
        raise FileError(
            f"data set {dataset.name!r}: {missing[0].name} is on no server in this form; put it into {dataset.folder}"
        )
    for file in missing:
        try:
            dataset.folder.mkdir(parents=True, exist_ok=True)
            _download(f"{dataset.url}/{file.name}", dataset.folder / file.name, file.sha256)
        except (OSError, urllib.error.URLError) as error:
            reason = getattr(error, "reason", None) or error
            raise FileError(f"data set {dataset.name!r}: cannot fetch {dataset.url}/{file.name}: {reason}") from None


def _download(url: str, target: Path, sha256: str) -> None:
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False) as part:
        try:
            with urllib.request.urlopen(url, timeout=60) as response:
                shutil.copyfileobj(response, part)
            part.flush()
            if hashlib.sha256(Path(part.name).read_bytes()).hexdigest() != sha256:
                raise OSError("what came is not the published file (its sha256 sum differs)")
            os.replace(part.name, target)
        finally:
            Path(part.name).unlink(missing_ok=True)

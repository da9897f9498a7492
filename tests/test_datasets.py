"""Data sets: found by name, checked by sum, fetched whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace

import numpy as np
import pytest

from spikesim import datasets
from spikesim.datasets import mnist, store
from spikesim.errors import FileError, ParameterError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("SPIKESIM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def idx(array: np.ndarray) -> bytes:
    """`array` in gzipped IDX form."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A small stand-in for MNIST on a server of its own (a file URL)."""
    rng = np.random.default_rng(3)
    arrays = [rng.integers(0, 256, (k, 28, 28)[: 3 if image else 1]) for k in (5, 2) for image in (True, False)]
    server = tmp_path / "server"
    server.mkdir()
    files = []
    for file, array in zip(mnist.DATASET.files, arrays, strict=True):
        content = idx(array)
        (server / file.name).write_bytes(content)
        files.append(replace(file, sha256=hashlib.sha256(content).hexdigest(), size=len(content)))
    monkeypatch.setattr(mnist, "DATASET", replace(mnist.DATASET, files=tuple(files), url=server.as_uri()))
    return arrays


def test_fetch_then_load(folder, published) -> None:
    assert not datasets.available("mnist")
    assert len(datasets.missing("mnist")) == 4
    datasets.fetch("mnist")
    assert datasets.available("mnist") and not datasets.missing("mnist")
    for array, read in zip(published, datasets.load("mnist"), strict=True):
        assert np.array_equal(array, read)


def test_missing_file_is_named_with_the_remedy(folder) -> None:
    with pytest.raises(FileError, match=r"train-images-idx3-ubyte\.gz.*SPIKESIM_DATA.*fetch"):
        datasets.load("mnist")


def test_damaged_file_is_refused(folder, published) -> None:
    datasets.fetch("mnist")
    path = folder / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileError, match="not the published file"):
        datasets.load("mnist")


def test_wrong_download_leaves_nothing(folder, published, tmp_path) -> None:
    name = mnist.DATASET.files[0].name
    (tmp_path / "server" / name).write_bytes(b"an error page")
    with pytest.raises(FileError, match="sha256"):
        datasets.fetch("mnist")
    assert list((folder / "mnist").iterdir()) == []


def test_unreachable_server(folder, published, tmp_path) -> None:
    (tmp_path / "server" / mnist.DATASET.files[0].name).unlink()
    with pytest.raises(FileError, match="cannot fetch"):
        datasets.fetch("mnist")


def test_unknown_name_lists_the_known() -> None:
    for function in (datasets.load, datasets.available, datasets.describe, datasets.fetch):
        with pytest.raises(ParameterError, match=r"mnits.*did you mean 'mnist'.*digits"):
            function("mnits")


def test_folder_without_the_variable(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("SPIKESIM_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store.data_folder() == tmp_path / "spikesim"


def test_digits() -> None:
    pytest.importorskip("sklearn")
    images, labels = datasets.load("digits")
    assert images.shape == (1797, 8, 8) and images.max() == 16 and images.min() == 0
    assert sorted(np.bincount(labels)) == sorted([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])


@pytest.mark.skipif(not datasets.available("mnist"), reason="MNIST is not in SPIKESIM_DATA")
def test_mnist() -> None:
    data = datasets.load("mnist")
    assert data.train_images.shape == (60_000, 28, 28) and data.test_images.shape == (10_000, 28, 28)
    assert np.bincount(data.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.train_images.mean() == pytest.approx(33.318, abs=1e-3)


def test_sets_that_cannot_be_fetched_say_so(folder) -> None:
    for name in ("braille", "fsdd", "nmnist"):
        assert not datasets.available(name)
        with pytest.raises(FileError, match=rf"{name}.*on no server in this form; put it into"):
            datasets.fetch(name)
        with pytest.raises(
            FileError, match=rf"is not there; set SPIKESIM_DATA to a folder that contains {name}/[^,]*$"
        ):
            datasets.load(name)


@pytest.mark.skipif(not datasets.available("fsdd"), reason="fsdd is not in SPIKESIM_DATA")
def test_fsdd() -> None:
    data = datasets.load("fsdd")
    assert len(data.offsets) == 3001 and data.offsets[-1] == len(data.samples) == 10_498_424
    assert np.bincount(data.labels).tolist() == [300] * 10 and data.is_test.sum() == 300
    assert np.array_equal(data.is_test, data.takes < 5) and data.sample_rate == 8000


@pytest.mark.skipif(not datasets.available("braille"), reason="braille is not in SPIKESIM_DATA")
def test_braille() -> None:
    data = datasets.load("braille")
    assert data.touch.shape == (1350, 77, 12) and np.bincount(data.labels).tolist() == [50] * 27
    assert np.flatnonzero(data.touch.reshape(-1, 12).std(axis=0)).tolist() == [1, 2, 6, 10]


@pytest.mark.skipif(not datasets.available("nmnist"), reason="N-MNIST is not in SPIKESIM_DATA")
def test_nmnist() -> None:
    train, test = datasets.load("nmnist")
    assert (len(train.t), len(test.t)) == (4_133_231, 385_596)
    assert np.bincount(train.labels).tolist() == [97, 116, 99, 93, 105, 92, 94, 117, 87, 100]
    assert train.offsets[-1] == len(train.x) and train.x.max() == train.y.max() == 33

"""Files of a user as data of the laboratory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.encoding.material import Material, Part, limited
from baselines.encoding.sets.fsdd import frames_of
from spikesim.coding.signals import FORMATS, Table, read_events, read_picture, read_table, read_wav, unit_range
from spikesim.errors import FileError, ParameterError, unknown

FEATURES = ("mel", "cochlea", "raw")
SUFFIXES = (".csv", ".npy", ".png", ".wav", *FORMATS)
_EVENT_FRAMES, _EVENT_PIXELS = 20, 512  # of an event recording: frames, and pixels of a polarity at most
_LEAST = 20  # labelled samples


def load_file(path: Path, labels: str | os.PathLike[str] | None, features: str, limit: int) -> Material:
    """Data from a file.

    ===== =============================================================================================
    file  what it is taken for
    ===== =============================================================================================
    .npy  1 axis: one channel over time; 2 axes: samples × values; 3 axes: samples × frames × channels
    .csv  with labels (a column named label, or ``--labels``): samples × values; without: frames × channels
    .wav  one sound, as channels over time (``--features``)
    .png  one picture
    .bin  an event recording (also .bs1, .bs2, .dat, .mat, .aedat4): event counts in 20 frames, pixels joined to
          squares until there are 512 of a polarity at most
    ===== =============================================================================================

    With labels, samples are shuffled once and divided 60 / 20 / 20; without, everything is encoded and read back.

    Raises
    ------
    FileError
        If the file is missing, damaged or of an unknown kind.
    ParameterError
        If labels do not fit.
    """
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise unknown(f"kind of file {path.name!r}:", kind, SUFFIXES)
    if not path.is_file():
        raise FileError(f"{path} {'is not a file' if path.exists() else 'does not exist'}")
    if kind not in (".npy", ".csv") and labels is not None:
        raise ParameterError(f"--labels: a {kind} file is a single sample; leave the option out")
    rows = None
    if kind == ".wav":
        x, what = _sound(path, features)
    elif kind == ".png":
        picture = read_picture(path)
        rows = (int(picture.shape[0]), int(picture.shape[1]))
        x, what = picture.reshape(1, 1, -1), f"picture of {picture.shape[0]} × {picture.shape[1]} pixels"
    elif kind in FORMATS:
        x, what = _events(path)
    else:
        table = read_table(path)
        y = _labels(table, labels)
        x = _samples(table, kind, y is not None, path.name)
        if y is not None:
            return _labelled(path, x, y, limit)
        what = f"{x.shape[0]} samples of {x.shape[1]} frames × {x.shape[2]} channels"
    x = unit_range(x, x.min(axis=(0, 1)), x.max(axis=(0, 1))) if kind != ".png" else x
    part = Part(x, None)
    scaled = "grey values" if kind == ".png" else "each channel scaled by its own least and largest value"
    return Material(
        name=path.name, title=f"{path.name}, {what}", licence="the user's", source=str(path.name),
        split=f"no labels: all of it is encoded and read back; {scaled}", train=part, validation=part, test=part,
        classes=0, rows=rows, budgets=(8, 16, 32) if x.shape[1] == 1 else (2, 4, 8),
    )  # fmt: skip


def _sound(path: Path, features: str) -> tuple[NDArray[Any], str]:
    sound, rate = read_wav(path)
    if features == "raw":
        return sound[None, :, None], f"{len(sound)} samples of {rate:g} Hz, one a frame"
    frames = frames_of(sound, rate, features)
    return frames[None], f"{features}, {len(frames)} frames of 25 ms × {frames.shape[1]} channels"


def _events(path: Path) -> tuple[NDArray[Any], str]:
    spikes, width, height, polarities = read_events(path)
    side = 1
    while -(-width // side) * -(-height // side) > _EVENT_PIXELS:
        side += 1
    columns, rows = -(-width // side), -(-height // side)
    row, x = np.divmod(spikes.ids.astype(np.int64), width)
    p, y = np.divmod(row, height)
    channel = (p * rows + y // side) * columns + x // side
    frame = ((spikes.times - spikes.t_start) / spikes.duration * _EVENT_FRAMES).astype(np.int64)
    counts = np.zeros((_EVENT_FRAMES, polarities * rows * columns))
    np.add.at(counts, (np.minimum(frame, _EVENT_FRAMES - 1), channel), 1.0)
    joined = f", {side} × {side} pixels joined" if side > 1 else ""
    return counts[None], f"{len(spikes):,} events in {_EVENT_FRAMES} frames of {spikes.duration / 20:.3g} ms{joined}"


def _samples(table: Table, kind: str, labelled: bool, name: str) -> NDArray[Any]:
    """Samples × frames × channels."""
    x = table.values
    if kind == ".csv" and not labelled:
        return x[None]
    if x.ndim == 1:
        return x[:, None, None] if labelled else x[None, :, None]
    if x.ndim == 2:
        return x[:, None, :]
    if x.ndim == 3:
        return x
    raise ParameterError(f"{name}: must have one, two or three axes, got {x.ndim}")


def _labels(table: Table, path: str | os.PathLike[str] | None) -> NDArray[np.int64] | None:
    """Classes 0, 1, … of all samples, or None."""
    found = table.labels
    if path is not None:
        other = read_table(path)
        found = other.labels if other.labels is not None else other.values.ravel()
    if found is None:
        return None
    if len(found) != len(table.values):
        raise ParameterError(f"--labels: must be one a sample ({len(table.values)}), got {len(found)}")
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _labelled(path: Path, x: NDArray[Any], y: NDArray[np.int64], limit: int) -> Material:
    if len(y) < _LEAST or y.max() < 1:
        raise ParameterError(
            f"{path.name}: needs at least {_LEAST} labelled samples of two classes, got {len(y)} of {int(y.max()) + 1}"
        )
    order = np.random.default_rng(1).permutation(len(y))
    a, b = round(0.6 * len(y)), round(0.8 * len(y))
    x = unit_range(x, x[order[:a]].min(axis=(0, 1)), x[order[:a]].max(axis=(0, 1)))
    parts = [Part(x[i], y[i]) for i in (order[:a], order[a:b], order[b:])]
    train, validation, test = limited(parts, limit)
    return Material(
        name=path.name,
        title=f"{path.name}, {len(y)} samples of {x.shape[1]} frames × {x.shape[2]} channels",
        licence="the user's",
        source=path.name,
        split=f"shuffled once: {len(train.x)} train, {len(validation.x)} validation, {len(test.x)} test; each channel "
        "scaled by its least and largest value in the training part",
        train=train,
        validation=validation,
        test=test,
        classes=int(y.max()) + 1,
        rows=None,
        budgets=(8, 16, 32) if x.shape[1] == 1 else (2, 4, 8),
    )

"""Recordings of event cameras and silicon cochleas."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import FileError, ParameterError, unknown
from spikesim.spikes import Spikes


class Recording(NamedTuple):
    """A recording as spikes: element ``(p * height + y) * width + x`` for polarity p (1 = on, brighter), pixel (x, y).

    For a cochlea `width` is the number of channels and `height` 1.
    """

    spikes: Spikes
    width: int
    height: int
    polarities: int


def from_events(
    x: ArrayLike, y: ArrayLike, p: ArrayLike, t: ArrayLike, width: int = 0, height: int = 0, polarities: int = 2
) -> Recording:
    """Recording from address events.

    Parameters
    ----------
    x, y : array_like of int
        Pixels.
    p : array_like of int
        Polarity, 0 or 1.
    t : array_like of int or float
        Times in microseconds; the recording begins at 0 or the earliest, whichever is less.
    width, height : int
        Size of the sensor; 0 takes the smallest that holds all events.
    polarities : int
        2, or 1 where events have none.

    Raises
    ------
    ParameterError
        If there is no event, lengths differ, or an event lies outside the sensor.
    """
    columns = [np.asarray(v) for v in (x, y, p, t)]
    if len({c.shape for c in columns}) != 1 or columns[0].ndim != 1:
        raise ParameterError(f"from_events: x, y, p, t must be equally long, got {[c.shape for c in columns]}")
    if not columns[0].size:
        raise ParameterError("from_events: needs at least one event, got none")
    px, py, pp = (c.astype(np.int64) for c in columns[:3])
    width, height = width or int(px.max()) + 1, height or int(py.max()) + 1
    for name, values, size in (("x", px, width), ("y", py, height), ("p", pp, polarities)):
        bad = (values < 0) | (values >= size)
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            raise ParameterError(f"from_events.{name}: must be in 0 … {size - 1}, got {values[k]} (event {k})")
    ms = columns[3].astype(float) * 1e-3
    start = min(0.0, float(ms.min()))
    ids = (pp * height + py) * width + px
    stop = np.nextafter(ms.max(), np.inf)
    return Recording(Spikes(ms, ids, width * height * polarities, stop, start), width, height, polarities)


def read_events(path: str | os.PathLike[str]) -> Recording:
    """Read a recording; its suffix names the format.

    ========= ==============================================================================================
    suffix    format
    ========= ==============================================================================================
    .bin .bs2 N-MNIST: five bytes an event (x, y, polarity and 23 bits of microseconds, big-endian), 34 × 34
    .bs1      N-TIDIGITS: five bytes a spike (16 bits of channel, polarity, 23 bits of microseconds), 64 channels
    .dat      Prophesee, version 2: text header, then eight bytes an event
    .aedat4   DVS, through the package aedat (extra ``events``)
    .mat      ST-MNIST: 10 × 10 touch sensors
    ========= ==============================================================================================

    Raises
    ------
    FileError
        If the file is missing, damaged or of an unknown format, or a package it needs is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise unknown(f"format of event file {target.name!r}:", target.suffix.lower(), FORMATS)
    if not target.is_file():
        raise FileError(f"{target} {'is not a file' if target.exists() else 'does not exist'}")
    try:
        return FORMATS[target.suffix.lower()](target)
    except ParameterError as error:
        raise FileError(f"{target}: is damaged or of another format ({error})") from None
    except OSError as error:
        raise error if isinstance(error, FileError) else FileError(f"{target}: cannot be read ({error})") from None


def _five_bytes(target: Path) -> NDArray[np.uint8]:
    raw = np.frombuffer(target.read_bytes(), np.uint8)
    if not raw.size or raw.size % 5:
        raise FileError(f"{target}: must hold five bytes an event, got {raw.size} bytes; it is cut short or damaged")
    return raw.reshape(-1, 5)


def _time(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    return (rows[:, 2].astype(np.int64) & 127) << 16 | rows[:, 3].astype(np.int64) << 8 | rows[:, 4]


def _nmnist(target: Path) -> Recording:
    rows = _five_bytes(target)
    return from_events(rows[:, 0], rows[:, 1], rows[:, 2] >> 7, _time(rows), 34, 34)


def _tidigits(target: Path) -> Recording:
    rows = _five_bytes(target)
    channel = rows[:, 0].astype(np.int64) << 8 | rows[:, 1]
    zero = np.zeros(len(rows), np.int64)
    return from_events(channel, zero, zero, _time(rows), 64, 1, polarities=1)


def _prophesee(target: Path) -> Recording:
    raw = target.read_bytes()
    at, size = 0, {}
    while raw[at : at + 1] == b"%":
        end = raw.find(b"\n", at)
        if end < 0:
            raise FileError(f"{target}: its header does not end")
        words = raw[at + 1 : end].decode("ascii", "replace").split()
        if len(words) == 2 and words[0] in ("Width", "Height") and words[1].isdigit():
            size[words[0]] = int(words[1])
        at = end + 1
    if not at or len(raw) < at + 2:
        raise FileError(f"{target}: has no header of a .dat file")
    if raw[at + 1] != 8:
        raise FileError(f"{target}: events must have 8 bytes, its header says {raw[at + 1]}")
    body = raw[at + 2 :]
    if len(body) % 8:
        raise FileError(f"{target}: is cut short: {len(body)} bytes of events are no multiple of 8")
    t, address = np.frombuffer(body, "<u4").reshape(-1, 2).astype(np.int64).T
    return from_events(
        address & 0x3FFF, address >> 14 & 0x3FFF, address >> 28 & 1, t, size.get("Width", 0), size.get("Height", 0)
    )


def _aedat4(target: Path) -> Recording:
    try:
        import aedat
    except ImportError:
        raise FileError(f"{target}: .aedat4 needs the package aedat; pip install 'spikesim[events]'") from None
    parts: list[Any] = []
    try:
        decoder = aedat.Decoder(str(target))
        streams = [s for s in decoder.id_to_stream().values() if s["type"] == "events"]
        parts = [packet["events"] for packet in decoder if "events" in packet]
    except Exception as error:  # the decoder raises plain exceptions
        raise FileError(f"{target}: is not a readable .aedat4 file ({error})") from None
    if not parts or not streams:
        raise FileError(f"{target}: holds no events")
    e = np.concatenate(parts)
    t = e["t"].astype(np.int64)
    return from_events(e["x"], e["y"], e["on"], t - t.min(), streams[0]["width"], streams[0]["height"])


def _stmnist(target: Path) -> Recording:
    from scipy.io import loadmat

    try:
        train = np.asarray(loadmat(target)["spiketrain"])
    except Exception as error:  # scipy raises many kinds for damaged files
        raise FileError(f"{target}: is not a readable ST-MNIST file ({error!r})") from None
    if train.ndim != 2 or train.shape[0] != 101:
        raise FileError(f"{target}: spiketrain must have 101 rows, got shape {train.shape}")
    sensor, k = np.nonzero(train[:100])
    return from_events(sensor % 10, sensor // 10, train[sensor, k] > 0, train[100, k] * 1e6, 10, 10)


FORMATS: dict[str, Callable[[Path], Recording]] = {
    ".bin": _nmnist,
    ".bs2": _nmnist,
    ".bs1": _tidigits,
    ".dat": _prophesee,
    ".aedat4": _aedat4,
    ".mat": _stmnist,
}

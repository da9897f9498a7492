"""Spoken digits as 32 frames of 25 ms: mel bands, or a cochlea-like filter bank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.encoding.material import Material, Part, Source, limited
from spikesim import datasets
from spikesim.coding.signals import cochlea, log_mel, unit_range
from spikesim.errors import ParameterError

_DATA = datasets.describe("fsdd")
_FRAMES, _FRAME_MS = 32, 25.0


def frames_of(sound: NDArray[Any], rate: float, features: str) -> NDArray[Any]:
    """Channels over time (frames, channels): 16 mel bands or 24 places of a cochlea, a frame every 25 ms."""
    if features == "cochlea":
        return cochlea(sound, rate, channels=24, hop=_FRAME_MS)
    hop = round(rate * _FRAME_MS / 1e3)
    return log_mel(sound, rate, bands=16, window=2 * hop, hop=hop)


def load(limit: int, features: str) -> Material:
    """Takes 0 … 4 test, 5 … 9 validate, the others train; the middle 0.8 s of each recording."""
    if features == "raw":
        raise ParameterError(
            "--features: fsdd is encoded as mel or cochlea; raw sound of 8,000 samples a second is not"
        )
    d = datasets.load("fsdd")
    raw = np.stack([_fixed(frames_of(d.samples[lo:hi] / 32768, d.sample_rate, features)) for lo, hi in _edges(d)])
    order = np.random.default_rng(1).permutation(len(raw))  # the file is sorted by digit
    parts = {"test": d.takes < 5, "validation": (d.takes >= 5) & (d.takes < 10), "train": d.takes >= 10}
    chosen = {name: order[mask[order]] for name, mask in parts.items()}
    low, high = np.quantile(raw[chosen["train"]], (0.01, 0.99), axis=(0, 1))
    x = unit_range(raw, low, high)
    y = d.labels.astype(np.int64)
    names = ("train", "validation", "test")
    train, validation, test = limited([Part(x[chosen[n]], y[chosen[n]]) for n in names], limit)
    return Material(
        name=f"fsdd-{features}",
        title=f"{_DATA.title}, {features}, {_FRAMES} frames of {_FRAME_MS:g} ms",
        licence=_DATA.licence,
        source=_DATA.source,
        split=f"takes 0 to 4 test ({len(test.x)}), 5 to 9 validate ({len(validation.x)}), the others train "
        f"({len(train.x)}); channels scaled by the 1 % and 99 % quantiles of the training part",
        train=train,
        validation=validation,
        test=test,
        classes=10,
        rows=None,
        budgets=(2, 4),
    )


def _edges(d: Any) -> list[tuple[int, int]]:
    return list(zip(d.offsets[:-1].tolist(), d.offsets[1:].tolist(), strict=True))


def _fixed(frames: NDArray[Any]) -> NDArray[Any]:
    """32 frames: the middle of longer recordings, shorter ones followed by their quietest values."""
    if len(frames) >= _FRAMES:
        start = (len(frames) - _FRAMES) // 2
        return frames[start : start + _FRAMES]
    rest = np.broadcast_to(frames.min(axis=0), (_FRAMES - len(frames), frames.shape[1]))
    return np.concatenate([frames, rest])


SOURCE = Source("fsdd", _DATA.title, "put fsdd.npz into $SPIKESIM_DATA/fsdd", lambda: datasets.available("fsdd"), load)

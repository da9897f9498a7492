"""What the laboratory encodes: signals in 0 … 1, divided once and for all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Part(NamedTuple):
    """Signals (samples, frames, channels) in 0 … 1 and their labels (samples,), None where there are none."""

    x: Floats
    y: NDArray[np.int64] | None


@dataclass(frozen=True)
class Material:
    """Data ready to be encoded.

    Parameters
    ----------
    name, title : str
        Key and readable name.
    licence, source, split : str
        Terms, the work to cite, how the parts were divided and scaled.
    train, validation, test : Part
        The test part is looked at after training, once per code and budget.
    classes : int
        Number of classes, 0 without labels.
    rows : tuple of int or None
        Rows and columns of still pictures: codes of signals read the rows one after the other.
    budgets : tuple of int
        Time steps of 1 ms per frame (for still pictures: altogether) that are tried unless others are asked for.
    """

    name: str
    title: str
    licence: str
    source: str
    split: str
    train: Part
    validation: Part
    test: Part
    classes: int
    rows: tuple[int, int] | None
    budgets: tuple[int, ...]

    @cached_property
    def fingerprint(self) -> str:
        """Short hash of all values and labels: rows of other data are not taken up again."""
        digest = hashlib.blake2b(digest_size=8)
        for part in (self.train, self.validation, self.test):
            for array in part:
                digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def still(self) -> bool:
        """Whether samples are single frames."""
        return self.train.x.shape[1] == 1


@dataclass(frozen=True)
class Source:
    """A named data set of the laboratory.

    Parameters
    ----------
    name, title : str
        Key (the name of its file) and readable name.
    remedy : str
        What to do where the data are not there.
    available : callable
        Whether they are there.
    load : callable
        ``load(limit, features)`` gives `Material`: at most `limit` training samples (0: the set's own default), a
        quarter of it to validate and half of it to test; `features` is the way from sound to channels, where there
        is sound.
    """

    name: str
    title: str
    remedy: str
    available: Callable[[], bool]
    load: Callable[[int, str], Material]


def first(part: Any, count: int) -> Any:
    """The first `count` samples of (x, y)."""
    return type(part)(part[0][:count], None if part[1] is None else part[1][:count])


def limited(parts: Sequence[Part], limit: int) -> tuple[Part, Part, Part]:
    """Of parts to train, validate and test the first `limit`, a quarter and half as many samples; all for 0."""
    train, validation, test = parts
    if not limit:
        return train, validation, test
    return first(train, limit), first(validation, max(1, limit // 4)), first(test, max(1, limit // 2))

"""Pictures as grey values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import FileError


def read_picture(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Grey values in 0 … 1, shape (rows, columns); colours are weighted as in ITU-R BT.601, transparency is dropped.

    Raises
    ------
    FileError
        If the file is missing or no picture.
    """
    from matplotlib.image import imread

    target = Path(path)
    try:
        raw = np.asarray(imread(target))
    except FileNotFoundError:
        raise FileError(f"{target} does not exist") from None
    except Exception as error:  # pillow raises many kinds for damaged files
        raise FileError(f"{target}: is not a readable picture ({error})") from None
    values = raw / np.iinfo(raw.dtype).max if raw.dtype.kind in "ui" else raw.astype(float)
    if values.ndim == 3:
        values = values[..., :3] @ [0.299, 0.587, 0.114] if values.shape[2] >= 3 else values[..., 0]
    return np.clip(values, 0.0, 1.0)

"""Pictures of made images: samples, the training images nearest to them, ways between them, chains of denoising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Classification, Fill, Gallery, Outcome
from baselines.figures import new_figure
from baselines.generation.judge import nearest

_TITLES = {
    "ann": "ANN",
    "replay": "twin, in the core",
    "gan": "GAN",
    "dcgan": "DCGAN",
    "spiking_dcgan": "spiking DCGAN",
}
_ROWS, _COLUMNS, _NEAREST = 8, 8, 10


def tiled(images: NDArray[Any], rows: int, columns: int) -> NDArray[np.float64]:
    """Images (rows · columns, height, width) side by side, with a line between them."""
    h, w = images.shape[1:]
    sheet = np.full((rows * (h + 1) + 1, columns * (w + 1) + 1), 0.5)
    for i, image in enumerate(images[: rows * columns]):
        r, c = divmod(i, columns)
        sheet[r * (h + 1) + 1 : (r + 1) * (h + 1), c * (w + 1) + 1 : (c + 1) * (w + 1)] = image
    return sheet


def _sheets(sheets: Sequence[tuple[str, NDArray[np.float64]]]) -> Fill:
    """One grid of images beside the other."""
    figure = new_figure(3.2 * len(sheets), 3.2 * max(s.shape[0] / s.shape[1] for _, s in sheets) + 0.4)
    for ax, (title, sheet) in zip(figure.subplots(1, len(sheets), squeeze=False)[0], sheets, strict=True):
        ax.imshow(sheet, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(title, fontsize=9)
        ax.axis("off")
    return lambda file: figure.savefig(file, dpi=130, format="png")


def _makers(outcomes: Mapping[str, Outcome]) -> list[tuple[str, Mapping[str, Any]]]:
    """Titles and material of both sides, then of the others."""
    rest = [name for name in outcomes if name not in ("ann", "snn", "replay", "real") and not name.endswith("replay")]
    return [(_TITLES.get(name, name.replace("_", " ")), outcomes[name].material) for name in ("ann", "replay", *rest)]


def draw_samples(data: Classification, outcomes: Mapping[str, Outcome]) -> Fill:
    """The first images each made, beside real ones."""
    sheets = [("test images", tiled(data.test.x, _ROWS, _COLUMNS))]
    sheets += [(title, tiled(made["images"], _ROWS, _COLUMNS)) for title, made in _makers(outcomes)]
    return _sheets(sheets)


def draw_nearest(data: Classification, outcomes: Mapping[str, Outcome]) -> Fill:
    """Made images above the training image nearest to each."""
    sheets = []
    for title, made in _makers(outcomes):
        images = made["images"][:_NEAREST]
        place, _ = nearest(data, images)
        sheets.append((title, tiled(np.concatenate([images, data.train.x[place]]), 2, _NEAREST)))
    return _sheets(sheets)


def draw_between(data: Classification, outcomes: Mapping[str, Outcome]) -> Fill:
    """Ways between random places, a row each."""
    sheets = []
    in_torch = {**outcomes, "replay": outcomes["snn"]}
    for title, made in _makers(in_torch):
        rows, columns, *shape = made["between"].shape
        sheets.append((title.removesuffix(", in the core"), tiled(made["between"].reshape(-1, *shape), rows, columns)))
    return _sheets(sheets)


SAMPLES = Gallery("samples", "images made, beside real ones", draw_samples)
NEAREST = Gallery("nearest", "images made, above the nearest training image", draw_nearest)
BETWEEN = Gallery("between", "straight ways between random places", draw_between)


def draw_chain(data: Classification, outcomes: Mapping[str, Outcome]) -> Fill:
    """What stands after each step of denoising, a row for each image."""
    sheets = []
    for title, made in _makers({**outcomes, "replay": outcomes["snn"]}):
        if "chain" in made:
            rows, columns, *shape = made["chain"].shape
            sheets.append(
                (title.removesuffix(", in the core"), tiled(made["chain"].reshape(-1, *shape), rows, columns))
            )
    return _sheets(sheets)


CHAIN = Gallery("chain", "from noise to images, step by step", draw_chain)

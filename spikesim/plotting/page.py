"""One page about a run, and writing pictures to files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikesim.errors import FileError, ParameterError, unknown
from spikesim.plotting.common import Groups, as_groups, of_batch
from spikesim.plotting.curves import draw_cvs, draw_rate, draw_rates
from spikesim.plotting.dots import DOTS, raster

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".jpg", ".pdf", ".png", ".svg", ".tiff", ".webp")


def overview(result: Any, *, stimulus: int = 0, bin: float | None = None, limit: int = DOTS) -> Figure:
    """One page about a run: raster of all populations, their rates over time, histograms of rates and CVs.

    Spike sources appear in the raster only, below the neurons, unless there is nothing else.

    Parameters
    ----------
    result : Result
        A result with recorded spikes.
    stimulus : int, default 0
        Which stimulus of a batch.
    bin, limit
        As in `raster`.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ParameterError
        If no spikes were recorded, `stimulus` is out of range, or the run is 0 ms long.
    """
    if not result.spikes:
        raise ParameterError("overview: the result holds no spikes; run with record=Record(spikes=True)")
    groups = as_groups({k: of_batch(s, stimulus, "overview") for k, s in result.spikes.items()}, "overview")
    sources = {p.name for p in result.network if p.is_source}
    neurons = {k: s for k, s in groups.items() if k not in sources}
    groups = neurons | groups  # sources last, so that colours agree
    shown = neurons or groups
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(10.0, 8.0), layout="constrained")
    grid = figure.add_gridspec(3, 2, height_ratios=(3.2, 1.2, 1.6))
    top = figure.add_subplot(grid[0, :])
    raster(groups, top, limit=limit)
    top.set_xlabel("")
    top.tick_params(labelbottom=False)
    draw_rate(figure.add_subplot(grid[1, :], sharex=top), shown, bin)
    draw_rates(figure.add_subplot(grid[2, 0]), shown)
    draw_cvs(figure.add_subplot(grid[2, 1]), shown, 2)
    if len(shown) > 1:
        outlines, names = figure.axes[1].get_legend_handles_labels()
        figure.legend(outlines, names, loc="outside lower center", ncols=min(len(groups), 8), frameon=False)
    figure.suptitle(_headline(result, groups, neurons))
    return figure


def save(figure: Figure, path: str | os.PathLike[str], overwrite: bool = False) -> Path:
    """Write a figure to `path`, whole or not at all; the suffix decides the format.

    Parameters
    ----------
    figure : matplotlib Figure
    path : path
        Must end in one of `FORMATS`: .jpg, .pdf, .png, .svg, .tiff, .webp.
    overwrite : bool, default False
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ParameterError
        If the suffix is not one of `FORMATS`.
    FileError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    from spikesim.files import guard  # here: it loads HDF5, which drawing does not need

    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        raise unknown(f"format of picture {target.name!r}:", suffix, FORMATS)
    guard(target, overwrite)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        figure.savefig(part, format=suffix[1:], dpi=150)
        os.replace(part, target)
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _headline(result: Any, groups: Groups, neurons: Groups) -> str:
    """Size, length and engine of the run."""
    sizes = {"neuron": sum(s.n for s in neurons.values())}
    sizes["spike source"] = sum(s.n for s in groups.values()) - sizes["neuron"]
    counted = " and ".join(f"{n:,} {what}{'' if n == 1 else 's'}" for what, n in sizes.items() if n)
    text = f"{counted}, {result.duration:,g} ms, {result.engine} engine"
    return f"{next(iter(groups))}: {text}" if len(groups) == 1 else text

"""What all pictures share: populations by name, colours, axes, legends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spikesim.analysis.firing import check_spikes
from spikesim.errors import ParameterError
from spikesim.spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito, told apart in all common kinds of colour blindness (Wong 2011, doi:10.1038/nmeth.1618); dark grey
# stands for black, brown for the yellow that white paper swallows
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444", "#8C564B")

Groups = dict[str, Spikes]


def as_groups(spikes: Spikes | Mapping[str, Spikes], owner: str) -> Groups:
    """Populations by name; a single one has the name ``""``."""
    groups = dict(spikes) if isinstance(spikes, Mapping) else {"": spikes}
    if not groups:
        raise ParameterError(f"{owner}: needs at least one population, got none")
    for name, one in groups.items():
        check_spikes(one, f"{owner}[{name!r}]" if name else owner)
    return groups


def of_batch(value: Any, stimulus: int, owner: str) -> Any:
    """Entry of one stimulus where `value` is a batch, else `value`."""
    if not isinstance(value, tuple):
        return value
    if not 0 <= stimulus < len(value):
        raise ParameterError(f"{owner}.stimulus: must be in 0 … {len(value) - 1}, got {stimulus}")
    return value[stimulus]


def colours(groups: Groups) -> list[str]:
    """One colour per population, repeating after eight."""
    return [COLOURS[k % len(COLOURS)] for k in range(len(groups))]


def span(groups: Groups) -> tuple[float, float]:
    """Start and end of all observations together, ms."""
    return min(s.t_start for s in groups.values()), max(s.t_stop for s in groups.values())


def axes_or_new(ax: Axes | None) -> Axes:
    """`ax`, or the axes of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt  # here: importing spikesim.plotting stays quick

    return plt.subplots(figsize=(7.0, 4.0), layout="constrained")[1]


def legend_above(ax: Axes, entries: int) -> None:
    """Legend in rows above the axes, where it hides no data."""
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=min(entries, 4), frameon=False, fontsize="small")


def named(ax: Axes, groups: Groups) -> Axes:
    """`ax` with a legend of the populations, unless it shows a single nameless one."""
    if list(groups) != [""]:
        legend_above(ax, len(groups))
    return ax

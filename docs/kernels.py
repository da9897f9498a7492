"""The picture of docs/performance.md: from a spike to the neurons it reaches."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from spikesim.plotting import save

TITLE = {"fontsize": 9, "weight": "bold", "zorder": 5, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.0}}
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#888888"


def box(ax: Axes, x: float, y: float, width: float, height: float, colour: str, filled: float = 0.15) -> None:
    """A rectangle with a light fill."""
    ax.add_patch(Rectangle((x, y), width, height, facecolor=colour, alpha=filled, edgecolor="none"))
    ax.add_patch(Rectangle((x, y), width, height, facecolor="none", edgecolor=colour, linewidth=0.8))


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], bend: float = 0.0) -> None:
    """An arrow from `start` to `end`."""
    style = {"arrowstyle": "-|>", "mutation_scale": 11, "color": "black", "linewidth": 0.9}
    ax.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", **style))


def history(ax: Axes) -> None:
    """Spikes of the last slices, with the one that is followed."""
    ax.text(0.2, 9.3, "history of a block: spikes by time, then neuron", **TITLE)
    for k in range(4):
        box(ax, 0.2 + 2.4 * k, 7.9, 2.4, 1.0, GREY, 0.08)
        ax.text(1.4 + 2.4 * k, 7.6, "slice" if k < 3 else "slice that runs now", ha="center", va="top", fontsize=8)
    for k, at in enumerate((0.5, 0.9, 1.6, 2.3, 3.1, 3.4, 4.2, 5.3, 5.8, 6.4, 7.0)):
        ax.plot([at, at], [8.1, 8.7], color=ORANGE if k == 4 else "black", linewidth=2.4 if k == 4 else 1.0)


def synapses(ax: Axes) -> None:
    """The run of synapses of one source, with what is due in this step."""
    ax.text(0.2, 6.6, "synapses of that neuron onto a shard: side by side, by delay", **TITLE)
    delays = (3, 5, 5, 8, 8, 8, 11, 11, 14, 17, 17, 22)
    for k, delay in enumerate(delays):
        due = delay == 8
        box(ax, 0.2 + 0.8 * k, 5.2, 0.8, 1.0, ORANGE if due else BLUE, 0.45 if due else 0.12)
        ax.text(0.6 + 0.8 * k, 5.7, f"{delay}", ha="center", va="center", fontsize=8)
    ax.text(9.95, 5.7, "delay, steps\n(weight, target)", fontsize=7, va="center")
    ax.annotate("cursor of the spike", (2.6, 5.15), (0.3, 4.6), fontsize=8, arrowprops={"arrowstyle": "->"})
    arrow(ax, (3.1, 8.05), (3.0, 6.25))


def rows(ax: Axes) -> None:
    """The row of inputs of a step, and the neurons it is added to."""
    ax.text(4.9, 4.15, "row of this step: one number per neuron", **TITLE)
    for k in range(16):
        hit = k in (2, 7, 12)
        box(ax, 4.9 + 0.4 * k, 3.0, 0.4, 0.8, ORANGE if hit else GREY, 0.45 if hit else 0.08)
    for source, k in ((3.0, 2), (3.8, 7), (4.6, 12)):
        arrow(ax, (source, 5.15), (5.1 + 0.4 * k, 3.85), 0.12)
    ax.text(0.2, 3.4, "+ Poisson input\n   (hash → table)", fontsize=8, va="center")
    arrow(ax, (2.3, 3.4), (4.8, 3.4))
    ax.text(4.9, 1.75, "neurons of the shard, one step on, all at once", **TITLE)
    box(ax, 4.9, 0.7, 6.4, 0.8, GREEN, 0.2)
    for k in range(0, 16, 4):
        ax.plot([4.9 + 0.4 * k] * 2, [0.7, 1.5], color=GREEN, linewidth=0.8)
    arrow(ax, (8.1, 2.95), (8.1, 2.2))
    ax.text(0.2, 1.1, "threshold reached:\nappended to the history", fontsize=8, va="center")
    arrow(ax, (4.8, 1.1), (3.2, 1.1))


def main() -> None:
    """Draw the picture of the grid engine and save it here."""
    figure = Figure(figsize=(8.6, 6.6), layout="constrained")
    ax = figure.subplots()
    ax.set_xlim(0, 11.6)
    ax.set_ylim(0.3, 9.8)
    ax.axis("off")
    for part in (history, synapses, rows):
        part(ax)
    save(figure, "kernels.png", overwrite=True)


if __name__ == "__main__":
    main()

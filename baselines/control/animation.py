"""An episode as moving pictures: the world, drawn from observations, and the values of the actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from baselines.contract import Control

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FRAMES = 125  # at most; longer episodes skip steps
_FRAME_MS = 40
_POLE, _CART = 1.0, (0.5, 0.3)  # m: length as drawn, width and height


def cart_pole(ax: Axes, state: NDArray[Any]) -> None:
    """Cart and pole as the environment describes them: position (m), speed, angle (rad), its speed."""
    x, _, angle, _ = state
    ax.axhline(0.0, color="0.7", lw=1)
    ax.axvspan(-3.0, -2.4, color="0.93")
    ax.axvspan(2.4, 3.0, color="0.93")
    width, height = _CART
    ax.bar(x, height, width, color="#0072B2")
    tip = x + _POLE * np.sin(angle), height + _POLE * np.cos(angle)
    ax.plot([x, tip[0]], [height, tip[1]], color="#D55E00", lw=5, solid_capstyle="round")
    ax.set_xlim(-3, 3)
    ax.set_ylim(-0.2, 1.8)


def acrobot(ax: Axes, state: NDArray[Any]) -> None:
    """Two links of length 1 that hang from the origin, by cosine and sine of their angles; the goal is the line."""
    first, second = np.arctan2(state[1], state[0]), np.arctan2(state[3], state[2])
    elbow = np.array([np.sin(first), -np.cos(first)])
    tip = elbow + np.array([np.sin(first + second), -np.cos(first + second)])
    ax.axhline(1.0, color="0.7", lw=1)
    ax.plot(*zip((0.0, 0.0), elbow, tip, strict=True), "o-", color="#0072B2", lw=5, ms=8)
    ax.set_xlim(-2.2, 2.2)
    ax.set_ylim(-2.2, 2.2)


WORLDS: dict[str, Callable[[Axes, NDArray[Any]], None]] = {"CartPole-v1": cart_pole, "Acrobot-v1": acrobot}


def episode_gif(
    task: Control, observations: NDArray[np.float32], values: NDArray[np.float32], total: float
) -> Callable[[BinaryIO], object] | None:
    """What writes the GIF of an episode; None where nothing is known to draw the world by.

    Parameters
    ----------
    task : Control
    observations : array (steps, n)
        Scaled, as the network sees them.
    values : array (steps, actions)
        Q-values of the actions.
    total : float
        Return of the episode.
    """
    draw = WORLDS.get(task.name)
    if draw is None:
        return None
    every = max(1, -(-len(observations) // _FRAMES))
    shown = list(range(0, len(observations), every))
    title = f"{task.name}: return {total:g}" + (f", every {every}th step" if every > 1 else "")

    def fill(file: BinaryIO) -> None:
        images = [_frame(draw, title, t, observations[t] * task.scale, values) for t in shown]
        first, *rest = images
        first.save(file, format="GIF", save_all=True, append_images=rest, duration=_FRAME_MS, loop=0)

    return fill


def _frame(
    draw: Callable[[Axes, NDArray[Any]], None], title: str, t: int, state: NDArray[Any], values: NDArray[np.float32]
) -> Any:
    """One picture: the world on the left, how much each action is worth beside it, so far below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(6.0, 2.8), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    world, chart = figure.subplots(1, 2, width_ratios=(1.6, 1.0))
    draw(world, state)
    world.set_aspect("equal")
    world.set_xticks([])
    world.set_yticks([])
    for action in range(values.shape[1]):
        chart.plot(values[: t + 1, action], lw=1, label=f"action {action}")
    chart.set_xlim(0, len(values))
    low, high = float(values.min()), float(values.max())
    chart.set_ylim(low - 0.05 * (high - low) - 1e-6, high + 0.3 * (high - low) + 1e-6)
    chart.set_xlabel("step")
    chart.set_ylabel("Q, membrane × gain")
    chart.legend(fontsize=7, frameon=False, loc="upper right", ncols=values.shape[1])
    chart.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{title}, step {t}", fontsize=9)
    canvas.draw()
    return Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba())).convert("P")

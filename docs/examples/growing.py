"""A genome drawn at random lives as a network of tanh units and as a spiking one: growing.png."""

from dataclasses import dataclass

import numpy as np

from baselines.growing.figures import draw_lives
from baselines.growing.network import Colony, Life
from baselines.growing.worlds import FORAGING


@dataclass
class Lived:
    material: Life


genes = np.repeat(2 * np.random.default_rng(22).standard_normal((1, FORAGING.body.size)), 6, axis=0)
lives = {
    name: Lived(Colony(FORAGING, genes, range(6), spiking).live(keep=True))
    for name, spiking in (("ann", False), ("replay", True))
}
with open("growing.png", "wb") as file:
    draw_lives(FORAGING, lives)(file)

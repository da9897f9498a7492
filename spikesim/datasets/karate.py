"""Zachary's karate club: 34 members, 78 friendships, and the two clubs they split into."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.datasets.store import Dataset

DATASET = Dataset(
    name="karate",
    title="Zachary's karate club",
    files=(),
    url="",
    licence="facts published in the paper",
    source="Zachary 1977, J. Anthropol. Res. 33:452-473, doi:10.1086/jar.33.4.3629752, figure 1 and table 1",
)
_FRIENDS = {
    0: (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31),
    1: (2, 3, 7, 13, 17, 19, 21, 30),
    2: (3, 7, 8, 9, 13, 27, 28, 32),
    3: (7, 12, 13),
    4: (6, 10),
    5: (6, 10, 16),
    6: (16,),
    8: (30, 32, 33),
    9: (33,),
    13: (33,),
    14: (32, 33),
    15: (32, 33),
    18: (32, 33),
    19: (33,),
    20: (32, 33),
    22: (32, 33),
    23: (25, 27, 29, 32, 33),
    24: (25, 27, 31),
    25: (31,),
    26: (29, 33),
    27: (33,),
    28: (31, 33),
    29: (32, 33),
    30: (32, 33),
    31: (32, 33),
    32: (33,),
}
_OFFICERS = (9, 14, 15, 18, 20, *range(22, 34))


class Karate(NamedTuple):
    """Friendships (78, 2), each once, and the club each member joined (34,): 0 the instructor's, 1 the officers'."""

    edges: NDArray[np.int64]
    club: NDArray[np.int64]


def available() -> bool:
    """Always: the graph is part of the package."""
    return True


def load() -> Karate:
    """The graph; members are numbered from 0, the instructor is 0 and the president 33."""
    club = np.zeros(34, np.int64)
    club[list(_OFFICERS)] = 1
    return Karate(np.array([(a, b) for a, friends in _FRIENDS.items() for b in friends]), club)

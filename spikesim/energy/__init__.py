"""Operations times prices: estimates of energy, itemised, and the activity at which spikes stop paying.

Nothing here is a measurement. Every price names its source and how it came about; compare two systems under
one table only, because tables differ by more than the systems do.

Model of the hardware, the same for both sides: one input at a time (no weight is reused within a batch, and none
within a layer), sums of a layer stay in registers while it is computed, weights, membranes and activations lie in three
memories of just their size. A larger memory costs more per access (Horowitz 2014).

References
----------
Horowitz 2014, doi:10.1109/ISSCC.2014.6757323, figure 1.1.9 (45 nm, 0.9 V).
Lemaire et al. 2022, doi:10.48550/arXiv.2210.13107 (memory and addressing).
Dampfhoffer et al. 2023, doi:10.1109/TETCI.2022.3214509 (why memory traffic decides the comparison).
"""

from spikesim.energy.estimate import (
    ITEMS,
    PICO,
    break_even,
    estimate,
    memory_access,
    price_ratio,
    static_energy,
)
from spikesim.energy.operations import Operations
from spikesim.energy.prices import PRICES, Prices, prices

__all__ = [
    "ITEMS",
    "PICO",
    "PRICES",
    "Operations",
    "Prices",
    "break_even",
    "estimate",
    "memory_access",
    "price_ratio",
    "prices",
    "static_energy",
]

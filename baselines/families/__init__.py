"""One file per family: an artificial network and its spiking twin, face to face. Each defines ``FAMILY``."""

from baselines.registry import Registry

FAMILIES = Registry(__name__, "FAMILY", "family")

"""Data sets of the laboratory, one file each, named after it. Each defines ``SOURCE``."""

from baselines.registry import Registry

SETS = Registry(__name__, "SOURCE", "data set")

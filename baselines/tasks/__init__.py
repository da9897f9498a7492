"""One file per task: its data, its split and its metric, shared by both sides. Each defines ``TASK``."""

from baselines.registry import Registry

TASKS = Registry(__name__, "TASK", "data")

"""Artificial networks and their spiking twins side by side; needs the extra ``spikesim[baselines]``.

`compare` trains both sides of a family on the same task, replays the spiking twin in spikesim's core and
returns one report. A family is one file in `baselines.families`, a task one file in `baselines.tasks`.
"""

from baselines.errors import MissingExtraError, TrainingError
from baselines.plan import Options
from baselines.runner import compare

__all__ = ["MissingExtraError", "Options", "TrainingError", "compare"]

"""What is done to synapses that learn between segments of a run: looking, keeping in balance, pruning and growing."""

from spikesim.upkeep.course import WeightCourse, weight_course
from spikesim.upkeep.homeostasis import scale_to_rate
from spikesim.upkeep.structure import grow, prune, rewire

__all__ = ["WeightCourse", "grow", "prune", "rewire", "scale_to_rate", "weight_course"]

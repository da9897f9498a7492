"""The two engines and what each can run."""

from spikesim.engines.support import support

__all__ = ["support"]

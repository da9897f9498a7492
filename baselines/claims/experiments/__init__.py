"""One file per claim: the experiment that tests it, and the questions put to it. Each defines ``CLAIM``."""

from baselines.registry import Registry

CLAIMS = Registry(__name__, "CLAIM", "claim")

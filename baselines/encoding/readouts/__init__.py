"""Readouts: what learns from encoded spikes. One file each, named after it; each defines ``READOUT``.

See `baselines.encoding.contract`.
"""

from baselines.registry import Registry

READOUTS = Registry(__name__, "READOUT", "classifier")

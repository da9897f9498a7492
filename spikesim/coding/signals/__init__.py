"""Signals from files: sound, pictures, tables, event cameras."""

from spikesim.coding.signals.audio import cochlea, log_mel, read_wav, speech2spikes, unit_range
from spikesim.coding.signals.events import FORMATS, Recording, from_events, read_events
from spikesim.coding.signals.pictures import read_picture
from spikesim.coding.signals.tables import Table, read_table

__all__ = [
    "FORMATS",
    "Recording",
    "Table",
    "cochlea",
    "from_events",
    "log_mel",
    "read_events",
    "read_picture",
    "read_table",
    "read_wav",
    "speech2spikes",
    "unit_range",
]

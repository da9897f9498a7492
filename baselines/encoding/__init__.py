"""The encoding laboratory behind ``spikesim encode``: which spike code suits a signal, with evidence.

`plan` checks what is asked for, `presentation` turns data into spikes with a code, `readouts/` (one file each) learn
from them, `lab` measures, `report` sums up and recommends, `pages` and `figures` show it. Data sets are in `sets/`.
"""

"""What is commonly said of spiking networks, put to the test: the laboratory behind ``spikesim claims``.

`experiments/` holds one file per claim; `sides` what they train on and with, `statistics` the rule of the verdict,
`runner` the loop over claims and seeds, `report` sums up, `pages` and `figures` show it.
"""

"""Benchmarks: our engines and other simulators run in turn on the same networks (``python -m benchmarks --help``).

A benchmark is one file in `benchmarks.cases`, another simulator is one file in `benchmarks.peers`. What they share is a
description of a network that needs nothing but NumPy to read (`benchmarks.exchange`).
"""

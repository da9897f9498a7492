"""Other simulators as fixtures: each runs in an environment of its own, or the test is skipped and says what to do.

The scripts are those of the benchmarks (`benchmarks.peers`), so what is timed there is what is held against us here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikesim import Network, Spikes

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT))  # benchmarks are not installed with the package; the installed package goes first

from benchmarks import exchange
from benchmarks.peers import discover

Oracle = Callable[..., dict[str, Spikes]]


def _oracle(name: str, folder: Path) -> Oracle:
    peer = discover()[name]
    if peer.python is None:
        pytest.skip(peer.missing)
    command = [peer.python, "-m", f"benchmarks.peers.{name}", str(folder / "spec.npz"), str(folder / "out.npz")]

    def run(network: Network, duration: float, dt: float, precise: bool = False) -> dict[str, Spikes]:
        settings: dict[str, Any] = {"duration": duration, "dt": dt, "precise": precise, "seed": 1, "threads": 1}
        exchange.write(folder / "spec.npz", network, record=True, compiled=False, presim=0, **settings)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        with np.load(folder / "out.npz") as data:
            neurons = [p for p in network.populations if not p.is_source]
            arrays = {p.name: (data[f"{p.name}/times"], data[f"{p.name}/ids"], p.size) for p in neurons}
        return {k: Spikes(np.minimum(times, duration), ids, n, duration) for k, (times, ids, n) in arrays.items()}

    return run


@pytest.fixture
def nest(tmp_path: Path) -> Oracle:
    """Run a network in NEST."""
    return _oracle("nest", tmp_path)


@pytest.fixture
def brian2(tmp_path: Path) -> Oracle:
    """Run a network in Brian2."""
    return _oracle("brian2", tmp_path)

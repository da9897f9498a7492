"""Plastic synapses against NEST's, on the same spike trains: the weight that every source spike meets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nest_synapses import STEP
from numpy.typing import NDArray

from spikesim.plasticity import PairSTDP, Plasticity, PowerSTDP, ShortTerm, SymmetricSTDP, TripletSTDP, drive

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.peers import discover

DELAYS = (STEP, 1.0, 4.5)
DURATION = 2000.0


@pytest.fixture
def sent(tmp_path: Path) -> Callable[[list[dict[str, Any]]], list[list[float]]]:
    """What NEST's synapses send, one list of specs at a time."""
    peer = discover()["nest"]
    if peer.python is None:
        pytest.skip(peer.missing)
    python, script = peer.python, Path(__file__).with_name("nest_synapses.py")

    def run(specs: list[dict[str, Any]]) -> list[list[float]]:
        spec, out = tmp_path / "spec.json", tmp_path / "out.json"
        spec.write_text(json.dumps(specs))
        done = subprocess.run(
            [python, script, spec, out], capture_output=True, text=True, env=dict(os.environ), check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(out.read_text())  # type: ignore[no-any-return]

    return run


def trains(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Source and target at about 40 Hz, on the step; a tenth of the target spikes follow a source spike by 1 ms."""
    rng = np.random.default_rng(seed)
    pre, post = (np.unique(rng.integers(8, int(DURATION / STEP), 80)) for _ in range(2))
    return pre * STEP, np.unique(np.concatenate([post, pre[::10] + 8])) * STEP


def pair(mu_plus: float, mu_minus: float) -> tuple[str, dict[str, Any], dict[str, Any], Plasticity]:
    """NEST's weights end at 0; its changes are relative to the largest weight, as ours."""
    theirs = {"lambda": 0.03, "alpha": 1.1, "tau_plus": 15.0, "mu_plus": mu_plus, "mu_minus": mu_minus, "Wmax": 2.0}
    ours = PairSTDP(0.03, 0.033, 15.0, 25.0, mu_plus, mu_minus, w_max=2.0)
    return "stdp_synapse", theirs, {"tau_minus": 25.0}, ours


TRIPLET = {
    "Aplus": 0.01, "Aplus_triplet": 0.02, "Aminus": 0.015, "Aminus_triplet": 0.01, "tau_plus": 15.0,
    "tau_plus_triplet": 80.0, "Wmax": 2.0,
}  # fmt: skip
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], Plasticity]] = {
    "additive": pair(0.0, 0.0),
    "multiplicative": pair(1.0, 1.0),
    "guetig": pair(0.4, 0.4),
    "van rossum": pair(0.0, 1.0),
    "triplet": (
        "stdp_triplet_synapse", TRIPLET, {"tau_minus": 25.0, "tau_minus_triplet": 110.0},
        TripletSTDP(0.01, 0.02, 0.015, 0.01, 15.0, 25.0, 80.0, 110.0, w_max=2.0),
    ),
    "power": (
        "stdp_pl_synapse_hom", {"lambda": 0.05, "alpha": 0.11, "mu": 0.4, "tau_plus": 15.0}, {"tau_minus": 25.0},
        PowerSTDP(0.05, 0.11, 0.4, 1.0, 15.0, 25.0),
    ),
    "symmetric": (
        "vogels_sprekeler_synapse", {"eta": 0.02, "alpha": 0.5, "tau": 20.0, "Wmax": 5.0}, {"tau_minus": 20.0},
        SymmetricSTDP(0.02, 0.5, 20.0, w_max=5.0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_weight_is_nests(sent, name: str) -> None:
    model, parameters, target, rule = CASES[name]
    specs, ours = [], []
    for seed, delay in enumerate(DELAYS):
        pre, post = trains(seed)
        specs.append(
            {
                "model": model, "parameters": parameters, "target": target, "weight": 0.7, "delay": delay,
                "pre": pre.tolist(), "post": post.tolist(),
            }
        )  # fmt: skip
        ours.append(drive(rule, pre, post, 0.7, dendritic=delay)[:-1])
    for mine, theirs, delay in zip(ours, sent(specs), DELAYS, strict=True):
        assert np.ptp(mine) > 0.1, "a weight that stays proves nothing"
        np.testing.assert_allclose(mine, theirs, rtol=0.0, atol=1e-9, err_msg=f"delay {delay} ms")


@pytest.mark.parametrize("rule", [ShortTerm(0.5, 800.0), ShortTerm(0.1, 100.0, 1000.0), ShortTerm(0.9, 50.0, 20.0)])
def test_every_release_is_nests(sent, rule: ShortTerm) -> None:
    pre, _ = trains(5)
    rested = {"u": rule.U, "x": 1.0}  # as at a first spike
    spec = {
        "model": "tsodyks2_synapse", "weight": 3.0, "delay": 1.0, "target": {}, "pre": pre.tolist(), "post": [],
        "parameters": {"U": rule.U, "tau_rec": rule.tau_rec, "tau_fac": rule.tau_fac, **rested},
    }  # fmt: skip
    ours = 3.0 * rule.respond(pre)
    assert np.ptp(ours) > 0.1, "a release that stays proves nothing"
    np.testing.assert_allclose(ours, sent([spec])[0], rtol=0.0, atol=1e-9)

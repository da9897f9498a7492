"""Fixtures shared by all tests, and the fixed Hypothesis profile."""

import os
import sys
from pathlib import Path

WORKER = os.environ.get("PYTEST_XDIST_WORKER")
if WORKER:  # pytest -n: no two processes write to one cache of kernels, and none takes the other's processor
    base = os.environ.get("SPIKESIM_CACHE") or Path.home() / ".cache" / "spikesim-tests"
    os.environ["SPIKESIM_CACHE"] = str(Path(base) / WORKER)
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

import spikesim as ss  # noqa: E402

settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("fixed")


@pytest.fixture(params=["event", "grid"])
def engine(request):
    """Each engine in turn."""
    return request.param


@pytest.fixture(autouse=True)
def same_weights():
    """A network built without a seed starts the same, whichever tests ran before in the process."""
    if "torch" in sys.modules:  # the core is tested without it too
        sys.modules["torch"].manual_seed(20240229)


@pytest.fixture
def rng():
    """A generator that gives every test the same numbers."""
    return np.random.default_rng(20240229)


@pytest.fixture(scope="session")
def data_dir():
    """Folder of the data sets; tests that need it are skipped where there is none."""
    folder = Path(os.environ.get("SPIKESIM_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no data sets in {folder}; set SPIKESIM_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def driven():
    """Build a network of one population "out" and given events, which arrive at exactly the times given.

    ``driven(neuron, {"syn": [(time, weight), …]}, size=1, **population_fields)``: every event reaches all neurons.
    """

    def build(neuron, events=None, size=1, **fields):
        out = ss.Population("out", size, neuron, **fields)
        populations, projections = [out], []
        for receptor, pairs in (events or {}).items():
            times, weights = np.array(pairs, dtype=float).T
            k = len(times)
            source = ss.Population(f"to_{receptor}", k, ss.SpikeSource(ss.Spikes(times, range(k), k, times.max())))
            rule = ss.Pairwise(np.repeat(np.arange(k), size), np.tile(np.arange(size), k))
            projections.append(ss.Projection(source, out, rule, np.repeat(weights, size), 0.0, receptor))
            populations.append(source)
        return ss.Network(populations, projections)

    return build

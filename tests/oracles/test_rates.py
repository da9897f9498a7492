"""Rates of networks whose random numbers are each simulator's own: what the benchmarks give to rivals is the same."""

from __future__ import annotations

import numpy as np
import pytest

import spikesim as ss
from spikesim.connectivity import Rounded
from spikesim.plasticity import PairSTDP

DURATION, DT, N = 400.0, 0.1, 300
TIMES = [0.0, 200.0]


def neuron() -> ss.Neuron:
    return ss.Neuron(ss.LIF(20.0, 0.0, 250.0), ss.Exponential(5.0), ss.FixedThreshold(15.0))


def driven(*inputs) -> ss.Network:
    return ss.Network([ss.Population("cells", N, neuron(), inputs=inputs)])


def relayed() -> ss.Network:
    """Sources of changing rate onto one neuron each."""
    source = ss.Population("source", N, ss.PoissonSource(ss.Steps([20.0, 200.0], [2500.0, 3000.0])))
    cells = ss.Population("cells", N, neuron())
    return ss.Network([source, cells], [ss.Projection(source, cells, ss.OneToOne(), weight=18.0, delay=0.5)])


def drawn() -> ss.Network:
    """Total numbers of synapses, and distributions of weights, delays and initial potentials."""
    drive = ss.PoissonInput(8000.0, 6.0)
    exc, inh = (
        ss.Population(name, n, neuron(), {"v": ss.Normal(5.0, 5.0)}, drive) for name, n in (("exc", N), ("inh", N // 4))
    )
    weights = {exc: ss.Normal(6.0, 1.0, low=0.0), inh: ss.Normal(-30.0, 3.0, high=0.0)}
    synapses = [
        ss.Projection(a, b, ss.FixedTotalNumber(30 * b.size), w, Rounded(ss.Normal(1.5, 0.75, low=0.1), 0.1))
        for a, w in weights.items()
        for b in (exc, inh)
    ]
    return ss.Network([exc, inh], synapses)


def paired() -> ss.Network:
    """Given pairs whose weights and delays are drawn."""
    rng = np.random.default_rng(1)
    cells = ss.Population("cells", N, neuron(), inputs=ss.PoissonInput(9000.0, 6.0))
    pairs = ss.Pairwise(rng.integers(0, N, 20 * N), rng.integers(0, N, 20 * N))
    return ss.Network(
        [cells], [ss.Projection(cells, cells, pairs, ss.Normal(-8.0, 2.0, high=0.0), ss.Normal(1.5, 0.75, low=0.1))]
    )


def conducting() -> ss.Network:
    receptors = {"exc": ss.ExponentialConductance(5.0, 70.0), "inh": ss.ExponentialConductance(10.0, -10.0)}
    model = ss.Neuron(ss.LIF(20.0, 0.0, 250.0), receptors, ss.FixedThreshold(15.0), t_ref=2.0)
    source = ss.Population("source", N, ss.PoissonSource(800.0))
    cells = ss.Population("cells", N, model)
    synapses = [
        ss.Projection(source, cells, ss.OneToOne(), weight=1.6, delay=0.5, receptor="exc"),
        ss.Projection(cells, cells, ss.FixedIndegree(20), weight=0.6, delay=1.0, receptor="inh"),
    ]
    return ss.Network([source, cells], synapses)


EACH = [np.linspace(200.0, 250.0, N), np.linspace(250.0, 300.0, N)]


def learning(**rule: float) -> ss.Network:
    """Synapses of which the plastic ones have a say in the rate."""
    cells = ss.Population("cells", N, neuron(), inputs=ss.PoissonInput(6500.0, 6.0))
    stdp = PairSTDP(mu_plus=1.0, mu_minus=1.0, w_max=12.0, **rule)
    synapses = ss.Projection(cells, cells, ss.FixedIndegree(50), 4.0, 1.5, plasticity=stdp)
    return ss.Network([cells], [synapses])


WAVE = ss.Steps(TIMES, [210.0, 260.0])
pytestmark = pytest.mark.filterwarnings("ignore:grid engine. times rounded")
NETWORKS = {
    "Poisson input of changing rate": driven(ss.PoissonInput(ss.Steps(TIMES, [7500.0, 9000.0]), 6.0)),
    "sources of changing rate": relayed(),
    "current changing for all": driven(ss.Current(WAVE)),
    "current changing for each": driven(ss.Current(ss.Steps(TIMES, EACH))),
    "noise current": driven(ss.NoiseCurrent(200.0, 300.0, dt=0.5)),
    "distributions": drawn(),
    "given pairs": paired(),
    "conductances": conducting(),
}


def halves(spikes: dict[str, ss.Spikes]) -> dict[str, list[float]]:
    """Mean rate (Hz) of each population in the two halves of the run."""
    edges = [0.0, DURATION / 2, DURATION]
    return {n: list(np.histogram(s.times, edges)[0] / s.n / DURATION * 2e3) for n, s in spikes.items()}


def compare(oracle, name: str) -> None:
    network = NETWORKS[name]
    ours = halves(ss.simulate(network, DURATION, engine="grid", dt=DT, seed=3).spikes)
    theirs = halves(oracle(network, DURATION, DT))
    assert all(rate > 3.0 for rates in theirs.values() for rate in rates)
    for population, rates in theirs.items():
        np.testing.assert_allclose(ours[population], rates, rtol=0.08)


@pytest.mark.parametrize("name", NETWORKS)
def test_nest_fires_as_we_do(nest, name):
    compare(nest, name)


@pytest.mark.parametrize("name", NETWORKS)
def test_brian2_fires_as_we_do(brian2, name):
    compare(brian2, name)


@pytest.mark.parametrize("simulator", ["nest", "brian2"])
def test_plastic_synapses_raise_the_rate_as_ours_do(simulator, request):
    fixed, growing = learning(a_plus=1e-9, a_minus=0.0), learning(a_plus=0.2, a_minus=0.05)
    before, ours = (
        halves(ss.simulate(n, DURATION, engine="event", seed=3).spikes)["cells"][1] for n in (fixed, growing)
    )
    theirs = halves(request.getfixturevalue(simulator)(growing, DURATION, DT))["cells"][1]
    assert ours > 1.5 * before
    assert theirs == pytest.approx(ours, rel=0.05)


def test_nest_runs_the_microcircuit_of_the_zoo(nest):
    network = ss.zoo.build("microcircuit", scale=0.03)
    ours, theirs = ss.simulate(network, DURATION, engine="grid", seed=3).spikes, nest(network, DURATION, DT)
    assert sum(map(len, theirs.values())) == pytest.approx(sum(map(len, ours.values())), rel=0.15)

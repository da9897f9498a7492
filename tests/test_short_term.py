"""Short-term plasticity against its definition, closed forms, and itself however a run is split."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spikesim import (
    IF,
    LIF,
    AllToAll,
    Exponential,
    FixedProbability,
    FixedThreshold,
    Network,
    Neuron,
    Normal,
    PoissonInput,
    PoissonSource,
    Population,
    Projection,
    Simulation,
    Spikes,
    SpikeSource,
)
from spikesim.errors import ParameterError, UnsupportedError
from spikesim.plasticity import PairSTDP, ShortTerm

DEPRESSING = ShortTerm(U=0.5, tau_rec=800.0)
FACILITATING = ShortTerm(U=0.1, tau_rec=100.0, tau_fac=1000.0)


def reference(rule: ShortTerm, times: list[float]) -> list[float]:
    """The definition, written without regard to speed."""
    u, x, last, found = 0.0, 1.0, -math.inf, []
    for t in times:
        x = 1.0 - (1.0 - x) * math.exp(-(t - last) / rule.tau_rec) if last > -math.inf else 1.0
        u = u * math.exp(-(t - last) / rule.tau_fac) if rule.tau_fac and last > -math.inf else 0.0
        u += rule.U * (1.0 - u)
        found.append(u * x)
        x -= u * x
        last = t
    return found


@pytest.mark.parametrize("rule", [DEPRESSING, FACILITATING, ShortTerm(U=1.0, tau_rec=50.0, tau_fac=30.0)])
def test_random_trains_follow_the_definition(rule: ShortTerm) -> None:
    times = np.sort(np.random.default_rng(1).uniform(0.0, 5000.0, 200))
    assert rule.respond(times) == pytest.approx(reference(rule, times.tolist()), rel=1e-12)


def test_steady_state_of_a_regular_train() -> None:
    decay = math.exp(-50.0 / 800.0)
    assert DEPRESSING.respond(np.arange(400) * 50.0)[-1] == pytest.approx(
        0.5 * (1.0 - decay) / (1.0 - 0.5 * decay), rel=1e-12
    )
    assert (np.diff(FACILITATING.respond(np.arange(4) * 20.0)) > 0.0).all()


@pytest.mark.parametrize("weight", [2.0, np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])])
def test_a_neuron_gets_what_is_released(weight: object) -> None:
    rng = np.random.default_rng(2)
    trains = [np.sort(rng.uniform(0.0, 300.0, 20)) for _ in range(3)]
    source = Population("source", 3, SpikeSource(Spikes.from_trains(trains, 300.0)))
    cell = Population("cell", 2, Neuron(IF(), threshold=FixedThreshold(1e6)))
    synapses = Projection(source, cell, AllToAll(), weight, 1.5, short_term=FACILITATING)
    simulation = Simulation(Network([source, cell], [synapses])).run(310.0)
    pre, post, size = simulation.weights("source->cell")
    expected = np.zeros(2)
    for i, j, w in zip(pre, post, size, strict=True):
        expected[j] += w * sum(reference(FACILITATING, trains[i].tolist()))
    assert simulation.state("cell", "v") == pytest.approx(expected, rel=1e-12)


def network() -> Network:
    """Recurrent neurons and a source, most synapses of them short-term plastic; sparse, so that shards differ."""
    model = Neuron(LIF(tau_m=10.0), {"d": Exponential(3.0)}, t_ref=2.0)
    cells = Population("cells", 40, model, inputs=PoissonInput(2000.0, 80.0))
    source = Population("source", 30, PoissonSource(40.0))
    return Network(
        [cells, source],
        [
            Projection(source, cells, FixedProbability(0.1), Normal(150.0, 20.0), 1.0, short_term=DEPRESSING),
            Projection(cells, cells, FixedProbability(0.1), 200.0, 2.0, short_term=FACILITATING),
            Projection(source, cells, FixedProbability(0.1), 20.0, 1.0, name="plain"),
        ],
    )


def same(one: Simulation, other: Simulation) -> None:
    """Bit by bit."""
    ours, theirs = (s.result().spikes["cells"] for s in (one, other))
    for a, b in zip(*((x if isinstance(x, tuple) else (x,)) for x in (ours, theirs)), strict=True):
        assert len(a) > 50 and np.array_equal(a.times, b.times) and np.array_equal(a.ids, b.ids)


@pytest.mark.parametrize("batch", [1, 3])
def test_splits_threads_and_files_change_nothing(batch: int, tmp_path: Path) -> None:
    whole = Simulation(network(), seed=1, batch=batch).run(300.0)
    parts = Simulation(network(), seed=1, batch=batch, threads=3).run(60.3).run(90.0)
    parts.save(tmp_path / "half.h5")
    again = Simulation.load(tmp_path / "half.h5", threads=2)
    for simulation in (parts, again):
        same(whole, simulation.run(300.0 - simulation.time))


def made(**given: object) -> Projection:
    """A projection with short-term plasticity and whatever is asked for."""
    cells = Population("cells", 5, Neuron(LIF()))
    return Projection(cells, cells, FixedProbability(0.5), **{"weight": 0.5, "short_term": DEPRESSING, **given})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ShortTerm(U=1.5), "ShortTerm.U: must be <= 1, got 1.5"),
        (lambda: ShortTerm(tau_rec=0.0), "ShortTerm.tau_rec: must be > 0 ms, got 0.0"),
        (lambda: made(short_term=0.5), "short_term must be ShortTerm(…), got 0.5"),
        (lambda: made(plasticity=PairSTDP()), "short_term and plasticity cannot act on the same synapses"),
        (lambda: made(delay=Normal(2.0, 0.1, low=1.0)), "with short_term, the delay must be one number"),
        (lambda: DEPRESSING.respond([2.0, 1.0]), "ShortTerm.respond: times must be ascending"),
    ],
)
def test_bad_input_is_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        make()
    assert message in str(error.value)


def test_the_grid_engine_says_that_it_cannot() -> None:
    with pytest.raises(UnsupportedError, match="short_term needs engine='event'"):
        Simulation(network(), engine="grid")

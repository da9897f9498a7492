"""Short-term plasticity against its definition, closed forms, and itself however a run is split."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikesim import (
    IF,
    LIF,
    AllToAll,
    Delta,
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
from spikesim.errors import ParameterError
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


def on_grid(seed: int, sources: int = 3) -> list[NDArray[np.float64]]:
    """Trains on a grid of 0.1 ms, one spike with a double."""
    steps = np.random.default_rng(seed).integers(0, 3000, (sources, 20))
    return [0.1 * np.sort(np.append(train, train[0])) for train in steps]


def driven(trains: list[Spikes] | Spikes, weight: object, rule: ShortTerm, size: int = 2) -> Network:
    """Neurons that add up what arrives and never fire."""
    source = Population("source", 3, SpikeSource(trains))
    cell = Population("cell", size, Neuron(IF(), threshold=FixedThreshold(1e9)))
    return Network([source, cell], [Projection(source, cell, AllToAll(), weight, 1.5, name="p", short_term=rule)])


def totals(simulation: Simulation, rule: ShortTerm, trains: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """What the neurons of `driven` have got in the end."""
    pre, post, weight = simulation.weights("p")
    found = np.zeros(simulation.network["cell"].size)
    np.add.at(found, post, weight * np.array([sum(rule.respond(train)) for train in trains])[pre])
    return found


WEIGHTS = {
    "common": 2.0,
    "float32": np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    "float64": np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
    "drawn": Normal(2.0, 0.1),
}


@pytest.mark.parametrize("rule", [DEPRESSING, FACILITATING])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_neuron_gets_what_is_released(weight: str, rule: ShortTerm, engine: str) -> None:
    trains = on_grid(2)
    simulation = Simulation(driven(Spikes.from_trains(trains, 300.0), WEIGHTS[weight], rule), engine=engine)
    expected = totals(simulation.run(310.0), rule, trains)
    assert simulation.state("cell", "v") == pytest.approx(expected, rel=1e-12)
    assert simulation.counts().synaptic_events["p"] == 3 * 21 * 2


def test_every_stimulus_has_synapses_of_its_own(engine: str) -> None:
    batch = [on_grid(seed) for seed in range(3)]
    given = [Spikes.from_trains(trains, 300.0) for trains in batch]
    simulation = Simulation(driven(given, WEIGHTS["float64"], FACILITATING), engine=engine, batch=3, threads=2)
    simulation.run(310.0)
    for v, trains in zip(simulation.state("cell", "v"), batch, strict=True):
        assert v == pytest.approx(totals(simulation, FACILITATING, trains), rel=1e-12)


def test_both_engines_release_the_same_at_every_instant() -> None:
    """Currents and potentials, through two receptors and beside synapses that are never used up."""
    trains = Spikes.from_trains(on_grid(3), 300.0)
    source = Population("source", 3, SpikeSource(trains))
    model = Neuron(LIF(), {"e": Exponential(3.0), "d": Delta()}, threshold=FixedThreshold(1e6))
    cell = Population("cell", 4, model)
    links = [
        Projection(source, cell, AllToAll(), 30.0, 1.5, "e", "depressing", short_term=DEPRESSING),
        Projection(source, cell, AllToAll(), Normal(30.0, 1.0), 0.7, "e", "facilitating", short_term=FACILITATING),
        Projection(source, cell, AllToAll(), 0.3, 1.5, "d", "jumping", short_term=DEPRESSING),
        Projection(source, cell, AllToAll(), 20.0, 1.5, "e", "plain"),
    ]
    runs = [Simulation(Network([source, cell], links), engine=engine) for engine in ("event", "grid")]
    for _ in range(10):
        for variable in ("v", "i_e"):
            one, other = (run.state("cell", variable) for run in runs)
            assert one == pytest.approx(other, rel=1e-9, abs=1e-9)
        for run in runs:
            run.run(31.0)
    assert runs[0].counts().synaptic_events == runs[1].counts().synaptic_events


@pytest.mark.parametrize("weight", WEIGHTS)
def test_pauses_leave_synapses_alone_and_factors_do_not(weight: str, engine: str, tmp_path: Path) -> None:
    """Spikes of 100 … 150 ms come in a pause, those of 150 … 200 ms with a factor of 0, later ones with one of -2."""
    trains = on_grid(4)
    given = Spikes.from_trains(trains, 300.0)
    simulation = Simulation(driven(given, WEIGHTS[weight], DEPRESSING), engine=engine, threads=2).run(100.02)
    simulation.pause("p")
    simulation.save(tmp_path / "paused.h5")
    simulation = Simulation.load(tmp_path / "paused.h5", threads=1).run(50.0)
    simulation.resume("p")
    simulation.scale_weights("p", 0.0)
    simulation.save(tmp_path / "silent.h5")
    simulation = Simulation.load(tmp_path / "silent.h5", threads=2).run(50.0)
    simulation.scale_weights("p", -2.0)
    simulation.run(310.0 - simulation.time)
    pre, post, size = simulation.weights("p")
    expected, heard = np.zeros(2), 0
    for i, j, w in zip(pre, post, size, strict=True):
        come = trains[i] + 1.5
        met = come[(come < 100.02) | (come > 150.02)]
        heard += len(met)
        factor = np.where(met < 100.02, -0.5, np.where(met < 200.02, 0.0, 1.0))  # weights are those at the end
        expected[j] += w * sum(factor * reference(DEPRESSING, met.tolist()))
    assert simulation.state("cell", "v") == pytest.approx(expected, rel=1e-9)
    assert simulation.counts().synaptic_events["p"] == heard


def test_more_targets_than_a_row_reaches(tmp_path: Path) -> None:
    trains = on_grid(5)
    net = driven(Spikes.from_trains(trains, 300.0), 0.5, FACILITATING, 70_000)
    Simulation(net, engine="grid").run(150.0).save(tmp_path / "half.h5")
    for threads in (1, 2):
        simulation = Simulation.load(tmp_path / "half.h5", threads=threads).run(160.0)
        expected = 0.5 * sum(sum(FACILITATING.respond(train)) for train in trains)
        assert simulation.state("cell", "v") == pytest.approx(np.full(70_000, expected), rel=1e-12)


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
def test_splits_threads_and_files_change_nothing(batch: int, engine: str, tmp_path: Path) -> None:
    whole = Simulation(network(), engine=engine, seed=1, batch=batch).run(300.0)
    parts = Simulation(network(), engine=engine, seed=1, batch=batch, threads=3).run(60.3).run(90.0)
    parts.save(tmp_path / "half.h5")
    again = Simulation.load(tmp_path / "half.h5", threads=2)
    for simulation in (parts, again):
        same(whole, simulation.run(300.0 - simulation.time))


def digits(engine: str) -> str:
    """Some potentials, exactly."""
    simulation = Simulation(network(), engine=engine, seed=1).run(20.0)
    return " ".join(v.hex() for v in simulation.state("cells", "v"))


def test_interpreted_equals_compiled(engine: str) -> None:
    code = f"import test_short_term as t, spikesim._jit as j; assert not j.COMPILED; print(t.digits({engine!r}))"
    tests = Path(__file__).parent
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)]), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digits(engine)


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

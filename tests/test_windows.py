"""Windows of delta neurons: however a run is cut, saved or threaded, the same spikes and states, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from spikesim import (
    IF,
    LIF,
    AdaptiveThreshold,
    Current,
    Delta,
    FixedIndegree,
    FixedProbability,
    Network,
    Neuron,
    PoissonInput,
    Population,
    Projection,
    Record,
    ResetBySubtraction,
    ResetTo,
    Simulation,
    Spikes,
    SpikeSource,
    Steps,
    Uniform,
)
from spikesim.engines.delta import DeltaShard

MODELS = {
    "plain": Neuron(LIF(tau_m=20.0), t_ref=2.0),
    "no refractoriness": Neuron(LIF(tau_m=10.0), reset=ResetBySubtraction(20.0)),
    "fires by itself": Neuron(LIF(tau_m=20.0, v_rest=21.0), t_ref=1.3),
    "integrator": Neuron(IF(c_m=100.0), t_ref=0.5),
    "adaptive": Neuron(LIF(tau_m=15.0), threshold=AdaptiveThreshold(v_th=15.0, jump=2.0, tau_theta=30.0), t_ref=1.0),
    "late reset": Neuron(LIF(tau_m=20.0), reset=ResetTo(0.0, lag=0.7)),
    "two receptors": Neuron(LIF(tau_m=20.0), synapses={"a": Delta(), "b": Delta()}, t_ref=2.0),
}


def network(model: Neuron, n: int = 60, rate: object = 4000.0, delay: float = 1.5) -> Network:
    """A small recurrent network with private input and given spikes, some of them at ends of windows and cells."""
    rng = np.random.default_rng(3)
    times = np.concatenate([rng.uniform(0.0, 60.0, 40), np.arange(0.0, 60.0, 0.125)[:200]])
    source = Population("given", 5, SpikeSource(Spikes(np.sort(times), rng.integers(0, 5, len(times)), 5, 60.0)))
    receptors = list(model.receptors)
    drive = [PoissonInput(rate, 0.9, receptor=receptors[0]), PoissonInput(900.0, -0.8, receptor=receptors[-1])]
    exc = Population("exc", n, model, inputs=drive, initial={"v": Uniform(0.0, 19.0)})
    inh = Population("inh", n // 4, model, inputs=[*drive, Current(Steps([0.0, 7.3, 20.2], [0.0, 40.0, -10.0]))])
    projections = [
        Projection(exc, exc, FixedProbability(0.2), weight=0.5, delay=delay, receptor=receptors[0]),
        Projection(exc, inh, FixedProbability(0.3), weight=Uniform(0.1, 0.9), delay=delay, receptor=receptors[0]),
        Projection(inh, exc, FixedIndegree(5), weight=-1.5, delay=2.25, receptor=receptors[-1]),
        Projection(source, exc, FixedProbability(0.5), weight=1.5, delay=0.0, receptor=receptors[0]),
    ]
    return Network([source, exc, inh], projections)


def outcome(simulation: Simulation) -> list[np.ndarray]:
    """Spikes, potentials and counts."""
    result = simulation.result()
    found = [x for p in ("exc", "inh") for x in (result.spikes[p].times, result.spikes[p].ids)]
    found += [simulation.state(p, "v") for p in ("exc", "inh")]
    counts = result.counts
    return [
        *found,
        np.array([*counts.synaptic_events.values(), *counts.neuron_updates.values(), *counts.inputs.values()]),
    ]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    """Bit by bit."""
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("name", MODELS)
def test_any_split_gives_the_same_bits(name: str) -> None:
    whole = Simulation(network(MODELS[name]), engine="event", seed=5).run(31.0)
    assert any(isinstance(s, DeltaShard) for shards in whole._run.shards.values() for s in shards)
    parts = Simulation(network(MODELS[name]), engine="event", seed=5)
    for piece in (0.01, 0.3, 0.125, 1.0, 2.565, 10.0 / 3.0, 0.001, 7.0, 4.2):
        parts.run(piece)
    parts.run(31.0 - parts.time)
    assert len(outcome(whole)[0]) > 100
    same(outcome(whole), outcome(parts))


@pytest.mark.parametrize("name", MODELS)
def test_threads_give_the_same_bits(name: str) -> None:
    one = Simulation(network(MODELS[name]), engine="event", seed=6).run(20.3)
    three = Simulation(network(MODELS[name]), engine="event", seed=6, threads=3).run(20.3)
    same(outcome(one), outcome(three))


@pytest.mark.parametrize("at", [0.6, 7.0, 11.3])
def test_saved_inside_a_window(at: float, tmp_path) -> None:
    whole = Simulation(network(MODELS["plain"]), engine="event", seed=7).run(22.2)
    first = Simulation(network(MODELS["plain"]), engine="event", seed=7).run(at)
    before = outcome(first)
    first.save(tmp_path / "saved.h5")
    same(before, outcome(first))
    second = Simulation.load(tmp_path / "saved.h5", threads=2)
    same(before, outcome(second))
    same(outcome(whole), outcome(second.run(22.2 - at)))
    same(outcome(whole), outcome(first.run(22.2 - at)))


def test_recording_states_changes_nothing() -> None:
    plain = Simulation(network(MODELS["adaptive"]), engine="event", seed=8).run(15.0)
    record = Record(states={"exc": ["v", "theta"]}, interval=0.3)
    recorded = Simulation(network(MODELS["adaptive"]), engine="event", seed=8, record=record).run(15.0)
    same(outcome(plain), outcome(recorded))
    table = recorded.result().states["exc"]["v"]
    other = Simulation(network(MODELS["adaptive"]), engine="event", seed=8).run(14.1)
    assert np.array_equal(other.state("exc", "v"), table[47])


@pytest.mark.parametrize("change", ["pause", "scale", "state"])
def test_changes_inside_a_window_hold_from_then_on(change: str) -> None:
    def run(cuts: list[float], end: float) -> Simulation:
        simulation = Simulation(network(MODELS["plain"]), engine="event", seed=9)
        for cut in cuts:
            simulation.run(cut - simulation.time)
        if change == "pause":
            simulation.pause("exc->exc")
        elif change == "scale":
            simulation.scale_weights("exc->exc", 3.0)
        else:
            simulation.set_state("exc", "v", 5.0)
        return simulation.run(end - simulation.time)

    before = Simulation(network(MODELS["plain"]), engine="event", seed=9).run(10.3)
    one, other = run([10.3], 20.0), run([3.3, 10.1, 10.3], 20.0)
    same(outcome(one), outcome(other))
    times = one.result().spikes["exc"].times
    assert np.array_equal(times[times <= 10.3], before.result().spikes["exc"].times)
    assert not np.array_equal(
        outcome(one)[0], outcome(Simulation(network(MODELS["plain"]), engine="event", seed=9).run(20.0))[0]
    )


def test_a_rate_that_changes_in_time() -> None:
    rate = Steps([0.0, 5.1, 9.9], [6000.0, 0.0, 12000.0])
    whole = Simulation(network(MODELS["plain"], rate=rate), engine="event", seed=5).run(20.0)
    parts = Simulation(network(MODELS["plain"], rate=rate), engine="event", seed=5).run(5.2).run(14.8)
    same(outcome(whole), outcome(parts))


@pytest.mark.parametrize("delay", [0.3, 1.0, 12.0])
def test_dense_and_sparse_windows_agree(delay: float, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for dense in (0, 10**9):
        monkeypatch.setattr("spikesim.engines.delta.DENSE", dense)
        found.append(outcome(Simulation(network(MODELS["plain"], delay=delay), engine="event", seed=4).run(30.0)))
    same(*found)

"""What drives a network: Poisson input and sources, given and regular trains, currents; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import spikesim as ss
from spikesim.errors import ParameterError, UnsupportedError

COUNTER = ss.Neuron(ss.IF(), {"a": ss.Delta(), "b": ss.Delta()}, ss.FixedThreshold(1e12))  # v adds up what arrives


def arrived(inputs, size, duration, engine, seed=1, parts=(), **options):
    """Sum of the weights that each neuron got, (n,) or (batch, n)."""
    cells = ss.Population("cells", size, COUNTER, inputs=inputs)
    sim = ss.Simulation(ss.Network([cells]), engine=engine, seed=seed, **options)
    for part in parts or (duration,):
        sim.run(part)
    return sim.state("cells", "v"), sim


def within(counts, mean, sigmas=4.5):
    """Whether independent Poisson counts have their mean and variance, each within some standard errors."""
    counts, n = np.asarray(counts, dtype=float).ravel(), np.size(counts)
    assert abs(counts.mean() - mean) < sigmas * np.sqrt(mean / n), counts.mean()
    assert abs(counts.var(ddof=1) - mean) < sigmas * mean * np.sqrt((2 + 1 / mean) / n), counts.var()


# ---------------------------------------------------------------- Poisson input


def test_constant_poisson_input_has_mean_and_variance(engine):
    v, sim = arrived(ss.PoissonInput(400.0, 1.0), 600, 50.0, engine)
    within(v, 20.0)
    assert sim.counts().inputs == {"cells": v.sum()}


def test_stepped_poisson_input_follows_the_steps(engine):
    rate = ss.Steps([5.0, 15.0, 30.0], [2000.0, 0.0, 500.0])
    cells = ss.Population("cells", 500, COUNTER, inputs=ss.PoissonInput(rate, 1.0))
    sim, seen, before = ss.Simulation(ss.Network([cells]), engine=engine, seed=2), [], 0.0
    for duration in (5.0, 10.0, 15.0, 20.0):
        now = sim.run(duration).state("cells", "v")
        seen.append(now - before)
        before = now
    assert not seen[0].any() and not seen[2].any()
    within(seen[1], 20.0)
    within(seen[3], 10.0)


def test_rates_and_weights_per_target(engine):
    rates = np.repeat([0.0, 100.0, 1000.0], 200)
    v, _ = arrived(ss.PoissonInput(rates, np.where(rates > 500, -2.0, 0.5)), 600, 60.0, engine)
    assert not v[:200].any()
    within(v[200:400] / 0.5, 6.0)
    within(v[400:] / -2.0, 60.0)


def test_rates_per_stimulus_of_a_batch(engine):
    rates = np.array([[100.0], [800.0]]) * np.ones(300)
    v, _ = arrived(ss.PoissonInput(rates, 1.0), 300, 40.0, engine, batch=2, threads=2)
    within(v[0], 4.0)
    within(v[1], 32.0)
    with pytest.raises(ParameterError, match=r"Population 'cells': rate has 2 stimuli, batch is 3"):
        arrived(ss.PoissonInput(rates, 1.0), 300, 40.0, engine, batch=3)


def test_trains_are_independent_and_the_seed_decides(engine):
    def counts(seed, *more, **options):
        return arrived([ss.PoissonInput(500.0, 1.0), *more], 400, 40.0, engine, seed, **options)[0]

    first, second = counts(1), counts(2)
    assert np.array_equal(first, counts(1, parts=(7.0, 0.5, 32.5))) and np.array_equal(first, counts(1, threads=3))
    for a, b in ((first, second), (first[:-1], first[1:])):
        assert abs(stats.pearsonr(a, b).statistic) < 4.5 / np.sqrt(len(a))
    extra = counts(1, ss.PoissonInput(500.0, 1.0)) - first  # a second input leaves the first as it was
    within(extra, 20.0)
    assert abs(stats.pearsonr(first, extra).statistic) < 4.5 / 20.0


def test_receptors_of_inputs(engine):
    neuron = ss.Neuron(ss.IF(c_m=1.0), {"fast": ss.Delta(), "slow": ss.Exponential(1e9)}, ss.FixedThreshold(1e12))
    for receptor, where in ((None, "v"), ("fast", "v"), ("slow", "i_slow")):
        cells = ss.Population("cells", 50, neuron, inputs=ss.PoissonInput(1000.0, 1.0, receptor))
        sim = ss.Simulation(ss.Network([cells]), engine=engine).run(20.0)
        assert sim.state("cells", where).sum() == pytest.approx(sim.counts().inputs["cells"], rel=1e-6)
        assert (sim.state("cells", "i_slow").sum() > 0) == (where == "i_slow")


# ---------------------------------------------------------------- sources


def emitted(model, size, duration, engine, **options):
    return ss.simulate(ss.Network([ss.Population("in", size, model)]), duration, engine=engine, **options).spikes["in"]


def test_poisson_source_has_independent_exponential_intervals(engine):
    spikes = emitted(ss.PoissonSource(50.0), 200, 400.0, engine, dt=0.02)
    within(spikes.counts(), 20.0)
    intervals = np.concatenate([np.diff(train) for train in spikes.trains()])
    assert intervals.std() / intervals.mean() == pytest.approx(0.95, abs=0.06)  # long ones do not fit the window
    phases = spikes.times % 1.0 if engine == "event" else np.rint(spikes.times / 0.02) % 50 / 50 + 0.01
    assert stats.kstest(phases, "uniform").pvalue > 1e-3


def test_poisson_source_with_steps_and_rates_per_element(engine):
    rates = np.array([[100.0, 400.0, 0.0], [0.0, 800.0, 200.0]]).repeat(100, axis=1)
    spikes = emitted(ss.PoissonSource(ss.Steps([10.0, 60.0], rates)), 300, 100.0, engine)
    early, late = spikes.window(0.0, 60.001), spikes.window(60.001, 100.0)
    assert spikes.times.min() > 10.0
    for counts, means in ((early.counts(), (5.0, 20.0, 0.0)), (late.counts(), (0.0, 32.0, 8.0))):
        for part, mean in zip(np.split(counts, 3), means, strict=True):
            within(part, mean) if mean else None
            assert part.any() == (mean > 0)


def test_given_spikes_come_out_as_they_went_in(engine):
    spikes = ss.Spikes([0.0, 0.26, 1.0, 1.0, 3.14159, 20.0], [1, 0, 0, 2, 1, 1], 3, 25.0)
    found = emitted(ss.SpikeSource(spikes), 3, 20.0, engine)
    expected = spikes.times if engine == "event" else np.rint(spikes.times / 0.1) * 0.1
    assert found.ids.tolist() == spikes.ids.tolist()
    np.testing.assert_allclose(found.times, expected, rtol=0, atol=0 if engine == "event" else 1e-12)
    assert len(emitted(ss.SpikeSource(spikes), 3, 2.0, engine)) == 4


def test_regular_trains(engine):
    source = ss.RegularSource(interval=[2.5, 10.0], start=[0.5, 0.0])
    trains = emitted(source, 2, 30.0, engine).trains()
    np.testing.assert_allclose(trains[0], 0.5 + 2.5 * np.arange(12), atol=1e-12)
    np.testing.assert_allclose(trains[1], [0.0, 10.0, 20.0, 30.0], atol=1e-12)


# ---------------------------------------------------------------- currents


def test_currents_add_up_and_hold_from_their_time_on(engine):
    neuron = ss.Neuron(ss.IF(c_m=2.0), threshold=ss.FixedThreshold(1e9))
    inputs = [ss.Current([1.0, 2.0]), ss.Current(ss.Steps([1.0, 3.0], [4.0, 0.0])), ss.Current(-0.5)]
    cells = ss.Population("cells", 2, neuron, inputs=inputs)
    record = ss.Record(states={"cells": ("v",)}, interval=0.5)
    result = ss.simulate(ss.Network([cells]), 4.0, engine=engine, record=record)
    t = result.state_times
    stepped = 4.0 * np.clip(t - 1.0, 0.0, 2.0)
    expected = np.stack([((i - 0.5) * t + stepped) / 2.0 for i in (1.0, 2.0)], axis=1)
    np.testing.assert_allclose(result.states["cells"]["v"], expected, atol=1e-12)


def test_currents_per_stimulus(engine):
    neuron = ss.Neuron(ss.IF(c_m=1.0), threshold=ss.FixedThreshold(1e9))
    cells = ss.Population("cells", 2, neuron, inputs=ss.Current([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    v = ss.Simulation(ss.Network([cells]), engine=engine, batch=3, threads=2).run(2.0).state("cells", "v")
    np.testing.assert_allclose(v, [[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]], atol=1e-12)


def test_a_sampled_signal_is_held_and_ends():
    steps = ss.Steps.sampled([1.0, 2.0, 3.0], 0.5, t_start=1.0)
    assert [float(steps(t)) for t in (0.9, 1.0, 1.49, 1.5, 2.4, 2.5, 99.0)] == [0.0, 1.0, 1.0, 2.0, 3.0, 0.0, 0.0]
    assert steps == ss.Steps([1.0, 1.5, 2.0, 2.5], [1.0, 2.0, 3.0, 0.0]) and steps != 3


def test_noise_holds_for_its_interval_and_is_drawn_anew():
    neuron = ss.Neuron(ss.IF(c_m=1.0), threshold=ss.FixedThreshold(1e9))
    cells = ss.Population("cells", 300, neuron, inputs=ss.NoiseCurrent(0.0, [1.0] * 150 + [0.0] * 150, dt=1.0))
    record = ss.Record(states={"cells": ("v",)}, interval=0.25)
    v = ss.simulate(ss.Network([cells]), 20.0, engine="grid", dt=0.25, record=record).states["cells"]["v"]
    values = np.diff(v, axis=0) / 0.25
    assert np.allclose(values.reshape(20, 4, 300), values[::4, None], atol=1e-12)
    assert not v[:, 150:].any()
    drawn = values[::4, :150]
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1]) < 4.5 / np.sqrt(drawn.size)
    with pytest.raises(UnsupportedError, match="'cells': NoiseCurrent needs engine='grid'"):
        ss.simulate(ss.Network([cells]), 1.0)


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ss.PoissonInput(-1.0), r"PoissonInput\.rate: must be a number >= 0 Hz, .* got -1\.0"),
        (lambda: ss.PoissonInput([1.0, -2.0]), r"PoissonInput\.rate: .* got -2\.0"),
        (lambda: ss.PoissonInput(float("nan")), r"PoissonInput\.rate: .* got nan"),
        (lambda: ss.PoissonInput(ss.Steps([0.0], [-1.0])), r"PoissonInput\.rate: must be >= 0 Hz, got -1\.0"),
        (lambda: ss.PoissonInput("fast"), r"PoissonInput\.rate: must be a number .* got 'fast'"),
        (lambda: ss.PoissonInput(None), r"PoissonInput\.rate: must be a number .* got None"),
        (lambda: ss.PoissonInput(np.zeros((1, 1, 1))), r"PoissonInput\.rate: must be a number"),
        (lambda: ss.PoissonInput(1.0, weight=np.nan), r"PoissonInput\.weight: must be a finite number, got nan"),
        (lambda: ss.PoissonInput(1.0, receptor=3), r"PoissonInput\.receptor: must be the name of a receptor or None"),
        (lambda: ss.PoissonSource(-1.0), r"PoissonSource\.rate: must be a number >= 0 Hz"),
        (lambda: ss.Current(float("inf")), r"Current\.value: must be a number pA, .* got inf"),
        (lambda: ss.Current([[[1.0]]]), r"Current\.value: must be a number pA"),
        (lambda: ss.NoiseCurrent(std=-1.0), r"NoiseCurrent\.std: must be >= 0 pA, got -1\.0"),
        (lambda: ss.NoiseCurrent(dt=0.0), r"NoiseCurrent\.dt: must be > 0 ms, got 0\.0"),
        (lambda: ss.RegularSource(0.0), r"RegularSource\.interval: must be > 0 ms, got 0\.0"),
        (lambda: ss.RegularSource(1.0, -1.0), r"RegularSource\.start: must be >= 0 ms, got -1\.0"),
        (lambda: ss.SpikeSource(), r"SpikeSource\.spikes: must be Spikes"),
        (lambda: ss.SpikeSource([1.0, 2.0]), r"SpikeSource\.spikes: must be Spikes"),
        (
            lambda: ss.SpikeSource([ss.Spikes.empty(1, 5.0), ss.Spikes.empty(2, 5.0)]),
            r"SpikeSource\.spikes: all recordings of a batch must have the same number of elements",
        ),
        (lambda: ss.SpikeSource(ss.Spikes.empty(1, 5.0, -2.0)), r"times must be >= 0 ms \(use Spikes\.shift\)"),
        (lambda: ss.Steps([1.0, 1.0], [1.0, 2.0]), r"Steps\.times: must be a strictly increasing vector"),
        (lambda: ss.Steps([], []), r"Steps\.times: must be a strictly increasing vector"),
        (lambda: ss.Steps([-1.0], [1.0]), r"Steps\.times: must be >= 0 ms, got -1\.0"),
        (lambda: ss.Steps([0.0, 1.0], [1.0]), r"Steps\.values: must have shape \(2,\) or \(2, n\), got \(1,\)"),
        (lambda: ss.Steps(0.0, 1.0), r"Steps\.times: must be a strictly increasing vector of times, got 0\.0"),
        (lambda: ss.Steps([0.0], [np.nan]), r"Steps\.values: must be a number .* got nan"),
        (lambda: ss.Steps.sampled([1.0], 0.0), r"Steps\.sampled: dt: must be > 0 ms, got 0\.0"),
        (lambda: ss.Steps.sampled(3.0, 1.0), r"Steps\.sampled: values must have shape \(k,\) or \(k, n\), got \(\)"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ParameterError, match=message):
        make()

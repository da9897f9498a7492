"""Rules that learn in time: gradients against finite differences, spikes against the event engine, tasks learnt."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import spikesim as ss
from spikesim import datasets, learning
from spikesim.analysis import van_rossum, victor_purpura
from spikesim.datasets import yin_yang
from spikesim.errors import FileError, ParameterError
from spikesim.learning import (
    Adam,
    Chronotron,
    DeltaReadout,
    EventProp,
    Liquid,
    ReSuMe,
    RidgeReadout,
    SpikeProp,
    Tempotron,
)
from spikesim.learning.chronotron import pairs
from spikesim.learning.learner import pack
from spikesim.learning.tempotron import peaks
from spikesim.studies.eventprop_yinyang import encode, replay
from spikesim.studies.spikeprop_xor import patterns


def draw(rng, n, spikes, duration, patterns=1, start=0.0):
    """Random patterns."""
    return [
        ss.Spikes(start + rng.uniform(0.0, duration, spikes), rng.integers(0, n, spikes), n, start + duration, start)
        for _ in range(patterns)
    ]


def slope(value, array, index, h=1e-5):
    """Derivative of value() with respect to one weight, by differences of fourth order."""
    old, found = array[index], []
    for k in (-2, -1, 1, 2):
        array[index] = old + k * h
        found.append(value())
    array[index] = old
    return (found[0] - 8 * found[1] + 8 * found[2] - found[3]) / (12 * h)


# ---------------------------------------------------------------- tempotron


def test_tempotron_finds_the_greatest_potential(rng):
    learner = Tempotron(20, spread=0.5, seed=4)
    inputs = draw(rng, 20, 60, 100.0, 20)
    p = learner.kernel

    def potential(spikes, t):
        past = spikes.times <= t
        s = t - spikes.times[past]
        return learner.weights[spikes.ids[past]] @ (p.v_0 * (np.exp(-s / p.tau_m) - np.exp(-s / p.tau_s)))

    found, when = peaks(pack(inputs, 20, "test"), learner.weights, p)
    assert np.array_equal(found, learner.potential(inputs))
    for spikes, best, t in zip(inputs, found, when, strict=True):
        assert potential(spikes, t) == pytest.approx(best, abs=1e-12)
        assert max(potential(spikes, t) for t in np.linspace(0.0, 100.0, 2001)) <= best + 1e-12


def test_tempotron_kernel_has_peak_one():
    p = Tempotron(1, tau_m=12.0, tau_s=3.0).kernel
    found = minimize_scalar(lambda s: -p.v_0 * (np.exp(-s / 12.0) - np.exp(-s / 3.0)), bounds=(0, 30), method="bounded")
    assert -found.fun == pytest.approx(1.0, abs=1e-9)


def test_tempotron_learns_more_than_a_perceptron_could():
    rng = np.random.default_rng(1)
    inputs = [ss.Spikes(rng.uniform(0, 500.0, 60), range(60), 60, 500.0) for _ in range(144)]  # load 2.4
    labels = rng.integers(0, 2, 144)
    learner = Tempotron(60, rate=1e-3, seed=1).fit(inputs, labels, 4000)
    assert learner.history["errors"][-1] == 0.0
    assert (learner.predict(inputs) == labels).all()
    result = ss.simulate(learner.network(inputs), 500.0, batch=len(inputs))
    assert [len(s) > 0 for s in result.spikes["layer1"]] == labels.astype(bool).tolist()


# ---------------------------------------------------------------- EventProp


@pytest.mark.parametrize(("tau_m", "tau_s"), [(20.0, 5.0), (20.0, 10.0), (10.0, 10.0), (8.0, 11.0)])
def test_eventprop_gradient_is_exact(tau_m, tau_s, rng):
    inputs = draw(rng, 5, 8, 30.0, 3)
    learner = EventProp((5, 12, 4, 3), tau_m=tau_m, tau_s=tau_s, seed=3)
    answers = learner.respond(inputs)
    assert all(len(s) for layer in answers for s in layer)
    factors = [rng.normal(size=len(s)) for s in answers[-1]]
    exact = learner.gradient(inputs, factors)

    def value():
        return sum(f @ s.times for f, s in zip(factors, learner.respond(inputs)[-1], strict=True))

    scale = max(np.abs(g).max() for g in exact)
    for w, g in zip(learner.weights, exact, strict=True):
        for index in rng.permutation(list(np.ndindex(w.shape)))[:15]:
            index = tuple(index)
            tries = [slope(value, w, index, h) for h in (1e-4, 3e-5, 1e-5, 3e-6)]  # the best step depends on curvature
            assert min(abs(t - g[index]) for t in tries) <= 1e-6 * max(abs(g[index]), 1e-2 * scale)


@pytest.mark.parametrize(("tau_m", "tau_s"), [(20.0, 5.0), (10.0, 10.0), (5.0, 12.0)])
def test_eventprop_fires_when_the_event_engine_does(tau_m, tau_s, rng):
    learner = EventProp((5, 30, 3), tau_m=tau_m, tau_s=tau_s, seed=1)
    inputs = draw(rng, 5, 12, 40.0, 4) + draw(rng, 5, 12, 40.0, 1, start=7.0)
    answers = learner.respond(inputs)
    result = ss.simulate(learner.network(inputs), 40.0, batch=5)
    for k, layer in enumerate(answers, start=1):
        for own, given, one in zip(layer, result.spikes[f"layer{k}"], inputs, strict=True):
            assert np.array_equal(own.ids, given.ids)
            np.testing.assert_allclose(own.times - one.t_start, given.times, atol=1e-9)


def test_eventprop_loss_gradient_is_that_of_the_loss(rng):
    inputs, labels = draw(rng, 5, 10, 30.0, 6), rng.integers(0, 3, 6)
    learner = EventProp((5, 15, 3), seed=5, tau_0=2.0)
    trains = pack(inputs, 5, "test")

    def value():
        fired = learner.forward(trains)
        return learner.loss(trains, labels, fired[-1].trains)[0].mean()

    fired = learner.forward(trains)
    exact = learner.backward(trains, fired, learner.loss(trains, labels, fired[-1].trains)[1])
    scale = max(np.abs(g).max() for g in exact)
    for w, g in zip(learner.weights, exact, strict=True):
        for index in [tuple(i) for i in rng.permutation(list(np.ndindex(w.shape)))[:12]]:
            assert slope(value, w, index) == pytest.approx(g[index], abs=1e-6 * scale)


def test_eventprop_learns_yin_yang():
    train, test = yin_yang.draw(1500, 1), yin_yang.draw(500, 2)
    inputs, held = encode(train.values), encode(test.values)
    learner = EventProp((5, 60, 3), seed=0).fit(inputs, train.labels, 20, optimiser=Adam(8e-3), decay=0.95)
    named = learner.predict(held)
    assert np.mean(named == test.labels) > 0.9
    engine = replay(learner, held[:100], named[:100])
    assert engine["engine_largest_difference_ms"] <= 1e-6 and engine["engine_same_classes"]


def test_silent_neurons_are_woken():
    learner = EventProp((2, 3, 2), seed=0, bump=0.5)
    for w in learner.weights:
        w[...] = 0.0
    inputs = [ss.Spikes([1.0, 3.0], [0, 1], 2, 40.0), ss.Spikes([1.0, 3.0], [1, 0], 2, 40.0)]
    assert (learner.predict(inputs) == -1).all()
    learner.fit(inputs, [0, 1], 60)
    assert (learner.predict(inputs) >= 0).all()


def test_adam_follows_its_equations():
    w, adam = [np.array([1.0, -2.0])], Adam(rate=0.1, beta1=0.5, beta2=0.8)
    adam.step(w, [np.array([3.0, -1.0])])
    np.testing.assert_allclose(w[0], [0.9, -1.9], atol=1e-8)  # the first step is `rate`, whatever the gradient
    m, s = 0.5 * 1.5 + 0.5 * 1.0, 0.8 * 0.2 * 9 + 0.2 * 1.0
    adam.step(w, [np.array([1.0, 0.0])])
    assert w[0][0] == pytest.approx(0.9 - 0.1 * (m / 0.75) / (np.sqrt(s / 0.36) + 1e-8), rel=1e-9)


def test_yin_yang_is_as_defined():
    data = datasets.load("yin-yang")
    assert [len(s.labels) for s in data] == [5000, 1000, 1000]
    assert (np.abs(np.bincount(data.train.labels) / 5000 - 1 / 3) < 0.03).all()
    np.testing.assert_allclose(data.train.values[:, :2] + data.train.values[:, 2:], 1.0)
    points = np.array([[0.5, 0.9], [0.5, 0.1], [0.25, 0.5], [0.75, 0.5], [0.25, 0.65], [0.75, 0.35], [0.0, 0.0]])
    assert yin_yang.classify(points).tolist() == [1, 0, 2, 2, 1, 0, -1]


# ---------------------------------------------------------------- SpikeProp


def test_spikeprop_gradient_is_exact(rng):
    learner = SpikeProp((3, 5, 2), inhibitory=1, seed=1)
    inputs, _ = patterns()
    factors = rng.normal(size=(4, 2))
    assert np.isfinite(learner.predict(inputs)).all()
    for w, g in zip(learner.weights, learner.gradient(inputs, factors), strict=True):
        for index in [tuple(i) for i in rng.permutation(list(np.ndindex(w.shape)))[:25]]:
            found = slope(lambda: float((factors * learner.predict(inputs)).sum()), w, index)
            assert found == pytest.approx(g[index], abs=1e-6 * np.abs(g).max())


def test_spikeprop_learns_exclusive_or_within_the_epochs_of_the_paper():
    inputs, wanted = patterns()
    for seed in range(5):
        learner = SpikeProp((3, 5, 1), inhibitory=1, seed=seed).fit(inputs, wanted, 250, tolerance=1.0)
        error = ((learner.predict(inputs) - wanted) ** 2).sum()
        assert error == pytest.approx(learner.history["error"][-1]) and error <= 1.0
        assert (learner.weights[1][:4] >= 0).all() and (learner.weights[1][4] <= 0).all()


# ---------------------------------------------------------------- wanted trains


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: Chronotron(200, rate=0.03, seed=seed),
        lambda seed: Chronotron(200, rule="i", rate=0.1, seed=seed),
        lambda seed: ReSuMe(200, seed=seed),
    ],
    ids=["chronotron-e", "chronotron-i", "resume"],
)
def test_distance_to_the_wanted_train_vanishes(make):
    learnt = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        (pattern,) = draw(rng, 200, 400, 200.0)
        wanted = ss.Spikes([40.0 + 3 * seed, 75.0, 110.0, 160.0], [0] * 4, 1, 200.0)
        learner = make(seed).fit([pattern], [wanted], 3000, tolerance=0.02)
        assert learner.history["distance"][0] > 0.5
        if learner.history["distance"][-1] <= 0.02:
            (answer,) = learner.predict([pattern])
            engine = ss.simulate(learner.network([pattern]), 200.0).spikes["layer1"]
            np.testing.assert_allclose(answer.times, engine.times, atol=1e-9)
            assert van_rossum(engine, wanted, 10.0).mean < 0.1
            learnt += 1
    assert learnt >= 3


def test_chronotron_pairs_at_the_victor_purpura_cost(rng):
    for _ in range(50):
        a, b = (np.sort(rng.uniform(0, 100, rng.integers(0, 7))) for _ in range(2))
        pair = pairs(a, b, 0.1)
        moved = np.flatnonzero(pair >= 0)
        cost = 0.1 * np.abs(a[moved] - b[pair[moved]]).sum() + len(a) + len(b) - 2 * len(moved)
        assert cost == pytest.approx(victor_purpura(a, b, 0.1))


# ---------------------------------------------------------------- readouts


def test_ridge_is_the_minimum_of_its_cost(rng):
    inputs, labels = draw(rng, 6, 20, 50.0, 40), rng.integers(0, 2, 40)
    for k in (40, 5):  # more patterns than elements, and fewer
        learner = RidgeReadout(6, penalty=0.2).fit(inputs[:k], labels[:k])
        x = learner.traces(inputs[:k])
        assert x[0, 0] == pytest.approx(sum(np.exp((t - 50.0) / 30.0) for t, i in inputs[0] if i == 0))
        z, std = (x - x.mean(axis=0)) / x.std(axis=0), x.std(axis=0)
        y = np.where(labels[:k, None] == [0, 1], 1.0, -1.0)
        w = learner.weights * std[:, None]
        slope_of_cost = z.T @ (z @ w + y.mean(axis=0) - y) + 0.2 * k * w
        np.testing.assert_allclose(slope_of_cost, 0.0, atol=1e-9)


def test_liquid_remembers_what_the_input_does_not_show():
    from spikesim import studies

    outcome = studies.run("lsm", seed=1, size=200, train=150, test=100, epochs=30, jitter=1.0)
    share = {(r["reads"], r["readout"]): r["test_accuracy"] for r in outcome.summary["readouts"]}
    assert min(share["liquid", "ridge"], share["liquid", "delta rule"]) > 0.85
    assert max(share["input", "ridge"], share["input", "delta rule"]) < 0.7


# ---------------------------------------------------------------- what all share


def learners(rng):
    """One trained learner of each kind with its input."""
    inputs = draw(rng, 4, 12, 50.0, 3)
    wanted = [ss.Spikes([40.0], [0], 1, 50.0)] * 3
    once = [ss.Spikes([0.0, 1.0, 2.0, 3.0], range(4), 4, 50.0)] * 3
    yield Tempotron(4).fit(inputs, [0, 1, 0], 3), inputs
    yield EventProp((4, 5, 2)).fit(inputs, [0, 1, 0], 3), inputs
    yield SpikeProp((4, 3, 2), delays=4).fit(once, [[10.0, 12.0]] * 3, 3), once
    yield Chronotron(4).fit(inputs, wanted, 3), inputs
    yield ReSuMe(4).fit(inputs, wanted, 3), inputs
    yield RidgeReadout(4).fit(inputs, [0, 1, 0]), inputs
    yield DeltaReadout(4).fit(inputs, [0, 1, 0], 3), inputs


def test_saved_learners_answer_and_go_on_alike(tmp_path, rng):
    for learner, inputs in learners(rng):
        path = learner.save(tmp_path / f"{type(learner).__name__}.h5")
        again = learning.load(path)
        assert type(again) is type(learner) and again.history == learner.history and repr(again) == repr(learner)
        one, two = learner.predict(inputs), again.predict(inputs)
        assert np.array_equal(one, two) if isinstance(one, np.ndarray) else one == two
        with pytest.raises(FileError, match="exists"):
            learner.save(path)
    with pytest.raises(FileError, match="holds a Tempotron, not a ReSuMe"):
        ReSuMe.load(tmp_path / "Tempotron.h5")


def test_one_seed_decides_everything(rng):
    inputs = draw(rng, 4, 12, 50.0, 6)
    runs = [EventProp((4, 5, 2), seed=s).fit(inputs, [0, 1, 0, 1, 0, 1], 4, batch=2) for s in (1, 1, 2)]
    assert all(np.array_equal(a, b) for a, b in zip(runs[0].weights, runs[1].weights, strict=True))
    assert not np.array_equal(runs[0].weights[0], runs[2].weights[0])


def test_a_fit_in_parts_is_the_fit(rng):
    inputs, labels = draw(rng, 4, 12, 50.0, 6), [0, 1, 0, 1, 0, 1]
    adam = Adam()
    parts = (
        EventProp((4, 5, 2))
        .fit(inputs, labels, 2, batch=2, optimiser=adam)
        .fit(inputs, labels, 3, batch=2, optimiser=adam)
    )
    whole = EventProp((4, 5, 2)).fit(inputs, labels, 5, batch=2)
    assert all(np.array_equal(a, b) for a, b in zip(parts.weights, whole.weights, strict=True))
    assert parts.history == whole.history


def test_ctrl_c_stops_between_epochs(rng):
    import signal

    def press(done, total):
        if done == 3:
            signal.raise_signal(signal.SIGINT)

    learner = Chronotron(4)
    target = [ss.Spikes([40.0], [0], 1, 50.0)]
    with pytest.raises(KeyboardInterrupt):
        learner.fit(draw(rng, 4, 12, 50.0), target, 100, progress=press)
    assert learner.epochs in (3, 4)


ONE = ss.Spikes([1.0, 2.0], [0, 1], 2, 50.0)
TARGET = ss.Spikes([40.0], [0], 1, 50.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Tempotron(2, tau_m=-5.0), r"Tempotron\.tau_m: must be > 0 ms, got -5\.0"),
        (lambda: Tempotron(2, tau_m=5.0, tau_s=5.0), r"Tempotron\.tau_s: must be < tau_m \(5 ms\), got 5"),
        (lambda: Tempotron(0), r"Tempotron\.n: must be >= 1, got 0"),
        (lambda: Tempotron(3).predict([ONE]), r"must hold Spikes of 3 elements, got 2 \(pattern 0\)"),
        (lambda: Tempotron(2).predict(ONE), r"must be a list of Spikes, one per pattern, got one Spikes; write"),
        (lambda: Tempotron(2).predict([]), r"must be a list of Spikes, one per pattern, got an empty one"),
        (lambda: Tempotron(2).fit([ONE], [2]), r"labels: must be whole numbers in 0 … 1, got 2 \(pattern 0\)"),
        (lambda: Tempotron(2).fit([ONE], [0, 1]), r"labels: must be one label per pattern \(1\), got shape \(2,\)"),
        (lambda: Tempotron(2).fit([ONE, ss.Spikes.empty(2, 50.0)], [0, 1]), r"pattern 1 has no spikes"),
        (lambda: Tempotron(2).fit([ONE], [0], 0), r"epochs: must be >= 1, got 0"),
        (lambda: Tempotron(2, momentum=1.0), r"Tempotron\.momentum: must be < 1, got 1\.0"),
        (lambda: EventProp((5,)), r"EventProp\.sizes: must be \(inputs, hidden …, outputs\)"),
        (lambda: EventProp((5, 0, 3)), r"EventProp\.sizes\[1\]: must be >= 1, got 0"),
        (lambda: EventProp((2, 3)).fit([ONE], [0], decay=0.0), r"decay: must be > 0, got 0\.0"),
        (lambda: EventProp((2, 3)).gradient([ONE], [[1.0] * 99]), r"one number per output spike"),
        (lambda: SpikeProp((2, 3, 1), inhibitory=3), r"SpikeProp\.inhibitory: must leave an excitatory neuron"),
        (lambda: SpikeProp((2, 1)).fit([ONE], [[60.0]]), r"targets must lie in \[0, 50\] ms, got 60\.0 \(pattern 0\)"),
        (lambda: SpikeProp((2, 1)).fit([ONE], [60.0]), r"targets must have shape \(1, 1\), got \(1,\)"),
        (lambda: SpikeProp((1, 1)).predict([ss.Spikes([1, 2], [0, 0], 1, 9)]), r"fire at most once, got 2 spikes of 0"),
        (lambda: Chronotron(2, rule="f"), r"unknown value of Chronotron\.rule: 'f'.*valid: e, i"),
        (lambda: Chronotron(2).fit([ONE], [ss.Spikes([0.5], [0], 1, 50.0)]), r"cannot come before the first input"),
        (lambda: Chronotron(2).fit([ONE], [ss.Spikes([5.0], [0], 1, 40.0)]), r"must cover the window of its pattern"),
        (lambda: ReSuMe(2).fit([ONE], [TARGET, TARGET]), r"must be one train per pattern \(1\), got 2"),
        (lambda: RidgeReadout(2).fit([ss.Spikes.empty(2, 5.0)] * 2, [0, 1]), r"no pattern has any spikes"),
        (lambda: Liquid(2).respond([ONE, ss.Spikes.empty(2, 5.0)]), r"must be equally long, got 5 … 50 ms"),
        (lambda: Adam(rate=0.0), r"Adam\.rate: must be > 0, got 0\.0"),
    ],
)  # fmt: skip
def test_mistakes_are_named(wrong, message):
    with pytest.raises(ParameterError, match=message):
        wrong()

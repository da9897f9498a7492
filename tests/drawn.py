"""Networks drawn at random for the conformance tests, and exact fingerprints of their runs.

Nothing here needs pytest, so that a fresh interpreter can draw the same networks.
"""

import hashlib
import warnings

import numpy as np

import spikesim as ss

DT = 0.25  # the lattice of times and delays, and the step of the grid: multiples of it add without rounding
DURATION = 30.0


def delta(n, rng):
    """Everything on the lattice, so that ties in time and exact hits of the threshold occur."""
    neuron = ss.Neuron(ss.LIF(10.0, -65.0), ss.Delta(), ss.FixedThreshold(-55.0), ss.ResetTo(-65.0), 1.0)
    return neuron, ()


def perfect(n, rng):
    """Perfect integrator with subtraction: never loses anything, always exact."""
    return ss.Neuron(ss.IF(), ss.Delta(), ss.FixedThreshold(10.0), ss.ResetBySubtraction(8.0)), ()


def driven_delta(n, rng):
    """Crossings between events by a constant current, irregular from neuron to neuron."""
    threshold, reset = ss.FixedThreshold(rng.uniform(8, 12, n)), ss.ResetTo(rng.uniform(-2, 2, n))
    current = ss.Current(rng.uniform(100, 700, n))
    return ss.Neuron(ss.LIF(rng.uniform(8, 20, n)), ss.Delta(), threshold, reset, rng.choice([0.5, 1.0], n)), current


def exponential(n, rng):
    """Exponential current with stepped drive."""
    current = ss.Current(ss.Steps(DT * np.array([8, 40, 80]), rng.uniform(-100, 400, (3, n))))
    threshold = ss.FixedThreshold(rng.uniform(8, 12, n))
    return ss.Neuron(ss.LIF(12.0), ss.Exponential(rng.uniform(2, 6, n)), threshold, ss.ResetTo(), 0.5), current


def mixed(n, rng):
    """Three receptors of three kinds, one with tau_syn == tau_m, and an adapting threshold."""
    synapses = {"d": ss.Delta(), "e": ss.Exponential(9.0), "a": ss.Alpha(2.0)}
    threshold = ss.AdaptiveThreshold(rng.uniform(8, 12, n), 3.0, 20.0)
    return ss.Neuron(ss.LIF(9.0), synapses, threshold, ss.ResetTo(-1.0), 0.0), ()


def alpha(n, rng):
    """Perfect integrator of two currents, reset by subtraction, refractory."""
    synapses = {"a": ss.Alpha(1.5), "b": ss.Exponential(4.0)}
    reset = ss.ResetBySubtraction(7.0)
    return ss.Neuron(ss.IF(0.0, 200.0), synapses, ss.FixedThreshold(rng.uniform(8, 12, n)), reset, 1.0), ()


def late(n, rng):
    """As snnTorch: subtraction one step late."""
    return ss.Neuron(ss.LIF(10.0), ss.Delta(), ss.FixedThreshold(10.0), ss.ResetBySubtraction(10.0, DT)), ()


def late_currents(n, rng):
    """Reset to a value one step late, two currents, adapting threshold."""
    synapses = {"e": ss.Exponential(2.0), "i": ss.Exponential(7.0)}
    threshold = ss.AdaptiveThreshold(rng.uniform(8, 12, n), 2.0, 15.0)
    return ss.Neuron(ss.LIF(11.0), synapses, threshold, ss.ResetTo(0.0, DT)), ss.Current(rng.uniform(0, 300, n))


def conductance(n, rng):
    """Grid only: two conductances and a current."""
    synapses = {"e": ss.ExponentialConductance(5.0, 0.0), "i": ss.ExponentialConductance(10.0, -80.0)}
    synapses["c"] = ss.Exponential(3.0)
    neuron = ss.Neuron(ss.LIF(20.0, -60.0, 200.0), synapses, ss.FixedThreshold(-50.0), ss.ResetTo(-60.0), 1.0)
    return neuron, ss.Current(rng.uniform(0, 100, n))


MODELS = {f.__name__: f for f in (delta, perfect, driven_delta, exponential, mixed, alpha, late, late_currents)}
GRID_MODELS = MODELS | {"conductance": conductance}


def weights_for(synapse, k, rng):
    """Weights on a coarse scale of exact numbers, strong enough that a few simultaneous ones fire a neuron."""
    if isinstance(synapse, ss.Delta):
        return rng.integers(-14, 21, k) * 0.5
    if isinstance(synapse, ss.ExponentialConductance):
        return rng.integers(0, 31, k) * 1.0
    return rng.integers(-20, 51, k) * (25.0 if isinstance(synapse, ss.Exponential) else 12.5)


def part_of(population, rng):
    """The population or a slice of it."""
    lo = int(rng.integers(0, population.size))
    return population[lo : int(rng.integers(lo + 1, population.size + 1))] if rng.random() < 0.3 else population[:]


def connect(pre, post, rng, fewest, instant, ties=True):
    """Random pairs, repeated ones included; per-synapse or common weights and delays, some 0 if `instant`."""
    receptor = str(rng.choice(list(post.model.receptors)))
    name = f"{pre.name}->{post.name}:{receptor}"
    pre, post = part_of(pre, rng), part_of(post, rng)
    k = int(rng.integers(fewest, len(pre) * len(post) + fewest + 1))
    rule = ss.Pairwise(rng.integers(0, len(pre), k), rng.integers(0, len(post), k))
    weight = weights_for(post.population.model.receptors[receptor], k, rng)
    delay = rng.choice([1, 2, 2, 4, 7, 50], k) * DT if ties else rng.uniform(0.05, 8.0, k)
    if instant:
        delay[rng.random(k) < 0.3] = 0.0
    if rng.random() < 0.3:
        weight, delay = float(np.abs(weight).max()), float(delay[0])
    return ss.Projection(pre, post, rule, weight, delay, receptor, name)


def random_network(seed, names, ties=True):
    """Populations of the models `names`, two spike sources, random projections, instant ones in one direction.

    With `ties`, all given times and delays lie on the lattice or 1/16 ms beside it, else anywhere.
    """
    rng = np.random.default_rng(seed)
    n, first = int(rng.integers(1, 5)), int(rng.integers(0, 2))  # input from the start, or neurons that fire there
    times = rng.integers(first, int(DURATION / DT), 12 * n) * DT + rng.choice([0.0, 0.0, 0.0625], 12 * n)
    if not ties:
        times = rng.uniform(first * DT, DURATION, 12 * n)
    spikes = ss.Spikes(times, rng.integers(0, n, 12 * n), n, DURATION)
    start, interval = rng.integers(first, 5, 2) * DT, rng.integers(3, 20, 2) * DT
    sources = [
        ss.Population("given", n, ss.SpikeSource(spikes)),
        ss.Population("regular", 2, ss.RegularSource(interval, start)),
    ]
    neurons = []
    for name, letter in zip(names, rng.permutation(list("abcdefghij")).tolist(), strict=False):
        size = int(rng.integers(1, 7))
        model, inputs = GRID_MODELS[name](size, rng)
        start = {"v": model.membrane.v_rest + rng.integers(-4, 12 if first else 5, size)}
        start |= {x: rng.uniform(0, 50) for x in model.variables if x[0] == "i" and rng.random() < 0.3}
        neurons.append(ss.Population(letter, size, model, start, inputs))
    projections = [connect(pre, post, rng, 3, True, ties) for pre in sources for post in neurons]
    for i, pre in enumerate(neurons):
        for j, post in enumerate(neurons):
            projections += [connect(pre, post, rng, 1, i < j, ties)] if rng.random() < 0.6 else []
    populations = sources + neurons
    return ss.Network([populations[k] for k in rng.permutation(len(populations))], projections)


def busy_network():
    """Random numbers of every kind: Poisson drive and source, random rules, distributed weights, delays and states."""
    quick = ss.Neuron(ss.LIF(20.0), ss.Delta(), ss.FixedThreshold(10.0), ss.ResetTo(), 1.0)
    slow, _ = mixed(40, np.random.default_rng(2))
    a = ss.Population("a", 120, quick, {"v": ss.Uniform(0.0, 9.0)}, ss.PoissonInput(4000.0, 0.5))
    b = ss.Population("b", 40, slow, {"v": ss.Normal(2.0, 1.0)}, [ss.PoissonInput(500.0, 90.0, "e"), ss.Current(50.0)])
    source = ss.Population("source", 30, ss.PoissonSource(40.0))
    delays = ss.Uniform(0.5, 3.0)
    projections = [
        ss.Projection(source, a, ss.FixedProbability(0.2), ss.Normal(2.0, 0.4), 1.0),
        ss.Projection(a, a, ss.FixedIndegree(12), 0.4, delays),
        ss.Projection(a, b, ss.FixedIndegree(10), ss.LogNormal(4.0, 0.5), delays, "e"),
        ss.Projection(b, a, ss.FixedIndegree(8), -1.5, 1.5),
        ss.Projection(b, b, ss.FixedProbability(0.3), ss.Normal(-30.0, 5.0), delays, "a"),
    ]
    return ss.Network([a, b, source], projections)


def fingerprint(sim):
    """Everything that must not depend on how a run was made, exactly."""
    result, found = sim.result(), []
    for p in sim.result().network:
        spikes = result.spikes[p.name]
        found += [spikes.times.tobytes(), spikes.ids.tobytes()]
        found += [] if p.is_source else [np.asarray(sim.state(p.name, x)).tobytes() for x in p.model.variables]
    return found, result.counts.synaptic_events


def busy(engine, **options):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "grid engine: times rounded")  # the delays, on purpose
        return ss.Simulation(busy_network(), engine=engine, dt=0.1, seed=3, **options)


def digest(found):
    return hashlib.sha256(repr(found).encode()).hexdigest()


def small_runs(engine):
    """Spikes of one small network with all models, and of the first milliseconds of the busy one, as exact text."""
    network = random_network(11, sorted(GRID_MODELS if engine == "grid" else MODELS))
    result = ss.simulate(network, 8.0, engine=engine, dt=DT)
    spikes = {p.name: [(t.hex(), i) for t, i in result.spikes[p.name]] for p in network}
    sim = busy(engine)
    sim.run(2.0)
    return repr(spikes) + digest(fingerprint(sim))

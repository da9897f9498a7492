"""What rules do: ways to pair, role of the weight, rate-based rules, inhibition, and what is done between runs."""

import numpy as np
from matplotlib.figure import Figure

import spikesim as ss
from spikesim import plotting
from spikesim.plasticity import BCM, Hebb, Oja, PairSTDP, PowerSTDP, SymmetricSTDP, drive
from spikesim.upkeep import rewire, scale_to_rate

figure = Figure(figsize=(10.0, 6.0), layout="constrained")
(pairings, weights, hebb), (bcm, inhibition, between) = figure.subplots(2, 3)
rng = np.random.default_rng(1)


def poisson(rate, stop=20_000.0):
    """Times of a Poisson train (Hz, ms)."""
    return np.sort(rng.uniform(0.0, stop, rng.poisson(rate * stop * 1e-3)))


rates = np.array([5.0, 10.0, 20.0, 30.0, 40.0])
for pairing in ("all", "nearest", "presynaptic", "reduced", "postsynaptic"):
    rule = PairSTDP(a_plus=1e-4, a_minus=6e-5, pairing=pairing)
    change = [np.mean([drive(rule, poisson(10.0), poisson(r))[-1] - 0.5 for _ in range(20)]) for r in rates]
    pairings.plot(rates, 1e3 * np.array(change), "o-", ms=3, label=pairing)
pairings.set(xlabel="rate of the target (Hz)", ylabel="change in 20 s (1e-3)", title="PairSTDP, source 10 Hz")

at = np.geomspace(0.05, 2.0, 30)
for name, rule in (
    ("additive", PairSTDP(a_plus=0.05, w_max=2.0)),
    ("multiplicative", PairSTDP(a_plus=0.05, mu_plus=1.0, mu_minus=1.0, w_max=2.0)),
    ("PowerSTDP", PowerSTDP(rate=0.1)),
):
    weights.plot(at, [drive(rule, [0.0], [10.0], w)[-1] - w for w in at], label=name)
weights.set(xscale="log", yscale="log", xlabel="weight", ylabel="growth", title="one pair, 10 ms apart")

source, target = poisson(20.0, 200_000.0), poisson(40.0, 200_000.0)
for rule in (Hebb(eta=0.5), Oja(eta=0.05, w_max=2.0)):
    course = drive(rule, source, target, 0.1)
    hebb.plot(source * 1e-3, course[:-1], label=type(rule).__name__)
hebb.axhline(0.5, color="0.7", lw=0.8)
hebb.set(xlabel="time (s)", ylabel="weight", title="source 20 Hz, target 40 Hz", xlim=(0, 100))

rates, rule = np.array([2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]), BCM(eta=20.0, rate=10.0, w_max=10.0)
for rate in rates:
    trains = [(poisson(20.0, 120_000.0), poisson(rate, 120_000.0)) for _ in range(4)]
    late = [np.interp([60e3, 110e3], a, drive(rule, a, b, 5.0)[:-1]) for a, b in trains]
    bcm.plot(rate, np.mean([b - a for a, b in late]) / 50.0, "o", color="C0", label="BCM" if rate == 2.0 else None)
v = np.linspace(0.0, 15.0, 100) * 1e-3
bcm.plot(v * 1e3, 20.0 * 0.02 * v * (v - v**2 / 0.01) * 1e3, color="0.5", label="eta u v (v - v²/v0)")
bcm.set(xlabel="rate of the target (Hz)", ylabel="change per second", title="source 20 Hz, v0 = 10 Hz")

calm, drivers = ss.Population("inh", 100, ss.PoissonSource(10.0)), ss.PoissonInput(2000.0, 1.0)
cells = ss.Population("cells", 50, ss.Neuron(ss.LIF(tau_m=20.0), t_ref=2.0), inputs=(drivers,))
for alpha in (0.12, 0.4):
    rule = SymmetricSTDP(eta=0.03, alpha=alpha, w_max=5.0)
    learning = ss.Projection(calm, cells, ss.AllToAll(), weight=-0.05, delay=1.0, plasticity=rule)
    spikes = ss.simulate(ss.Network([calm, cells], [learning]), 20_000.0, engine="event", seed=1).spikes["cells"]
    counts, edges = np.histogram(spikes.times, np.arange(0.0, 20_001.0, 500.0))
    (line,) = inhibition.plot(edges[:-1] * 1e-3, counts / 25.0, label=f"alpha = {alpha:g}")
    inhibition.axhline(1e3 * alpha / 40.0, color=line.get_color(), lw=0.8, ls=":")
inhibition.set(xlabel="time (s)", ylabel="rate (Hz)", title="SymmetricSTDP: rates held", ylim=(0, 60))

sources = ss.Population("sources", 400, ss.PoissonSource(np.repeat([20.0, 5.0], 200)))
cells = ss.Population("cells", 20, ss.Neuron(ss.LIF(tau_m=10.0), t_ref=2.0))
rule = Hebb(eta=0.25, w_max=6.0)
some = ss.FixedIndegree(60, allow_multiple=False)
learning = ss.Projection(sources, cells, some, weight=2.0, delay=1.0, plasticity=rule, name="learning")
simulation = ss.Simulation(ss.Network([sources, cells], [learning]), engine="event", seed=1)
rate, share = [], []
for _ in range(60):
    simulation.run(1000.0)
    rate.append(scale_to_rate(simulation, "learning", target=20.0, window=1000.0, strength=0.3).mean())
    rewire(simulation, "learning", below=1.0, weight=2.0)
    share.append(100.0 * np.mean(simulation.weights("learning")[0] < 200))
between.plot(rate, label="rate (Hz), held at 20")
between.plot(share, label="synapses from busy sources (%)")
between.set(xlabel="time (s)", title="scale_to_rate, rewire", ylim=(0, 105))

for ax in (pairings, weights, hebb, bcm, inhibition, between):
    ax.legend(fontsize=7)
plotting.save(figure, "rules.png", overwrite=True)

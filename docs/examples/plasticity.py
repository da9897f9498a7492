"""Windows of pair-based rules, the triplet rule over the rate, and weights of a neuron that learns from its input."""

import numpy as np
from matplotlib.figure import Figure

import spikesim as ss
from spikesim import plotting
from spikesim.plasticity import PairSTDP, TripletSTDP, drive

figure = Figure(figsize=(10.0, 3.2), layout="constrained")
window, rates, weights = figure.subplots(1, 3)

lags = np.linspace(-80.0, 80.0, 161)
for mu in (0.0, 1.0):
    rule = PairSTDP(a_plus=0.01, a_minus=0.0105, mu_plus=mu, mu_minus=mu)
    change = [drive(rule, [100.0], [100.0 + s])[-1] - 0.5 for s in lags if s != 0.0]
    window.plot(lags[lags != 0.0], change, label=f"mu = {mu:g}")
window.set(xlabel="target after source (ms)", ylabel="change of weight", title="one pair, w = 0.5")
window.legend()

frequencies = np.array([1.0, 10.0, 20.0, 30.0, 40.0, 50.0])
for lag in (10.0, -10.0):
    change = []
    for f in frequencies:
        source = 50.0 + np.arange(60) * 1000.0 / f
        change.append(drive(TripletSTDP(w_max=10.0), source, source + lag, t_stop=source[-1] + 500.0)[-1] - 0.5)
    rates.plot(frequencies, change, "o-", label=f"{lag:+g} ms")
rates.set(xlabel="pairs per second", title="60 pairs, triplet rule")
rates.legend()

source = ss.Population("source", 500, ss.PoissonSource(15.0))
cell = ss.Population("cell", 1, ss.Neuron(ss.LIF(tau_m=10.0), t_ref=2.0))
rule = PairSTDP(a_plus=0.02, a_minus=0.021, w_max=1.0)
learning = ss.Projection(source, cell, ss.AllToAll(), weight=0.5, delay=1.0, plasticity=rule, name="learning")
simulation = ss.Simulation(ss.Network([source, cell], [learning]), engine="event", seed=1).run(300_000.0)
weights.hist(simulation.weights("learning")[2], bins=20)
weights.set(xlabel="w / w_max", ylabel="synapses", title="after 300 s")

plotting.save(figure, "plasticity.png", overwrite=True)

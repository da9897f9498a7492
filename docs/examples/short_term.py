"""Potentials that trains of spikes evoke through synapses that tire and through synapses that are eased by use."""

import numpy as np
from matplotlib.figure import Figure

import spikesim as ss
from spikesim import plotting
from spikesim.plasticity import ShortTerm

RULES = {
    "depressing: U 0.5, tau_rec 800 ms": ShortTerm(U=0.5, tau_rec=800.0),
    "facilitating: U 0.1, tau_rec 100 ms, tau_fac 1 s": ShortTerm(U=0.1, tau_rec=100.0, tau_fac=1000.0),
}
train = np.append(100.0 + 50.0 * np.arange(10), 1200.0)

figure = Figure(figsize=(9.5, 3.2), layout="constrained")
potential, steady = figure.subplots(1, 2, width_ratios=(2, 1))
rates = np.array([0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
for k, (label, rule) in enumerate(RULES.items()):
    source = ss.Population("source", 1, ss.SpikeSource(ss.Spikes(train, np.zeros(11, int), 1, 1500.0)))
    cell = ss.Population("cell", 1, ss.Neuron(ss.LIF(tau_m=30.0), ss.Exponential(3.0)))
    synapse = ss.Projection(source, cell, weight=800.0, delay=1.0, short_term=rule)
    record = ss.Record(states={"cell": ("v",)})
    result = ss.simulate(ss.Network([source, cell], [synapse]), 1500.0, engine="event", record=record)
    potential.plot(result.state_times, result.states["cell"]["v"].squeeze(), color=plotting.COLOURS[k], label=label)
    last = [rule.respond(np.arange(500) * 1000.0 / f)[-1] for f in rates]
    steady.semilogx(rates, last, "o-", color=plotting.COLOURS[k])
potential.set(xlabel="time (ms)", ylabel="potential (mV)", title="ten spikes at 20 Hz, and one later")
potential.legend()
steady.set(xlabel="rate (Hz)", ylabel="release u x", title="steady state")

plotting.save(figure, "short_term.png", overwrite=True)

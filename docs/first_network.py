import spikesim as ss
from spikesim import plotting

neuron = ss.Neuron(ss.LIF(tau_m=20.0), ss.Delta(), ss.FixedThreshold(20.0), ss.ResetTo(10.0), t_ref=2.0)
drive = ss.PoissonInput(rate=5500.0, weight=0.2)  # Hz, mV
exc, inh = ss.Population("exc", 800, neuron, inputs=drive), ss.Population("inh", 200, neuron, inputs=drive)
weight = {exc: 0.2, inh: ss.Normal(-1.2, 0.2)}  # mV
synapses = [ss.Projection(a, b, ss.FixedProbability(0.1), weight[a], delay=1.5) for a in weight for b in weight]
result = ss.simulate(ss.Network([exc, inh], synapses), duration=500.0)  # ms, in continuous time
plotting.save(plotting.raster(result.spikes, rate=True).figure, "first_network.png", overwrite=True)

"""The picture of docs/coding.md: eight numbers under twelve codes."""

import numpy as np
from matplotlib import pyplot as plt

from spikesim import coding

values = np.linspace(0.0, 1.0, 8)
names = ["all-or-none", "words", "regular", "poisson", "burst", "first-spike", "rank-order", "phase"]
names += ["reference", "gaussian-fields", "current"]
figure, axes = plt.subplots(3, 4, figsize=(11, 6.2), layout="constrained")
for ax, name in zip(axes.ravel(), names, strict=False):
    code = coding.make(name) if name != "regular" and name != "poisson" else coding.make(name, rate_max=500.0)
    spikes = code.encode(values)
    ax.plot(spikes.times, spikes.ids / code.neurons, "|", ms=7 if code.neurons == 1 else 3, color="#0072B2")
    ax.set(xlim=(-0.5, code.duration), ylim=(-0.6, spikes.n / code.neurons - 0.1), title=name)
    ax.set_yticks(range(8), [f"{v:.2f}" for v in values] if ax in axes[:, 0] else [""] * 8, fontsize=7)
    ax.set_xlabel("ms", fontsize=8)
signal = 0.5 + 0.4 * np.sin(np.arange(100) / 12)
delta = coding.make("send-on-delta", threshold=0.1)
spikes = delta.encode(signal)
ax = axes[2, 3]
ax.plot(signal, color="0.6")
ax.step(np.arange(100), delta.decode(spikes)[:, 0], where="post", color="#D55E00", lw=1)
for neuron, height in ((0, 1.02), (1, -0.04)):
    times = spikes.times[spikes.ids == neuron]
    ax.plot(times, np.full(len(times), height), "|", color="#0072B2")
ax.set(title="send-on-delta, read back", xlabel="ms")
figure.savefig("coding.png", dpi=110)

"""What a pair of spikes leaves behind, rewards some time later, the weight; the change over the delay of a reward."""

import numpy as np
from matplotlib.figure import Figure

from spikesim import plotting
from spikesim.plasticity import RewardSTDP, drive

RULE = RewardSTDP(a_plus=0.1, tau_c=1000.0, tau_d=200.0)
PRE, POST = 100.0, 110.0

figure = Figure(figsize=(9.5, 3.2), layout="constrained")
course, weight, delays = figure.subplots(1, 3)

t = np.linspace(0.0, 5000.0, 501)
eligibility = np.where(t >= POST, 0.1 * np.exp(-(POST - PRE) / 20.0) * np.exp(-(t - POST) / 1000.0), 0.0)
course.plot(t / 1e3, eligibility / eligibility.max(), color="0.3", label="eligibility")
for k, at in enumerate((1000.0, 2000.0, 3000.0)):
    colour = plotting.COLOURS[k]
    course.plot(
        t / 1e3, np.where(t >= at, np.exp(-(t - at) / 200.0), 0.0), color=colour, label=f"reward at {at / 1e3:g} s"
    )
    shown = [drive(RULE, [PRE], [POST], t_stop=s, rewards=[(at, 1.0)])[-1] for s in t[t > POST]]
    weight.plot(t[t > POST] / 1e3, shown, color=colour)
course.set(xlabel="time (s)", title="relative to the largest")
course.legend()
weight.set(xlabel="time (s)", title="weight")

wait = np.linspace(-1000.0, 5000.0, 61)
change = [
    drive(RULE, [PRE + 1000], [POST + 1000], t_stop=3e4, rewards=[(POST + 1000 + s, 1.0)])[-1] - 0.5 for s in wait
]
delays.plot(wait / 1e3, change, color=plotting.COLOURS[0])
delays.set(xlabel="reward after the pair (s)", title="change of the weight")

plotting.save(figure, "reward.png", overwrite=True)

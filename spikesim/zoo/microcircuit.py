"""Cortical microcircuit below 1 mm2 of surface (Potjans & Diesmann 2014), with Poisson or constant drive."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikesim.connectivity import FixedTotalNumber, Normal, Rounded
from spikesim.inputs import Current, PoissonInput
from spikesim.network import Input, Network, Neuron, Population, Projection
from spikesim.neurons import LIF, FixedThreshold, ResetTo
from spikesim.synapses import Exponential
from spikesim.zoo._model import ZooNetwork, choice, number

Floats = NDArray[np.float64]

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
PROBABILITIES = np.array(  # row: target, column: source
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
EXTERNAL_INDEGREES = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
V_INIT_MEAN = np.array([-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43])
V_INIT_STD = np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48])
FULL_RATES = {  # Hz, measured in the full network; what downscaling compensates
    "dc": np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829]),
    "poisson": np.array([0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523]),
}
INHIBITORY = np.array([name.endswith("I") for name in POPULATIONS])


class Strengths(NamedTuple):
    """Mean weights (target, source), the external weight, and the constant current per population, all in pA."""

    recurrent: Floats
    external: float
    current: Floats


def full_synapses() -> Floats:
    """Synapses (target, source) at full scale, not rounded: ``K = ln(1 - C) / ln(1 - 1 / (N_pre N_post))``."""
    numbers: Floats = np.log1p(-PROBABILITIES) / np.log1p(-1.0 / np.outer(SIZES, SIZES))
    return numbers


def current_per_potential(c_m: float, tau_m: float, tau_syn: float) -> float:
    """Amplitude (pA) of an exponential current whose potential peaks at 1 mV (Hanuschkin et al. 2010, eq. 5)."""
    if np.isclose(tau_m, tau_syn, rtol=1e-9):
        return float(np.e * c_m / tau_m)
    ratio = (tau_m / tau_syn) ** (1.0 / (tau_syn - tau_m))
    return float(c_m * (tau_syn - tau_m) / (tau_m * tau_syn * (ratio**tau_m - ratio**tau_syn)))


@dataclass(frozen=True)
class Microcircuit(ZooNetwork):
    """Four layers of excitatory and inhibitory LIF neurons with exponential currents; 77,169 neurons, 3e8 synapses.

    Downscaling keeps mean and variance of the input: with indegrees multiplied by K, weights are divided by
    ``sqrt(K)`` and the lost mean is replaced by a constant current ``(1 - sqrt(K)) tau_syn sum(w K_full rate_full)``.

    References
    ----------
    Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358, tables 4 and 5.
    van Albada, Helias & Diesmann 2015, doi:10.1371/journal.pcbi.1004490 (downscaling).
    Rhodes et al. 2020, doi:10.1098/rsta.2019.0160 (initial potentials that avoid the start transient).
    """

    name = "microcircuit"
    title = "Cortical microcircuit, four layers"
    citation = (
        "Potjans & Diesmann 2014, Cereb Cortex 24:785-806, doi:10.1093/cercor/bhs358; "
        "INM-6/microcircuit-PD14-model (Senk et al. 2026, doi:10.1088/2634-4386/ae379a)"
    )
    scaling = (
        "multiplies neuron numbers and indegrees (k_scale sets the latter alone); weights grow by 1/sqrt(k_scale) "
        "and a constant current replaces the lost mean input, so rates stay near those of the full network; with "
        "drive=dc only down to about 0.5: below, populations end under threshold and fall silent, as in the reference"
    )
    deviations = (
        "delays are multiples of 0.1 ms in both engines, as in the reference at its time step (delay_step=0: as drawn)",
        "delays below delay_min are redrawn; the reference redraws below half a time step and rounds up to one step",
        "the Poisson drive arrives without its delay of 1.5 ms; thalamic input is not included",
        "the default drive is Poisson as in the paper; the reference model now defaults to its mean (drive=dc)",
        "synapse numbers are rounded from exact logarithms; floating-point logarithms shift the total by up to 2",
    )

    drive: str = choice("poisson", ("poisson", "dc"), "input from outside: Poisson trains, or their mean as a current")
    k_scale: float | None = number(None, "", "> 0", "factor of the indegrees; by default the scale")
    psp: float = number(0.15, "mV", "> 0", "mean peak of an excitatory potential (L4E to L23E: twice that)")
    g: float = number(4.0, "", ">= 0", "inhibitory amplitude relative to the excitatory one")
    weight_cv: float = number(0.1, "", ">= 0", "standard deviation of the weights relative to their mean")
    delay_exc: float = number(1.5, "ms", "> 0", "mean delay of excitatory synapses")
    delay_inh: float = number(0.75, "ms", "> 0", "mean delay of inhibitory synapses")
    delay_cv: float = number(0.5, "", ">= 0", "standard deviation of the delays relative to their mean")
    delay_min: float = number(0.1, "ms", "> 0", "shortest delay; shorter ones are redrawn")
    delay_step: float = number(
        0.1, "ms", ">= 0", "delays that are drawn are rounded to multiples of it; 0: left as drawn"
    )
    bg_rate: float = number(8.0, "Hz", ">= 0", "rate of each of the external inputs of a neuron")
    tau_m: float = number(10.0, "ms", "> 0", "membrane time constant")
    c_m: float = number(250.0, "pF", "> 0", "membrane capacitance")
    v_rest: float = number(-65.0, "mV", "", "resting potential")
    v_th: float = number(-50.0, "mV", "", "threshold")
    v_reset: float = number(-65.0, "mV", "", "membrane after a spike")
    t_ref: float = number(2.0, "ms", ">= 0", "refractory period")
    tau_syn: float = number(0.5, "ms", "> 0", "decay time of the synaptic currents")

    def build(self, scale: float) -> Network:
        """The network with `scale` times the neurons, and `k_scale` (by default `scale`) times the indegrees."""
        k_scale = scale if self.k_scale is None else self.k_scale
        strengths = self.strengths(k_scale)
        self.warn_if_silent(strengths)
        neuron = Neuron(
            LIF(self.tau_m, self.v_rest, self.c_m),
            Exponential(self.tau_syn),
            FixedThreshold(self.v_th),
            ResetTo(self.v_reset),
            self.t_ref,
        )
        populations = [
            Population(
                name,
                self.scaled(int(SIZES[i]), scale, f"neurons of {name}"),
                neuron,
                initial={"v": Normal(V_INIT_MEAN[i], V_INIT_STD[i])},
                inputs=self.inputs(i, k_scale, strengths),
            )
            for i, name in enumerate(POPULATIONS)
        ]
        numbers = np.round(full_synapses() * scale * k_scale).astype(np.int64)
        projections = [
            Projection(
                populations[pre],
                populations[post],
                FixedTotalNumber(int(numbers[post, pre])),
                weight=self.weight(strengths.recurrent[post, pre]),
                delay=self.delay(self.delay_inh if INHIBITORY[pre] else self.delay_exc),
            )
            for post, pre in np.argwhere(numbers > 0)
        ]
        return Network(populations, projections)

    def strengths(self, k_scale: float) -> Strengths:
        """Weights and currents for indegrees multiplied by `k_scale`."""
        unit = self.psp * current_per_potential(self.c_m, self.tau_m, self.tau_syn)
        recurrent = np.tile(np.where(INHIBITORY, -self.g * unit, unit), (len(POPULATIONS), 1))
        recurrent[0, 2] *= 2.0  # L4E to L23E, section "Model parameters" of the paper
        external = unit * EXTERNAL_INDEGREES * self.bg_rate
        internal = (recurrent * full_synapses() / SIZES[:, None]) @ FULL_RATES[self.drive]
        lost = 1.0 - np.sqrt(k_scale)
        current = lost * internal + (external if self.drive == "dc" else lost * external)
        return Strengths(recurrent / np.sqrt(k_scale), unit / float(np.sqrt(k_scale)), 1e-3 * self.tau_syn * current)

    def warn_if_silent(self, strengths: Strengths) -> None:
        """Warn where a constant drive cannot reach the threshold: without noise nothing starts the activity."""
        rheobase = self.c_m * (self.v_th - self.v_rest) / self.tau_m
        silent = [name for name, current in zip(POPULATIONS, strengths.current, strict=True) if current < rheobase]
        if self.drive == "dc" and silent:
            warnings.warn(
                f"{self.name}: at this scale drive=dc stays below threshold in {', '.join(silent)}, which may fall "
                "silent; use drive=poisson, or k_scale=1 to keep all indegrees",
                stacklevel=3,
            )

    def inputs(self, i: int, k_scale: float, strengths: Strengths) -> list[Input]:
        """Drive of population `i`."""
        inputs: list[Input] = []
        if strengths.current[i]:
            inputs.append(Current(strengths.current[i]))
        if self.drive == "poisson":
            rate = self.bg_rate * round(EXTERNAL_INDEGREES[i] * k_scale)
            inputs.append(PoissonInput(rate, strengths.external))
        return inputs

    def weight(self, mean: float) -> Normal | float:
        """Distribution of the weights of a projection: normal, redrawn where the sign would change."""
        if self.weight_cv == 0 or mean == 0:
            return mean
        low, high = (0.0, np.inf) if mean > 0 else (-np.inf, 0.0)
        return Normal(mean, self.weight_cv * abs(mean), low, high)

    def delay(self, mean: float) -> Normal | Rounded | float:
        """Distribution of the delays of a projection."""
        if self.delay_cv == 0:
            return max(mean, self.delay_min)
        drawn = Normal(mean, self.delay_cv * mean, low=self.delay_min)
        return Rounded(drawn, self.delay_step) if self.delay_step else drawn


NETWORK = Microcircuit

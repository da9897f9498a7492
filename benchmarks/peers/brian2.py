"""Brian2 (Stimberg, Brette & Goodman 2019, doi:10.7554/eLife.47314) with exact integration, compiled or in NumPy.

Time: in its step k Brian2 integrates from ``k dt`` to ``(k+1) dt`` and labels what happens there ``k dt``, so its
spike times are ours minus dt. Its default order within a step (integrate, thresholds, synapses, resets) applies the
arrivals of an instant after the threshold test of that instant. With current synapses the next test is the first
that can feel them, as in ours. A delta synapse moves the membrane itself: there we put synapses before thresholds,
and as spikes then leave one step later, delays are one step shorter. Refractory periods are one step longer: in
Brian2 the last step of the period integrates already.

Linear equations are integrated exactly. With conductances they are not linear: Brian2 then gets the exponential Euler
scheme its examples use, which is cheaper and less accurate than the schemes of NEST and of ours.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks.peers import Peer
from benchmarks.peers._protocol import Cannot, drawn, main, only, pair_rule, peak_mb, single

PEER = Peer("brian2", "Brian2", ("brian2>=2.9", "numpy<2.4", "setuptools"))

_POISSON_TRAINS = (
    1000  # PoissonInput draws a binomial number; from so many trains it is Poisson to 0.1 % of the variance
)
_RULES = ("FixedIndegree", "FixedTotalNumber", "OneToOne", "Pairwise")
_CONDUCTANCE = "ExponentialConductance"
_CURRENTS = {
    "Exponential": "di_{r}/dt = -i_{r} / tau_{r} : 1",
    "Alpha": "di_{r}/dt = (g_{r} - i_{r}) / tau_{r} : 1\ndg_{r}/dt = -g_{r} / tau_{r} : 1",
}


def run(spec: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build and run: as compiled C++ program (`compiled` in the settings), or step by step with NumPy."""
    import brian2

    settings = spec["run"]
    if settings["precise"]:
        raise Cannot("spikes off the grid")
    with tempfile.TemporaryDirectory() as folder:
        if settings["compiled"]:
            brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
            brian2.prefs.devices.cpp_standalone.openmp_threads = settings["threads"] if settings["threads"] > 1 else 0
        else:
            brian2.prefs.codegen.target = "numpy"
        started = time.perf_counter()
        network, monitors = _build(brian2, spec)
        if settings.get("warmup"):  # the time of a compiled program is that of its last run
            for monitor in monitors.values():
                monitor.active = False
            network.run(settings["warmup"] * brian2.ms)
            for monitor in monitors.values():
                monitor.active = True
        network.run(settings["duration"] * brian2.ms)
        times = _execute(brian2, folder, started) if settings["compiled"] else _interpreted(started)
        counts = {name: int(np.sum(m.count)) for name, m in monitors.items()}
        arrays = _spikes(brian2, monitors, settings["dt"]) if settings["record"] else {}
    return {"version": brian2.__version__, **times, "spikes": sum(counts.values())}, arrays


def _execute(brian2: Any, folder: str, started: float) -> dict[str, Any]:
    """Compile, then run; building is what the program does outside its loop over time, reading and writing included."""
    brian2.device.build(directory=folder, compile=True, run=False, debug=False)
    compiled = time.perf_counter()
    brian2.device.run(directory=folder, with_output=False)
    loop = float(brian2.device._last_run_time)
    total = time.perf_counter() - compiled
    return {"build_s": total - loop, "compile_s": compiled - started, "run_s": loop, "peak_rss_mb": None}


def _interpreted(started: float) -> dict[str, Any]:
    return {"build_s": 0.0, "compile_s": 0.0, "run_s": time.perf_counter() - started, "peak_rss_mb": peak_mb()}


def _build(brian2: Any, spec: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    settings = spec["run"]
    brian2.defaultclock.dt = settings["dt"] * brian2.ms
    brian2.seed(settings["seed"] % 2**32)
    delta = _synapses_first(spec)
    objects, groups, monitors = [], {}, {}
    rng = np.random.default_rng(settings["seed"])
    for population in spec["populations"]:
        group = _group(brian2, population, settings, rng)
        groups[population["name"]] = group
        objects += [group, *_inputs(brian2, population, group, settings["dt"])]
        if population["model"]["type"] == "Neuron":
            monitors[population["name"]] = brian2.SpikeMonitor(group, record=settings["record"])
    for projection in spec["projections"]:
        objects += _connect(brian2, projection, spec, groups, delta, rng)
    network = brian2.Network(objects, list(monitors.values()))
    if delta:
        network.schedule = ["start", "groups", "synapses", "thresholds", "resets", "end"]
    return network, monitors


def _synapses_first(spec: dict[str, Any]) -> bool:
    neurons = [p["model"] for p in spec["populations"] if p["model"]["type"] == "Neuron"]
    kinds = {r["type"] == "Delta" for m in neurons for r in m["synapses"].values()}
    if len(kinds) > 1:
        raise Cannot("delta synapses beside currents with the same order of operations")
    return kinds == {True}


def _group(brian2: Any, population: dict[str, Any], settings: dict[str, Any], rng: Any) -> Any:
    model, n, ms, dt = population["model"], population["size"], brian2.ms, settings["dt"]
    if model["type"] == "SpikeSource":
        steps = np.round(model["spikes"]["times"] / dt) - 1  # the label dt earlier, see above
        if np.any(steps < 0):
            raise Cannot("input spikes before the end of the first step")
        return brian2.SpikeGeneratorGroup(n, model["spikes"]["ids"], steps * dt * ms)
    if model["type"] == "PoissonSource":
        return _poisson_group(brian2, n, model["rate"], settings)
    only("population of", model["type"], ("Neuron",))
    only("membrane", model["membrane"]["type"], ("LIF",))
    only("threshold", model["threshold"]["type"], ("FixedThreshold",))
    only("reset", (model["reset"]["type"], model["reset"].get("lag")), (("ResetTo", 0.0),))
    equations, constants = _equations(brian2, model, population["inputs"], dt)
    constants |= {f"tau_{r}": s["tau_syn"] * ms for r, s in model["synapses"].items() if "tau_syn" in s}
    t_ref = model["t_ref"]
    group = brian2.NeuronGroup(
        n,
        equations,
        method="exponential_euler" if _CONDUCTANCE in {s["type"] for s in model["synapses"].values()} else "exact",
        threshold="v >= v_th",
        reset="v = v_reset",
        refractory=(t_ref + dt) * ms if t_ref else False,
        namespace={**constants, "tau_m": model["membrane"]["tau_m"] * ms},
    )
    for name, value in {"v": model["membrane"]["v_rest"], **population["initial"]}.items():
        setattr(group, name, drawn(value, n, rng))
    return group


def _poisson_group(brian2: Any, n: int, rate: Any, settings: dict[str, Any]) -> Any:
    if isinstance(rate, (int, float)):
        return brian2.PoissonGroup(n, rate * brian2.Hz)
    if not isinstance(rate, dict):
        raise Cannot("trains whose rates differ between neurons, as they are described here")
    values, step = _sampled(rate, settings["dt"])
    table = brian2.TimedArray(values * brian2.Hz, dt=step * brian2.ms)
    call = "table(t)" if values.ndim == 1 else "table(t, i)"
    return brian2.PoissonGroup(n, call, namespace={"table": table})


def _sampled(signal: dict[str, Any], dt: float) -> tuple[Any, float]:
    """A piecewise-constant signal at equal distances as few as its times allow; the last value holds for ever."""
    at, values = np.round(signal["times"] / dt).astype(np.int64), np.asarray(signal["values"])
    step = max(1, int(np.gcd.reduce(at)))
    number = np.searchsorted(at, np.arange(0, at[-1] + step, step), "right") - 1
    empty = (number < 0).reshape(-1, *[1] * (values.ndim - 1))
    return np.where(empty, 0.0, values[number]), step * dt


def _equations(
    brian2: Any, model: dict[str, Any], inputs: list[dict[str, Any]], dt: float
) -> tuple[str, dict[str, Any]]:
    """Equations in mV, pA and pF without units; time alone has its unit."""
    membrane = model["membrane"]
    constants = {
        "v_rest": membrane["v_rest"],
        "r_m": membrane["tau_m"] / membrane["c_m"],
        "v_th": model["threshold"]["v_th"],
        "v_reset": model["reset"]["v_reset"],
    }
    if any(not isinstance(x, (int, float)) for x in (*constants.values(), membrane["tau_m"], model["t_ref"])):
        raise Cannot("parameters per neuron, as they are described here")
    current, lines = "i_ext", []
    injected = single("current", [i["value"] for i in inputs if i["type"] == "Current"]) or 0.0
    if isinstance(injected, dict):
        values, step = _sampled(injected, dt)
        constants["currents"] = brian2.TimedArray(values, dt=step * brian2.ms)
        lines.append(f"i_ext = currents({'t' if values.ndim == 1 else 't, i'}) : 1 (constant over dt)")
    else:
        constants["i_ext"] = injected
    if any(i["type"] == "NoiseCurrent" for i in inputs):
        lines.append("i_noise : 1")
        current += " + i_noise"
    for receptor, synapse in model["synapses"].items():
        kind = only("synapse", synapse["type"], ("Delta", _CONDUCTANCE, *_CURRENTS))
        if kind == _CONDUCTANCE:
            constants[f"e_{receptor}"] = synapse["e_rev"]
            lines.append(f"dg_{receptor}/dt = -g_{receptor} / tau_{receptor} : 1")
            current += f" + g_{receptor} * (e_{receptor} - v)"
        elif kind != "Delta":
            lines.append(_CURRENTS[kind].format(r=receptor))
            current += f" + i_{receptor}"
    return "\n".join([f"dv/dt = (v_rest - v + r_m * ({current})) / tau_m : 1 (unless refractory)", *lines]), constants


def _entry(kind: str, receptor: str) -> tuple[str, float]:
    """State that a spike enters, and the factor on its weight."""
    names = {"Delta": "v", "Exponential": f"i_{receptor}", "Alpha": f"g_{receptor}", _CONDUCTANCE: f"g_{receptor}"}
    return names[kind], math.e if kind == "Alpha" else 1.0


def _inputs(brian2: Any, population: dict[str, Any], group: Any, dt: float) -> list[Any]:
    made = []
    for k, item in enumerate(population.get("inputs", ())):
        if only("input", item["type"], ("Current", "NoiseCurrent", "PoissonInput")) == "Current":
            continue
        if item["type"] == "NoiseCurrent":
            group.namespace |= {f"mean_{k}": item["mean"], f"std_{k}": item["std"]}
            group.run_regularly(f"i_noise = mean_{k} + std_{k} * randn()", dt=item["dt"] * brian2.ms)
            continue
        receptors = population["model"]["synapses"]
        receptor = item["receptor"] or next(iter(receptors))
        variable, factor = _entry(receptors[receptor]["type"], receptor)
        rate, weight = item["rate"], item["weight"]
        if not isinstance(weight, (int, float)) or not isinstance(rate, (int, float, dict)):
            raise Cannot("Poisson inputs that differ between neurons, as they are described here")
        if isinstance(rate, dict):
            values, step = _sampled(rate, dt)
            table = brian2.TimedArray(values * brian2.Hz, dt=step * brian2.ms)
            group.namespace |= {f"rate_{k}": table, f"weight_{k}": factor * weight}
            call = f"rate_{k}({'t' if values.ndim == 1 else 't, i'})"
            group.run_regularly(f"{variable} += weight_{k} * poisson({call} * dt)", when="synapses")
        else:
            mean = rate / _POISSON_TRAINS * brian2.Hz
            made.append(brian2.PoissonInput(group, variable, _POISSON_TRAINS, mean, factor * weight))
    return made


def _connect(
    brian2: Any, projection: dict[str, Any], spec: dict[str, Any], groups: dict[str, Any], early: bool, rng: Any
) -> list[Any]:
    pre, post, receptor = projection["pre"], projection["post"], projection["receptor"]
    target = next(p for p in spec["populations"] if p["name"] == post["population"])
    variable, factor = _entry(target["model"]["synapses"][receptor]["type"], receptor)
    i, j = _pairs(projection["rule"], pre["hi"] - pre["lo"], post["hi"] - post["lo"], rng)
    if not len(i):
        return []
    weight, delay = (drawn(projection[key], len(i), rng) for key in ("weight", "delay"))
    if rule := pair_rule(projection):
        return [
            _plastic(brian2, projection, groups, rule, (i, j, weight), (variable, factor), early * spec["run"]["dt"])
        ]
    delay = (delay - early * spec["run"]["dt"]) * brian2.ms
    if np.any(np.asarray(delay) < 0):
        raise Cannot("a delay shorter than the step")
    one_weight, one_delay = np.ndim(weight) == 0, np.ndim(delay) == 0
    synapses = brian2.Synapses(
        groups[pre["population"]],
        groups[post["population"]],
        "" if one_weight else "w : 1",
        on_pre=f"{variable}_post += w",
        delay=delay if one_delay else None,
        namespace={"w": factor * weight} if one_weight else {},
    )
    synapses.connect(i=i + pre["lo"], j=j + post["lo"])
    if not one_weight:
        synapses.w = factor * weight
    if not one_delay:
        synapses.delay = delay
    return [synapses]


def _plastic(
    brian2: Any,
    projection: dict[str, Any],
    groups: dict[str, Any],
    rule: dict[str, Any],
    synapses: tuple[Any, Any, Any],
    entry: tuple[str, float],
    early: float,
) -> Any:
    """Synapses that learn where source spikes come after the axonal delay, target spikes after the dendritic one.

    Where synapses come before thresholds, all three paths run a step later; spikes are then sent `early`, and the
    order of what is learnt stays.
    """
    (i, j, weight), (variable, factor), ms = synapses, entry, brian2.ms
    left = {
        name: {0.0: "", 1.0: f" * {room}"}.get(rule[name], f" * ({room})**{name}")  # no powers where none are needed
        for name, room in (("mu_plus", "(1 - w / w_max)"), ("mu_minus", "w / w_max"))
    }
    pre, post = projection["pre"], projection["post"]
    made = brian2.Synapses(
        groups[pre["population"]],
        groups[post["population"]],
        """w : 1
        dx/dt = -x / tau_plus : 1 (event-driven)
        dy/dt = -y / tau_minus : 1 (event-driven)""",
        on_pre={
            "learn": f"w = clip(w - w_max * a_minus{left['mu_minus']} * y, 0, w_max)\nx += 1",
            "send": f"{variable}_post += factor * w",
        },
        on_post=f"w = clip(w + w_max * a_plus{left['mu_plus']} * x, 0, w_max)\ny += 1",
        delay={
            "learn": (projection["delay"] - projection["dendritic"]) * ms,
            "send": (projection["delay"] - early) * ms,
            "post": projection["dendritic"] * ms,
        },
        namespace={
            **{name: rule[name] for name in ("a_plus", "a_minus", "mu_plus", "mu_minus", "w_max")},
            **{name: rule[name] * ms for name in ("tau_plus", "tau_minus")},
            "factor": factor,
        },
    )
    made.connect(i=i + pre["lo"], j=j + post["lo"])
    made.w = weight
    return made


def _pairs(rule: dict[str, Any], n_pre: int, n_post: int, rng: Any) -> tuple[Any, Any]:
    kind = only("rule", rule["type"], _RULES)
    if kind == "Pairwise":
        return np.asarray(rule["pre"]), np.asarray(rule["post"])
    if kind == "OneToOne":
        return np.arange(n_pre, dtype=np.int32), np.arange(n_post, dtype=np.int32)
    if not (rule["allow_self"] and rule["allow_multiple"]):
        raise Cannot(f"a rule {kind} without self-connections or multiple connections")
    if kind == "FixedTotalNumber":
        pre, post = (rng.integers(0, n, rule["k"], dtype=np.int32) for n in (n_pre, n_post))
        return pre, np.sort(post)
    return rng.integers(0, n_pre, n_post * rule["k"], dtype=np.int32), np.repeat(
        np.arange(n_post, dtype=np.int32), rule["k"]
    )


def _spikes(brian2: Any, monitors: dict[str, Any], dt: float) -> dict[str, Any]:
    arrays = {}
    for name, monitor in monitors.items():
        arrays[f"{name}/times"] = (np.round(np.asarray(monitor.t / brian2.ms) / dt) + 1) * dt
        arrays[f"{name}/ids"] = np.asarray(monitor.i)
    return arrays


if __name__ == "__main__":
    os.environ.setdefault("OMP_PROC_BIND", "false")
    main(run)

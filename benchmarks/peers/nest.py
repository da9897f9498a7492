"""NEST (Gewaltig & Diesmann 2007, doi:10.4249/scholarpedia.1430), grid models and precise (`_ps`) models.

Time: a spike of NEST's grid models carries the time of the end of the step in which the threshold was reached,
as ours do, and arrives delay / step later; nothing has to be shifted.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from benchmarks.peers import Peer
from benchmarks.peers._protocol import Cannot, drawn, main, only, pair_rule, peak_mb, single

PEER = Peer("nest", "NEST", ("nest-simulator>=3.10",))

_MODELS = {"Delta": "iaf_psc_delta", "Exponential": "iaf_psc_exp", "Alpha": "iaf_psc_alpha"}
_CONDUCTANCE = "ExponentialConductance"
_RULES = {
    "OneToOne": ("one_to_one", None, None),
    "AllToAll": ("all_to_all", None, None),
    "FixedIndegree": ("fixed_indegree", "indegree", "k"),
    "FixedOutdegree": ("fixed_outdegree", "outdegree", "k"),
    "FixedTotalNumber": ("fixed_total_number", "N", "k"),
    "FixedProbability": ("pairwise_bernoulli", "p", "p"),
}


def run(spec: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build and run; `precise` in the settings selects the `_ps` models."""
    os.environ["PYNEST_QUIET"] = "1"
    import nest

    settings = spec["run"]
    nest.verbosity = nest.VerbosityLevel.ERROR
    started = time.perf_counter()
    nest.resolution = settings["dt"]
    nest.local_num_threads = settings["threads"]
    nest.rng_seed = settings["seed"] % (2**31) + 1
    nodes = {p["name"]: _create(nest, p, spec, settings["precise"]) for p in spec["populations"]}
    for projection in spec["projections"]:
        _connect(nest, nodes, projection, _target(spec, projection), settings["seed"])
    recorders = _record(nest, spec, nodes) if settings["record"] else {}
    if settings["presim"]:  # NEST sorts its connections inside the first call, which belongs to building
        nest.Simulate(settings["presim"])
    built = time.perf_counter()
    if settings.get("warmup"):
        nest.Simulate(settings["warmup"])
    settled = time.perf_counter()
    nest.Simulate(settings["duration"])
    done = time.perf_counter()
    facts = {
        "version": nest.__version__,
        "build_s": built - started,
        "compile_s": 0.0,
        "run_s": done - settled,
        "spikes": int(nest.local_spike_counter),  # of the last call of Simulate
        "peak_rss_mb": peak_mb(),
    }
    return facts, _spikes(recorders, nodes, settings)


# ---------------------------------------------------------------- neurons and their inputs


def _create(nest: Any, population: dict[str, Any], spec: dict[str, Any], precise: bool) -> Any:
    model, n = population["model"], population["size"]
    if model["type"] == "SpikeSource":
        times, ids = model["spikes"]["times"], model["spikes"]["ids"]
        exact = {"precise_times": True} if precise else {}
        trains = [{"spike_times": _emitted(times[ids == k], spec["run"]["dt"], precise), **exact} for k in range(n)]
        return nest.Create("spike_generator", n, params=trains)
    dt = spec["run"]["dt"]
    if model["type"] == "PoissonSource":
        sources = nest.Create("parrot_neuron_ps" if precise else "parrot_neuron", n)
        nest.Connect(_poisson(nest, model["rate"], precise, dt), sources, syn_spec={"delay": dt})
        return sources
    only("population of", model["type"], ("Neuron",))
    name, params = _neuron(model, precise)
    learning = {
        r["tau_minus"]
        for q in spec["projections"]
        if q["post"]["population"] == population["name"]
        if (r := pair_rule(q))
    }
    if learning:
        params["tau_minus"] = single("time constant of plasticity onto a population", list(learning))
    params["V_m"] = _drawn(nest, population["initial"].get("v", model["membrane"]["v_rest"]))
    if set(population["initial"]) - {"v"}:
        raise Cannot("initial states of synapses")
    signals = {i: single(i, [x for x in population["inputs"] if x["type"] == i]) for i in ("Current", "NoiseCurrent")}
    params["I_e"] = 0.0 if signals["Current"] is None or _varies(signals["Current"]) else signals["Current"]["value"]
    nodes = nest.Create(name, n, params={k: _plain(v) for k, v in params.items()})
    for item in population["inputs"]:
        if only("input", item["type"], ("Current", "NoiseCurrent", "PoissonInput")) == "PoissonInput":
            train = _poisson(nest, item["rate"], precise, dt)
            nest.Connect(train, nodes, syn_spec={"weight": item["weight"], "delay": dt})
        elif item["type"] == "NoiseCurrent":
            noise = {"mean": item["mean"], "std": item["std"], "dt": item["dt"]}
            nest.Connect(nest.Create("noise_generator", params=noise), nodes, syn_spec={"delay": dt})
        elif _varies(item):
            _step_currents(nest, nodes, item["value"], dt)
    return nodes


def _varies(current: dict[str, Any]) -> bool:
    return isinstance(current["value"], dict)


def _step_currents(nest: Any, nodes: Any, signal: dict[str, Any], dt: float) -> None:
    """Generators of piecewise-constant currents, one for all neurons or one each; a first value at 0 is 1 step late."""
    times, values = np.maximum(signal["times"], dt), np.asarray(signal["values"])
    if values.ndim == 1:
        params: Any = {"amplitude_times": times, "amplitude_values": values}
        nest.Connect(nest.Create("step_current_generator", params=params), nodes, syn_spec={"delay": dt})
        return
    params = [{"amplitude_times": times, "amplitude_values": values[:, k]} for k in range(values.shape[1])]
    generators = nest.Create("step_current_generator", values.shape[1], params=params)
    nest.Connect(generators, nodes, "one_to_one", {"delay": dt})


def _poisson(nest: Any, rate: Any, precise: bool, dt: float) -> Any:
    """Generator that sends a train of its own to each target."""
    if isinstance(rate, dict) and rate.get("type") == "Steps" and np.ndim(rate["values"]) == 1:
        if precise:
            raise Cannot("Poisson trains off the grid whose rate changes in time")
        steps = {"rate_times": np.maximum(rate["times"], dt), "rate_values": rate["values"]}
        return nest.Create("inhomogeneous_poisson_generator", params=steps)
    if not isinstance(rate, (int, float)):
        raise Cannot("Poisson trains whose rates differ between neurons, as they are described here")
    return nest.Create("poisson_generator_ps" if precise else "poisson_generator", params={"rate": rate})


def _emitted(times: Any, dt: float, precise: bool) -> list[float]:
    return list(times if precise else np.round(times / dt) * dt)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _neuron(model: dict[str, Any], precise: bool) -> tuple[str, dict[str, Any]]:
    """NEST's model and parameters; the first receptor is its excitatory one, the second its inhibitory one."""
    membrane, receptors = model["membrane"], list(model["synapses"].values())
    only("membrane", membrane["type"], ("LIF",))
    only("threshold", model["threshold"]["type"], ("FixedThreshold",))
    only("reset", (model["reset"]["type"], model["reset"].get("lag")), (("ResetTo", 0.0),))
    kinds = {r["type"] for r in receptors}
    if len(kinds) > 1 or len(receptors) > 2:
        raise Cannot(f"receptors of type {', '.join(sorted(kinds))} in one neuron")
    first, second = receptors[0], receptors[-1]
    params = {
        "C_m": membrane["c_m"],
        "E_L": membrane["v_rest"],
        "V_th": model["threshold"]["v_th"],
        "V_reset": model["reset"]["v_reset"],
        "t_ref": model["t_ref"],
    }
    if first["type"] == _CONDUCTANCE:
        if precise:
            raise Cannot("conductances with precise times")
        conductance = {"g_L": membrane["c_m"] / membrane["tau_m"], "E_ex": first["e_rev"], "E_in": second["e_rev"]}
        return "iaf_cond_exp", params | conductance | {"tau_syn_ex": first["tau_syn"], "tau_syn_in": second["tau_syn"]}
    params["tau_m"] = membrane["tau_m"]
    if first["type"] != "Delta":
        params |= {"tau_syn_ex": first["tau_syn"], "tau_syn_in": second["tau_syn"]}
    if first["type"] not in _MODELS:
        raise Cannot(f"synapse {first['type']}")
    return _MODELS[first["type"]] + ("_ps" if precise else ""), params


# ---------------------------------------------------------------- synapses


def _target(spec: dict[str, Any], projection: dict[str, Any]) -> tuple[str, int, int]:
    """Type of the targeted receptor, its number and how many there are."""
    target = next(p for p in spec["populations"] if p["name"] == projection["post"]["population"])
    receptors = target["model"]["synapses"]
    name = projection["receptor"]
    return receptors[name]["type"], list(receptors).index(name), len(receptors)


def _signed(weight: Any, kind: str, number: int, receptors: int) -> Any:
    """NEST finds the receptor by the sign of the weight: the first takes positive ones, the second negative ones."""
    if isinstance(weight, dict):
        if kind == _CONDUCTANCE or receptors > 1:
            raise Cannot("weights drawn from a distribution onto one of two receptors")
        return weight
    negative = np.any(np.asarray(weight) < 0)
    if kind == _CONDUCTANCE:
        if negative:
            raise Cannot("negative conductances")
        return -weight if number else weight
    if receptors == 2 and (negative if number == 0 else np.any(np.asarray(weight) > 0)):
        raise Cannot(f"weights of that sign onto receptor {number + 1} of 2")
    return weight


def _connect(
    nest: Any, nodes: dict[str, Any], projection: dict[str, Any], target: tuple[str, int, int], seed: int
) -> None:
    weight, delay, learning = _signed(projection["weight"], *target), projection["delay"], _plastic(projection)
    pre, post = (nodes[v["population"]][v["lo"] : v["hi"]] for v in (projection["pre"], projection["post"]))
    rule = projection["rule"]
    if only("rule", rule["type"], ("Pairwise", *_RULES)) == "Pairwise":
        if len(rule["pre"]):
            sources, targets = np.array(pre)[rule["pre"]], np.array(post)[rule["post"]]
            rng, shape = np.random.default_rng(seed), sources.shape
            weight, delay = (np.broadcast_to(drawn(x, len(sources), rng), shape).astype(float) for x in (weight, delay))
            nest.Connect(sources, targets, "one_to_one", _synapse(weight, delay) | learning)
        return
    if isinstance(delay, dict) and delay["type"] == "Rounded":  # as NEST does with all delays
        only("lattice of delays", delay["step"], (nest.resolution,))
        delay = delay["part"]
    weight, delay = (_drawn(nest, x) for x in (weight, delay))
    name, parameter, source = _RULES[rule["type"]]
    flags = {"allow_autapses": rule.get("allow_self", True), "allow_multapses": rule.get("allow_multiple", False)}
    number = {parameter: rule[source]} if parameter else {}
    nest.Connect(
        pre, post, {"rule": name, **number, **(flags if parameter else {})}, _synapse(weight, delay) | learning
    )


def _drawn(nest: Any, value: Any) -> Any:
    """NEST's parameter for a distribution, other values as they are."""
    if not isinstance(value, dict):
        return value
    if only("distribution", value["type"], ("Normal", "Uniform")) == "Uniform":
        return nest.random.uniform(value["low"], value["high"])
    only("values outside the limits", value.get("outside", "redraw"), ("redraw",))
    drawn = nest.random.normal(value["mean"], value["std"])
    if np.isinf(value["low"]) and np.isinf(value["high"]):
        return drawn
    return nest.math.redraw(drawn, min=value["low"], max=value["high"])


def _plastic(projection: dict[str, Any]) -> dict[str, Any]:
    """NEST's rule; its delays are dendritic altogether."""
    rule = pair_rule(projection)
    if rule is None:
        return {}
    if projection["dendritic"] != projection["delay"]:
        raise Cannot("plastic synapses with axonal delays")
    ours = {"lambda": "a_plus", "mu_plus": "mu_plus", "mu_minus": "mu_minus", "Wmax": "w_max", "tau_plus": "tau_plus"}
    numbers = {theirs: rule[name] for theirs, name in ours.items()}
    return {"synapse_model": "stdp_synapse", "alpha": rule["a_minus"] / rule["a_plus"], **numbers}


def _synapse(weight: Any, delay: Any) -> dict[str, Any]:
    return {"synapse_model": "static_synapse", "weight": weight, "delay": delay}


# ---------------------------------------------------------------- spikes


def _record(nest: Any, spec: dict[str, Any], nodes: dict[str, Any]) -> dict[str, Any]:
    recorders = {}
    for p in spec["populations"]:
        if p["model"]["type"] == "Neuron":
            start = spec["run"]["presim"] + spec["run"].get("warmup", 0.0)
            recorders[p["name"]] = nest.Create("spike_recorder", params={"time_in_steps": True, "start": start})
            nest.Connect(nodes[p["name"]], recorders[p["name"]])
    return recorders


def _spikes(recorders: dict[str, Any], nodes: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    arrays, shift = {}, settings["presim"] or 0.0
    for name, recorder in recorders.items():
        events = recorder.events
        arrays[f"{name}/times"] = np.asarray(events["times"]) * settings["dt"] - np.asarray(events["offsets"]) - shift
        arrays[f"{name}/ids"] = np.asarray(events["senders"]) - nodes[name][0].global_id
    return arrays


if __name__ == "__main__":
    main(run)

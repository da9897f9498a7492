"""NEST (Gewaltig & Diesmann 2007, doi:10.4249/scholarpedia.1430), grid models and precise (`_ps`) models.

Time: a spike of NEST's grid models carries the time of the end of the step in which the threshold was reached,
as ours do, and arrives delay / step later; nothing has to be shifted.
"""

from __future__ import annotations

import os
import resource
import time
from typing import Any

import numpy as np

from benchmarks.peers import Peer
from benchmarks.peers._protocol import Cannot, main, only, single

PEER = Peer("nest", "NEST", ("nest-simulator>=3.10",))

_MODELS = {"Delta": "iaf_psc_delta", "Exponential": "iaf_psc_exp", "Alpha": "iaf_psc_alpha"}
_CONDUCTANCE = "ExponentialConductance"


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
        _connect(nest, nodes, projection, _target(spec, projection))
    recorders = _record(nest, spec, nodes) if settings["record"] else {}
    if settings["presim"]:  # NEST sorts its connections inside the first call, which belongs to building
        nest.Simulate(settings["presim"])
    built = time.perf_counter()
    nest.Simulate(settings["duration"])
    done = time.perf_counter()
    facts = {
        "version": nest.__version__,
        "build_s": built - started,
        "compile_s": 0.0,
        "run_s": done - built,
        "spikes": int(nest.local_spike_counter),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return facts, _spikes(recorders, nodes, settings["dt"])


def _create(nest: Any, population: dict[str, Any], spec: dict[str, Any], precise: bool) -> Any:
    model, n = population["model"], population["size"]
    if model["type"] == "SpikeSource":
        times, ids = model["spikes"]["times"], model["spikes"]["ids"]
        exact = {"precise_times": True} if precise else {}
        trains = [{"spike_times": _emitted(times[ids == k], spec["run"]["dt"], precise), **exact} for k in range(n)]
        return nest.Create("spike_generator", n, params=trains)
    only("population of", model["type"], ("Neuron",))
    name, params = _neuron(model, precise)
    params["V_m"] = population["initial"].get("v", model["membrane"]["v_rest"])
    if set(population["initial"]) - {"v"}:
        raise Cannot("initial states of synapses")
    currents = [i["value"] for i in population["inputs"] if i["type"] == "Current"]
    params["I_e"] = single("constant current", currents) or 0.0
    if isinstance(params["I_e"], dict):
        raise Cannot("currents that change in time")
    nodes = nest.Create(name, n, params={k: _plain(v) for k, v in params.items()})
    for item in population["inputs"]:
        if only("input", item["type"], ("Current", "PoissonInput")) == "PoissonInput":
            generator = nest.Create(
                "poisson_generator_ps" if precise else "poisson_generator", params={"rate": item["rate"]}
            )
            nest.Connect(generator, nodes, syn_spec={"weight": item["weight"], "delay": spec["run"]["dt"]})
    return nodes


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


def _target(spec: dict[str, Any], projection: dict[str, Any]) -> tuple[str, int, int]:
    """Type of the targeted receptor, its number and how many there are."""
    target = next(p for p in spec["populations"] if p["name"] == projection["post"]["population"])
    receptors = target["model"]["synapses"]
    name = projection["receptor"]
    return receptors[name]["type"], list(receptors).index(name), len(receptors)


def _signed(weight: Any, kind: str, number: int, receptors: int) -> Any:
    """NEST finds the receptor by the sign of the weight: the first takes positive ones, the second negative ones."""
    if isinstance(weight, dict):
        raise Cannot("weights drawn from a distribution")
    negative = np.any(np.asarray(weight) < 0)
    if kind == _CONDUCTANCE:
        if negative:
            raise Cannot("negative conductances")
        return -weight if number else weight
    if receptors == 2 and (negative if number == 0 else np.any(np.asarray(weight) > 0)):
        raise Cannot(f"weights of that sign onto receptor {number + 1} of 2")
    return weight


def _connect(nest: Any, nodes: dict[str, Any], projection: dict[str, Any], target: tuple[str, int, int]) -> None:
    weight, delay = _signed(projection["weight"], *target), projection["delay"]
    if isinstance(delay, dict):
        raise Cannot("delays drawn from a distribution")
    pre, post = (nodes[v["population"]][v["lo"] : v["hi"]] for v in (projection["pre"], projection["post"]))
    rule = projection["rule"]
    if only("rule", rule["type"], ("FixedIndegree", "Pairwise")) == "FixedIndegree":
        flags = {"allow_autapses": rule["allow_self"], "allow_multapses": rule["allow_multiple"]}
        nest.Connect(pre, post, {"rule": "fixed_indegree", "indegree": rule["k"], **flags}, _synapse(weight, delay))
    elif len(rule["pre"]):
        sources, targets = np.array(pre)[rule["pre"]], np.array(post)[rule["post"]]
        weight, delay = (np.broadcast_to(x, sources.shape).astype(float) for x in (weight, delay))
        nest.Connect(sources, targets, "one_to_one", _synapse(weight, delay))


def _synapse(weight: Any, delay: Any) -> dict[str, Any]:
    return {"synapse_model": "static_synapse", "weight": weight, "delay": delay}


def _record(nest: Any, spec: dict[str, Any], nodes: dict[str, Any]) -> dict[str, Any]:
    recorders = {}
    for p in spec["populations"]:
        if p["model"]["type"] == "Neuron":
            recorders[p["name"]] = nest.Create("spike_recorder", params={"time_in_steps": True})
            nest.Connect(nodes[p["name"]], recorders[p["name"]])
    return recorders


def _spikes(recorders: dict[str, Any], nodes: dict[str, Any], dt: float) -> dict[str, Any]:
    arrays = {}
    for name, recorder in recorders.items():
        events = recorder.events
        arrays[f"{name}/times"] = np.asarray(events["times"]) * dt - np.asarray(events["offsets"])
        arrays[f"{name}/ids"] = np.asarray(events["senders"]) - nodes[name][0].global_id
    return arrays


if __name__ == "__main__":
    main(run)

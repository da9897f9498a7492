"""What the numbers of a comparison say, in sentences made from them, losses included."""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.words import Measured, capital, joules, multiple, ratio

_TABLE = "horowitz-int8-sram"
_AGREE, _SPIKES = 0.999, 0.001  # replay and torch: equal answers at least, difference of spikes at most


def findings(family: dict[str, Any]) -> list[str]:
    """What the numbers say, losses included."""
    found = [f"Seed {d['seed']} is in no figure: {d['error']}." for d in family["diverged"]]
    found += [f"Left out: {text}." for text in family["left_out"]]
    found += [_accuracy_sentence(family), *_target_sentences(family), *_energy_sentences(family)]
    found += _cheaper_sentences(family)
    if spread := _spread_sentence(family):
        found.append(spread)
    found += [_replay_sentence("Replay in the core", family["replay"])]
    for other in family["others"].values():
        if "agreement" in other:
            found.append(_replay_sentence(f"Replay of the {other['title']}", other))
    found += _speed_sentences(family)
    return found + [line for exhibit in family["exhibits"].values() for line in exhibit["findings"]]


def verdict(f: dict[str, Any]) -> str:
    """The honest reading in two sentences."""
    priced = {name: e for name, e in f["energy"].items() if e["ann"] and e["snn"]}
    cheaper = [name for name, e in priced.items() if e["snn"] < e["ann"]]
    beaten = [name for name in cheaper if priced[name]["snn"] < (_best_rival(priced[name]) or np.inf)]
    first = _level(f)
    if not priced:
        return first
    second = (
        f"By {len(cheaper)} of {len(priced)} price tables that know both sides it needs less energy than the fp32 ANN"
    )
    if any(e.get(rival) for e in priced.values() for rival in _RIVALS):
        second += f", and by {len(beaten)} less than the best of its rivals (an ANN that skips zeros, one of few bits)"
    memory = [name for name in cheaper if not name.endswith("naive")]
    if cheaper and not memory:
        second += "; all of those leave memory out"
    return f"{first} {second}."


_RIVALS = ("ann_skipping_zeros", "ann_quantised")
_LEVEL = 0.05  # points that are no difference


def _level(f: dict[str, Any]) -> str:
    """How the twin stands to the ANN."""
    metric = Measured.of(f)
    ann, snn = f["ann"][metric.name], f[f["scored"]][metric.name]
    if not metric.percent:
        better = "better" if metric.better(snn, ann) else "worse"
        direction = "" if metric.higher else ", lower is better"
        return f"The {f['twin']} is {better} in {metric.name} than the ANN ({snn:.3g} and {ann:.3g}{direction})."
    points = 100 * (snn - ann)
    more = "more" if points > 0 else "less"
    level = "as many points as" if abs(points) < _LEVEL else f"{abs(points):.1f} points {more} than"
    return f"The {f['twin']} reaches {level} the ANN ({snn:.1%} and {ann:.1%})."


def _best_rival(e: dict[str, Any]) -> float | None:
    values = [e[k] for k in ("ann", *_RIVALS) if e.get(k) is not None]
    return min(values) if values else None


def _target_sentences(f: dict[str, Any]) -> list[str]:
    if f["quick"]:
        return []
    metric, others, sentences = Measured.of(f), f["others"], []
    known = {"ann": ("ANN", f["ann"]), "snn": (f["twin"], f[f["scored"]])} | {
        k: (o["title"], o) for k, o in others.items()
    }
    near = {name: f["ann"][metric.name] - o["within"] for name, o in others.items() if o["within"] is not None}
    for side, target in (f["targets"] | near).items():
        who, reached = known[side][0], known[side][1][metric.name]
        short = f", {100 * (target - reached):.2f} points short" if metric.percent else ""
        how = f"NOT reached{short}" if metric.better(target, reached) else "reached"
        each = [_record_of(r, side, f["scored"])["score"] for r in f["per_seed"]]
        seeds = (
            f", by {sum(not metric.better(target, score) for score in each)} of {len(each)} seeds"
            if len(each) > 1
            else ""
        )
        sentences.append(
            f"Expected of the {who} from the literature: {metric.value(target)}; {how} "
            f"({metric.value(reached)}{seeds})."
        )
    return sentences


def _record_of(record: dict[str, Any], side: str, spiking: str) -> dict[str, Any]:
    """What a contestant did with one seed; `spiking` says whether one that spikes counts in torch or in the core."""
    if side in ("ann", "snn"):
        return record["ann" if side == "ann" else spiking]
    other = record["others"][side]
    return other[spiking] if spiking in other else other["ann"]


def _spread_sentence(f: dict[str, Any]) -> str | None:
    """How far price tables disagree about the same counts."""
    ratios = {name: e["snn"] / e["ann"] for name, e in f["energy"].items() if e["ann"] and e["snn"]}
    totals = {name: e["snn"] for name, e in f["energy"].items() if e["snn"]}
    if len(ratios) < 2:
        return None
    low, high = min(ratios, key=ratios.__getitem__), max(ratios, key=ratios.__getitem__)
    fold = max(totals.values()) / min(totals.values())
    least, most = multiple(ratios[low]), multiple(ratios[high])
    return (
        f"Spread over price tables: twin / ANN from {least} ({low}) to {most} ({high}); the twin's own estimate "
        f"varies {fold:,.0f}-fold over all {len(totals)} tables."
    )


def _speed_sentences(f: dict[str, Any]) -> list[str]:
    if not f["speed"]:
        return []
    own = next(row for row in f["speed"] if row["threshold"] == 1.0)
    torch, rate = own["torch_s"], own["rate"]
    core, engine = min((own["event_s"], "event"), (own["grid_s"], "grid"))
    wins = "faster" if core < torch else "SLOWER"
    return [
        f"One input at a time the core's {engine} engine is {max(torch / core, core / torch):.1f} times {wins} than "
        f"snnTorch ({1e3 * core:.3g} and {1e3 * torch:.3g} ms an inference, one thread), {rate:.1%} of neurons firing "
        "per step."
    ]


def _accuracy_sentence(f: dict[str, Any]) -> str:
    metric, seeds = Measured.of(f), f["seeds"]
    ann, snn = f["ann"][metric.name], f[f["scored"]][metric.name]
    spread = max(f["ann"][f"{metric.name}_std"], f[f["scored"]][f"{metric.name}_std"])
    text = f"{capital(metric.name)}: the spiking twin reaches {metric.value(snn)}, the ANN {metric.value(ann)}"
    text += "" if metric.higher else " (lower is better)"
    if f["seeds"] < 2:
        return f"{text}; one seed says nothing about chance."
    if abs(snn - ann) <= spread:
        return f"{text}; no more apart than one standard deviation over {seeds} seeds."
    if not metric.percent:
        better = "better" if metric.better(snn, ann) else "worse"
        return f"{text}: {better} by {abs(snn - ann):.3g}, standard deviation {spread:.2g} over {seeds} seeds."
    points, deviation, more = 100 * abs(snn - ann), 100 * spread, "more" if snn > ann else "less"
    return f"{text}: {points:.2f} points {more}, standard deviation {deviation:.2f} over {seeds} seeds."


def _energy_sentences(f: dict[str, Any]) -> list[str]:
    sentences = []
    alone = {name: e["snn"] for name, e in f["energy"].items() if e["snn"] and not e["ann"]}
    for name, e in f["energy"].items():
        if not (e["ann"] and e["snn"]):
            continue
        even = f["break_even"][name]
        outcome = "wins" if e["snn"] < e["ann"] else "loses"
        limit = even["spikes_per_synapse"]
        needs = (
            f"it breaks even at {multiple(limit, 3)} spikes per synapse"
            if limit
            else "its fixed costs alone exceed the ANN"
        )
        sentences.append(
            f"Energy by {name} (estimate): the twin {outcome}, {joules(e['snn'])} against {joules(e['ann'])} "
            f"({ratio(e['snn'], e['ann'])}); {needs}, and {even['measured']:.3g} were counted."
        )
        if (skipping := e["ann_skipping_zeros"]) and skipping < e["snn"] < e["ann"]:
            sentences[-1] += f" An ANN that skips inputs of zero would need {joules(skipping)} and win."
        if (bits := e.get("ann_quantised")) and bits < e["snn"] < e["ann"]:
            sentences[-1] += f" An ANN of {f['quantised_bits']} bits would need {joules(bits)} and win."
    if alone:
        each = ", ".join(f"{joules(value)} by {name}" for name, value in alone.items())
        sentences.append(f"Energy of the twin on chips that have no price for an ANN (estimates): {each}.")
    return sentences


def _cheaper_sentences(f: dict[str, Any]) -> list[str]:
    """The cheapest of the further contestants that are at least as good as the twin, if it is cheaper."""
    metric, energy = Measured.of(f), f["energy"][_TABLE]
    reached, own = f[f["scored"]][metric.name], energy["snn"]
    others = [r for r in f["rivals"] if r["name"] in f["others"] and energy.get(r["name"])]
    good = [r for r in others if r[metric.name] is not None and not metric.better(reached, r[metric.name])]
    best = min(good, key=lambda r: energy[r["name"]], default=None)
    if not (best and own) or energy[best["name"]] >= own:
        return []
    return [
        f"At least as good as the twin, and cheaper: {best['title']}, {metric.value(best[metric.name])} for "
        f"{joules(energy[best['name']])} ({ratio(energy[best['name']], own)}, {_TABLE}, estimate)."
    ]


def _replay_sentence(what: str, r: dict[str, Any]) -> str:
    spikes = f"{r['spikes_differing']:,} of {r['spikes_in_torch']:,} spikes more or fewer ({r['spike_difference']:.3%})"
    if r["agreement"] is None:
        return f"{what}: {spikes} than torch."
    equal, n = r["predictions_equal"], r["predictions_compared"]
    if equal == n and not r["spikes_differing"]:
        return f"{what}: the same answer as torch on all {n:,} inputs and exactly as many spikes."
    text = f"{what}: {n - equal:,} of {n:,} answers differ from torch, {spikes}"
    if r["agreement"] >= _AGREE and r["spike_difference"] <= _SPIKES:
        return (
            f"{text}: torch computes in 32 bits, the core in 64, and a membrane close to threshold decides otherwise."
        )
    return f"{text}: MORE THAN ROUNDING EXPLAINS (at least {_AGREE:.1%} equal answers expected)."

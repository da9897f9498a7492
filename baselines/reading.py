"""What the numbers of a comparison say, in sentences made from them, losses included."""

from __future__ import annotations

from typing import Any

import numpy as np

from baselines.words import capital, joules, ratio

_AGREE, _SPIKES = 0.999, 0.001  # replay and torch: equal answers at least, difference of spikes at most


def findings(family: dict[str, Any]) -> list[str]:
    """What the numbers say, losses included."""
    found = [f"Seed {d['seed']} is in no figure: {d['error']}." for d in family["diverged"]]
    found += [_accuracy_sentence(family), *_target_sentences(family), *_energy_sentences(family)]
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
    metric = f["metric"]
    points = 100 * (f["replay"][metric] - f["ann"][metric])
    priced = {name: e for name, e in f["energy"].items() if e["ann"] and e["snn"]}
    cheaper = [name for name, e in priced.items() if e["snn"] < e["ann"]]
    beaten = [name for name in cheaper if priced[name]["snn"] < (_best_rival(priced[name]) or np.inf)]
    level = (
        "as many points as"
        if abs(points) < _LEVEL
        else f"{abs(points):.1f} points {'more' if points > 0 else 'less'} than"
    )
    first = f"The {f['twin']} reaches {level} the ANN ({f['replay'][metric]:.1%} and {f['ann'][metric]:.1%})."
    if not priced:
        return first
    second = (
        f"By {len(cheaper)} of {len(priced)} price tables that know both sides it needs less energy than the fp32 ANN, "
        f"and by {len(beaten)} less than the best of its rivals (an ANN that skips zeros, one of few bits)"
    )
    memory = [name for name in cheaper if not name.endswith("naive")]
    if cheaper and not memory:
        second += "; all of those leave memory out"
    return f"{first} {second}."


_LEVEL = 0.05  # points that are no difference


def _best_rival(e: dict[str, Any]) -> float | None:
    values = [e[k] for k in ("ann", "ann_skipping_zeros", "ann_quantised") if e.get(k) is not None]
    return min(values) if values else None


def _target_sentences(f: dict[str, Any]) -> list[str]:
    if f["quick"]:
        return []
    metric, others, sentences = f["metric"], f["others"], []
    known = {"ann": ("ANN", f["ann"]), "snn": (f["twin"], f["replay"])} | {
        k: (o["title"], o) for k, o in others.items()
    }
    near = {name: f["ann"][metric] - o["within"] for name, o in others.items() if o["within"] is not None}
    for side, target in (f["targets"] | near).items():
        who, reached = known[side][0], known[side][1][metric]
        how = "reached" if reached >= target else f"NOT reached, {100 * (target - reached):.2f} points short"
        each = [r["ann" if side == "ann" else "replay"]["score"] for r in f["per_seed"]]
        seeds = f", by {sum(score >= target for score in each)} of {len(each)} seeds" if len(each) > 1 else ""
        sentences.append(f"Expected of the {who} from the literature: {target:.1%}; {how} ({reached:.2%}{seeds}).")
    return sentences


def _spread_sentence(f: dict[str, Any]) -> str | None:
    """How far price tables disagree about the same counts."""
    ratios = {name: e["snn"] / e["ann"] for name, e in f["energy"].items() if e["ann"] and e["snn"]}
    totals = {name: e["snn"] for name, e in f["energy"].items() if e["snn"]}
    if len(ratios) < 2:
        return None
    low, high = min(ratios, key=ratios.__getitem__), max(ratios, key=ratios.__getitem__)
    fold = max(totals.values()) / min(totals.values())
    return (
        f"Spread over price tables: twin / ANN from {ratios[low]:.2g} ({low}) to {ratios[high]:.2g} ({high}); the "
        f"twin's own estimate varies {fold:,.0f}-fold over all {len(totals)} tables."
    )


def _speed_sentences(f: dict[str, Any]) -> list[str]:
    if not f["speed"]:
        return []
    own = next(row for row in f["speed"] if row["threshold"] == 1.0)
    torch, core, rate = own["torch_s"], own["core_s"], own["rate"]
    wins = "faster" if core < torch else "SLOWER"
    return [
        f"One input at a time the core is {max(torch / core, core / torch):.1f} times {wins} than snnTorch "
        f"({1e3 * core:.3g} and {1e3 * torch:.3g} ms an inference, one thread), {rate:.1%} of neurons firing per step."
    ]


def _accuracy_sentence(f: dict[str, Any]) -> str:
    metric = f["metric"]
    ann, snn = f["ann"][metric], f["replay"][metric]
    more = "more" if snn > ann else "less"
    spread = max(f["ann"][f"{metric}_std"], f["replay"][f"{metric}_std"])
    text, seeds = f"{capital(metric)}: the spiking twin reaches {snn:.2%}, the ANN {ann:.2%}", f["seeds"]
    if f["seeds"] < 2:
        return f"{text}; one seed says nothing about chance."
    if abs(snn - ann) <= spread:
        return f"{text}; no more apart than one standard deviation over {seeds} seeds."
    points, deviation = 100 * abs(snn - ann), 100 * spread
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
        needs = f"it breaks even at {limit:.3g} spikes per synapse" if limit else "its fixed costs alone exceed the ANN"
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

"""What `spikesim run` says about a result: one summary of plain values, shown as tables or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim.commands import table
from spikesim.commands.run import Job, peak_rss_mb

if TYPE_CHECKING:
    from spikesim.result import Result


def summary(job: Job, result: Result, interrupted: bool) -> dict[str, Any]:
    """Everything the command reports, as plain values."""
    from spikesim import __version__

    populations = [_population(result, p.name, p.size) for p in job.network if not p.is_source]
    spikes = sum(p["spikes"] for p in populations)
    seconds = result.duration / 1e3
    return {
        "network": job.name,
        "engine": result.engine,
        "scale": job.scale,
        "parameters": job.overrides,
        "neurons": job.network.neurons,
        "synapses": round(job.network.synapses),
        "threads": job.threads,
        "seed": job.seed,
        "dt_ms": job.dt if result.engine == "grid" else None,
        "duration_ms": result.duration,
        "interrupted": interrupted,
        **{key: float(result.timing[key]) for key in ("build_s", "compile_s", "run_s")},
        "real_time_factor": float(result.timing["run_s"]) / seconds if seconds else None,
        "spikes": spikes,
        "mean_rate_hz": spikes / job.network.neurons / seconds if seconds else None,
        "synaptic_events": int(sum(result.counts.synaptic_events.values())),
        "peak_rss_mb": peak_rss_mb(),
        "populations": populations,
        "version": __version__,
    }


def page(found: dict[str, Any]) -> list[Any]:
    """Tables of a summary."""
    dt = f", dt {found['dt_ms']:g} ms" if found["dt_ms"] else ""
    facts = table(f"{found['network']}: {found['engine']} engine{dt}", "", "")
    facts.show_header = False
    facts.add_row("neurons", f"{found['neurons']:,}")
    facts.add_row("synapses", f"{found['synapses']:,}")
    facts.add_row("simulated", f"{found['duration_ms']:g} ms, seed {found['seed']}, {_threads(found['threads'])}")
    times = f"build {found['build_s']:.2f} s, compile {found['compile_s']:.2f} s, run {found['run_s']:.2f} s"
    facts.add_row("time", times)
    if found["real_time_factor"] is not None:
        facts.add_row("real-time factor", f"{found['real_time_factor']:.3g} (run time / simulated time)")
    facts.add_row("synaptic events", f"{found['synaptic_events']:,}")
    facts.add_row("peak memory", f"{found['peak_rss_mb']:,.0f} MB")
    rates = table(None, "population", ">neurons", ">spikes", ">rate (Hz)", ">CV of ISI")
    for p in found["populations"]:
        rates.add_row(p["name"], f"{p['size']:,}", f"{p['spikes']:,}", _number(p["rate_hz"]), _number(p["cv_isi"]))
    rates.add_row("all", f"{found['neurons']:,}", f"{found['spikes']:,}", _number(found["mean_rate_hz"]), "")
    return [facts, rates]


def _population(result: Result, name: str, size: int) -> dict[str, Any]:
    from spikesim.analysis import cv_isi

    spikes = int(result.counts.spikes[name])
    irregularity = cv_isi(result.spikes[name])
    known = irregularity[np.isfinite(irregularity)]
    return {
        "name": name,
        "size": size,
        "spikes": spikes,
        "rate_hz": spikes / size / (result.duration / 1e3) if result.duration else None,
        "cv_isi": float(known.mean()) if known.size else None,
    }


def _threads(n: int) -> str:
    return "1 thread" if n == 1 else f"{n} threads"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

"""Saving a simulation with everything that is under way, and continuing it elsewhere.

A file knows nothing of shards: states are stored per block, travelling spikes per projection, so that a simulation
may be continued with any number of threads.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim import files
from spikesim.describe import decode, encode, network_from_tree, network_to_tree
from spikesim.engines import plastic_state, short_term
from spikesim.errors import FileError, ParameterError, SpikesimError
from spikesim.inputs import SpikeSource
from spikesim.network import Network
from spikesim.parameters import as_count
from spikesim.recording import Record

_OPTIONS = ("engine", "dt", "seed", "threads", "batch")
_RECORD = ("spikes", "states", "interval", "ids")
_COPY = 1 << 18  # rows of a stream copied at a time


def check_batch(network: Network, batch: int) -> None:
    """Raise ParameterError where per-stimulus inputs do not match the batch."""
    for q in network.projections:
        if q.plasticity is not None and batch > 1:
            raise ParameterError(
                f"Projection {q.name!r}: plastic weights cannot serve {batch} stimuli at once; batch=1"
            )
    for p in network.populations:
        if isinstance(p.model, SpikeSource) and len(p.model.batch) not in (1, batch):
            raise ParameterError(f"Population {p.name!r}: has spikes of {len(p.model.batch)} stimuli, batch is {batch}")
        for item in (p.model, *p.inputs):
            for name in ("rate", "value"):
                value = getattr(item, name, None)
                if isinstance(value, np.ndarray) and value.ndim == 2 and len(value) != batch:
                    raise ParameterError(f"Population {p.name!r}: {name} has {len(value)} stimuli, batch is {batch}")


# ---------------------------------------------------------------- saving


def save(simulation: Any, path: Path, overwrite: bool) -> Path:
    """Write a simulation."""
    files.guard(path, overwrite)
    simulation._hand_on()
    run, recorder = simulation._run, simulation._recorder
    stream = recorder.stream
    base = run.rewind()
    tree = {
        **{name: getattr(simulation, name) for name in _OPTIONS},
        "network": network_to_tree(simulation.network),
        "record": encode({name: getattr(simulation.record, name) for name in _RECORD}),
        "streamed": None if stream is None else str(stream.path.absolute()),
        "rows": np.array([] if stream is None else list(stream.rows.values()), np.int64),
        "now": np.array(run.now),
        "next_change": np.array(run.next_change),
        "base": base,
        "asked": simulation._asked,
        "samples": simulation._samples,
        "timing": simulation._timing,
        "histories": {
            str(k): {"first": h.first, "time": h.view(h.first)[0], "element": h.view(h.first)[1]}
            for k, h in enumerate(run.histories)
        },
        "sources": {str(k): s.state() for k, s in run.sources.items()},
        "blocks": {str(k): _block(shards, simulation.batch) for k, shards in run.shards.items() if shards},
        "projections": {str(k): _projection(run, p.name) for k, p in enumerate(simulation.network.projections)},
        "plastic": {
            str(k): plastic_state.save(run, p)
            for k, p in enumerate(simulation.network.projections)
            if p.plasticity is not None
        },
        "recorder": {"counts": {str(k): c for k, c in enumerate(recorder.counts)}, "held": recorder.held()},
    }
    run.look_ahead(base)
    files.write_tree(path, "simulation", tree, overwrite)
    return path


def _neurons(shard: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """Arrays of a shard that hold one value per neuron and change while it runs, by a path of names."""

    def walk(name: str, value: Any) -> Iterator[tuple[str, NDArray[Any]]]:
        if isinstance(value, tuple):
            for k, item in enumerate(value):
                yield from walk(f"{name}.{k}", item)
        else:
            yield name, value

    for name, value in shard.state._asdict().items():
        if name not in ("wake", "block_wake"):  # derived
            yield from walk(name, value)
    if hasattr(shard, "private"):
        yield "private.time", shard.private.time
        yield "private.draw", shard.private.draw


def _part(table: NDArray[Any], shard: Any) -> NDArray[Any]:
    """The part of an array (…, batch, neurons) of a block that belongs to a shard."""
    place = shard.shard
    return table[..., place.b0 : place.b1, place.lo : place.hi]


def _arrivals(shard: Any) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Counters of Poisson arrivals that are not kept per neuron."""
    for item in getattr(shard, "poisson", ()):
        yield f"arrivals.{int(item.key)}", item.arrivals


def _block(shards: list[Any], batch: int) -> dict[str, Any]:
    """State of all shards of a block as arrays (…, batch, neurons)."""
    tables: dict[str, NDArray[Any]] = {}
    size = shards[0].shard.block.size
    for shard in shards:
        for name, array in _neurons(shard):
            lead = array.shape[:-1]
            part = _part(tables.setdefault(name, np.empty((*lead, batch, size), array.dtype)), shard)
            part[...] = array.reshape(part.shape)
        for name, count in _arrivals(shard):
            tables[name] = tables.get(name, 0) + count
    return tables


def _bundles(run: Any, projection: str) -> Iterator[tuple[Any, int, int]]:
    """Shards that a projection reaches, with the numbers of its bundle there and of the projection in the bundle."""
    for shards in run.shards.values():
        for shard in shards:
            for k, bundle in enumerate(shard.bundles):
                if projection in bundle.names:
                    yield shard, k, bundle.names.index(projection)


def _projection(run: Any, name: str) -> dict[str, Any]:
    """What moves of a projection: its factor, whether it is active, deliveries, spikes taken up and under way."""
    found: dict[str, Any] = {"events": 0}
    under_way: Counter[tuple[Any, int]] = Counter()
    for shard, k, q in _bundles(run, name):
        bundle = shard.bundles[k]
        found["events"] += bundle.deliveries()[q]
        found |= {"weight": float(bundle.weight[q]), "active": int(bundle.active[q])}
        if hasattr(shard, "positions"):
            found["position"] = int(shard.positions[k])
            under_way |= Counter(_under_way(shard, k, q))  # a spike may be under way in one shard, delivered in others
    used = [(place[0].shard, state) for place in _bundles(run, name) for state in short_term.states(*place)]
    if used:
        found["used"] = short_term.save(used, run.batch)
    spikes = sorted(under_way.elements())
    found["time"] = np.array([t for t, _ in spikes], run.tick)
    found["element"] = np.array([e for _, e in spikes], np.int64)
    return found


def _under_way(shard: Any, k: int, q: int) -> Iterator[tuple[Any, int]]:
    """Time and element of the spikes of a projection that still have synapses of a shard before them."""
    bundle, place = shard.bundles[k], shard.shard
    number, born, cursor, _, base = shard.inbox.trips[k]
    mine = number == q
    first, length = bundle.store.source[q]
    row = bundle.store.row[q]
    source = np.searchsorted(bundle.store.start[row : row + length + 1], cursor[mine], "right") - 1
    stimulus = base[mine] // place.width + place.b0
    return zip(born[mine].tolist(), (stimulus * bundle.sender_size + first + source).tolist(), strict=True)


# ---------------------------------------------------------------- loading


def load(cls: Any, path: Path, threads: int | None, to: Path | None, overwrite: bool) -> Any:
    """Build a simulation from a file and put it where it was."""
    tree = files.read_tree(path, "simulation")
    try:
        options = {name: tree[name] for name in _OPTIONS}
        options["threads"] = options["threads"] if threads is None else as_count(threads, "Simulation.load: threads")
        streamed = tree["streamed"]
        if streamed and to is None:
            raise FileError(
                f"{path} was streaming to {streamed}; give a new file to go on with (to=…), that one is copied"
            )
        if streamed and to is not None and to.absolute() == Path(streamed):
            raise FileError(f"{path} was streaming to {streamed}, which is copied first; choose another name for to=")
        record = Record(**decode(tree["record"]), to=to, overwrite=overwrite)
        with warnings.catch_warnings():  # said when it was built first
            warnings.filterwarnings("ignore", "grid engine: times rounded")
            simulation = cls(network_from_tree(tree["network"]), **options, record=record)
        _restore(simulation, tree)
        if streamed:
            _copy(Path(streamed), simulation._recorder.stream, tree["rows"].tolist())
    except SpikesimError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise FileError(f"{path} does not fit the network it describes: {error!r}") from None
    return simulation


def _restore(simulation: Any, tree: dict[str, Any]) -> None:
    run, recorder = simulation._run, simulation._recorder
    run.now, run.next_change = tree["now"].item(), tree["next_change"].item()
    simulation._asked, simulation._samples, simulation._timing = tree["asked"], tree["samples"], tree["timing"]
    for k, history in enumerate(run.histories):
        saved = tree["histories"][str(k)]
        history.first = saved["first"]
        history.append(saved["time"], saved["element"])
    for k, source in run.sources.items():
        source.restore(tree["sources"].get(str(k), {}))
    before = max(0.0, float(np.nextafter(run.now * run.scale, -np.inf)))  # a current that steps now is still to come
    for k, shards in run.shards.items():
        for shard in shards:
            shard.resume_at(before)
            for name, array in _neurons(shard):
                array[...] = _part(tree["blocks"][str(k)][name], shard).reshape(array.shape)
            shard.touch()
            if hasattr(shard, "resume_trips"):  # others are told which spikes are under way
                shard.resume_trips(run.now, run.histories)
        counters = {name: count for shard in reversed(shards) for name, count in _arrivals(shard)}
        for name, count in counters.items():
            count[...] = tree["blocks"][str(k)][name]
    for k, saved in tree["plastic"].items():  # signs before factors, which hold them
        if "negative" in saved:
            plastic_state.turn(run, simulation.network.projections[int(k)], bool(saved["negative"][0]))
    _restore_projections(simulation, tree["projections"])
    for k, saved in tree["plastic"].items():
        plastic_state.restore(run, simulation.network.projections[int(k)], saved)
    run.look_ahead(tree["base"])
    for k, counts in enumerate(recorder.counts):
        counts[...] = tree["recorder"]["counts"][str(k)]
    _restore_recordings(recorder, tree["recorder"].get("held", {}))


def _restore_projections(simulation: Any, tree: dict[str, Any]) -> None:
    run = simulation._run
    under_way: dict[tuple[int, int], list[Any]] = {}
    for k, projection in enumerate(simulation.network.projections):
        saved = tree[str(k)]
        for m, (shard, b, q) in enumerate(_bundles(run, projection.name)):
            bundle = shard.bundles[b]
            bundle.restore(q, saved["weight"], saved["active"], saved["events"] if m == 0 else 0)
            for state in short_term.states(shard, b, q):
                short_term.restore(shard.shard, state, saved["used"])
            if not hasattr(shard, "positions"):
                continue
            shard.positions[b] = saved["position"]
            if bundle.delay is None:
                spikes = zip(saved["time"].tolist(), saved["element"].tolist(), strict=True)
                trips = [trip for t, e in spikes if (trip := _trip(shard, b, q, t, e, run.now)) is not None]
                under_way.setdefault((id(shard), b), []).extend(trips)
    for shards in run.shards.values():
        for shard in shards:
            if not hasattr(shard, "inbox"):
                continue
            for b, empty in enumerate(shard.inbox.trips):
                rows = sorted(under_way.get((id(shard), b), ()))  # by time, then element, then projection: as they came
                columns = zip(*((q, t, cursor, end, base) for t, _, q, cursor, end, base in rows), strict=True)
                filled = tuple(np.array(c, a.dtype) for c, a in zip(columns, empty, strict=False))
                shard.inbox.trips[b] = filled or empty


def _trip(shard: Any, b: int, q: int, time: Any, element: int, now: Any) -> Any:
    """Where a spike under way stands in a shard: (time, element, projection, next synapse, end, base), or None."""
    bundle, place = shard.bundles[b], shard.shard
    stimulus, sender = divmod(element, bundle.sender_size)
    if not place.b0 <= stimulus < place.b1:
        return None
    row = bundle.store.row[q] + sender - bundle.store.source[q, 0]
    start, end = int(bundle.store.start[row]), int(bundle.store.start[row + 1])
    arrivals = time + bundle.delays[start:end].astype(type(time))
    cursor = start + int(np.searchsorted(arrivals, now, "right"))
    return (time, element, q, cursor, end, (stimulus - place.b0) * place.width) if cursor < end else None


def _restore_recordings(recorder: Any, held: dict[str, Any]) -> None:
    """Put spikes and samples back that were in memory."""
    for name, columns in held.get("spikes", {}).items():
        recorder.spikes[name].append((columns["times"], columns["ids"], columns["stimulus"]))
    for name, variables in held.get("states", {}).items():
        for variable, table in variables.items():
            recorder.samples[name, variable].extend(table)
    recorder.times.extend(held.get("state_times", np.empty(0)).tolist())


def _copy(path: Path, stream: Any, rows: list[int]) -> None:
    """Copy what a file streamed to held when the simulation was saved."""
    for name, count in zip(list(stream.rows), rows, strict=True):
        for start in range(0, count, _COPY):
            stream.write({name: files.read_rows(path, "result", name, start, min(start + _COPY, count))}, {})

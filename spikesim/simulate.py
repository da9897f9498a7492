"""Running a network: `simulate` for one call, `Simulation` to run, look inside, and go on."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import checkpoint
from spikesim._jit import compile_clock
from spikesim.engines import grid
from spikesim.engines.run import ENGINES, Run
from spikesim.errors import ParameterError, unknown
from spikesim.memory import check_memory
from spikesim.network import Network
from spikesim.parameters import as_count
from spikesim.progress import track
from spikesim.recording import Record, Recorder
from spikesim.result import Counts, Result, header

COMPILING = "compiling kernels (once, then kept on disk)"
SPLIT_EVERY = 0.25  # seconds between handing spikes on and drawing progress


def simulate(network: Network, duration: float, *, progress: Any = None, **options: Any) -> Result:
    """Run a network for `duration` ms and return what was recorded.

    Parameters
    ----------
    network : Network
    duration : float, ms
        Biological time, > 0.
    progress : None, bool or callable
        None shows a bar where a person watches and the run is long; a callable gets (ms done, ms in all).
    **options
        As for `Simulation`: engine, dt, seed, threads, batch, record.

    Returns
    -------
    Result

    Raises
    ------
    ParameterError, NetworkError, UnsupportedError
        If something does not fit, before any work starts.

    Examples
    --------
    >>> from spikesim import LIF, Current, Network, Neuron, Population, simulate
    >>> cell = Population("cell", 1, Neuron(LIF(tau_m=10.0, c_m=250.0)), inputs=Current(1000.0))
    >>> len(simulate(Network([cell]), 100.0, engine="event").spikes["cell"])
    14
    """
    _duration(duration)
    with contextlib.closing(Simulation(network, **options)) as simulation:
        simulation.run(duration, progress=progress)
        return simulation.result()


class Simulation:
    """A network built for one engine, that can be run in parts, looked into, changed and saved.

    Any split of a run gives the same spikes, bit for bit: ``run(300); run(700)`` equals ``run(1000)``, for any
    number of threads, compiled or not, and after `save` and `load`.

    Parameters
    ----------
    network : Network
    engine : {"event", "grid"}
        Continuous time, exact; or fixed step.
    dt : float, ms
        Time step of the grid engine, > 0.
    seed : int
        Decides connections, random weights and delays, initial states and all random input.
    threads : int
        Threads; results do not depend on it.
    batch : int
        Number of independent stimuli simulated side by side.
    record : Record
        What to record; default all spikes.
    """

    def __init__(
        self,
        network: Network,
        *,
        engine: str = "event",
        dt: float = 0.1,
        seed: int = 0,
        threads: int = 1,
        batch: int = 1,
        record: Record | None = None,
    ) -> None:
        if not isinstance(network, Network):
            raise ParameterError(f"simulate: network must be a Network, got {network!r}")
        if engine not in ENGINES:
            raise unknown("engine", engine, ENGINES)
        if not (isinstance(dt, (int, float)) and np.isfinite(dt) and dt > 0):
            raise ParameterError(f"simulate: dt must be > 0 ms, got {dt!r}")
        self.network, self.engine, self.dt = network, engine, float(dt)
        self.seed = as_count(seed, "simulate: seed", 0)
        self.threads = as_count(threads, "simulate: threads")
        self.batch = as_count(batch, "simulate: batch")
        self.record = record or Record()
        ENGINES[engine].check(network, self.dt)
        checkpoint.check_batch(network, self.batch)
        self.record.check(network, engine, self.dt)
        check_memory(network, engine, self.batch)
        start = time.perf_counter()
        with np.errstate(over="ignore"), compile_clock() as compiled:
            self._run = Run(network, engine, self.dt, self.seed, self.threads, self.batch)
        self._recorder = Recorder(self.record, self._run.layout, self.batch, self._run.scale)
        if engine == "grid":
            grid.report_rounding(network, self.dt)
        if self.record.to is not None:
            self._recorder.open(header(self))
        spent = time.perf_counter() - start
        self._timing = {"build_s": spent - compiled(), "compile_s": compiled(), "run_s": 0.0}
        self._samples, self._asked = 0, 0.0

    # ------------------------------------------------------------ running

    @property
    def time(self) -> float:
        """Biological time so far, ms."""
        return max(0.0, float(self._run.now) * self._run.scale)

    def run(self, duration: float, progress: Any = None) -> Simulation:
        """Go on for `duration` ms.

        Raises
        ------
        ParameterError
            If duration is not > 0.
        KeyboardInterrupt
            After Ctrl-C, between two slices: the simulation is intact, its results so far are in `result()`.
        """
        _duration(duration)
        if self.engine == "grid" and round(duration / self.dt) < 1:
            raise ParameterError(f"run: duration must be at least one time step ({self.dt} ms), got {duration} ms")
        self._asked += duration
        target = round(self._asked / self.dt) if self.engine == "grid" else self._asked
        start, began = time.perf_counter(), self.time
        label = f"{self.engine} engine"
        with np.errstate(over="ignore"), _Interrupt() as interrupt, track(progress, duration, label) as report:
            with compile_clock(lambda: report(self.time - began, COMPILING)) as compiled:
                try:
                    self._until(target, interrupt, lambda: report(self.time - began))
                finally:
                    if self._run.now < target:
                        self._asked = self.time
                    self._timing["compile_s"] += compiled()
                    self._timing["run_s"] += time.perf_counter() - start - compiled()
                    self._recorder.split()
        return self

    def _until(self, target: Any, interrupt: _Interrupt, report: Callable[[], object]) -> None:
        last = time.perf_counter()

        def between() -> bool:
            nonlocal last
            if time.perf_counter() - last > SPLIT_EVERY:
                self._recorder.split()
                report()
                last = time.perf_counter()
            return not interrupt.asked

        while self._run.now < target:
            stop = min(target, max(self._next_sample(), 0))
            if stop > self._run.now and not self._run.advance(stop, self._recorder.receive, between):
                raise KeyboardInterrupt
            if self._run.now >= self._next_sample():
                self._sample()
        report()

    def _next_sample(self) -> Any:
        """Tick of the next sample of states."""
        if not self.record.states:
            return np.inf
        ms = self._samples * self.record.interval
        return round(ms / self.dt) if self.engine == "grid" else ms

    def _sample(self) -> None:
        values = {
            (name, variable): self._read(name, variable, self._recorder.ids(name))
            for name, variable in self._recorder.samples
        }
        self._recorder.sample(self.time, values)
        self._samples += 1

    # ------------------------------------------------------------ looking inside

    def _read(self, name: str, variable: str, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values (batch, ids) of a variable now."""
        population = self.network[name]
        out = np.empty((self.batch, len(ids)))
        for state in self._run.shards[self._run.layout.block_of(population).number]:
            shard = state.shard
            a, b, shift = shard.overlap(population)
            here = np.flatnonzero((ids >= a) & (ids < b))
            stimuli = np.arange(shard.b1 - shard.b0)
            local = (stimuli[:, None] * shard.width + ids[here] + shift).ravel()
            now = self._run.now if self._run.now > 0 else self._run.tick(0)
            out[shard.b0 : shard.b1, here] = state.read(variable, now, local).reshape(len(stimuli), len(here))
        return out

    def _variable(self, population: str, variable: str) -> int:
        model = self.network[population].model
        valid = getattr(model, "variables", ())
        if variable not in valid:
            raise unknown(f"state of {population!r}", variable, valid)
        return self.network[population].size

    def state(self, population: str, variable: str) -> NDArray[np.float64]:
        """Present values of a state variable, shape (n,), with a batch (batch, n)."""
        size = self._variable(population, variable)
        values = self._read(population, variable, np.arange(size))
        return values if self.batch > 1 else values[0]

    def set_state(self, population: str, variable: str, values: ArrayLike) -> None:
        """Overwrite a state variable: a number, (n,) or (batch, n)."""
        size = self._variable(population, variable)
        new = np.asarray(values, dtype=np.float64)
        if not np.isfinite(new).all():
            raise ParameterError(f"set_state: {population}.{variable} must be finite")
        try:
            full = np.broadcast_to(new, (self.batch, size))
        except ValueError:
            raise ParameterError(f"set_state: {population}.{variable} needs {size} values, got shape {new.shape}") from None
        p = self.network[population]
        for state in self._run.shards[self._run.layout.block_of(p).number]:
            shard = state.shard
            a, b, shift = shard.overlap(p)
            state.settle(self.time)
            table = state.variables()[variable].reshape(shard.b1 - shard.b0, shard.width)
            table[:, a + shift : b + shift] = full[shard.b0 : shard.b1, a:b]
            state.touch()

    def _bundled(self, projection: str) -> Iterator[tuple[Any, int]]:
        names = [p.name for p in self.network.projections]
        if projection not in names:
            raise unknown("projection", projection, [str(n) for n in names])
        for bundle in self._run.bundles():
            if projection in bundle.names:
                yield bundle, bundle.names.index(projection)

    def pause(self, projection: str) -> None:
        """From now on, drop spikes that arrive through a projection."""
        for bundle, q in self._bundled(projection):
            bundle.store.active[q] = 0

    def resume(self, projection: str) -> None:
        """End a pause."""
        for bundle, q in self._bundled(projection):
            bundle.store.active[q] = 1

    def scale_weights(self, projection: str, factor: float) -> None:
        """Multiply the weights of a projection by `factor`, relative to how it was described."""
        if not np.isfinite(factor):
            raise ParameterError(f"scale_weights: factor must be finite, got {factor}")
        for bundle, q in self._bundled(projection):
            bundle.store.weight[q] = bundle.base[q] * factor

    # ------------------------------------------------------------ results and files

    def result(self) -> Result:
        """Everything recorded so far."""
        self._recorder.split()
        recorder, batch = self._recorder, self.batch
        if recorder.stream is not None:
            return self._streamed()
        end = self.time
        trains = {name: recorder.trains(name, end) for name in recorder.spikes}
        states: dict[str, dict[str, Any]] = {}
        for (name, variable), rows in recorder.samples.items():
            table = np.stack(rows) if rows else np.empty((0, batch, len(recorder.ids(name))))
            states.setdefault(name, {})[variable] = table[:, 0] if batch == 1 else np.moveaxis(table, 0, 1)
        return self._result({n: t if batch > 1 else t[0] for n, t in trains.items()}, states, np.array(recorder.times))

    def _streamed(self) -> Result:
        """The result read back from the file it was streamed to, with what the engine counted."""
        assert self._recorder.stream is not None
        stream = self._recorder.stream
        stream.put("progress", np.array([self.time]))
        stream.flush()
        loaded = Result.load(stream.path)
        return self._result(loaded.spikes, loaded.states, loaded.state_times)

    def _result(self, spikes: Any, states: Any, times: NDArray[np.float64]) -> Result:
        counts = {p.name: self._recorder.population_counts(p.name) for p in self.network.populations}
        per = {name: c if self.batch > 1 else c[0] for name, c in counts.items()}
        options = {k: getattr(self, k) for k in ("network", "engine", "dt", "seed", "threads", "batch")}
        return Result(
            **options, duration=self.time, spikes=spikes, states=states, state_times=times, spike_counts=per,
            counts=self.counts(), timing=dict(self._timing),
        )  # fmt: skip

    def counts(self) -> Counts:
        """What the engine has counted so far."""
        spikes = {p.name: int(self._recorder.population_counts(p.name).sum()) for p in self.network.populations}
        events = dict.fromkeys((str(p.name) for p in self.network.projections), 0)
        for bundle in self._run.bundles():
            for name, k in zip(bundle.names, bundle.store.events, strict=True):
                events[str(name)] += int(k)
        updates = {p.name: 0 for p in self.network.populations if not p.is_source}
        inputs = dict(updates)
        for shards in self._run.shards.values():
            for state in shards:
                for name, k in state.counters().items():
                    inputs[name] += int(k[0])
                for name, k in state.updates(self._run.now).items():
                    updates[name] += k
        return Counts(spikes, events, updates, inputs)

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the whole simulation, spikes in flight included, to an HDF5 file that `load` continues from.

        Raises
        ------
        FileError
            If the file exists and `overwrite` is false, or cannot be written.
        """
        return checkpoint.save(self, Path(path), overwrite)

    @classmethod
    def load(cls, path: str | Path, threads: int | None = None) -> Simulation:
        """Continue a saved simulation, in any process; `threads` may differ only where the state allows it.

        Raises
        ------
        FileError
            If the file is missing, damaged, or not a saved simulation.
        """
        return checkpoint.load(cls, Path(path), threads)

    def close(self) -> None:
        """End threads and close the file streamed to."""
        self._run.close()
        if self._recorder.stream is not None:
            self._recorder.stream.close()

    def __repr__(self) -> str:
        return f"Simulation({self.network!r}, {self.engine} engine, at {self.time:g} ms)"


class _Interrupt:
    """Turns Ctrl-C into a request that is honoured between two slices, so that no state is left half done."""

    def __init__(self) -> None:
        self.asked = False
        self._old: Any = None

    def __enter__(self) -> _Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._old = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked and callable(self._old):
            self._old(number, frame)
        self.asked = True

    def __exit__(self, *error: Any) -> None:
        if self._old is not None:
            signal.signal(signal.SIGINT, self._old)


def _duration(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value) or value <= 0:
        raise ParameterError(f"duration: must be > 0 ms, got {value!r}")


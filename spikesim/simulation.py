"""Running a network: `simulate` for one call, `Simulation` to run, look inside, and go on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import checkpoint
from spikesim._jit import compile_clock
from spikesim.engines import grid
from spikesim.engines.limits import check_finite, check_step, report_stiff
from spikesim.engines.run import ENGINES, Run
from spikesim.errors import FileError, ParameterError, SimulationError, unknown
from spikesim.files import as_path
from spikesim.interrupt import Interrupt
from spikesim.memory import check_memory
from spikesim.network import Network
from spikesim.online import Online
from spikesim.parameters import as_count, as_values
from spikesim.progress import track
from spikesim.recording import Record, Recorder, by_stimulus
from spikesim.result import Counts, Result, by_sample, header, load, tally

COMPILING = "compiling kernels (once, then kept on disk)"
MOST_THREADS = 4096
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
    KeyboardInterrupt
        After Ctrl-C; its attribute `result` is the `Result` up to then.

    Examples
    --------
    >>> from spikesim import LIF, Current, Network, Neuron, Population, simulate
    >>> cell = Population("cell", 1, Neuron(LIF(tau_m=10.0, c_m=250.0)), inputs=Current(1000.0))
    >>> len(simulate(Network([cell]), 100.0, engine="event").spikes["cell"])
    14
    """
    as_values(duration, "duration", "ms", "> 0", scalar=True)
    with contextlib.closing(Simulation(network, **options)) as simulation:
        try:
            simulation.run(duration, progress=progress)
        except KeyboardInterrupt as stop:
            stop.result = simulation.result()  # type: ignore[attr-defined]
            stop.add_note(
                f"stopped at {simulation.time:g} of {duration:g} ms; the result so far is its attribute `result`"
            )
            raise
        simulation.warn_unchanged()
        return simulation.result()


class Simulation(Online):
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

    Raises
    ------
    ParameterError, NetworkError, UnsupportedError, FileError
        If an option is wrong, the network does not fit into memory, the engine cannot run it, or the file to stream to
        cannot be written.
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
        if not isinstance(engine, str) or engine not in ENGINES:
            raise unknown("engine", engine, ENGINES)
        self.network, self.engine = network, engine
        self.dt = float(as_values(dt, "simulate: dt", "ms", "> 0", scalar=True))
        self.seed = as_count(seed, "simulate: seed", 0)
        self.threads = as_count(threads, "simulate: threads")
        if self.threads > MOST_THREADS:
            raise ParameterError(f"simulate: threads: must be <= {MOST_THREADS}, got {self.threads}")
        self.batch = as_count(batch, "simulate: batch")
        self.record = Record() if record is None else record
        if not isinstance(self.record, Record):
            raise ParameterError(f"simulate: record must be a Record, got {record!r}")
        ENGINES[engine].check(network, self.dt)
        if engine == "grid":
            check_step(network, self.dt)
        checkpoint.check_batch(network, self.batch)
        self.record.check(network, engine, self.dt)
        check_memory(network, engine, self.batch)
        start = time.perf_counter()
        with np.errstate(over="ignore"), compile_clock() as compiled:
            self._run = Run(network, engine, self.dt, self.seed, self.threads, self.batch)
        self._recorder = Recorder(self.record, self._run.layout, self.batch, self._run.scale)
        if engine == "grid":
            grid.report_rounding(network, self.dt)
            report_stiff(network, self.dt)
        spent = time.perf_counter() - start
        self._timing = {"build_s": spent - compiled(), "compile_s": compiled(), "run_s": 0.0}
        self._samples, self._asked, self._closed = 0, 0.0, False
        if self.record.to is not None:
            self._recorder.open(
                Path(self.record.to), self.record.overwrite, header(self._result({}, {})), self._tally()
            )

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
        SimulationError
            If a state of a neuron on the grid is no longer finite: the time step is too long.
        KeyboardInterrupt
            After Ctrl-C, between two slices: the simulation is intact, its results so far are in `result()`.
        FileError
            If the file streamed to cannot grow any more. What it held stays readable, what was to follow is kept in
            memory and part of `result()`; once there is room again, `run` goes on.
        """
        duration = float(as_values(duration, "duration", "ms", "> 0", scalar=True))
        if self._closed:
            raise SimulationError("run: the simulation is closed")
        if self.engine == "grid" and round(duration / self.dt) < 1:
            raise ParameterError(f"run: duration must be at least one time step ({self.dt} ms), got {duration} ms")
        self._asked += duration
        target = round(self._asked / self.dt) if self.engine == "grid" else self._asked
        start, began = time.perf_counter(), self.time
        label = f"{self.engine} engine"
        with (
            np.errstate(over="ignore"),
            Interrupt() as interrupt,
            track(progress, duration, label) as report,
            compile_clock(lambda: report(self.time - began, COMPILING)) as compiled,
        ):
            try:
                self._until(target, interrupt, lambda: report(self.time - began))
            finally:
                if self._run.now < target:
                    self._asked = self.time
                self._timing["compile_s"] += compiled()
                self._timing["run_s"] += time.perf_counter() - start - compiled()
        self._hand_on()
        if interrupt.asked:  # after the last slice had been looked at
            raise KeyboardInterrupt
        return self

    def _until(self, target: Any, interrupt: Interrupt, report: Callable[[], object]) -> None:
        last = time.perf_counter()

        def between() -> bool:
            nonlocal last
            if time.perf_counter() - last > SPLIT_EVERY:
                check_finite(self._run, self.time)
                self._hand_on()
                report()
                last = time.perf_counter()
            return not interrupt.asked

        while self._run.now < target:
            stop = min(target, max(self._next_sample(), 0))
            if stop > self._run.now and not self._run.advance(stop, self._recorder.receive, between):
                self._hand_on()
                raise KeyboardInterrupt
            if self._run.now >= self._next_sample():
                self._sample()
        check_finite(self._run, self.time)
        report()

    def _hand_on(self) -> None:
        """Hand recordings on to their populations and, where asked for, to the file."""
        self._recorder.split()
        if self._recorder.stream is not None and not self._closed:
            self._recorder.write(self._tally())

    def _next_sample(self) -> Any:
        """Tick of the next sample of states."""
        if not self.record.states:
            return np.inf
        ms = self._samples * self.record.interval
        return round(ms / self.dt) if self.engine == "grid" else ms

    def _sample(self) -> None:
        values = {
            (name, variable): self._read(name, variable, self._recorder.state_ids[name])
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
        try:
            full = np.broadcast_to(np.asarray(values, dtype=np.float64), (self.batch, size))
        except (TypeError, ValueError):
            wanted = f"a number or {size} values" + (f", or an array ({self.batch}, {size})" if self.batch > 1 else "")
            raise ParameterError(f"set_state: {population}.{variable} needs {wanted}, got {values!r}") from None
        if not np.isfinite(full).all():
            raise ParameterError(f"set_state: {population}.{variable} must be finite")
        p = self.network[population]
        self._run.commit()
        for state in self._run.shards[self._run.layout.block_of(p).number]:
            shard = state.shard
            a, b, shift = shard.overlap(p)
            values, cut = full[shard.b0 : shard.b1, a:b], slice(a + shift, b + shift)

            def write(table: NDArray[np.float64], values: Any = values, cut: slice = cut) -> None:
                table.reshape(len(values), -1)[:, cut] = values

            state.settle(self.time)
            state.overwrite(variable, write)

    # ------------------------------------------------------------ results and files

    def result(self) -> Result:
        """Everything recorded so far."""
        with contextlib.suppress(FileError):  # what the file cannot take is kept in memory, and comes after its content
            self._hand_on()
        recorder, end = self._recorder, self.time
        if recorder.stream is not None:
            stored = load(recorder.stream.path, recorder.held(), end)
            return self._result(stored.spikes, stored.states, stored.state_times)
        spikes = {n: by_stimulus(recorder.columns(n), len(k), self.batch, end) for n, k in recorder.spike_ids.items()}
        states: dict[str, dict[str, NDArray[np.float64]]] = {}
        for name, variable in recorder.samples:
            states.setdefault(name, {})[variable] = by_sample(recorder.table(name, variable), self.batch)
        return self._result(spikes, states, np.array(recorder.times))

    def _result(self, spikes: Any, states: Any, times: NDArray[np.float64] | None = None) -> Result:
        recorder = self._recorder
        counts = {p.name: recorder.population_counts(p.name) for p in self.network.populations}
        options = {k: getattr(self, k) for k in ("network", "engine", "dt", "seed", "threads", "batch")}
        return Result(
            **options,
            duration=self.time,
            spikes=spikes,
            states=states,
            state_times=np.empty(0) if times is None else times,
            spike_counts={name: c if self.batch > 1 else c[0] for name, c in counts.items()},
            counts=self.counts(),
            spike_ids=recorder.spike_ids,
            state_ids=recorder.state_ids,
            timing=dict(self._timing),
        )

    def _tally(self) -> dict[str, NDArray[Any]]:
        return tally(self._result({}, {}))

    def counts(self) -> Counts:
        """What the engine has counted so far."""
        spikes = {p.name: int(self._recorder.population_counts(p.name).sum()) for p in self.network.populations}
        events = dict.fromkeys((str(p.name) for p in self.network.projections), 0)
        for bundle in self._run.bundles():
            for name, k in zip(bundle.names, bundle.deliveries(), strict=True):
                events[str(name)] += k
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
        return checkpoint.save(self, as_path(path, "Simulation.save"), overwrite)

    @classmethod
    def load(
        cls, path: str | Path, threads: int | None = None, to: str | Path | None = None, overwrite: bool = False
    ) -> Simulation:
        """Continue a saved simulation, in any process.

        Parameters
        ----------
        path : path
            What `save` wrote.
        threads : int or None
            Number of threads; None as before. Results do not depend on it.
        to : path or None
            HDF5 file to stream to from now on. Needed where the saved simulation streamed to a file: what that file
            held when the simulation was saved is copied first, so that the new one holds the whole run.
        overwrite : bool
            Whether `to` may exist.

        Raises
        ------
        FileError
            If the file is missing, damaged, not a saved simulation, or `to` is needed and not given.
        """
        copy = None if to is None else as_path(to, "Simulation.load: to")
        return checkpoint.load(cls, as_path(path, "Simulation.load"), threads, copy, overwrite)

    def close(self) -> None:
        """End threads and close the file streamed to; results stay available."""
        self._closed = True
        self._run.close()
        if self._recorder.stream is not None:
            self._recorder.stream.close()

    def __repr__(self) -> str:
        return f"Simulation({self.network!r}, {self.engine} engine, at {self.time:g} ms)"

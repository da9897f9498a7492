"""The synapses onto one shard as the rest of the package sees them: projections that can be paused, scaled, counted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim._jit import kernel
from spikesim.engines.grid_plastic import Learner
from spikesim.engines.grid_short_term import rested
from spikesim.engines.grid_store import BARE, COUNTED, NARROW, PLASTIC, WIDE, Drawn, Synapses
from spikesim.engines.store import weight_bytes


@kernel(lean=True)
def _codes_ahead(synapses, table, cursor, end, out):
    """Count the synapses that spikes under way still have before them, by table and code."""
    for m in range(len(table)):
        t = table[m]
        for s in range(cursor[m], end[m]):
            if synapses.kind[t] == BARE:
                out[t, synapses.bare_code[s]] += 1
            elif synapses.kind[t] == NARROW:
                out[t, synapses.narrow_code[s]] += 1
            else:
                out[t, synapses.wide_code[s]] += 1


class GridBundle:
    """All synapses onto one shard.

    Weights and pauses of projections are kept as factors of tables and codes. Deliveries are not counted one by one:
    rows count the spikes they take up, and what those still have before them is subtracted.
    """

    def __init__(self, drawn: Drawn, populations: int, travel: Any, stimuli: int, n: int, dt: float) -> None:
        synapses, self.tables, self.degrees, self.runs, self.nbytes, learning = drawn
        self.synapses = synapses._replace(used=rested(self.tables, stimuli, dt))
        self.travel = travel
        self.learners: list[Learner] = []
        for t, table in enumerate(self.tables):
            if table.kind == PLASTIC:
                row = int(self.synapses.row[t])
                start = self.synapses.start[row : row + table.size + 1]
                self.synapses.channel[t] = len(self.learners)
                self.learners.append(Learner(table.parts[0].projection, len(self.learners), start, learning, n, dt))
        self.nbytes += sum(learner.nbytes for learner in self.learners)
        self.nbytes += sum(a.nbytes for a in self.synapses.used[3:6])
        self.places: dict[Any, list[tuple[int, int]]] = {}  # tables and codes of each projection
        projections = {}
        for t, table in enumerate(self.tables):
            for code, part in enumerate(table.parts):
                projections[part.number] = part.projection
                self.places.setdefault(part.projection.name, []).append((t, code))
        self.names = [projections[k].name for k in sorted(projections)]
        self.base = np.array([_own_factor(projections[k]) for k in sorted(projections)])
        self.weight, self.active = self.base.copy(), np.ones(len(self.base), bool)
        self.offset = np.zeros(len(self.base), np.int64)  # deliveries: while active what to add to `_passed`, else all
        self.populations, self.version = populations, 0
        self.refresh()

    def refresh(self) -> None:
        """Hand weights and pauses on to the kernels."""
        synapses = self.synapses
        for q, name in enumerate(self.names):
            for t, code in self.places[name]:
                synapses.factor[t, code] = self.weight[q] if self.active[q] else 0.0
                if synapses.used:
                    synapses.used.active[t] = self.active[q]
        for t, table in enumerate(self.tables):
            synapses.scaled[t] = np.any(synapses.factor[t, : len(table.parts)] != 1.0)
        for learner in self.learners:
            learner.store.weight[0] = learner.sign * self.weight[self.names.index(learner.names[0])]
        self._share_channels()
        self.version += 1

    def lowered(self) -> Synapses:
        """What kernels see; the stores of plastic projections may be others than before."""
        return self.synapses._replace(plastic=tuple(learner.store for learner in self.learners))

    def table(self, q: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Source, target within the shard and weight of the synapses of projection number q, not a plastic one."""
        y, columns = self.synapses, []
        names = {COUNTED: "counted", BARE: "bare_target", NARROW: "narrow_target", WIDE: "wide_target"}
        for t, code in self.places[self.names[q]]:
            kind, row, size = self.tables[t].kind, int(y.row[t]), int(y.size[t])
            start = y.start[row : row + size + 1]
            where = slice(int(start[0]), int(start[-1]))
            source, target = np.repeat(np.arange(size), np.diff(start)), getattr(y, names[kind])[where].astype(np.int64)
            weight = np.full(len(target), self.weight[q])
            if kind in (NARROW, WIDE):
                weight *= y.narrow_weight[where] if kind == NARROW else y.wide_weight[where]
            if kind == COUNTED:
                cut = self.tables[t].parts[code]
                mine = (target >= cut.lo + cut.shift) & (target < cut.hi + cut.shift)
            else:
                codes = {BARE: y.bare_code, NARROW: y.narrow_code, WIDE: y.wide_code}[kind]
                mine = codes[where] == code
            columns.append((source[mine], target[mine] + int(y.base[t]), weight[mine]))
        a, b, c = (np.concatenate(column) for column in zip(*columns, strict=True))
        return a, b, c

    def used(self, q: int) -> list[tuple[NDArray[np.float64], ...]]:
        """u, x and time of the last arrival, (stimuli, sources), of each table of projection number q that has them."""
        used, tables = self.synapses.used, [t for t, _ in self.places[self.names[q]]]
        first = [used.column[t] for t in tables if used and used.column[t] >= 0]
        return [tuple(a[:, c : c + self.synapses.size[tables[0]]] for a in used[3:6]) for c in first]

    def _share_channels(self) -> None:
        """Let counted tables that mean the same by a count use the same counters."""
        channels: list[tuple[int, dict[int, float]]] = []
        runs: list[int] = []
        for t, table in enumerate(self.tables):
            if not table.counts:
                continue
            weights = {part.population: float(self.synapses.factor[t, c]) for c, part in enumerate(table.parts)}
            fits = (
                k
                for k, (receptor, held) in enumerate(channels)
                if receptor == table.receptor and all(held.get(p, w) == w for p, w in weights.items())
            )
            k = next(fits, len(channels))
            if k == len(channels):
                channels.append((table.receptor, {}))
                runs.append(1)
            channels[k][1].update(weights)
            runs[k] = max(runs[k], self.runs[t])
            self.synapses.channel[t] = k
        self.channel_receptor = np.array([receptor for receptor, _ in channels], np.int64)
        self.channel_factor = np.zeros((len(channels), self.populations))
        for k, (_, weights) in enumerate(channels):
            for p, w in weights.items():
                self.channel_factor[k, p] = w
        self.channel_limit = np.array([255 // run for run in runs], np.int64)

    def change(self, q: int, factor: float | None = None, active: bool | None = None) -> None:
        """Scale the weights of projection number q, relative to how it was described; pause or resume it."""
        if factor is not None:
            self.weight[q] = self.base[q] * factor
        if active is not None and active != self.active[q]:
            count = self.deliveries()[q]
            self.active[q] = active
            self._count_from(q, count)
        self.refresh()

    def _passed(self, q: int, ahead: NDArray[np.int64]) -> int:
        """Deliveries as if there were no pauses."""
        synapses, total = self.synapses, 0
        for t, code in self.places[self.names[q]]:
            row, size = int(synapses.row[t]), int(synapses.size[t])
            total += int(synapses.uptake[row : row + size] @ self.degrees[t][code].astype(np.int64)) - int(
                ahead[t, code]
            )
        return total

    def _ahead(self) -> NDArray[np.int64]:
        travel, n = self.travel(), int(self.travel().size[0])
        out = np.zeros(self.synapses.factor.shape, np.int64)
        _codes_ahead(self.synapses, travel.table[:n], travel.cursor[:n], travel.end[:n], out)
        return out

    def deliveries(self) -> list[int]:
        """Synaptic events of each projection so far."""
        ahead = self._ahead()
        return [int(n) + (self._passed(q, ahead) if self.active[q] else 0) for q, n in enumerate(self.offset)]

    def _count_from(self, q: int, count: int) -> None:
        self.offset[q] = count - (self._passed(q, self._ahead()) if self.active[q] else 0)

    def redrawn(self, name: str, degree: NDArray[np.int32]) -> None:
        """Note how many synapses each source of a plastic projection has now."""
        q = self.names.index(name)
        count = self.deliveries()[q]
        ((t, code),) = self.places[name]
        self.degrees[t][code] = degree
        self._count_from(q, count)

    def restore(self, q: int, weight: float, active: int, events: int) -> None:
        """Set what moves of projection number q."""
        self.weight[q], self.active[q] = weight, active
        self._count_from(q, events)
        self.refresh()


def _own_factor(projection: Any) -> float:
    """Weight common to all synapses of a projection, 1 where each has its own."""
    return 1.0 if weight_bytes(projection) else float(projection.weight)

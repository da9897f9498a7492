"""What can be done to the synapses of a simulation between two calls of `run`: pause, scale, freeze, set, rewire."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.engines import plastic_state
from spikesim.errors import ParameterError, unknown
from spikesim.network import Network, Projection
from spikesim.parameters import as_values

Synapses = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


class Controls:
    """The part of `Simulation` that looks at synapses and changes them."""

    network: Network
    engine: str
    time: Any
    _run: Any

    # ------------------------------------------------------------ of any projection

    def _plain(self, projection: str) -> Projection:
        for p in self.network.projections:
            if p.name == projection:
                return p
        raise unknown("projection", projection, [str(p.name) for p in self.network.projections])

    def _changing(self, projection: str) -> Iterator[tuple[Any, int]]:
        """Bundles that hold a projection about to be changed, with its number there."""
        self._plain(projection)
        self._run.commit()
        for bundle in self._run.bundles():
            if projection in bundle.names:
                yield bundle, bundle.names.index(projection)

    def pause(self, projection: str) -> None:
        """From now on, drop spikes that arrive through a projection."""
        for bundle, q in self._changing(projection):
            bundle.change(q, active=False)

    def resume(self, projection: str) -> None:
        """End a pause."""
        for bundle, q in self._changing(projection):
            bundle.change(q, active=True)

    def scale_weights(self, projection: str, factor: float) -> None:
        """Multiply the weights of a projection by `factor`, relative to how it was described."""
        factor = float(as_values(factor, "scale_weights: factor", scalar=True))
        for bundle, q in self._changing(projection):
            bundle.change(q, factor=factor)

    def weights(self, projection: str) -> Synapses:
        """Sources, targets and present weights of a projection's synapses, by source, then target.

        Plastic weights include every source spike that has reached its target, and the target spikes that came
        back to the synapse before the next one could.
        """
        return plastic_state.synapses(self._run, self._plain(projection))

    # ------------------------------------------------------------ of those with plasticity

    def _plastic(self, projection: str, what: str) -> Projection:
        """A projection with plasticity."""
        p = self._plain(projection)
        if p.plasticity is None:
            raise ParameterError(f"{what}: projection {projection!r} has no plasticity")
        return p

    def freeze(self, projection: str) -> None:
        """From now on, plastic weights stay as they are; traces go on, and so do eligibilities."""
        self._learning(projection, True)

    def thaw(self, projection: str) -> None:
        """End a freeze: spikes from now on change weights again."""
        self._learning(projection, False)

    def _learning(self, projection: str, frozen: bool) -> None:
        for sweeper in plastic_state.sweepers(self._run, self._plastic(projection, "thaw" if not frozen else "freeze")):
            sweeper.freeze(self.time, frozen)

    def reward(self, amount: float, at: float | None = None, projection: str | None = None) -> None:
        """Give a reward to projections whose rule has a use for it (`plasticity.RewardSTDP`).

        Parameters
        ----------
        amount : float
            Area of the modulator that it releases; negative for punishment.
        at : float or None, ms
            When, not before the present; None: now.
        projection : str or None
            The projection that learns from it; None: all that can.

        Raises
        ------
        ParameterError
            If `at` lies in the past, or no projection has a use for rewards.
        """
        learning = [p for p in self.network.projections if p.plasticity is not None and p.plasticity.modulated]
        chosen = learning if projection is None else [self._plain(projection)]
        if not chosen or any(p.plasticity is None for p in chosen):
            what = "no projection has" if projection is None else f"projection {projection!r} does not have"
            raise ParameterError(f"reward: {what} a rule with a modulator, such as plasticity=RewardSTDP()")
        for p in chosen:
            for sweeper in plastic_state.sweepers(self._run, p):
                sweeper.reward(amount, self.time if at is None else at, self.time)

    def set_weights(self, projection: str, values: ArrayLike) -> None:
        """Overwrite the weights of a projection with plasticity, from now on.

        Parameters
        ----------
        projection : str
        values : number or array (synapses,)
            In the order of `weights`; of the sign the projection has, and within the bounds of its rule.

        Raises
        ------
        ParameterError
            If the projection has no plasticity, or a value is not allowed.
        """
        p = self._plastic(projection, "set_weights")
        before = self.weights(projection)[2]
        given = np.asarray(as_values(values, f"set_weights: {projection}", each="synapse"), dtype=np.float64)
        if given.ndim and given.shape != before.shape:
            raise ParameterError(f"set_weights: {projection}: needs {len(before)} values, got {given.size}")
        sizes = self._sized(p, np.broadcast_to(given, before.shape), "set_weights", plastic_state.sign(self._run, p))
        plastic_state.overwrite(self._run, p, sizes)

    def restructure(
        self, projection: str, keep: ArrayLike, pre: ArrayLike = (), post: ArrayLike = (), weight: ArrayLike = 0.0
    ) -> None:
        """Remove synapses of a projection with plasticity, and add others, from now on; spikes under way take them.

        Parameters
        ----------
        projection : str
        keep : bool, or array of bool (synapses,)
            Which of the present synapses stay, in the order of `weights`.
        pre, post : arrays of int (new,)
            Sources and targets of new synapses, numbered within their populations.
        weight : number or array (new,)
            Their weights, as in `set_weights`; of either sign where no synapse stays to say which the projection has.

        Raises
        ------
        ParameterError
            If the projection has no plasticity, a number is no element of its populations, or a value is not allowed.
        """
        p = self._plastic(projection, "restructure")
        present = len(self.weights(projection)[0])
        mask = np.asarray(keep)
        if mask.dtype != np.bool_ or mask.shape not in ((), (present,)):
            raise ParameterError(
                f"restructure: keep: must be True, False or an array of {present} of them, got {keep!r}"
            )
        ends = [np.atleast_1d(np.asarray(side)) if np.size(side) else np.empty(0, np.int64) for side in (pre, post)]
        for name, numbers, view in zip(("pre", "post"), ends, (p.pre, p.post), strict=True):
            lo, hi = view.lo, view.hi  # type: ignore[union-attr]
            if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or ((numbers < lo) | (numbers >= hi)).any():
                raise ParameterError(f"restructure: {name}: must be whole numbers in {lo} … {hi - 1}, got {numbers!r}")
        if len(ends[0]) != len(ends[1]):
            raise ParameterError(f"restructure: post: must be as long as pre ({len(ends[0])}), got {len(ends[1])}")
        given = np.asarray(as_values(weight, "restructure: weight", each="synapse"), dtype=np.float64)
        if given.ndim and given.shape != ends[0].shape:
            raise ParameterError(f"restructure: weight: needs {len(ends[0])} values, got {given.size}")
        whole, (a, b) = np.broadcast_to(mask, (present,)), (e.astype(np.int64) for e in ends)
        first = -1.0 if given.min(initial=0.0) < 0.0 else 1.0
        sign = plastic_state.sign(self._run, p) if whole.any() else first
        sizes = self._sized(p, np.broadcast_to(given, ends[0].shape), "restructure", sign)
        plastic_state.restructure(self._run, p, whole, a, b, sizes, first < 0.0)

    def _sized(
        self, projection: Projection, weights: NDArray[np.float64], what: str, sign: float
    ) -> NDArray[np.float64]:
        """Weights without their sign, checked."""
        wrong = np.flatnonzero(weights * sign < 0.0)
        if len(wrong):
            raise ParameterError(
                f"{what}: {projection.name}: weights must be {'>=' if sign > 0 else '<='} 0, got {weights[wrong[0]]:g}"
            )
        assert projection.plasticity is not None
        projection.plasticity.check_weights(weights, f"{what}: {projection.name}")
        return np.abs(weights)

    def unchanged(self) -> Iterator[Projection]:
        """Projections whose rule has not moved a single weight so far."""
        for p in self.network.projections:
            if p.plasticity is not None and not plastic_state.changed(self._run, p):
                yield p

    def warn_unchanged(self) -> None:
        """Warn of rules that have not moved a single weight so far."""
        for p in self.unchanged():
            warnings.warn(
                f"Projection {p.name!r}: {type(p.plasticity).__name__} has not moved a weight in {self.time:g} ms: do "
                f"its sources and targets fire, is its rate above 0, was it frozen, did the rewards come it may need?",
                stacklevel=3,
            )

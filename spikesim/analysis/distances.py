"""Distances between spike trains, to hold a simulation against a recording or one engine against another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.correlations import as_train
from spikesim.analysis.firing import check_spikes
from spikesim.errors import ParameterError
from spikesim.parameters import as_values
from spikesim.spikes import Spikes

Train = NDArray[np.float64]
Window = tuple[float, float]


class Distances(NamedTuple):
    """Distance of each element between two `Spikes`, shape (n,), and their mean."""

    each: NDArray[np.float64]
    mean: float


@overload
def victor_purpura(a: Spikes, b: Spikes, q: float) -> Distances: ...
@overload
def victor_purpura(a: ArrayLike, b: ArrayLike, q: float) -> float: ...
def victor_purpura(a: Spikes | ArrayLike, b: Spikes | ArrayLike, q: float) -> float | Distances:
    """Victor-Purpura distance: least cost of turning train `a` into train `b`.

    Adding or removing a spike costs 1, moving one by dt costs ``q |dt|``; spikes further apart than ``2 / q``
    are never moved onto each other. ``q = 0`` compares spike numbers, a large `q` counts all spikes that do not
    coincide. Time grows with the product of the spike numbers.

    Parameters
    ----------
    a, b : array_like of float, ms, or Spikes
        Two trains, or two `Spikes` of as many elements on the same window, compared element by element.
    q : float
        Cost of moving a spike, in 1/ms, >= 0.

    Returns
    -------
    float or Distances
        The distance (no unit); for `Spikes` ``each`` (n,) and ``mean``.

    Raises
    ------
    ParameterError
        If times or `q` are not finite, `q` < 0, or the `Spikes` differ in size or window.

    References
    ----------
    Victor & Purpura 1996, doi:10.1152/jn.1996.76.2.1310.
    """
    from spikesim.analysis._kernels import edit_cost

    cost = float(as_values(q, "victor_purpura.q", "1/ms", ">= 0", scalar=True))
    return _compare(lambda x, y: edit_cost(x, y, cost), a, b, "victor_purpura")


@overload
def van_rossum(a: Spikes, b: Spikes, tau: float) -> Distances: ...
@overload
def van_rossum(a: ArrayLike, b: ArrayLike, tau: float) -> float: ...
def van_rossum(a: Spikes | ArrayLike, b: Spikes | ArrayLike, tau: float) -> float | Distances:
    """Van Rossum distance D, ``D² = (1/tau) ∫ (f - g)² dt``, of trains filtered with ``exp(-t / tau)``, t >= 0.

    Computed in closed form between successive spikes, without a time grid or an end. One spike more costs
    ``sqrt(1/2)``, two single spikes dt apart are ``sqrt(1 - exp(-|dt| / tau))`` from each other; tools that let
    one spike cost 1 give ``sqrt(2)`` times these values.

    Parameters
    ----------
    a, b : array_like of float, ms, or Spikes
        Two trains, or two `Spikes` of as many elements on the same window, compared element by element.
    tau : float
        Time constant in ms, > 0: small counts spikes that do not coincide, large compares spike numbers.

    Returns
    -------
    float or Distances
        The distance (no unit); for `Spikes` ``each`` (n,) and ``mean``.

    Raises
    ------
    ParameterError
        If times or `tau` are not finite, `tau` <= 0, or the `Spikes` differ in size or window.

    References
    ----------
    van Rossum 2001, doi:10.1162/089976601300014321; Houghton & Kreuz 2012, doi:10.3109/0954898X.2012.673048.
    """
    from spikesim.analysis._kernels import filtered_square

    decay = float(as_values(tau, "van_rossum.tau", "ms", "> 0", scalar=True))
    return _compare(lambda x, y: np.sqrt(filtered_square(x, y, decay)), a, b, "van_rossum")


@overload
def spike_distance(a: Spikes, b: Spikes, window: None = None) -> Distances: ...
@overload
def spike_distance(a: ArrayLike, b: ArrayLike, window: Window) -> float: ...
def spike_distance(a: Spikes | ArrayLike, b: Spikes | ArrayLike, window: Window | None = None) -> float | Distances:
    """SPIKE-distance: time average of ``S = (S_a x_b + S_b x_a) / (2 <x>²)``, integrated exactly.

    x is the current interspike interval, <x> the mean of both, and S_a weighs the distances of the spikes before
    and after t to the nearest spike of `b` by closeness: ``S_a = (d_before (t_after - t) + d_after (t - t_before))
    / x_a``. It needs no time scale, is 0 for equal trains and never above 1.

    Before its first and after its last spike a train is continued by one auxiliary spike, at its nearest interval
    or at the edge of the window, whichever is further, as far from the other train as its neighbour; an empty
    train has a spike at each edge. A spike exactly on an edge may so look like an auxiliary one. Several spikes of
    a train at one instant count as one.

    Parameters
    ----------
    a, b : array_like of float, ms, or Spikes
        Two trains, or two `Spikes` of as many elements on the same window, compared element by element.
    window : pair of float, ms
        Start and end of the observation of two arrays; `Spikes` bring their own.

    Returns
    -------
    float or Distances
        The distance (no unit); for `Spikes` ``each`` (n,) and ``mean``.

    Raises
    ------
    ParameterError
        If the window is missing, empty or left by a spike, or the `Spikes` differ in size or window.

    References
    ----------
    Kreuz, Chicharro, Houghton, Andrzejak & Mormann 2013, doi:10.1152/jn.00873.2012; edges as in Kreuz, Mulansky &
    Bozanic 2015, doi:10.1152/jn.00848.2014.
    """
    from spikesim.analysis._kernels import spike_integral

    lo, hi = _window(a, window, "spike_distance")

    def measure(x: Train, y: Train) -> float:
        x, y = _continued(x, lo, hi, "spike_distance.a"), _continued(y, lo, hi, "spike_distance.b")
        return spike_integral(x, y, lo, hi) / (hi - lo)

    return _compare(measure, a, b, "spike_distance")


def spike_distance_multi(trains: Spikes | Sequence[ArrayLike], window: Window | None = None) -> float:
    """Mean SPIKE-distance over all pairs of several trains.

    Parameters
    ----------
    trains : Spikes or sequence of array_like of float, ms
        At least two trains.
    window : pair of float, ms
        Start and end of the observation of arrays; `Spikes` bring their own.

    Returns
    -------
    float
        Mean distance (no unit).

    Raises
    ------
    ParameterError
        If there are fewer than two trains, or the window is missing, empty or left by a spike.

    References
    ----------
    Kreuz, Chicharro, Houghton, Andrzejak & Mormann 2013, doi:10.1152/jn.00873.2012.
    """
    from spikesim.analysis._kernels import spike_integral

    owner = "spike_distance_multi"
    lo, hi = _window(trains, window, owner)
    given = trains.trains() if isinstance(trains, Spikes) else [as_train(x, f"{owner}.trains") for x in trains]
    if len(given) < 2:
        raise ParameterError(f"{owner}.trains: needs at least two trains, got {len(given)}")
    ready = [_continued(x, lo, hi, f"{owner}.trains") for x in given]
    total = sum(spike_integral(x, y, lo, hi) for i, x in enumerate(ready) for y in ready[:i])
    return total / (hi - lo) / (len(ready) * (len(ready) - 1) / 2)


def _compare(
    measure: Callable[[Train, Train], float], a: Spikes | ArrayLike, b: Spikes | ArrayLike, owner: str
) -> float | Distances:
    """`measure` of two trains, or of each element of two `Spikes`."""
    if not isinstance(a, Spikes) and not isinstance(b, Spikes):
        return float(measure(as_train(a, f"{owner}.a"), as_train(b, f"{owner}.b")))
    if not isinstance(a, Spikes) or not isinstance(b, Spikes):
        raise ParameterError(f"{owner}: needs two arrays of times or two Spikes, got one of each")
    check_spikes(a, f"{owner}.a")
    check_spikes(b, f"{owner}.b")
    if a.n != b.n:
        raise ParameterError(f"{owner}: both must have as many elements, got {a.n} and {b.n}; choose with .select(ids)")
    if (a.t_start, a.t_stop) != (b.t_start, b.t_stop):
        raise ParameterError(
            f"{owner}: both must cover the same window, got [{a.t_start:g}, {a.t_stop:g}] and "
            f"[{b.t_start:g}, {b.t_stop:g}] ms; cut both with .window(t_start, t_stop)"
        )
    each = np.array([measure(x, y) for x, y in zip(a.trains(), b.trains(), strict=True)])
    return Distances(each, float(each.mean()))


def _window(trains: object, window: Window | None, owner: str) -> Window:
    """Start and end of the observation, from `Spikes` or as given."""
    if isinstance(trains, Spikes):
        if window is not None:
            raise ParameterError(f"{owner}.window: Spikes bring their own; cut them with .window(t_start, t_stop)")
        check_spikes(trains, owner)
        return trains.t_start, trains.t_stop
    if window is None:
        raise ParameterError(f"{owner}.window: arrays of times need a window=(t_start, t_stop) in ms")
    edges = np.atleast_1d(as_values(window, f"{owner}.window", "ms"))
    if edges.size != 2 or edges[1] <= edges[0]:
        raise ParameterError(f"{owner}.window: must be (t_start, t_stop) with t_stop > t_start, got {window!r}")
    return float(edges[0]), float(edges[1])


def _continued(train: Train, lo: float, hi: float, owner: str) -> Train:
    """The train with an auxiliary spike at or beyond each edge of the window."""
    if train.size and (train[0] < lo or train[-1] > hi):
        bad = train[0] if train[0] < lo else train[-1]
        raise ParameterError(f"{owner}: spikes must lie in the window [{lo:g}, {hi:g}] ms, got {bad:g} ms")
    x = np.unique(train)
    if x.size == 0:
        return np.array([lo, hi])
    before, after = (2 * x[0] - x[1], 2 * x[-1] - x[-2]) if x.size > 1 else (lo, hi)
    return np.concatenate(([min(lo, before)], x, [max(hi, after)]))

"""`Spikes`: what is kept, what is refused, and that every way there and back gives the same trains."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikesim import Spikes
from spikesim.errors import ParameterError

SOME = Spikes([3.0, 1.0, 2.0, 1.0], [0, 2, 1, 0], 3, 5.0)


@st.composite
def recordings(draw):
    """Spikes at multiples of 0.25 ms, ties and silence included."""
    n, steps = draw(st.integers(1, 5)), draw(st.integers(1, 20))
    start = draw(st.integers(0, 3))
    rows = draw(st.lists(st.tuples(st.integers(0, steps), st.integers(0, n - 1)), max_size=30))
    times = [start + 0.25 * k for k, _ in rows]
    return Spikes(times, [i for _, i in rows], n, start + 0.25 * steps, start)


def test_sorted_by_time_then_element_and_typed():
    assert list(SOME) == [(1.0, 0), (1.0, 2), (2.0, 1), (3.0, 0)]
    assert SOME.times.dtype == np.float64 and SOME.ids.dtype == np.int32
    assert (len(SOME), SOME.n, SOME.t_start, SOME.t_stop, SOME.duration) == (4, 3, 0.0, 5.0, 5.0)
    assert SOME.counts().tolist() == [2, 1, 1]
    assert [train.tolist() for train in SOME.trains()] == [[1.0, 3.0], [2.0], [1.0]]
    assert repr(SOME) == "Spikes(4 spikes of 3 elements in [0, 5] ms, 267 Hz)"


def test_immutable_and_independent_of_what_was_given():
    times = np.array([1.0, 2.0])
    spikes = Spikes(times, [0, 0], 1, 5.0)
    times[0] = 4.0
    assert spikes.times.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        spikes.times[0] = 0.0
    with pytest.raises(AttributeError, match=r"Spikes\.n: Spikes are immutable"):
        spikes.n = 3
    with pytest.raises(TypeError):
        hash(spikes)


def test_equality():
    assert Spikes([1.0, 1.0, 2.0, 3.0], [2, 0, 1, 0], 3, 5.0) == SOME
    assert Spikes(SOME.times, SOME.ids, 4, 5.0) != SOME and Spikes(SOME.times, SOME.ids, 3, 6.0) != SOME
    assert Spikes(SOME.times + 0.5, SOME.ids, 3, 5.0) != SOME and SOME != 3


@given(recordings())
def test_there_and_back(spikes):
    assert pickle.loads(pickle.dumps(spikes)) == spikes
    assert Spikes.from_trains(spikes.trains(), spikes.t_stop, spikes.t_start) == spikes
    assert spikes.shift(2.5).shift(-2.5) == spikes
    assert spikes.select(range(spikes.n)) == spikes
    middle = 0.5 * (spikes.t_start + spikes.t_stop)
    first, second = spikes.window(spikes.t_start, middle), spikes.window(middle, spikes.t_stop)
    assert len(first) + len(second) == len(spikes)
    assert Spikes.merge(second, first) == spikes
    assert (first.times < middle).all() and (second.times >= middle).all()


@given(recordings())
def test_dense_counts(spikes):
    dense = spikes.to_dense(0.25)
    assert dense.sum(axis=0).tolist() == spikes.counts().tolist()
    inner = spikes.times < spikes.t_stop  # a spike at the very end belongs to the last bin
    kept = Spikes(spikes.times[inner], spikes.ids[inner], spikes.n, spikes.t_stop, spikes.t_start)
    assert Spikes.from_dense(kept.to_dense(0.25), 0.25, spikes.t_start) == kept


def test_the_end_belongs_to_the_observation():
    spikes = Spikes([0.0, 5.0], [0, 0], 1, 5.0)
    assert len(spikes.window(0.0, 5.0)) == 2 and len(spikes.window(0.0, 4.0)) == 1
    assert spikes.window(0.0, 4.0).t_stop == 4.0 and spikes.window(-3.0, 9.0) == spikes
    assert spikes.to_dense(2.0).ravel().tolist() == [1, 0, 1]
    assert Spikes([2.0], [0], 1, 2.0, 2.0).to_dense().tolist() == [[1]]  # of no length
    assert Spikes.empty(3, 2.0).to_dense().shape == (2, 3) and len(Spikes.empty(0, 0.0)) == 0


def test_select_renumbers_in_the_order_given():
    assert list(SOME.select([2, 0])) == [(1.0, 0), (1.0, 1), (3.0, 1)]
    assert SOME.select([1]).n == 1 and len(SOME.select([])) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Spikes([1.0], [0, 1], 2, 5.0), r"Spikes\.ids: must be as long as times \(1\), got 2"),
        (
            lambda: Spikes([1.0, 9.0], [0, 1], 2, 5.0),
            r"Spikes\.times: must lie in \[0\.0, 5\.0\] ms, got 9\.0 \(spike 1",
        ),
        (lambda: Spikes([np.nan], [0], 1, 5.0), r"Spikes\.times: must lie in .* got nan \(spike 0\)"),
        (lambda: Spikes(["a"], [0], 1, 5.0), r"Spikes\.times: must be numbers, got \['a'\]"),
        (lambda: Spikes([1.0], [2], 2, 5.0), r"Spikes\.ids: must be in 0 … 1, got 2\.0 \(spike 0\)"),
        (lambda: Spikes([1.0], np.array([-1]), 2, 5.0), r"Spikes\.ids: must be in 0 … 1, got -1 \(spike 0\)"),
        (lambda: Spikes([1.0], [0.5], 2, 5.0), r"Spikes\.ids: must be whole numbers, got \[0\.5\]"),
        (lambda: Spikes([1.0], [None], 2, 5.0), r"Spikes\.ids: must be"),
        (lambda: Spikes([], [], -1, 5.0), r"Spikes\.n: must be a whole number >= 0, got -1"),
        (lambda: Spikes([], [], 2.0, 5.0), r"Spikes\.n: must be a whole number >= 0, got 2\.0"),
        (lambda: Spikes([], [], True, 5.0), r"Spikes\.n: must be a whole number >= 0, got True"),
        (lambda: Spikes([], [], 1, -1.0), r"Spikes\.t_stop: must be >= t_start \(0\.0 ms\), got -1\.0 ms"),
        (lambda: Spikes([], [], 1, np.nan), r"Spikes\.t_stop: must be a number of ms, got nan"),
        (lambda: Spikes([], [], 1, np.inf), r"Spikes\.t_stop: must be >= t_start"),
        (lambda: Spikes([], [], 1, "5"), r"Spikes\.t_stop: must be a number of ms, got '5'"),
        (lambda: Spikes.from_trains(3, 5.0), r"Spikes\.from_trains: must be one train per element, got 3"),
        (lambda: Spikes.from_trains([["x"]], 5.0), r"Spikes\.from_trains: must be numbers"),
        (lambda: Spikes.from_dense([1, 0]), r"Spikes\.from_dense: must have shape \(steps, n\), got \(2,\)"),
        (lambda: Spikes.from_dense([[-1]]), r"Spikes\.from_dense: must hold counts"),
        (lambda: Spikes.from_dense([[0.5]]), r"Spikes\.from_dense: must be whole numbers"),
        (lambda: Spikes.from_dense([[1]], 0.0), r"Spikes\.from_dense: dt: must be > 0 ms, got 0\.0"),
        (lambda: SOME.to_dense(-1.0), r"Spikes\.to_dense: dt: must be > 0 ms, got -1\.0"),
        (lambda: SOME.select([3]), r"Spikes\.select: ids must be in 0 … 2 and name no element twice"),
        (lambda: SOME.select([0, 0]), r"Spikes\.select: ids must be in 0 … 2 and name no element twice"),
        (lambda: SOME.shift("a"), r"Spikes\.shift: must be a number of ms, got 'a'"),
        (lambda: SOME.window(0.0, None), r"Spikes\.window: must be a number of ms, got None"),
        (lambda: SOME.window(3.0, 2.0), r"Spikes\.t_stop: must be >= t_start"),
        (lambda: Spikes.merge(), r"Spikes\.merge: must be one or more Spikes, got \(\)"),
        (lambda: Spikes.merge(SOME, 3), r"Spikes\.merge: must be one or more Spikes"),
        (lambda: Spikes.merge(SOME, Spikes.empty(2, 5.0)), r"Spikes\.merge: sizes differ: \[3, 2\]"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ParameterError, match=message):
        make()

"""Connection rules: what they produce, its statistics, flags, splits into ranges, and error messages."""

import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal, sparse

from spikesim._jit import COMPILED
from spikesim.connectivity import (
    AllToAll,
    Convolution,
    FixedIndegree,
    FixedOutdegree,
    FixedProbability,
    FixedTotalNumber,
    LogNormal,
    Normal,
    OneToOne,
    Pairwise,
    Pooling,
    Rule,
    Sparse,
    Uniform,
)
from spikesim.connectivity.rule import check_pairs
from spikesim.errors import ParameterError
from spikesim.rng import make_key

RNG = np.random.default_rng(3)
MATRIX = sparse.random_array((30, 40), density=0.2, rng=RNG, format="coo")
KERNEL = RNG.normal(size=(3, 2, 3, 2))
CONVOLUTION = Convolution(KERNEL, (2, 7, 6), stride=(2, 1), padding=(1, 2))
POOLING = Pooling((3, 7, 6), (3, 2), stride=2, kind="mean")
FLAGS = list(itertools.product([False, True], repeat=2))

# rule, sources, targets, whether they are the same elements
CASES = [
    (OneToOne(), 40, 40, True),
    (AllToAll(), 30, 40, False),
    (AllToAll(allow_self=False), 40, 40, True),
    (FixedProbability(0.3), 30, 40, False),
    (FixedProbability(0.8, allow_self=False), 40, 40, True),
    (FixedProbability(1.0, allow_self=False), 40, 40, True),
    (FixedProbability(0.0), 30, 40, False),
    *[(FixedIndegree(9, *flags), 40, 40, True) for flags in FLAGS],
    *[(FixedOutdegree(9, *flags), 40, 40, True) for flags in FLAGS],
    *[(FixedTotalNumber(333, *flags), 40, 40, True) for flags in FLAGS],
    (FixedIndegree(30, allow_multiple=False), 30, 40, False),
    (FixedOutdegree(3, allow_self=False, allow_multiple=False), 30, 40, False),
    (FixedOutdegree(200), 30, 40, False),
    (FixedOutdegree(70, allow_self=False, allow_multiple=False), 90, 90, True),
    (FixedTotalNumber(1200, allow_multiple=False), 30, 40, False),
    (FixedTotalNumber(0), 30, 40, False),
    (Pairwise(RNG.integers(0, 30, 99), RNG.integers(0, 40, 99)), 30, 40, False),
    (Pairwise([], []), 30, 40, False),
    (Sparse(MATRIX), 30, 40, False),
    (CONVOLUTION, 84, 3 * 4 * 9, False),
    (POOLING, 126, 3 * 3 * 3, False),
]
EXACT = [case for case in CASES if not isinstance(case[0], FixedProbability)]


def find(case, seed=0, lo=0, hi=None):
    """Pairs of a case."""
    rule, n_pre, n_post, same = case
    return rule.pairs(make_key(seed, "pairs"), n_pre, n_post, same, lo, n_post if hi is None else hi)


def joined(case, points):
    """Pairs of a case, found range by range."""
    parts = [find(case, lo=lo, hi=hi) for lo, hi in itertools.pairwise(points)]
    return [None if part[0] is None else np.concatenate(part) for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_pairs_are_sorted_numbered_and_in_range(case):
    rule, n_pre, n_post, same = case
    rule.check(n_pre, n_post, same, "Projection 'p'")
    assert isinstance(rule, Rule)
    check_pairs(find(case), n_pre, 0, n_post, rule.given(n_pre, n_post), "Projection 'p'")
    assert (rule.weights is None) == (find(case).weight is None)
    found = find(case)
    assert [x.dtype for x in found[:3]] == [np.int32] * 3
    assert (np.diff(found.post) >= 0).all()
    counts = np.bincount(found.post, minlength=n_post)
    np.testing.assert_array_equal(found.draw, np.concatenate([np.arange(k) for k in counts]))
    if len(found.pre):
        assert 0 <= found.pre.min() <= found.pre.max() < n_pre
        assert 0 <= found.post.min() <= found.post.max() < n_post
    if same and not getattr(rule, "allow_self", True):
        assert (found.pre != found.post).all()
    if not getattr(rule, "allow_multiple", not isinstance(rule, FixedProbability)):
        assert len(set(zip(found.pre, found.post, strict=True))) == len(found.pre)
    length = rule.given(n_pre, n_post)
    assert (found.index is None) == (length is None)
    if length:
        assert found.index.dtype == np.int64 and 0 <= found.index.min() <= found.index.max() < length
    if found.weight is not None:
        assert found.weight.dtype == np.float64 and len(found.weight) == len(found.pre)


@pytest.mark.parametrize("case", EXACT, ids=repr)
def test_expected_number_is_exact(case):
    rule, *sizes = case
    assert rule.expected(*sizes) == len(find(case).pre)


@pytest.mark.parametrize("case", CASES, ids=repr)
@settings(max_examples=15)
@given(data=st.data())
def test_any_split_into_ranges_gives_the_same_pairs(case, data):
    n_post = case[2]
    points = data.draw(st.lists(st.integers(0, n_post), max_size=5))
    for a, b in zip(joined(case, [0, *sorted(points), n_post]), find(case), strict=True):
        assert (a is None and b is None) or np.array_equal(a, b)


RANDOM = [FixedProbability(0.3), FixedIndegree(9), FixedOutdegree(9), FixedTotalNumber(300)]


@pytest.mark.parametrize("rule", RANDOM, ids=repr)
def test_the_key_decides(rule):
    case = (rule, 30, 40, False)
    assert np.array_equal(find(case, seed=1).pre, find(case, seed=1).pre)
    assert not np.array_equal(find(case, seed=1).pre, find(case, seed=2).pre)


def digest():
    """Hash of part of all pairs and of samples of all distributions."""
    found = hashlib.sha256()
    for case in CASES:
        for x in find(case, lo=3, hi=20):
            found.update(b"-" if x is None else x.tobytes())
    for part in (Uniform(), Normal(low=-1.0), LogNormal(high=2.0)):
        found.update(part.sample(make_key(1, "w"), np.arange(600), 0).tobytes())
    return found.hexdigest()


def test_compiled_equals_interpreted():
    other = subprocess.run(
        [sys.executable, "-c", "import test_rules; print(test_rules.digest())"],
        env={
            **os.environ,
            "NUMBA_DISABLE_JIT": "1" if COMPILED else "0",
            "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path]),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == digest()


# Rules on arrays given by the user.


def test_all_to_all_index_is_that_of_a_matrix():
    given_weights = np.arange(12.0).reshape(3, 4)
    found = AllToAll().pairs(make_key(0), 3, 4, False, 1, 4)
    np.testing.assert_array_equal(given_weights.ravel()[found.index], given_weights[found.pre, found.post])


def test_pairwise_keeps_the_order_of_the_user():
    pre, post = np.array([3, 0, 2, 3, 1]), np.array([1, 2, 1, 0, 1])
    found = Pairwise(pre, post).pairs(make_key(0), 4, 3, False, 1, 3)
    assert found.index.tolist() == [0, 2, 4, 1]
    assert found.pre.tolist() == [3, 2, 1, 0] and found.post.tolist() == [1, 1, 1, 2]
    assert found.draw.tolist() == [0, 1, 2, 0]
    many = Pairwise(RNG.integers(0, 9, 5000), RNG.integers(0, 3, 5000))
    for lo in range(3):
        np.testing.assert_array_equal(
            many.pairs(make_key(0), 9, 3, False, lo, lo + 1).index, np.flatnonzero(many.post == lo)
        )


@pytest.mark.parametrize("kind", ["coo", "csr", "csc"])
def test_sparse_has_the_entries_of_the_matrix(kind):
    rule = Sparse(MATRIX.asformat(kind))
    found = rule.pairs(make_key(0), 30, 40, False, 0, 40)
    dense = np.zeros((30, 40))
    dense[found.pre, found.post] = found.weight
    np.testing.assert_array_equal(dense, MATRIX.toarray())
    rows = MATRIX.tocsr()
    rows.sort_indices()
    np.testing.assert_array_equal(rows.data[found.index], found.weight)


def test_sparse_sums_repetitions_and_keeps_zeros():
    matrix = sparse.coo_array(([1.0, 2.0, 0.0, 5.0, -5.0], ([0, 0, 1, 1, 1], [1, 1, 0, 1, 1])), shape=(2, 2))
    rule = Sparse(matrix)
    found = rule.pairs(make_key(0), 2, 2, False, 0, 2)
    assert list(zip(found.pre, found.post, found.weight, strict=True)) == [(1, 0, 0.0), (0, 1, 3.0), (1, 1, 0.0)]
    matrix.data[:] = 9.0
    assert rule.matrix.data.tolist() == [3.0, 0.0, 0.0]


def applied(rule, image):
    """Input of each target when every source sends its pixel."""
    n_post = int(np.prod(rule.out_shape))
    found = rule.pairs(make_key(0), image.size, n_post, False, 0, n_post)
    values = np.bincount(found.post, found.weight * image.ravel()[found.pre], minlength=n_post)
    return values.reshape(rule.out_shape)


@pytest.mark.parametrize("stride", [1, 2, (3, 1)])
@pytest.mark.parametrize("padding", [0, 1, (2, 4)])
def test_convolution_is_cross_correlation(stride, padding):
    image = RNG.normal(size=(2, 7, 6))
    rule = Convolution(KERNEL, image.shape, stride, padding)
    (ph, pw), (sh, sw) = rule.padding, rule.stride
    padded = np.pad(image, ((0, 0), (ph, ph), (pw, pw)))
    expected = [sum(signal.correlate2d(padded[i], k[i], "valid") for i in range(2)) for k in KERNEL]
    expected = np.array(expected)[:, ::sh, ::sw]
    assert rule.out_shape == expected.shape
    np.testing.assert_allclose(applied(rule, image), expected, rtol=1e-12, atol=1e-13)


def test_convolution_shares_arrays_of_the_shape_of_the_kernel():
    found = find((CONVOLUTION, 84, 108, False))
    np.testing.assert_array_equal(KERNEL.ravel()[found.index], found.weight)


@pytest.mark.parametrize("stride", [None, 1, 3])
@pytest.mark.parametrize("kind", ["sum", "mean"])
def test_pooling(kind, stride):
    image = RNG.normal(size=(3, 9, 8))
    rule = Pooling(image.shape, (3, 2), stride, kind)
    step = (3, 2) if stride is None else (stride, stride)
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 2), axis=(1, 2))[:, :: step[0], :: step[1]]
    expected = getattr(windows, kind)(axis=(3, 4))
    assert rule.out_shape == expected.shape
    np.testing.assert_allclose(applied(rule, image), expected, rtol=1e-12, atol=1e-14)


def test_descriptions_and_equality():
    assert repr(FixedIndegree(9)) == "FixedIndegree(k=9, allow_self=True, allow_multiple=True)"
    assert repr(Pairwise([0], [1])) == "Pairwise(1 pairs, allow_self=True, allow_multiple=True)"
    assert repr(Sparse(MATRIX)) == f"Sparse(30 x 40, {MATRIX.nnz} entries)"
    assert repr(CONVOLUTION) == "Convolution((2, 7, 6) -> (3, 4, 9), kernel 3 x 2)"
    assert "size=(3, 2), stride=(2, 2), kind='mean'" in repr(POOLING)
    for a, b, other in [
        (Pairwise([0], [1]), Pairwise(np.array([0]), [1]), Pairwise([0], [2])),
        (Sparse(MATRIX), Sparse(MATRIX.tocsc()), Sparse(2 * MATRIX)),
        (CONVOLUTION, Convolution(KERNEL, (2, 7, 6), (2, 1), (1, 2)), Convolution(KERNEL, (2, 7, 6))),
        (FixedIndegree(3), FixedIndegree(3.0), FixedIndegree(4)),
    ]:
        assert a == b and hash(a) == hash(b) and a != other and a != 3


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ((OneToOne(), 3, 4, False), r"'p': OneToOne needs as many .* got 3 sources and 4 targets"),
        (
            (FixedIndegree(10, False, False), 10, 10, True),
            r"'p': FixedIndegree\.k must be <= 9 \(10 sources, self-connections and multiple connections "
            + r"forbidden\), got 10; lower k or set allow_multiple=True",
        ),
        ((FixedIndegree(11, True, False), 10, 20, False), r"k must be <= 10 \(10 sources, multiple .* got 11"),
        ((FixedIndegree(1, False, True), 1, 1, True), r"k must be <= 0 \(1 sources, self-connections forbidden\)"),
        ((FixedOutdegree(5, False, False), 5, 5, True), r"FixedOutdegree\.k must be <= 4 \(5 targets, .* got 5"),
        ((FixedTotalNumber(21, False, False), 5, 5, True), r"k must be <= 20 \(5 sources and 5 targets, .* got 21"),
        ((Pairwise([0, 7], [0, 1]), 5, 5, False), r"'p': Pairwise\.pre must be < 5, got 7 \(pair 1\)"),
        ((Pairwise([0, 1], [9, 1]), 5, 5, False), r"Pairwise\.post must be < 5, got 9 \(pair 0\)"),
        (
            (Pairwise([0, 2], [1, 2], allow_self=False), 5, 5, True),
            r"element 2 to itself \(pair 1\); drop .* allow_self",
        ),
        ((Pairwise([3, 0, 3], [1, 1, 1], allow_multiple=False), 5, 5, True), r"connects 3 to 1 2 times; .* allow_mult"),
        ((Sparse(MATRIX), 40, 30, False), r"\(sources, targets\) = \(40, 30\), got \(30, 40\)"),
        ((CONVOLUTION, 83, 108, False), r"'p': Convolution\.in_shape = \(2, 7, 6\) needs 84 sources .* got 83"),
        ((CONVOLUTION, 84, 107, False), r"Convolution\.out_shape = \(3, 4, 9\) needs 108 targets .* got 107"),
        ((POOLING, 126, 26, False), r"Pooling\.out_shape = \(3, 3, 3\) needs 27 targets"),
    ],
)
def test_check_says_what_does_not_fit(case, message):
    rule, *sizes = case
    with pytest.raises(ParameterError, match=message):
        rule.check(*sizes, "Projection 'p'")


@pytest.mark.parametrize("rule", [case[0] for case in CASES[-2:]], ids=repr)
@pytest.mark.parametrize(("lo", "hi"), [(-1, 5), (0, 1000), (5, 2)])
def test_targets_that_do_not_exist(rule, lo, hi):
    with pytest.raises(ParameterError, match=f"targets: must lie in 0 … .*, got {lo} … {hi}"):
        rule.pairs(make_key(0), 84, 108, False, lo, hi)


def test_forbidden_selves_matter_only_within_one_population():
    FixedIndegree(10, allow_self=False, allow_multiple=False).check(10, 10, False, "Projection 'p'")
    Pairwise([0], [0], allow_self=False).check(1, 1, False, "Projection 'p'")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FixedProbability(1.5), r"FixedProbability\.p: must be <= 1, got 1\.5"),
        (lambda: FixedProbability(-0.1), r"FixedProbability\.p: must be >= 0, got -0\.1"),
        (lambda: FixedProbability(float("nan")), r"FixedProbability\.p: must be >= 0, got nan"),
        (lambda: FixedIndegree(-1), r"FixedIndegree\.k: must be >= 0, got -1"),
        (lambda: FixedOutdegree(1.5), r"FixedOutdegree\.k: must be a whole number >= 0, got 1\.5"),
        (lambda: FixedTotalNumber("3"), r"FixedTotalNumber\.k: must be a whole number"),
        (lambda: FixedIndegree(1, allow_self=1), r"FixedIndegree\.allow_self: must be True or False, got 1"),
        (lambda: FixedIndegree(1, allow_multiple=None), r"FixedIndegree\.allow_multiple: must be True or False"),
        (lambda: AllToAll("no"), r"AllToAll\.allow_self: must be True or False, got 'no'"),
        (lambda: Pairwise([0, 1], [0]), r"must have equal lengths, got 2 and 1"),
        (lambda: Pairwise([0.5], [0]), r"Pairwise\.pre: must be a vector of whole numbers, .* type float64"),
        (lambda: Pairwise([[0]], [0]), r"Pairwise\.pre: must be a vector of whole numbers, got shape \(1, 1\)"),
        (lambda: Pairwise([0], [-2]), r"Pairwise\.post: must be between 0 and \d+, got -2 \(pair 0\)"),
        (lambda: Sparse(np.eye(2)), r"Sparse\.matrix: must be a two-dimensional scipy\.sparse array, got ndarray"),
        (lambda: Sparse(MATRIX * 1j), r"Sparse\.matrix: must hold real numbers, got type complex128"),
        (lambda: Sparse(MATRIX * np.nan), r"Sparse\.matrix: must be finite, got nan \(stored entry 0\)"),
        (lambda: Convolution(np.zeros((2, 3, 3)), (1, 5, 5)), r"shape \(c_out, c_in, kh, kw\), got \(2, 3, 3\)"),
        (lambda: Convolution(KERNEL, (3, 5, 5)), r"needs the 3 input channels of in_shape = \(3, 5, 5\)"),
        (lambda: Convolution(KERNEL, (2, 2, 5)), r"must fit into the input, got a window of 3 x 2 for 2 x 5 pixels"),
        (lambda: Convolution(KERNEL * np.inf, (2, 5, 5)), r"Convolution\.kernel: must be finite, got -?inf"),
        (lambda: Convolution([["a"]], (2, 5, 5)), r"Convolution\.kernel: must hold numbers, got list"),
        (lambda: Convolution(KERNEL, (5, 5)), r"in_shape: must be \(channels, rows, columns\), got \(5, 5\)"),
        (lambda: Convolution(KERNEL, (2, 5, 5), stride=0), r"Convolution\.stride: must be >= 1, got 0"),
        (
            lambda: Convolution(KERNEL, (2, 5, 5), padding=(1, 2, 3)),
            r"whole number or \(rows, columns\), got \(1, 2, 3\)",
        ),
        (lambda: Pooling((1, 4, 4), 2, kind="max"), r"Pooling\.kind: must be 'sum' or 'mean' .* got 'max'"),
        (lambda: Pooling((1, 4, 4), 5), r"Pooling\.size: must fit into the input, got a window of 5 x 5"),
    ],
)
def test_errors_name_field_value_and_what_is_allowed(make, message):
    with pytest.raises(ParameterError, match=message):
        make()

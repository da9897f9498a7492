"""Describing a network: what is refused and how, slices, receptors, names, loops, rules of a user."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

import spikesim as ss
from spikesim.errors import NetworkError, ParameterError, SpikesimError
from spikesim.rng import make_key

LIF = ss.Neuron(ss.LIF())
TWO = ss.Neuron(ss.LIF(), {"exc": ss.Exponential(5.0), "inh": ss.Delta()})
CELLS = ss.Population("cells", 10, LIF)
BOTH = ss.Population("both", 4, TWO)
TRAINS = ss.Population("trains", 3, ss.RegularSource(5.0))


def refused(make, message, kind=ParameterError):
    with pytest.raises(kind, match=message) as caught:
        make()
    assert isinstance(caught.value, SpikesimError)


# ---------------------------------------------------------------- neurons


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ss.LIF(tau_m=-5.0), r"LIF\.tau_m: must be > 0 ms, got -5\.0$"),
        (lambda: ss.LIF(tau_m=[20.0, 10.0, 0.0]), r"LIF\.tau_m: must be > 0 ms, got 0\.0 \(neuron 2\)"),
        (lambda: ss.LIF(tau_m=float("nan")), r"LIF\.tau_m: must be > 0 ms, got nan"),
        (lambda: ss.LIF(tau_m="20"), r"LIF\.tau_m: must be > 0 ms, got '20'"),
        (lambda: ss.LIF(tau_m=True), r"LIF\.tau_m: must be > 0 ms, got True"),
        (lambda: ss.LIF(tau_m=None), r"LIF\.tau_m: must be > 0 ms, got None"),
        (lambda: ss.LIF(tau_m=1j), r"LIF\.tau_m: must be > 0 ms, got 1j of type complex"),
        (lambda: ss.LIF(tau_m=[[1.0]]), r"LIF\.tau_m: must be one number or a vector .* shape \(1, 1\)"),
        (lambda: ss.LIF(c_m=0), r"LIF\.c_m: must be > 0 pF, got 0\.0"),
        (lambda: ss.LIF(v_rest=float("inf")), r"LIF\.v_rest: must be a finite number mV, got inf"),
        (lambda: ss.IF(c_m=-1), r"IF\.c_m: must be > 0 pF, got -1\.0"),
        (lambda: ss.FixedThreshold(float("nan")), r"FixedThreshold\.v_th: must be a finite number mV"),
        (lambda: ss.AdaptiveThreshold(jump=-1.0), r"AdaptiveThreshold\.jump: must be >= 0 mV, got -1\.0"),
        (lambda: ss.AdaptiveThreshold(tau_theta=0.0), r"AdaptiveThreshold\.tau_theta: must be > 0 ms"),
        (lambda: ss.ResetTo(v_reset=[0.0, float("nan")]), r"ResetTo\.v_reset: .* got nan \(neuron 1\)"),
        (lambda: ss.ResetTo(lag=-1.0), r"ResetTo\.lag: must be >= 0 ms, got -1\.0"),
        (lambda: ss.ResetBySubtraction(0.0), r"ResetBySubtraction\.amount: must be > 0 mV, got 0\.0"),
        (lambda: ss.ResetBySubtraction(lag=[0.1]), r"ResetBySubtraction\.lag: must be one number"),
        (lambda: ss.Exponential(0.0), r"Exponential\.tau_syn: must be > 0 ms, got 0\.0"),
        (lambda: ss.Alpha(-2.0), r"Alpha\.tau_syn: must be > 0 ms, got -2\.0"),
        (lambda: ss.ExponentialConductance(5.0, float("nan")), r"ExponentialConductance\.e_rev: must be a finite"),
        (lambda: ss.Neuron(ss.Delta()), r"Neuron\.membrane: must be a membrane such as LIF\(\), got Delta\(\)"),
        (lambda: ss.Neuron("LIF"), r"Neuron\.membrane: must be a membrane such as LIF\(\), got 'LIF'"),
        (lambda: ss.Neuron(ss.LIF(), {}), r"Neuron\.synapses: must name at least one receptor"),
        (lambda: ss.Neuron(ss.LIF(), ss.LIF()), r"Neuron\.synapses\['syn'\]: must be a synapse such as Delta\(\)"),
        (lambda: ss.Neuron(ss.LIF(), {"a": None}), r"Neuron\.synapses\['a'\]: must be a synapse .* got None"),
        (lambda: ss.Neuron(ss.LIF(), {"a/b": ss.Delta()}), r"name of a receptor: must be a printable string without"),
        (lambda: ss.Neuron(ss.LIF(), {1: ss.Delta()}), r"name of a receptor: must be a printable string .* got 1"),
        (lambda: ss.Neuron(ss.LIF(), threshold=20.0), r"Neuron\.threshold: must be a threshold such as FixedThres"),
        (lambda: ss.Neuron(ss.LIF(), reset=0.0), r"Neuron\.reset: must be a reset such as ResetTo\(\)"),
        (lambda: ss.Neuron(ss.LIF(), t_ref=-1.0), r"Neuron\.t_ref: must be >= 0 ms, got -1\.0"),
        (lambda: ss.Neuron(ss.LIF(), t_ref=[0.0, -1.0]), r"Neuron\.t_ref: must be >= 0 ms, got -1\.0 \(neuron 1\)"),
        (
            lambda: ss.Neuron(ss.LIF(), reset=ss.ResetTo(lag=0.5), t_ref=2.0),
            r"Neuron\.t_ref: must be 0 ms with a reset that lags by 0\.5 ms, got 2; drop the refractory ",
        ),
        (
            lambda: ss.Neuron(ss.LIF(), reset=ss.ResetBySubtraction(lag=0.1), t_ref=[0.0, 0.0, 1.5]),
            r"Neuron\.t_ref: must be 0 ms with a reset that lags by 0\.1 ms, got 1\.5 \(neuron 2\)",
        ),
    ],
)
def test_parts_say_what_is_wrong(make, message):
    refused(make, message)


def test_a_lag_goes_with_no_refractory_period():
    assert ss.Neuron(ss.LIF(), reset=ss.ResetTo(lag=0.5)).t_ref == 0.0
    assert ss.Neuron(ss.LIF(), reset=ss.ResetTo(lag=0.5), t_ref=np.zeros(3)).t_ref.tolist() == [0.0] * 3


def test_states_are_named_after_receptors():
    neuron = ss.Neuron(ss.LIF(), {"a": ss.Alpha(), "d": ss.Delta(), "g": ss.Exponential()}, ss.AdaptiveThreshold())
    assert neuron.variables == ("v", *(f"{x}_a" for x in ss.Alpha.variables), "i_g", "theta")


# ---------------------------------------------------------------- populations


@pytest.mark.parametrize(
    ("make", "message", "kind"),
    [
        (lambda: ss.Population("", 1, LIF), r"Population\.name: must be a printable string", ParameterError),
        (lambda: ss.Population("a/b", 1, LIF), r"Population\.name: .* without '/', got 'a/b'", ParameterError),
        (lambda: ss.Population("a\n", 1, LIF), r"Population\.name: must be a printable string", ParameterError),
        (lambda: ss.Population(3, 1, LIF), r"Population\.name: .* got 3", ParameterError),
        (lambda: ss.Population("a", 0, LIF), r"Population 'a': size: must be >= 1, got 0", ParameterError),
        (lambda: ss.Population("a", 2.5, LIF), r"Population 'a': size: must be a whole number >= 1", ParameterError),
        (lambda: ss.Population("a", True, LIF), r"size: must be a whole number >= 1, got True", ParameterError),
        (lambda: ss.Population("a", "9", LIF), r"size: must be a whole number >= 1, got '9'", ParameterError),
        (lambda: ss.Population("a", 1, ss.LIF()), r"'a': model must be a Neuron or a source", ParameterError),
        (
            lambda: ss.Population("a", 3, ss.Neuron(ss.LIF(tau_m=[1.0, 2.0]))),
            r"LIF\.tau_m: Population 'a' has 3 neurons, got 2 values",
            ParameterError,
        ),
        (
            lambda: ss.Population("a", 3, ss.Neuron(ss.LIF(), t_ref=[1.0])),
            r"'a': t_ref has 1 values for 3 neurons",
            ParameterError,
        ),
        (lambda: ss.Population("a", 1, LIF, 3.0), r"initial must be a mapping such as", ParameterError),
        (lambda: ss.Population("a", 1, LIF, {"u": 0.0}), r"unknown state in initial .*'u'; valid: v", ParameterError),
        (lambda: ss.Population("a", 2, LIF, {"v": [0.0]}), r"initial\['v'\] has 1 values for 2", ParameterError),
        (lambda: ss.Population("a", 2, LIF, {"v": np.nan}), r"initial\['v'\]: must be a finite", ParameterError),
        (lambda: ss.Population("a", 1, LIF, inputs=3.0), r"inputs must be inputs such as Current", ParameterError),
        (lambda: ss.Population("a", 1, LIF, inputs=[3.0]), r"inputs must be Current, NoiseCurrent or", ParameterError),
        (
            lambda: ss.Population("a", 1, LIF, inputs=ss.Delta()),
            r"inputs must be Current, .* got Delta",
            ParameterError,
        ),
        (
            lambda: ss.Population("a", 1, TWO, inputs=ss.PoissonInput(9.0, receptor="ex")),
            r"unknown receptor in PoissonInput of Population 'a': 'ex' \(did you mean 'exc'\?\); valid: exc, inh",
            ParameterError,
        ),
        (
            lambda: ss.Population("a", 3, LIF, inputs=ss.PoissonInput([1.0, 2.0])),
            r"Population 'a': PoissonInput\.rate: must have 3 values in the last axis, got shape \(2,\)",
            ParameterError,
        ),
        (
            lambda: ss.Population("a", 3, LIF, inputs=ss.Current(ss.Steps([0.0], [[1.0, 2.0]]))),
            r"Population 'a': Current\.value: must have 3 values in the last axis, got shape \(1, 2\)",
            ParameterError,
        ),
        (
            lambda: ss.Population("a", 3, ss.PoissonSource([1.0, 2.0])),
            r"Population 'a': rate: must have 3 values",
            ParameterError,
        ),
        (
            lambda: ss.Population("a", 3, ss.PoissonSource(5.0), {"v": 1.0}),
            r"Population 'a': a spike source takes neither inputs nor initial states",
            NetworkError,
        ),
        (
            lambda: ss.Population("a", 3, ss.SpikeSource(ss.Spikes.empty(2, 5.0))),
            r"SpikeSource\.spikes: Population 'a' has 3 elements, the recording 2",
            ParameterError,
        ),
    ],
)
def test_populations_say_what_is_wrong(make, message, kind):
    refused(make, message, kind)


def test_slices():
    assert (len(CELLS[2:5]), len(CELLS[:]), len(CELLS[-3:])) == (3, 10, 3)
    assert (repr(CELLS[2:5]), repr(CELLS[:])) == ("cells[2:5]", "cells")
    for key in (3, "a", slice(0, 9, 2), slice(5, 5), slice(7, 2), slice(0.5, 3)):
        refused(lambda key=key: CELLS[key], r"Population 'cells': (index with a slice|slice must be contiguous)")


def test_descriptions_cannot_be_changed():
    for thing, field in ((LIF, "t_ref"), (CELLS, "size"), (ss.Projection(CELLS, CELLS), "weight")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, field, 3)
    given = np.array([10.0, 20.0])
    membrane = ss.LIF(tau_m=given)
    given[0] = -1.0
    assert membrane.tau_m.tolist() == [10.0, 20.0]
    with pytest.raises(ValueError, match="read-only"):
        membrane.tau_m[0] = -1.0


# ---------------------------------------------------------------- projections


@pytest.mark.parametrize(
    ("make", "message", "kind"),
    [
        (lambda: ss.Projection("cells", CELLS), r"Projection\.pre: must be a Population or a slice", ParameterError),
        (lambda: ss.Projection(CELLS, None), r"Projection\.post: must be a Population or a slice", ParameterError),
        (lambda: ss.Projection(CELLS, TRAINS), r"target 'trains' is a spike source, which takes no", NetworkError),
        (lambda: ss.Projection(CELLS, CELLS, name=3), r"Projection\.name: must be a string, got 3", ParameterError),
        (
            lambda: ss.Projection(CELLS, BOTH, ss.AllToAll(), receptor="exx"),
            r"unknown receptor in Projection 'cells->both': 'exx' \(did you mean 'exc'\?\); valid: exc, inh",
            ParameterError,
        ),
        (lambda: ss.Projection(CELLS, BOTH, ss.AllToAll(), receptor=0), r"unknown receptor .* 0;", ParameterError),
        (
            lambda: ss.Projection(CELLS, CELLS, 0.1),
            r"'cells->cells': rule must be a connection rule .* got 0\.1, which lacks check, expected, given, pairs, ",
            ParameterError,
        ),
        (lambda: ss.Projection(CELLS, BOTH), r"OneToOne needs .* got 10 sources and 4 targets", ParameterError),
        (lambda: ss.Projection(CELLS, CELLS, weight=np.nan), r"'cells->cells': weight: must be a fin", ParameterError),
        (lambda: ss.Projection(CELLS, CELLS, weight="1"), r"weight: must be a finite number, got '1'", ParameterError),
        (
            lambda: ss.Projection(CELLS, CELLS, weight=[1.0, np.nan, 2.0]),
            r"weight: must be a finite number, got nan \(synapse 1\)",
            ParameterError,
        ),
        (lambda: ss.Projection(CELLS, CELLS, weight=[1.0]), r"weight: needs 10 values \(one per syn", ParameterError),
        (lambda: ss.Projection(CELLS, CELLS, delay=-1.0), r"delay: must be >= 0, got -1\.0", ParameterError),
        (lambda: ss.Projection(CELLS, CELLS, delay=np.inf), r"delay: must be >= 0, got inf", ParameterError),
        (
            lambda: ss.Projection(CELLS, CELLS, delay=ss.Normal(1.0)),
            r"delay: must be >= 0; give .* low=0",
            ParameterError,
        ),
        (
            lambda: ss.Projection(CELLS, CELLS, ss.FixedIndegree(3), np.ones(30)),
            r"weight: this rule draws its pairs; give a number or a distribution, not an array",
            ParameterError,
        ),
        (
            lambda: ss.Projection(CELLS[:4], CELLS[2:9], ss.FixedProbability(0.5, allow_self=False)),
            r"'cells\[0:4\]->cells\[2:9\]': allow_self=False needs slices that are equal or have no element in common",
            ParameterError,
        ),
        (
            lambda: ss.Projection(CELLS, CELLS[9:], ss.Pairwise([0], [0], allow_self=False)),
            r"allow_self=False needs slices that are equal",
            ParameterError,
        ),
    ],
)
def test_projections_say_what_is_wrong(make, message, kind):
    refused(make, message, kind)


def test_self_connections_are_forbidden_where_that_can_be_kept():
    rule = ss.AllToAll(allow_self=False)
    assert ss.Projection(CELLS[2:6], CELLS[2:6], rule).synapses == 12
    assert ss.Projection(CELLS[:5], CELLS[5:], rule).synapses == 25
    other = ss.Population("others", 10, LIF)
    assert ss.Projection(CELLS[:5], other[2:7], rule).synapses == 25
    assert ss.Projection(CELLS[:4], CELLS[2:9], ss.AllToAll()).synapses == 28


def test_names_receptors_and_sizes_have_defaults():
    p = ss.Projection(CELLS[0:4], BOTH)
    assert (p.name, p.receptor, p.weight, p.delay, p.synapses) == ("cells[0:4]->both", "exc", 1.0, 1.0, 4)
    assert ss.Projection(CELLS, CELLS, delay=ss.Uniform(0.5, 2.0)).min_delay == 0.5
    assert ss.Projection(CELLS, CELLS, delay=np.linspace(2, 1, 10)).min_delay == 1.0
    weights = np.arange(40.0).reshape(10, 4)
    assert ss.Projection(CELLS, BOTH, ss.AllToAll(), weights).weight.tolist() == list(range(40))


@pytest.mark.parametrize(
    ("make", "message", "kind"),
    [
        (lambda: ss.Network([]), "needs at least one population", NetworkError),
        (lambda: ss.Network(CELLS), "populations must be a sequence of Population objects", NetworkError),
        (lambda: ss.Network([LIF]), "populations must be a sequence of Population objects", NetworkError),
        (lambda: ss.Network([CELLS], [CELLS]), "projections must be a sequence of Projection", NetworkError),
        (
            lambda: ss.Network([CELLS, ss.Population("cells", 2, LIF)]),
            "names must be unique, repeated: cells",
            NetworkError,
        ),
        (
            lambda: ss.Network([CELLS], [ss.Projection(CELLS, CELLS)] * 2),
            "projection names must be unique, repeated: cells->cells; give each a name=",
            NetworkError,
        ),
        (
            lambda: ss.Network([BOTH], [ss.Projection(CELLS[:4], BOTH)]),
            r"'cells\[0:4\]->both' uses cells\[0:4\], which is not in the network",
            NetworkError,
        ),
        (lambda: ss.Network([CELLS])["cell"], r"unknown population 'cell' \(did you mean 'cells'\?\)", ParameterError),
        (lambda: ss.Network([CELLS])[0], "unknown population 0; valid: cells", ParameterError),
    ],
)
def test_networks_say_what_is_wrong(make, message, kind):
    refused(make, message, kind)


def test_delay_0_is_refused_in_loops_only():
    a, b, c = (ss.Population(x, 2, LIF) for x in "abc")

    def network(*links):
        return ss.Network([a, b, c], [ss.Projection(x, y, delay=d, name=f"{x.name}{y.name}") for x, y, d in links])

    network((a, b, 0.0), (b, c, 0.0), (a, c, 0.0), (c, a, 1.0))
    for links in ([(a, a, 0.0)], [(a, b, 0.0), (b, a, 0.0)], [(a, b, 0.0), (b, c, ss.Uniform(0, 1)), (c, a, 0.0)]):
        refused(lambda links=links: network(*links), "delay 0 in a loop: .*give at least one of them", NetworkError)


def test_descriptions_can_be_read():
    network = ss.Network([CELLS, TRAINS], [ss.Projection(CELLS, CELLS, ss.FixedIndegree(200))])
    assert repr(network) == "Network(2 populations, 10 neurons, 1 projection, 2,000 synapses)"
    assert [p.name for p in network] == ["cells", "trains"]
    assert repr(network.projections[0]).startswith("Projection(cells->cells: FixedIndegree(k=200")
    rows = ss.summary(network)
    assert [(r["name"], r["kind"], r["size"]) for r in rows] == [
        ("cells", "neurons", 10), ("trains", "source", 3), ("cells->cells", "synapses", 2000)
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_slices_connect_the_elements_they_name(engine):
    """Source k of the slice fires at 1, 2, 3 ms; the targets are the named ones, in order."""
    spikes = ss.Spikes([1.0, 2.0, 3.0, 4.0], [1, 2, 3, 0], 5, 10.0)
    source, post = ss.Population("in", 5, ss.SpikeSource(spikes)), ss.Population("post", 8, LIF)
    network = ss.Network([source, post], [ss.Projection(source[1:4], post[4:7], weight=30.0, delay=0.5)])
    found = ss.simulate(network, 10.0, engine=engine).spikes["post"]
    assert found.ids.tolist() == [4, 5, 6]
    assert found.times == pytest.approx([1.5, 2.5, 3.5])


# ---------------------------------------------------------------- rules of a user


@dataclass(frozen=True)
class Ring:
    """Each source to the next target, with a weight of its own; `spoil` replaces parts of what `pairs` gives."""

    spoil: tuple = ()
    carried: bool = True

    @property
    def weights(self):
        return np.array([0.1, 0.2]) if self.carried else None

    def check(self, n_pre, n_post, same, owner):
        if n_pre != n_post:
            raise ParameterError(f"{owner}: Ring needs as many sources as targets")

    def expected(self, n_pre, n_post, same):
        return float(n_post)

    def given(self, n_pre, n_post):
        return n_post

    def pairs(self, key, n_pre, n_post, same, lo, hi):
        post = np.arange(lo, hi, dtype=np.int32)
        pre = np.where(post == 0, n_pre - 1, post - 1).astype(np.int32)
        weight = np.where(post % 2, 0.2, 0.1) if self.carried else None
        return ss.Pairs(pre, post, np.zeros_like(post), post.astype(np.int64), weight)._replace(**dict(self.spoil))


class Bare:
    """A rule that forgot most of what a rule has."""

    def pairs(self, *args):
        return None


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("carried", [True, False])
def test_a_rule_of_a_user_connects(engine, carried):
    source = ss.Population("in", 6, ss.SpikeSource(ss.Spikes(np.arange(6.0), range(6), 6, 6.0)))
    out = ss.Population("out", 6, ss.Neuron(ss.IF()))
    weight = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    network = ss.Network([source, out], [ss.Projection(source, out, Ring(carried=carried), weight, 1.0)])
    v = ss.Simulation(network, engine=engine, threads=2).run(8.0).state("out", "v")
    own = np.array([0.1, 0.2] * 3) if carried else 1.0
    assert v.tolist() == (weight * own).tolist()  # float64 factors: 0.1 and 0.2 are no float32 numbers


def ints(*values):
    return np.array(values, np.int32)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pre", ints(0, 1, 4, 2), r"pre as whole numbers in 0 … 3, got 0 … 4 of type int32"),
        ("pre", ints(0, -1, 3, 2), r"pre as whole numbers in 0 … 3, got -1 … 3"),
        ("post", ints(0, 1, 2, 9), r"post as whole numbers in 0 … 3, got 0 … 9"),
        ("post", np.arange(4.0), r"post as whole numbers in 0 … 3, got 0\.0 … 3\.0 of type float64"),
        ("draw", ints(0, 0, 0, -1), r"draw as whole numbers"),
        ("index", np.array([0, 1, 2, 4]), r"index as whole numbers in 0 … 3, got 0 … 4"),
        ("index", None, r"index, as given\(\) says 4"),
        ("post", ints(0, 1, 2), r"vectors of one length, post has \(3,\)"),
        ("weight", np.ones((4, 1)), r"vectors of one length, weight has \(4, 1\)"),
    ],
)
def test_pairs_out_of_range_are_refused_before_anything_is_written(name, value, message):
    a = ss.Population("a", 4, LIF)
    projection = ss.Projection(a, a, Ring(((name, value),)), name="ring")
    with pytest.raises(ParameterError, match=r"Projection 'ring': Ring: pairs\(\) must give " + message):
        projection.pairs(make_key(0), 0, 4)
    with pytest.raises(ParameterError, match=message):
        ss.Simulation(ss.Network([a], [projection]))


def test_a_rule_that_lacks_something_is_named():
    refused(lambda: ss.Projection(CELLS, CELLS, Bare()), r"which lacks check, expected, given, weights$")

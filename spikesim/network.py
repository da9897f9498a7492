"""The description of a network: frozen, checked at once, and never simulating anything itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.connectivity.distributions import Distribution
from spikesim.connectivity.rule import MEMBERS, Pairs, Rule, check_pairs
from spikesim.connectivity.rules import OneToOne
from spikesim.connectivity.values import as_synaptic
from spikesim.errors import NetworkError, ParameterError, unknown
from spikesim.inputs import Current, NoiseCurrent, PoissonInput, PoissonSource, RegularSource, SpikeSource
from spikesim.inputs.steps import check_signal
from spikesim.neurons import FixedThreshold, Membrane, ResetTo
from spikesim.parameters import Part, as_count, as_values, short
from spikesim.plasticity.rule import Plasticity
from spikesim.plasticity.short_term import ShortTerm
from spikesim.synapses import Delta

Input = Current | NoiseCurrent | PoissonInput
Source = PoissonSource | SpikeSource | RegularSource
_SOURCES = (PoissonSource, SpikeSource, RegularSource)
_SYNAPSE = ("variables", "linear", "weight_unit")


@dataclass(frozen=True, repr=False)
class Neuron:
    """A neuron model composed of parts.

    Parameters
    ----------
    membrane : LIF, IF or a user's membrane
        How the potential evolves between spikes.
    synapses : a synapse, or a mapping from receptor names to synapses
        What arriving spikes do; a single synapse gets the receptor name ``"syn"``.
    threshold : FixedThreshold or AdaptiveThreshold
        When the neuron fires (``v >= v_th``).
    reset : ResetTo or ResetBySubtraction
        What a spike does to the membrane.
    t_ref : float or array (n,), ms
        Absolute refractory period, >= 0: the membrane is held and delta inputs are lost until it ends (inputs
        that arrive exactly at its end are lost too); currents and conductances evolve on. 0 with a reset that lags.
    """

    membrane: Part
    synapses: Part | Mapping[str, Part] = field(default_factory=Delta)
    threshold: Part = field(default_factory=FixedThreshold)
    reset: Part = field(default_factory=ResetTo)
    t_ref: float | NDArray[np.float64] = 0.0

    def __post_init__(self) -> None:
        synapses = self.synapses if isinstance(self.synapses, Mapping) else {"syn": self.synapses}
        if not synapses:
            raise ParameterError("Neuron.synapses: must name at least one receptor")
        if not isinstance(self.membrane, Membrane):
            raise ParameterError(f"Neuron.membrane: must be a membrane such as LIF(), got {self.membrane!r}")
        for name, part in synapses.items():
            _check_name(name, "Neuron.synapses: name of a receptor")
            _check_role(part, f"Neuron.synapses[{name!r}]", "a synapse such as Delta()", _SYNAPSE)
        _check_role(self.threshold, "Neuron.threshold", "a threshold such as FixedThreshold()", ("v_th", "variables"))
        _check_role(self.reset, "Neuron.reset", "a reset such as ResetTo()", ("lag", "exact"))
        object.__setattr__(self, "synapses", dict(synapses))
        object.__setattr__(self, "t_ref", as_values(self.t_ref, "Neuron.t_ref", "ms", ">= 0"))
        held, lag = np.flatnonzero(self.t_ref), self.reset.lag  # type: ignore[attr-defined]
        if lag > 0 and held.size:
            where = f" (neuron {held[0]})" if isinstance(self.t_ref, np.ndarray) else ""
            raise ParameterError(
                f"Neuron.t_ref: must be 0 ms with a reset that lags by {lag:g} ms, got "
                f"{np.ravel(self.t_ref)[held[0]]:g}{where}; drop the refractory period or the lag"
            )

    @property
    def receptors(self) -> dict[str, Part]:
        """Synapse parts by receptor name."""
        return self.synapses  # type: ignore[return-value]

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts: membrane, synapses, threshold, reset."""
        return (self.membrane, *self.receptors.values(), self.threshold, self.reset)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the states that can be initialised, recorded and inspected."""
        names = list(self.membrane.variables)  # type: ignore[attr-defined]
        for receptor, synapse in self.receptors.items():
            names += [f"{x}_{receptor}" for x in synapse.variables]  # type: ignore[attr-defined]
        return (*names, *self.threshold.variables)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        synapses = ", ".join(f"{k}: {v!r}" for k, v in self.receptors.items())
        return (
            f"Neuron({self.membrane!r}, {{{synapses}}}, {self.threshold!r}, {self.reset!r}, t_ref={short(self.t_ref)})"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Population:
    """`size` neurons of one model, or `size` spike sources.

    Parameters
    ----------
    name : str
        Unique in its network.
    size : int
        Number of elements, >= 1.
    model : Neuron or source
        A `Neuron`, or `PoissonSource`, `SpikeSource`, `RegularSource`.
    initial : mapping
        Initial states by variable name (``{"v": -65.0}``): number, array (size,) or distribution. Others start at
        rest (``v = v_rest``, the rest 0).
    inputs : input or sequence of inputs
        `Current`, `NoiseCurrent`, `PoissonInput`.
    """

    name: str
    size: int
    model: Neuron | Source
    initial: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[Input] = ()

    def __post_init__(self) -> None:
        _check_name(self.name, "Population.name")
        where = f"Population {self.name!r}"
        object.__setattr__(self, "size", as_count(self.size, f"{where}: size"))
        if not isinstance(self.model, (Neuron, *_SOURCES)):
            raise ParameterError(f"{where}: model must be a Neuron or a source, got {self.model!r}")
        if not isinstance(self.initial, Mapping):
            raise ParameterError(f"{where}: initial must be a mapping such as {{'v': 0.0}}, got {self.initial!r}")
        if not isinstance(self.inputs, (Part, list, tuple)):
            raise ParameterError(f"{where}: inputs must be inputs such as Current(100.0), got {self.inputs!r}")
        inputs = (self.inputs,) if isinstance(self.inputs, Part) else tuple(self.inputs)
        object.__setattr__(self, "inputs", inputs)
        for part in self.model.parts if isinstance(self.model, Neuron) else (self.model,):
            part.check_size(self.size, where)
        if isinstance(self.model, Neuron):
            self._check_neuron(where)
        elif self.initial or inputs:
            raise NetworkError(f"{where}: a spike source takes neither inputs nor initial states")
        check_signal(getattr(self.model, "rate", 0.0), self.size, f"{where}: rate")

    def _check_neuron(self, where: str) -> None:
        model: Neuron = self.model  # type: ignore[assignment]
        if isinstance(model.t_ref, np.ndarray) and len(model.t_ref) != self.size:
            raise ParameterError(f"{where}: t_ref has {len(model.t_ref)} values for {self.size} neurons")
        checked = {}
        for name, value in self.initial.items():
            if name not in model.variables:
                raise unknown(f"state in initial of {where}:", name, model.variables)
            if not isinstance(value, Distribution):
                value = as_values(value, f"{where}: initial[{name!r}]")
                if isinstance(value, np.ndarray) and len(value) != self.size:
                    raise ParameterError(f"{where}: initial[{name!r}] has {len(value)} values for {self.size} neurons")
            checked[name] = value
        object.__setattr__(self, "initial", checked)
        for item in self.inputs:
            if not isinstance(item, (Current, NoiseCurrent, PoissonInput)):
                raise ParameterError(f"{where}: inputs must be Current, NoiseCurrent or PoissonInput, got {item!r}")
            item.check_size(self.size, where)
            if isinstance(item, PoissonInput) and item.receptor is not None and item.receptor not in model.receptors:
                raise unknown(f"receptor in PoissonInput of {where}:", item.receptor, model.receptors)
            for attribute in ("value", "rate"):
                check_signal(getattr(item, attribute, 0.0), self.size, f"{where}: {type(item).__name__}.{attribute}")

    @property
    def is_source(self) -> bool:
        """Whether it emits spikes without being a neuron."""
        return not isinstance(self.model, Neuron)

    def __getitem__(self, key: slice) -> View:
        """Contiguous part of the population, as source or target of a projection."""
        if not isinstance(key, slice):
            raise ParameterError(f"Population {self.name!r}: index with a slice such as [0:50], got {key!r}")
        whole = all(x is None or isinstance(x, (int, np.integer)) for x in (key.start, key.stop, key.step))
        lo, hi, step = key.indices(self.size) if whole else (0, 0, 1)
        if step != 1 or hi <= lo:
            raise ParameterError(f"Population {self.name!r}: slice must be contiguous and not empty, got {key}")
        return View(self, lo, hi)

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        extra = f", inputs={list(self.inputs)!r}" if self.inputs else ""
        return f"Population({self.name!r}, {self.size}, {self.model!r}{extra})"


@dataclass(frozen=True)
class View:
    """The elements ``lo … hi-1`` of a population."""

    population: Population
    lo: int
    hi: int

    def __len__(self) -> int:
        return self.hi - self.lo

    def __repr__(self) -> str:
        whole = (self.lo, self.hi) == (0, self.population.size)
        return self.population.name if whole else f"{self.population.name}[{self.lo}:{self.hi}]"


@dataclass(frozen=True, eq=False, repr=False)
class Projection:
    """Synapses from one population (or slice) to another.

    Parameters
    ----------
    pre, post : Population or slice of one
        Sources and targets; `post` must be neurons.
    rule : connection rule
        Which pairs are connected; `OneToOne()`, `FixedIndegree(100)`, `Pairwise(...)` …
    weight : float, array or distribution
        In the unit of the receptor (delta mV, currents pA, conductances nS); multiplied with the weights of rules
        that carry their own (`Sparse`, `Convolution`). Arrays hold one value per synapse in the order the
        rule documents. Values drawn from a distribution are rounded to float32 and are then exact; arrays are
        kept exactly as given.
    delay : float, array or distribution, ms
        >= 0; 0 is allowed where no loop without delay arises. The grid engine rounds to its step and says so once.
    receptor : str or None
        Receptor of the targets; None for their first.
    name : str or None
        Unique name; default ``"pre->post"``.
    plasticity : plasticity rule or None
        How spikes change the weights; None for fixed weights. Needs one delay for all synapses.
    dendritic : float or None, ms
        The part of the delay between synapse and soma, which is how long a target's spike takes back to the synapse;
        the rest is axonal. None: all of it. Only matters with plasticity.
    short_term : ShortTerm or None
        How synapses tire or are eased by use; their weights are then multiplied by what each spike releases. Needs
        one delay for all synapses, and fixed weights.
    """

    pre: Population | View
    post: Population | View
    rule: Rule = field(default_factory=OneToOne)
    weight: Any = 1.0
    delay: Any = 1.0
    receptor: str | None = None
    name: str | None = None
    plasticity: Plasticity | None = None
    dendritic: float | None = None
    short_term: ShortTerm | None = None

    def __post_init__(self) -> None:
        for side in ("pre", "post"):
            value = getattr(self, side)
            if isinstance(value, Population):
                object.__setattr__(self, side, value[:])
            elif not isinstance(value, View):
                raise ParameterError(f"Projection.{side}: must be a Population or a slice of one, got {value!r}")
        assert isinstance(self.pre, View) and isinstance(self.post, View)
        if self.name is None:
            object.__setattr__(self, "name", f"{self.pre!r}->{self.post!r}")
        where = f"Projection {self.name!r}"
        model = self.post.population.model
        if not isinstance(model, Neuron):
            raise NetworkError(f"{where}: target {self.post.population.name!r} is a spike source, which takes no input")
        if not isinstance(self.name, str):
            raise ParameterError(f"Projection.name: must be a string, got {self.name!r}")
        receptor = next(iter(model.receptors)) if self.receptor is None else self.receptor
        if not isinstance(receptor, str) or receptor not in model.receptors:
            raise unknown(f"receptor in {where}:", receptor, model.receptors)
        object.__setattr__(self, "receptor", receptor)
        if isinstance(self.rule, type):
            raise ParameterError(f"{where}: rule must be a rule, not its class: {self.rule.__name__}(…)")
        if not isinstance(self.rule, Rule):
            lacking = ", ".join(x for x in MEMBERS if not hasattr(self.rule, x))
            raise ParameterError(
                f"{where}: rule must be a connection rule such as OneToOne(), got {self.rule!r}, which lacks {lacking}"
            )
        self._check_overlap(where)
        self.rule.check(len(self.pre), len(self.post), self.same, where)
        given = self.rule.given(len(self.pre), len(self.post))
        object.__setattr__(self, "weight", as_synaptic(self.weight, f"{where}: weight", given, ""))
        object.__setattr__(self, "delay", as_synaptic(self.delay, f"{where}: delay", given, ">= 0"))
        if self.plasticity is not None:
            if not isinstance(self.plasticity, Plasticity):
                raise ParameterError(f"{where}: plasticity must be a rule such as PairSTDP(), got {self.plasticity!r}")
            object.__setattr__(self, "dendritic", self.plasticity.check(self.weight, self.delay, self.dendritic, where))
        elif self.dendritic is not None:
            raise ParameterError(f"{where}: dendritic only matters with plasticity; leave it out")
        if self.short_term is not None:
            self._check_short_term(where)

    def _check_short_term(self, where: str) -> None:
        if not isinstance(self.short_term, ShortTerm):
            raise ParameterError(f"{where}: short_term must be ShortTerm(…), got {self.short_term!r}")
        if self.plasticity is not None:
            raise ParameterError(f"{where}: short_term and plasticity cannot act on the same synapses")
        if not isinstance(self.delay, float):
            raise ParameterError(f"{where}: with short_term, the delay must be one number for all synapses")

    def _check_overlap(self, where: str) -> None:
        """Rules know elements by their numbers in the slices, so they see self-connections in equal slices only."""
        pre, post = self.pre, self.post
        assert isinstance(pre, View) and isinstance(post, View)
        meet = pre.population is post.population and pre.lo < post.hi and post.lo < pre.hi
        if meet and not self.same and not getattr(self.rule, "allow_self", True):
            raise ParameterError(
                f"{where}: allow_self=False needs slices that are equal or have no element in common, got {pre!r} and "
                f"{post!r}; make one projection for the common elements and others for the rest"
            )

    @property
    def same(self) -> bool:
        """Whether sources and targets are the same elements, so that pre == post is a self-connection."""
        pre, post = self.pre, self.post
        assert isinstance(pre, View) and isinstance(post, View)
        return pre.population is post.population and (pre.lo, pre.hi) == (post.lo, post.hi)

    @property
    def synapses(self) -> float:
        """Number of synapses, exact where the rule fixes it, else its mean."""
        return self.rule.expected(len(self.pre), len(self.post), self.same)

    @property
    def min_delay(self) -> float:
        """Shortest possible delay in ms."""
        if isinstance(self.delay, Distribution):
            return max(0.0, self.delay.low)
        return float(np.min(self.delay))

    def pairs(self, key: np.uint64, lo: int, hi: int) -> Pairs:
        """Synapses onto targets ``lo <= post < hi`` of `post`, checked: kernels write where they say."""
        n_pre, n_post = len(self.pre), len(self.post)  # type: ignore[arg-type]
        found = self.rule.pairs(key, n_pre, n_post, self.same, lo, hi)
        owner = f"Projection {self.name!r}: {type(self.rule).__name__}"
        check_pairs(found, n_pre, lo, hi, self.rule.given(n_pre, n_post), owner)
        return found

    def __repr__(self) -> str:
        return f"Projection({self.name}: {self.rule!r}, weight={_brief(self.weight)}, delay={_brief(self.delay)} ms" + (
            "".join(f", {x}={getattr(self, x)!r}" for x in ("plasticity", "short_term") if getattr(self, x)) + ")"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """Populations and the projections between them; frozen and checked when made.

    Parameters
    ----------
    populations : sequence of Population
    projections : sequence of Projection

    Raises
    ------
    NetworkError
        If names repeat, a projection uses a population that is not part of the network, or projections with
        delay 0 form a loop.

    Examples
    --------
    >>> from spikesim import LIF, FixedIndegree, Network, Neuron, PoissonInput, Population, Projection
    >>> exc = Population("exc", 800, Neuron(LIF(tau_m=20.0)), inputs=PoissonInput(rate=20000.0, weight=0.1))
    >>> Network([exc], [Projection(exc, exc, FixedIndegree(80), weight=0.1, delay=1.5)])
    Network(1 population, 800 neurons, 1 projection, 64,000 synapses)
    """

    populations: Sequence[Population]
    projections: Sequence[Projection] = ()

    def __post_init__(self) -> None:
        for kind, wanted in (("population", Population), ("projection", Projection)):
            items = getattr(self, f"{kind}s")
            if not isinstance(items, Sequence) or not all(isinstance(x, wanted) for x in items):
                raise NetworkError(f"Network: {kind}s must be a sequence of {wanted.__name__} objects, got {items!r}")
            object.__setattr__(self, f"{kind}s", tuple(items))
            repeated = sorted(name for name, k in Counter(x.name for x in items).items() if k > 1)
            if repeated:
                mend = "; give each a name=" if kind == "projection" else ""
                raise NetworkError(f"Network: {kind} names must be unique, repeated: {', '.join(repeated)}{mend}")
        if not self.populations:
            raise NetworkError("Network: needs at least one population")
        for p in self.projections:
            for view in (p.pre, p.post):
                if not any(view.population is q for q in self.populations):  # type: ignore[union-attr]
                    raise NetworkError(f"Network: projection {p.name!r} uses {view!r}, which is not in the network")
        self._check_loops()

    def _check_loops(self) -> None:
        """Projections whose delay may be 0 must not form a loop."""
        edges = [
            (p.pre.population.name, p.post.population.name, p.name)  # type: ignore[union-attr]
            for p in self.projections
            if p.min_delay == 0
        ]
        open_edges = edges
        while True:  # drop edges into populations that send nothing on without delay
            senders = {pre for pre, _, _ in open_edges}
            kept = [e for e in open_edges if e[1] in senders]
            if len(kept) == len(open_edges):
                break
            open_edges = kept
        if open_edges:
            names = ", ".join(repr(e[2]) for e in open_edges)
            raise NetworkError(f"Network: delay 0 in a loop: {names}; give at least one of them a delay > 0 ms")

    def __getitem__(self, name: str) -> Population:
        for p in self.populations:
            if isinstance(name, str) and p.name == name:
                return p
        raise unknown("population", name, (p.name for p in self.populations))

    def __iter__(self) -> Iterator[Population]:
        return iter(self.populations)

    @property
    def neurons(self) -> int:
        """Number of neurons, spike sources not counted."""
        return sum(p.size for p in self.populations if not p.is_source)

    @property
    def synapses(self) -> float:
        """Number of synapses, exact where rules fix it, else the mean."""
        return sum(p.synapses for p in self.projections)

    def __repr__(self) -> str:
        def count(k: int, noun: str) -> str:
            return f"{k:,} {noun}{'' if k == 1 else 's'}"

        return (
            f"Network({count(len(self.populations), 'population')}, {count(self.neurons, 'neuron')}, "
            f"{count(len(self.projections), 'projection')}, {count(round(self.synapses), 'synapse')})"
        )


def _check_name(name: Any, owner: str) -> None:
    """Names become names in files, where '/' and '.' mean something."""
    if not isinstance(name, str) or not name or not name.isprintable() or "/" in name or name == ".":
        raise ParameterError(f"{owner}: must be a printable string without '/', got {name!r}")


def _check_role(part: Any, owner: str, wanted: str, needs: tuple[str, ...]) -> None:
    if not isinstance(part, Part) or not all(hasattr(part, x) for x in needs):
        raise ParameterError(f"{owner}: must be {wanted}, which declares {', '.join(needs)}; got {part!r}")


def _brief(value: Any) -> str:
    return f"{value.size} values" if isinstance(value, np.ndarray) else f"{value!r}"

"""Graph convolutional network, its linear form, and a spiking twin: the class of every node of a graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from baselines.contract import Classification, Contestant, Family, Graph, Settings, Split
from baselines.graph import INPUT, SpikingGraph
from baselines.spiking import Bernoulli, Leaky
from baselines.supervised import Classifier
from baselines.twin import SpikingClassifier

DEVIATIONS = (
    "GCN as Kipf & Welling 2017 (arXiv:1609.02907): 16 hidden units, dropout 0.5, L2 on the first layer; the learning "
    "rate falls along a cosine, the epoch of the best validation score is kept",
    "twin as SpikingGCN (Zhu et al. 2022, arXiv:2205.02767): features propagated twice beforehand, one layer of leaky "
    "neurons that learn rates of 1 and 0 by squared errors; here with L2 in the loss and 40 time steps, not 250",
    "propagated features are scaled before they become probabilities of spikes, so that fewer steps suffice",
    "one inference is one node; a pass of the GCN over the whole graph counts as one inference for each of its nodes",
    "propagating the features costs real multiply-accumulates, which count for the twin as they do for the others",
)


@dataclass(frozen=True)
class GNNSettings(Settings):
    """Settings of this family.

    Parameters
    ----------
    hidden : int
        Hidden units of the GCN.
    dropout : float
        Of the GCN.
    hops : int
        Times the features are propagated for the twin and the linear network.
    scale : float
        Propagated features (rows sum to 1 before propagation) are multiplied with it and cut at 1.
    beta, threshold : float
        Decay and threshold of the twin's membranes.
    lr_sgc, decay_sgc : float
        Learning rate and L2 of the linear network.
    """

    hidden: int = 16
    dropout: float = 0.5
    hops: int = 2
    scale: float = 10.0
    beta: float = 0.98
    threshold: float = 1.0
    lr_sgc: float = 0.2
    decay_sgc: float = 1e-3


def normalised(data: Graph) -> sparse.csr_array:
    """``D^-1/2 (A + I) D^-1/2``."""
    n = len(data.y)
    a, b = data.edges.T
    ones = np.ones(len(a))
    adjacency = sparse.csr_array((ones, (a, b)), shape=(n, n))
    adjacency = adjacency + adjacency.T + sparse.eye_array(n)
    scale = sparse.diags_array(1.0 / np.sqrt(adjacency.sum(1)))
    return sparse.csr_array(scale @ adjacency @ scale)


def rows_to_one(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features whose rows sum to 1."""
    return x / np.maximum(x.sum(1, keepdims=True), 1)


class Propagate(nn.Module):
    """Product with the normalised adjacency matrix."""

    def __init__(self, adjacency: sparse.csr_array) -> None:
        super().__init__()
        coo = adjacency.tocoo()
        indices = torch.from_numpy(np.stack(coo.coords)).long()
        values = torch.from_numpy(coo.data.astype(np.float32))
        matrix = torch.sparse_coo_tensor(indices, values, coo.shape, check_invariants=True)
        self.register_buffer("adjacency", matrix.coalesce(), persistent=False)
        self.degree = torch.from_numpy(np.diff(adjacency.indptr)).long()

    def forward(self, x: Tensor) -> Tensor:
        """(n, f) to (n, f)."""
        return torch.sparse.mm(self.adjacency, x)

    def products(self, x: Tensor, output: Tensor) -> tuple[int, int, int]:
        """Rows, products along edges, those with features that are not zero."""
        nonzero = torch.count_nonzero(x, 1)
        return len(x), int(self.degree.sum()) * x.shape[1], int((nonzero * self.degree).sum())


class GCN(nn.Module):
    """Two layers of linear maps and propagation; answers for the nodes whose numbers are asked."""

    x: Tensor

    def __init__(self, data: Graph, s: GNNSettings) -> None:
        super().__init__()
        self.register_buffer("x", torch.from_numpy(rows_to_one(data.x)), persistent=False)
        self.known = self.x.nonzero(as_tuple=True)
        self.first = nn.Linear(data.x.shape[1], s.hidden, bias=False)
        self.second = nn.Linear(s.hidden, data.classes, bias=False)
        self.bias = nn.ParameterList([torch.zeros(s.hidden), torch.zeros(data.classes)])
        nn.init.xavier_uniform_(self.first.weight)
        nn.init.xavier_uniform_(self.second.weight)
        adjacency = normalised(data)
        self.propagate = nn.ModuleList([Propagate(adjacency), Propagate(adjacency)])
        self.dropout = nn.Dropout(s.dropout)

    def forward(self, nodes: Tensor) -> Tensor:
        """Logits of the nodes (k, 1)."""
        h = self._mapped() if self.training else self.first(self.x)
        h = torch.relu(self.propagate[0](h) + self.bias[0])
        h = self.propagate[1](self.second(self.dropout(h))) + self.bias[1]
        return h[nodes[:, 0].long()]

    def _mapped(self) -> Tensor:
        """The first linear map after dropout, which draws for features that are not zero alone."""
        values = self.dropout(self.x[self.known])
        given = torch.sparse_coo_tensor(torch.stack(self.known), values, self.x.shape, check_invariants=True)
        return torch.sparse.mm(given, self.first.weight.T)


def _penalised(module: nn.Module, lr: float, decay: float) -> torch.optim.Optimizer:
    """Adam with L2 in the loss."""
    return torch.optim.Adam(module.parameters(), lr=lr, weight_decay=decay)


class LinearClassifier(Classifier):
    """SGC, as often updated as the GCN; L2 in the loss, as its authors have it."""

    passes = 10

    def optimizer(self, lr: float, decay: float) -> torch.optim.Optimizer:
        """L2 on all weights."""
        return _penalised(self.module, lr, decay)


class RateClassifier(SpikingClassifier):
    """SpikingGCN: rates of the neurons against 1 for the class and 0 for the others, L2 in the loss."""

    passes = 2

    def optimizer(self, lr: float, decay: float) -> torch.optim.Optimizer:
        """L2 on all weights."""
        return _penalised(self.module, lr, decay)

    def loss(self, answers: Tensor, labels: Tensor) -> Tensor:
        """Mean squared error of the rates."""
        return functional.mse_loss(answers, functional.one_hot(labels, self.data.classes).float())


class GraphClassifier(Classifier):
    """A network that sees the whole graph in every pass."""

    chunk = 1 << 30
    passes = 10

    def optimizer(self, lr: float, decay: float) -> torch.optim.Optimizer:
        """L2 on the first layer only."""
        assert isinstance(self.module, GCN)
        first = list(self.module.first.parameters())
        rest = [p for p in self.module.parameters() if all(p is not q for q in first)]
        groups: list[dict[str, Any]] = [{"params": first, "weight_decay": decay}, {"params": rest}]
        return torch.optim.Adam(groups, lr=lr)

    def stand_for(self) -> int:
        """One pass answers for all nodes."""
        assert isinstance(self.module, GCN)
        return len(self.module.x)  # type: ignore[arg-type]


def asked(data: Graph) -> Classification:
    """The same task with numbers of nodes as inputs."""
    numbers = np.arange(len(data.y), dtype=np.float32)[:, None]
    return _split(data, numbers)


def propagated(data: Graph, s: GNNSettings) -> tuple[Classification, tuple[float, float]]:
    """The same task with propagated features as inputs, and products per node: dense, and with features not zero."""
    adjacency, x = normalised(data), rows_to_one(data.x).astype(np.float64)
    degree, dense, effective = np.diff(adjacency.indptr), 0.0, 0.0
    for _ in range(s.hops):
        dense += float(degree.sum()) * x.shape[1] / len(x)
        effective += float((np.count_nonzero(x, 1) * degree).sum()) / len(x)
        x = adjacency @ x
    return _split(data, np.minimum(1.0, s.scale * x).astype(np.float32)), (dense, effective)


def _split(data: Graph, x: NDArray[np.float32]) -> Classification:
    train, validation, test = (Split(x[k], data.y[k]) for k in (data.train, data.validation, data.test))
    return Classification(train, validation, test, data.classes)


def build_snn(data: Classification, s: GNNSettings) -> SpikingGraph:
    """One layer of leaky neurons."""
    g = SpikingGraph(Bernoulli(s.steps))
    linear = nn.Linear(data.train.x.shape[1], data.classes, bias=False)
    g.add("output", Leaky(s.beta, s.threshold), g.wire(linear, INPUT))
    return g


def ann(data: Graph, s: GNNSettings, seed: int) -> Classifier:
    """The GCN as a learner, one update per pass."""
    whole = replace(s, batch_size=len(data.train))
    return GraphClassifier(lambda: GCN(data, s), asked(data), whole, seed, s.lr_ann, s.decay_ann)


def linear(data: Graph, s: GNNSettings, seed: int) -> Classifier:
    """SGC (Wu et al. 2019, arXiv:1902.07153) as a learner: softmax regression on propagated features."""
    inputs, before = propagated(data, s)
    n = inputs.train.x.shape[1]
    whole = replace(s, batch_size=len(data.train))
    return LinearClassifier(lambda: nn.Linear(n, data.classes), inputs, whole, seed, s.lr_sgc, s.decay_sgc, before)


def twin(data: Graph, s: GNNSettings, seed: int) -> RateClassifier:
    """The spiking twin as a learner."""
    inputs, before = propagated(data, s)
    return RateClassifier(lambda: build_snn(inputs, s), inputs, s, seed, s.lr_snn, s.decay_snn, before)


FAMILY = Family(
    name="gnn",
    title="graph convolutional network",
    settings={
        "cora": GNNSettings(
            seeds=10,
            epochs=20,
            steps=40,
            batch_size=28,
            lr_ann=0.01,
            decay_ann=5e-4,
            lr_snn=0.01,
            decay_snn=0.01,
            gain=1.0,
            threshold=2.0,
        ),
        "karate": GNNSettings(
            seeds=10,
            epochs=20,
            steps=30,
            batch_size=4,
            lr_ann=0.01,
            decay_ann=5e-4,
            lr_snn=0.02,
            gain=1.0,
            quick_epochs=20,
        ),
    },
    ann=ann,
    snn=twin,
    twin="SpikingGCN",
    others=(Contestant("sgc", "SGC", linear),),
    targets={"cora": {"ann": 0.805, "snn": 0.795}},
    deviations=DEVIATIONS,
)

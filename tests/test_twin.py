"""The twin in torch and in the core: same inputs, same spikes, and how products are counted."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
snn = pytest.importorskip("snntorch")
pytest.importorskip("sklearn")

from torch import nn  # noqa: E402

from baselines.contract import rival_bits  # noqa: E402
from baselines.counting import ann_operations, watched  # noqa: E402
from baselines.graph import INPUT, SpikingGraph  # noqa: E402
from baselines.lowering import Blueprint, lower_map  # noqa: E402
from baselines.quantised import quantised  # noqa: E402
from baselines.replay import watch  # noqa: E402
from baselines.spiking import (  # noqa: E402
    AdaptiveLeaky,
    Bernoulli,
    Converted,
    Direct,
    Events,
    Gate,
    Leaky,
    rate_encode,
    to_spikes,
)

# --- encoding and replay -------------------------------------------------------------------------------------------


def test_rate_encoding_has_the_right_rate_and_is_repeatable() -> None:
    x = np.array([[0.0, 0.25, 1.0]], dtype=np.float32)
    spikes = rate_encode(x, 40_000, (1, 2))
    assert spikes.shape == (1, 40_000, 3)
    assert spikes[0, :, 0].sum() == 0 and spikes[0, :, 2].all()
    assert spikes[0, :, 1].mean() == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 40_000))
    assert np.array_equal(spikes, rate_encode(x, 40_000, (1, 2)))
    assert not np.array_equal(spikes, rate_encode(x, 40_000, (1, 3)))


def test_spike_of_step_k_lies_at_its_end() -> None:
    spikes = to_spikes(np.array([[True, False], [False, False], [True, True]]))
    assert spikes.times.tolist() == [1.0, 3.0, 3.0] and spikes.ids.tolist() == [0, 0, 1] and spikes.t_stop == 3.0


def strong(module: nn.Module, factor: float) -> nn.Module:
    """The same with larger weights, so that there is something to see."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.mul_(factor)
    return module


def normalised(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation that has seen data."""
    norm = nn.BatchNorm2d(channels)
    nn.init.normal_(norm.weight, 1.0, 0.2)
    nn.init.normal_(norm.bias, 0.3, 0.2)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    return norm


def equal_spikes(graph: SpikingGraph, x: np.ndarray, engine: str) -> dict[str, int]:
    """Spikes by cell, after every one of them was found at its step in the core."""
    graph = graph.double().eval()
    with torch.inference_mode():
        spikes = graph(graph.encoder.prepare(x, (7,)).double())
    shapes = {name: tuple(s.shape[2:]) for name, s in spikes.items()}
    encoded = spikes[INPUT].transpose(0, 1).flatten(2).numpy() > 0
    replayed = watch(Blueprint(graph, shapes).network([to_spikes(encoded[0])]), float(len(encoded[0])), engine)
    for cell in graph.cells:
        step, ids = np.nonzero(spikes[cell.name][:, 0].flatten(1).numpy())
        assert np.array_equal(replayed[cell.name].times, step + 1.0), cell.name
        assert np.array_equal(replayed[cell.name].ids, ids), cell.name
    return {name: int(s.sum()) for name, s in spikes.items()}


def dense(beta: float, reset: str = "subtract") -> SpikingGraph:
    """Random weights, strong drive: fires in consecutive steps, which needs the lagged reset."""
    g = SpikingGraph(Bernoulli(60))
    g.add("hidden", Leaky(beta, reset=reset), g.wire(strong(nn.Linear(12, 30), 6.0), INPUT))
    g.add("output", Leaky(beta, reset=reset), g.wire(strong(nn.Linear(30, 7), 4.0), "hidden"))
    return g


def images() -> SpikingGraph:
    """Convolution with batch normalisation, poolings, a map that must be probed."""
    g = SpikingGraph(Bernoulli(12))
    first = nn.Sequential(
        nn.Unflatten(1, (1, 6)), strong(nn.Conv2d(1, 3, 3, padding=1, bias=False), 4.0), normalised(3)
    )
    g.add("conv", Leaky(0.8), g.wire(first, INPUT))
    g.add("any", Gate(), g.wire(nn.MaxPool2d(2), "conv"))
    g.add("mean", Leaky(0.9, 0.4), g.wire(nn.AvgPool2d(2), "conv"))
    odd = nn.Sequential(nn.AvgPool2d(3), nn.Flatten(), strong(nn.Linear(3, 5), 8.0))
    g.add("output", Leaky(0.9), g.wire(odd, "any"))
    return g


def residual() -> SpikingGraph:
    """Sums of spikes into one map, sums of currents from several, one map used twice."""
    g = SpikingGraph(Bernoulli(12))
    shared = strong(nn.Linear(8, 8), 4.0)
    g.add("a", Leaky(0.8), g.wire(strong(nn.Linear(8, 8), 4.0), INPUT))
    g.add("b", Leaky(0.8), g.wire(nn.Identity(), INPUT), g.wire(shared, "a"))
    g.add("output", Leaky(0.8), g.wire(strong(nn.Linear(8, 4), 4.0), "a", "b"), g.wire(nn.Linear(8, 4), INPUT))
    return g


def recurrent() -> SpikingGraph:
    """Spikes that come back a step later, thresholds that adapt."""
    g = SpikingGraph(Bernoulli(40))
    back = g.wire(strong(nn.Linear(9, 9, bias=False), 2.0), "a", delay=1)
    g.add("a", AdaptiveLeaky(0.8, 0.95, 0.3), g.wire(strong(nn.Linear(8, 9), 5.0), INPUT), back)
    g.add("output", Leaky(0.8), g.wire(strong(nn.Linear(9, 4), 5.0), "a"))
    return g


def attention() -> SpikingGraph:
    """Products of two and of three spikes."""
    from baselines.attention import PerToken, SpikingAttention
    from baselines.families.transformer import OverTokens

    g = SpikingGraph(Bernoulli(10))
    for name in "qkv":
        g.add(name, Leaky(0.7), g.wire(strong(PerToken(4, 4), 12.0), INPUT))
    g.add("both", Gate(2), g.wire(nn.Identity(), "k"), g.wire(nn.Identity(), "v"))
    g.add("mask", Leaky(0.7), g.wire(OverTokens(), "both"))
    g.add("output", Leaky(0.7, 0.5), g.wire(SpikingAttention(2, 0.25), "q", "k", "v"))
    return g


def converted() -> SpikingGraph:
    """Neurons without leak from activations, half a threshold ahead."""
    g = SpikingGraph(Bernoulli(8))
    g.add("a", Converted(8), g.wire(strong(nn.Linear(8, 8), 4.0), INPUT))
    g.add("output", Converted(), g.wire(strong(nn.Linear(8, 4), 4.0), "a"))
    return g


GRAPHS = {
    "converted": (converted, (8,)),
    "slow": (lambda: dense(0.99), (12,)),
    "fast": (lambda: dense(0.5), (12,)),
    "zero": (lambda: dense(0.9, "zero"), (12,)),
    "perfect": (lambda: dense(1.0), (12,)),
    "images": (images, (6, 6)),
    "residual": (residual, (8,)),
    "recurrent": (recurrent, (8,)),
    "attention": (attention, (3, 4)),
}


@pytest.mark.parametrize("engine", ["event", "grid"])
@pytest.mark.parametrize("name", GRAPHS)
def test_replay_equals_torch_spike_for_spike(engine, name) -> None:
    build, shape = GRAPHS[name]
    torch.manual_seed(5)
    x = np.random.default_rng(4).random((1, *shape), dtype=np.float32)
    spikes = equal_spikes(build(), x, engine)
    assert all(count > 0 for count in spikes.values()) and sum(spikes.values()) > 40


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_direct_coded_frames_drive_the_first_layer(engine) -> None:
    torch.manual_seed(2)
    g = SpikingGraph(Direct(strong(nn.Linear(3, 8), 4.0), Leaky(0.9), 10, frames=5))
    g.add("output", Leaky(0.9), g.wire(strong(nn.Linear(8, 3), 4.0), INPUT))
    x = np.random.default_rng(1).random((1, 5, 3))
    assert equal_spikes(g.double(), x, engine)["output"] > 0
    held = g.encoder(torch.from_numpy(x))
    alone = g.encoder.neuron(g.encoder.layer(torch.from_numpy(x[0])).repeat_interleave(2, 0)[:, None])
    assert torch.equal(held, alone)  # each frame for two steps


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_events_of_a_camera_reach_the_first_layer_unchanged(engine) -> None:
    """Two polarities, an odd number of pixels to pool, frames of two steps."""
    torch.manual_seed(3)
    g = SpikingGraph(Events(10, 5))
    first = nn.Sequential(strong(nn.Conv2d(2, 3, 3, padding=1, bias=False), 4.0), normalised(3))
    g.add("conv", Leaky(0.8), g.wire(first, INPUT))
    g.add("any", Gate(), g.wire(nn.MaxPool2d(2), "conv"))
    g.add("output", Leaky(0.9), g.wire(nn.Sequential(nn.Flatten(), strong(nn.Linear(27, 4), 4.0)), "any"))
    x = np.random.default_rng(1).integers(0, 2, (1, 5, 2, 7, 7)).astype(np.float32)
    seen = g.encoder(g.encoder.prepare(x, (0,)))[:, 0].numpy()
    assert np.array_equal(seen[::2], x[0]) and not seen[1::2].any()
    assert equal_spikes(g, x, engine)["output"] > 0


@pytest.mark.parametrize("levels", [4, 8])
def test_converted_neurons_fire_as_often_as_the_activation_says(levels) -> None:
    """QCFS is exact over T = L steps of a constant input; without levels the error is below one spike."""
    x = torch.linspace(-0.5, 1.5, 401, dtype=torch.float64)
    for neuron, error in ((Converted(levels), 1e-12), (Converted(), 1.0 / levels)):
        activation = neuron.train()(x[None])[0]
        rate = neuron.eval()(x[None].expand(levels, -1)).mean(0)
        assert float((activation - rate).abs().max()) <= error
    assert len(torch.unique(Converted(levels).train()(x[None]))) == levels + 1


def test_a_probed_map_is_the_map() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(2, 3, 2), nn.Flatten()).double()
    lowered = lower_map(module, (2, 6, 6))
    x = torch.rand(1, 2, 6, 6, dtype=torch.float64)
    want = module(x).detach().numpy()[0]
    assert np.allclose(x.flatten().numpy() @ lowered.rule.matrix.toarray() + lowered.bias, want, atol=1e-12)


def test_threshold_is_strict_as_in_snntorch() -> None:
    """A membrane exactly at the threshold does not fire; a rounding step above, it does."""
    g = SpikingGraph(Bernoulli(1)).double()
    linear = nn.Linear(1, 2, bias=False).double()
    linear.weight.data = torch.tensor([[1.0], [np.nextafter(1.0, 2.0)]], dtype=torch.float64)
    g.add("out", Leaky(0.5), g.wire(linear, INPUT))
    network = Blueprint(g, {INPUT: (1,), "out": (2,)}).network([to_spikes(np.array([[True]]))])
    assert watch(network, 1.0, "event")["out"].ids.tolist() == [1]


# --- counting ------------------------------------------------------------------------------------------------------


def test_products_are_counted_as_by_hand() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.tensor([[0.0, 1.0, 2.0], [0.0, 0.0, 3.0]])
    with torch.inference_mode():
        hidden = int(torch.count_nonzero(torch.relu(module[0](x))))
        with watched(module) as layers:
            module(x)
    first, second = layers
    assert (first.rows, first.dense, first.active, first.spiked) == (2, 2 * 12, 3 * 4, 0)
    assert second.dense == 2 * 4 * 2 and second.active == hidden * 2
    operations = ann_operations(layers, 2)
    assert operations.macs == 3 * 4 + 4 * 2 and operations.biases == 6 and operations.activations == 4
    assert operations.weights == 4 * 4 + 5 * 2
    assert ann_operations(layers, 2, skip_zeros=True).macs == (12 + hidden * 2) / 2


def test_spikes_make_accumulates_and_sums_of_spikes_do_not() -> None:
    """0 and 1 are spikes; as soon as a 2 is among them, products are multiply-accumulates."""
    layer = nn.Linear(3, 4)
    with watched(layer) as counted, torch.inference_mode():
        layer(torch.tensor([[0.0, 1.0, 1.0]]))
        layer(torch.tensor([[0.0, 1.0, 2.0]]))
    assert counted[0].spiked == 8 and counted[0].active == 8


def test_convolutions_are_counted_without_their_padding() -> None:
    layer = nn.Conv2d(2, 3, 3, padding=1, stride=2)
    layer.weight.data[0, 0, 1, 1] = 0.0
    x = (torch.rand(5, 2, 7, 6, generator=torch.Generator().manual_seed(3)) > 0.6).float()
    with watched(layer) as counted, torch.inference_mode():
        layer(x)
    nonzero = nn.functional.conv2d(x.double(), (layer.weight != 0).double(), stride=2, padding=1).sum()
    inside = nn.functional.conv2d(torch.ones_like(x), torch.ones_like(layer.weight), stride=2, padding=1).sum()
    assert counted[0].spiked == int(nonzero.round()) and counted[0].dense == int(inside) and counted[0].active == 0


def test_counts_equal_those_of_neurobench() -> None:
    """Tensor-level counts of an ANN and of a spiking layer, beside NeuroBench's on the same module."""
    pytest.importorskip("neurobench", reason="NeuroBench is not installed: pip install neurobench")
    from neurobench.metrics.workload import SynapticOperations
    from neurobench.models import TorchModel

    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 5))
    for x in (torch.rand(4, 1, 6, 6), (torch.rand(4, 1, 6, 6) > 0.5).float()):
        model, metric = TorchModel(module), SynapticOperations()
        model.register_hooks()
        with torch.no_grad():
            metric(model, module(x), (x, torch.zeros(4)))
        found = metric.compute()
        with watched(module) as layers, torch.inference_mode():
            module(x)
        assert found["Effective_MACs"] * 4 == sum(layer.active for layer in layers)
        assert found["Effective_ACs"] * 4 == sum(layer.spiked for layer in layers)
        assert found["Dense"] * 4 == sum(layer.dense for layer in layers)


def test_few_bits_round_and_leave_no_trace() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(6, 2)
    x = torch.rand(50, 6)
    before = layer(x).detach()
    errors = []
    for bits in (1, 2, 4, 8):
        with quantised(layer, bits, lambda: layer(x)), torch.inference_mode():
            errors.append(float((layer(x) - before).abs().max()))
    assert errors == sorted(errors, reverse=True) and 0 < errors[-1] < 0.02 < errors[0]
    assert torch.equal(layer(x), before)
    assert [rival_bits(steps) for steps in (1, 3, 4, 7, 8, 15, 250, 1000)] == [1, 2, 3, 3, 4, 4, 8, 8]

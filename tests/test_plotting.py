"""Pictures: what is drawn, labelled and written, on the backend that needs no display."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import spikesim as ss
from spikesim import plotting
from spikesim.errors import FileError, ParameterError
from spikesim.spikes import Spikes


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def population(n: int, k: int, duration: float = 200.0, seed: int = 0) -> Spikes:
    rng = np.random.default_rng(seed)
    return Spikes(rng.uniform(0.0, duration, k), rng.integers(0, n, k), n, duration)


def outcome(size=4, **changes) -> SimpleNamespace:
    """What plotting reads of a result."""
    v = np.cumsum(np.random.default_rng(0).normal(size=(50, 4)), axis=0)
    neuron = ss.Neuron(ss.LIF(), {"ampa": ss.ExponentialConductance(), "slow": ss.Exponential()})
    trains = ss.Population("trains", 30, ss.PoissonSource(50.0))
    network = ss.Network([trains, ss.Population("exc", size, neuron), ss.Population("inh", 20, neuron)])
    return SimpleNamespace(**{
        "spikes": {"exc": population(80, 900), "inh": population(20, 300, seed=1)},
        "states": {"exc": {"v": v, "i_syn": v, "g_ampa": v, "g_slow": v, "theta": v, "w": v}},
        "state_times": 4.0 * np.arange(50),
        "duration": 200.0,
        "engine": "event",
        "network": network,
        **changes,
    })  # fmt: skip


def dots(ax) -> list[tuple[np.ndarray, np.ndarray]]:
    return [line.get_data() for line in ax.lines if line.get_marker() == "|"]


def texts(ax) -> list[str]:
    return [t.get_text() for t in ax.texts]


def test_raster_of_one_population_draws_every_spike_at_its_element():
    spikes = population(30, 200)
    ax = plotting.raster(spikes)
    ((x, y),) = dots(ax)
    assert np.array_equal(x, spikes.times)
    assert np.array_equal(y, spikes.ids)
    assert ax.get_xlim() == (0.0, 200.0)
    assert ax.get_ylim() == (-0.5, 29.5)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title("right")) == ("time (ms)", "neuron", "")


def test_raster_stacks_populations_from_the_top_in_separate_bands():
    ax = plotting.raster(outcome().spikes)
    (_, exc), (_, inh) = dots(ax)
    assert exc.min() > inh.max()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["exc (80)", "inh (20)"]
    colours = [line.get_color() for line in ax.lines if line.get_marker() == "|"]
    assert colours == list(plotting.COLOURS[:2])


def test_small_populations_keep_a_readable_band():
    ax = plotting.raster({"large": population(100_000, 50), "small": Spikes.from_trains([[1.0], [2.0], [3.0]], 200.0)})
    (_, (_, small)) = dots(ax)
    assert ax.get_ylim() == (0.0, 1.0)
    assert small.max() - small.min() > 0.03


def test_a_large_raster_draws_every_kth_neuron_whole_and_says_so():
    spikes = population(2000, 50_000)
    ax = plotting.raster(spikes, limit=1000)
    ((_, y),) = dots(ax)
    rows = np.unique(np.round(y).astype(int))
    stride = rows[1] - rows[0]
    assert len(y) <= 1000
    assert set(np.diff(rows)) == {stride}
    assert len(y) == np.isin(spikes.ids, rows).sum()
    assert ax.get_title("right") == f"drawn: 1 in {stride} neurons, {len(y):,} of 50,000 spikes"


def test_a_few_busy_neurons_stay_visible_and_lose_spikes_instead():
    ax = plotting.raster(population(4, 5000), limit=1000)
    ((_, y),) = dots(ax)
    assert set(np.round(y)) == {0, 1, 2, 3}
    assert len(y) == 1000
    assert ax.get_title("right") == "drawn: 1,000 of 5,000 spikes"


@pytest.mark.parametrize("placed", [True, False])
def test_rate_panel_lies_below_and_shares_the_time_axis(placed):
    figure = plt.figure()
    ax = figure.add_axes((0.1, 0.1, 0.8, 0.8)) if placed else figure.add_subplot()
    assert plotting.raster(outcome().spikes, ax, rate=True, bin=10.0) is ax
    below = figure.axes[-1]
    assert below.get_shared_x_axes().joined(ax, below)
    assert below.get_position().y1 < ax.get_position().y0
    assert (below.get_xlabel(), below.get_ylabel()) == ("time (ms), bins of 10 ms", "rate (Hz)")


def test_population_rate_holds_the_rate():
    spikes = population(20, 400)
    ax = plotting.population_rate({"exc": spikes}, bin=20.0)
    values, edges, _ = ax.patches[0].get_data()
    assert edges.tolist() == list(np.arange(0.0, 201.0, 20.0))
    assert np.mean(values) == pytest.approx(400 / 20 / 0.2)
    assert ax.get_legend().get_texts()[0].get_text() == "exc"


def test_histograms_hold_every_neuron_once():
    spikes = {"regular": Spikes.from_trains([np.arange(1.0, 200.0, k) for k in (5.0, 10.0, 20.0)], 200.0)}
    for draw, unit in ((plotting.rate_histogram, "(Hz)"), (plotting.cv_histogram, "CV of ISI")):
        ax = draw(spikes)
        shares = ax.patches[-1].get_data().values
        assert shares.sum() == pytest.approx(1.0)
        assert unit in ax.get_xlabel()
        assert ax.get_ylabel() == "fraction of neurons"
    assert plotting.cv_histogram(spikes).patches[-1].get_data().values[0] == pytest.approx(1.0)


def test_rate_bins_do_not_split_or_merge_neighbouring_rates():
    trains = [np.linspace(1.0, 299.0, k) for k in range(20) for _ in range(2)]
    shares = plotting.rate_histogram(Spikes.from_trains(trains, 300.0)).patches[-1].get_data().values
    assert shares[shares > 0] == pytest.approx(np.full(20, 1 / 20))


@pytest.mark.parametrize(
    ("variable", "label"),
    [
        ("v", "membrane potential (mV)"),
        ("theta", "threshold adaptation (mV)"),
        ("i_syn", "synaptic current i_syn (pA)"),
        ("g_ampa", "conductance g_ampa (nS)"),
        ("g_slow", "g_slow (pA/ms)"),
        ("w", "w"),
    ],
)
def test_traces_are_labelled_with_their_unit(variable, label):
    assert plotting.traces(outcome(), "exc", variable).get_ylabel() == label


def test_traces_draw_the_elements_asked_for_and_the_threshold():
    result = outcome()
    v = result.states["exc"]["v"]
    ax = plotting.traces(result, "exc", ids=[1, 3], theta=20.0)
    assert [np.array_equal(line.get_ydata(), v[:, i]) for line, i in zip(ax.lines, (1, 3), strict=False)] == [True] * 2
    assert set(ax.lines[2].get_ydata()) == {20.0}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["exc 1", "exc 3", "threshold"]
    adaptive = plotting.traces(result, "exc", ids=[1], theta=v + 5.0)
    assert np.array_equal(adaptive.lines[1].get_ydata(), v[:, 1] + 5.0)
    assert len(plotting.traces(result, "exc").lines) == 3


def test_traces_of_a_recorded_part_are_not_passed_off_as_neuron_numbers():
    assert (
        plotting.traces(outcome(size=100), "exc", ids=[2]).get_legend().get_texts()[0].get_text() == "exc, recorded 2"
    )


def test_traces_and_overview_take_one_stimulus_of_a_batch():
    result = outcome()
    v = result.states["exc"]["v"]
    result.states["exc"]["v"] = np.stack([v, -v])
    assert np.array_equal(plotting.traces(result, "exc", stimulus=1).lines[0].get_ydata(), -v[:, 0])
    result.spikes = {"exc": (Spikes.empty(5, 200.0), population(5, 40))}
    assert len(dots(plotting.overview(result, stimulus=1).axes[0])[0][0]) == 40


def test_overview_shows_every_population_once_without_overlapping_labels():
    names = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
    sizes = (20_683, 5_834, 21_915, 5_479, 4_850, 1_065, 14_395, 2_948)
    spikes = {name: population(n, n // 20) for name, n in zip(names, sizes, strict=True)}
    figure = plotting.overview(outcome(spikes=spikes))
    figure.canvas.draw()
    assert len(figure.axes) == 4
    assert [t.get_text() for t in figure.legends[0].get_texts()] == list(names)
    boxes = [t.get_window_extent() for t in figure.axes[0].get_yticklabels()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    page = figure.bbox
    assert all(box.x0 >= page.x0 and box.y0 >= page.y0 for box in boxes)
    assert len(set(plotting.COLOURS)) >= len(names)


def test_overview_does_not_take_spike_sources_for_neurons():
    spikes = {"trains": population(30, 90), "exc": population(4, 90), "inh": population(20, 90)}
    figure = plotting.overview(outcome(spikes=spikes))
    assert figure.get_suptitle() == "24 neurons and 30 spike sources, 200 ms, event engine"
    labels = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert labels == ["exc (4)", "inh (20)", "trains (30)"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["exc", "inh"]
    alone = plotting.overview(outcome(spikes={"trains": population(30, 90)}))
    assert alone.get_suptitle() == "trains: 30 spike sources, 200 ms, event engine"


def test_a_silent_run_is_drawn_and_named():
    figure = plotting.overview(outcome(spikes={"exc": Spikes.empty(10, 200.0)}))
    raster, _, _, irregularity = figure.axes
    assert texts(raster) == ["no spikes"]
    assert texts(irregularity) == ["no neuron has 3 spikes"]


@pytest.mark.parametrize("suffix", plotting.FORMATS)
def test_every_format_is_written_whole(tmp_path, suffix):
    path = plotting.save(plotting.raster(population(5, 20)).figure, tmp_path / f"a{suffix.upper()}")
    assert path.stat().st_size > 1000
    assert os.listdir(tmp_path) == [path.name]


def test_save_keeps_existing_files_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    figure, path = plotting.raster(population(5, 20)).figure, tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(FileError, match="exists; choose another name"):
        plotting.save(figure, path)

    def full_disk(target, **_):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full_disk)
    with pytest.raises(FileError, match=r"a\.png: cannot be written: No space left"):
        plotting.save(figure, path, overwrite=True)
    assert (path.read_text(), os.listdir(tmp_path)) == ("mine", ["a.png"])
    monkeypatch.undo()
    plotting.save(figure, path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


BAD = {
    "unknown format": (lambda f, p: plotting.save(f, p / "a.bmp"), ParameterError, r"'.bmp'.*valid: .jpg, .pdf, .png"),
    "no format": (lambda f, p: plotting.save(f, p / "a"), ParameterError, "valid: .jpg"),
    "no folder": (lambda f, p: plotting.save(f, p / "none" / "a.png"), FileError, "does not exist"),
    "a batch": (lambda f, p: plotting.raster((population(2, 3),)), ParameterError, "take one stimulus"),
    "no population": (lambda f, p: plotting.raster({}), ParameterError, "at least one population"),
    "no element": (lambda f, p: plotting.raster({"e": Spikes.empty(0, 9.0)}), ParameterError, r"raster\['e'\]"),
    "limit 0": (lambda f, p: plotting.raster(population(2, 3), limit=0), ParameterError, "limit: must be >= 1"),
    "no spikes": (lambda f, p: plotting.overview(outcome(spikes={})), ParameterError, "holds no spikes"),
    "stimulus": (
        lambda f, p: plotting.overview(outcome(spikes={"e": (population(2, 3),)}), stimulus=1),
        ParameterError,
        r"overview.stimulus: must be in 0 … 0, got 1",
    ),
    "no states": (lambda f, p: plotting.traces(outcome(), "inh"), ParameterError, "valid: exc"),
    "no variable": (lambda f, p: plotting.traces(outcome(), "exc", "u"), ParameterError, "'u'.*valid: g_ampa"),
    "id": (lambda f, p: plotting.traces(outcome(), "exc", ids=[4]), ParameterError, "must be in 0 … 3"),
    "theta": (
        lambda f, p: plotting.traces(outcome(), "exc", theta=[1.0, 2.0]),
        ParameterError,
        r"\(50,\) or \(50, 4\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_says_what_is_wrong(case, tmp_path):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call(plt.figure(), tmp_path)


def test_importing_it_loads_neither_pyplot_nor_scipy_signal():
    check = "import sys, spikesim.plotting; sys.exit(not {'matplotlib.pyplot', 'scipy.signal'}.isdisjoint(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

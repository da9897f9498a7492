"""Made images: how they are judged, generators and denoisers that learn, and a core that paints what torch does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("snntorch")
pytest.importorskip("sklearn")

from baselines.contract import Classification, Split  # noqa: E402
from baselines.counting import watched  # noqa: E402
from baselines.errors import TrainingError  # noqa: E402
from baselines.families import FAMILIES, diffusion, gan  # noqa: E402
from baselines.generation.adversarial import RealImages, judged_alike  # noqa: E402
from baselines.generation.denoising import denoise, schedule  # noqa: E402
from baselines.generation.judge import METRICS, Judge, frechet, judge_of, neighbourhoods  # noqa: E402
from baselines.generation.pictures import tiled  # noqa: E402
from baselines.seeds import agreement, train  # noqa: E402
from baselines.tasks import TASKS  # noqa: E402


@pytest.fixture(scope="module")
def digits() -> Classification:
    return TASKS["digits"].load()


@pytest.fixture(scope="module")
def scrap(digits) -> Classification:
    """All of the training images for the judge, few to test by."""
    few = [Split(part.x[:40], part.y[:40]) for part in (digits.validation, digits.test)]
    return Classification(Split(digits.train.x[:256], digits.train.y[:256]), *few, digits.classes)


def small(name, **more):
    """Settings of the embedded task, made small."""
    settings = FAMILIES[name].settings["digits"]
    return dataclasses.replace(settings, epochs=1, passes=1, steps=3, batch_size=32, **more)


# --- judging -----------------------------------------------------------------------------------------------------


def test_distance_of_gaussians_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(60_000, 3)) * [1.0, 2.0, 0.5]
    b = rng.normal(size=(60_000, 3)) * [1.0, 1.0, 1.5] + [3.0, 0.0, 0.0]
    wanted = 9.0 + (2.0 - 1.0) ** 2 + (0.5 - 1.5) ** 2  # independent parts: squared differences of means and deviations
    assert frechet(a, b) == pytest.approx(wanted, rel=0.02)
    assert frechet(a, a) == pytest.approx(0.0, abs=1e-6)


def test_neighbourhoods_tell_narrow_from_wide() -> None:
    rng = np.random.default_rng(1)
    real = rng.normal(size=(400, 2))
    assert min(neighbourhoods(real, rng.normal(size=(400, 2)))) > 0.85
    precision, recall, coverage = neighbourhoods(real, 0.05 * rng.normal(size=(400, 2)))  # one mode alone
    assert precision > 0.9 and recall < 0.1 and coverage < 0.2
    assert neighbourhoods(real, real + 50.0) == (0.0, 0.0, 0.0)


def test_the_judge_knows_digits_and_noise(digits) -> None:
    judge = judge_of(digits)
    assert judge is judge_of(digits) and judge.accuracy > 0.9
    floor = RealImages(digits, small("gan"), 0).test()
    noise, measures = judge.measures(np.random.default_rng(0).random((360, 8, 8), dtype=np.float32))
    assert floor.score < 4 and noise > 20 * floor.score
    assert floor.measures["classes"] == 10 and floor.measures["coverage"] > 0.9 > measures["coverage"]
    assert floor.measures["label divergence"] < 0.05 < measures["label divergence"]
    assert floor.measures["nearest training image"] == 0.0 < measures["nearest training image"]
    ones = judge.measures(digits.test.x[digits.test.y == 1])[1]
    assert ones["classes"] <= 2 and ones["label divergence"] > 1.5 and ones["recall"] < 0.5
    assert set(measures) == {metric.name for metric in METRICS[1:]}


def test_the_classifier_is_the_same_every_time(scrap) -> None:
    one, other = Judge(scrap), Judge(scrap)
    assert np.array_equal(one.features(scrap.test.x), other.features(scrap.test.x))


def test_lost_modes_are_told() -> None:
    side = {"classifier-FID": 2.0, "classes": 7.5}
    seeds = [{"ann": {"measures": {"classes": 10}}, "replay": {"measures": {"classes": n}}} for n in (10, 5)]
    report = {"ann": side | {"classes": 10.0}, "replay": side, "others": {"real": side}, "per_seed": seeds}
    text = " ".join(judged_alike(report))
    assert "The ANN makes 10 of 10 classes: no mode is lost." in text
    assert "The twin makes 7.5 of 10 classes: MODES ARE LOST: 5 classes in a seed." in text


def test_sheets_of_images() -> None:
    sheet = tiled(np.ones((5, 2, 3)), 2, 3)
    assert sheet.shape == (7, 13) and sheet[1:3, 1:4].min() == 1 and np.all(sheet[0] == 0.5)
    assert np.all(sheet[4:6, 9:12] == 0.5)  # no sixth image


# --- adversarial networks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [gan.twin, gan.spiking_dcgan])
def test_spiking_generators_in_the_core_paint_what_torch_does(scrap, build) -> None:
    twin = build(scrap, small("gan", hidden=32, channels=8), 0)
    found = train(twin, 1, lambda fraction: None, higher=False)
    assert len(found["learning"]) == 1
    with torch.no_grad():  # an untrained network hardly fires
        for name, parameter in twin.module.named_parameters():
            if parameter.ndim == 1 and "bias" not in name:
                parameter.mul_(3.0)
    tested, done = twin.test(), []
    replayed = twin.replay("event", 1, done.append)
    same = agreement(tested, replayed)
    assert same["equal"] == same["inferences"] == sum(done) == 40
    assert same["spikes_torch"] == same["spikes_core"] > 0
    assert tested.material["between"].shape == (5, 9, 8, 8) and tested.predictions.shape == (40, 8, 8)
    assert replayed.operations.synaptic_events > 0 and set(tested.measures) == {m.name for m in METRICS[1:]}
    assert replayed.operations.macs == pytest.approx(tested.skipping.macs)  # the direct-coded layer, in every step


def test_operations_of_a_generator(scrap) -> None:
    settings = small("gan", hidden=32)
    learner = gan.ann(scrap, settings, 0)
    train(learner, 1, lambda fraction: None, higher=False)
    outcome, few = learner.test(), learner.test_quantised(3)
    assert outcome.operations.macs == settings.latent * 32 + 32 * 32 + 32 * 64
    assert outcome.skipping.macs < outcome.operations.macs and few.score != outcome.score
    assert learner.make(learner.latent(2, 3)).shape == (3, 8, 8)


def test_the_judged_generator_is_an_average(scrap) -> None:
    learner = gan.ann(scrap, small("gan", hidden=8), 0)
    before = learner.module[0][0].weight.clone()
    list(learner.epoch())
    now = learner._raw[0][0].weight
    assert 0 < (learner.module[0][0].weight - before).abs().sum() < (now - before).abs().sum()


def test_a_generator_learns(digits) -> None:
    settings = dataclasses.replace(gan.FAMILY.settings["digits"], epochs=8)
    learner = gan.ann(digits, settings, 0)
    before = learner.validate()
    train(learner, 8, lambda fraction: None, higher=False)
    assert learner.validate() < 0.3 * before and learner.test().measures["classes"] >= 8


@pytest.mark.parametrize("family", ["gan", "diffusion"])
def test_diverging_training_is_told(scrap, family) -> None:
    settings = small(family, lr_ann=float("inf"))
    with pytest.raises(TrainingError, match="diverged at update"):
        list(FAMILIES[family].ann(scrap, settings, 0).epoch())


# --- diffusion ---------------------------------------------------------------------------------------------------


def test_schedule_falls_from_signal_to_noise() -> None:
    left = schedule(100)
    assert left.shape == (100,) and np.all(np.diff(left) < 0) and left[0] > 0.99 and left[-1] < 0.01


@pytest.mark.parametrize("fresh", [0.0, 1.0])
def test_a_perfect_guess_of_the_noise_gives_the_image(fresh) -> None:
    left, rng = schedule(50), np.random.default_rng(0)
    clean = torch.from_numpy(rng.uniform(-1, 1, (4, 9)))
    noise = torch.from_numpy(rng.normal(size=(4, 9)))
    start = np.sqrt(left[-1]) * clean + np.sqrt(1 - left[-1]) * noise
    noises = torch.cat([start[:, None], torch.from_numpy(rng.normal(size=(4, 6, 9)))], 1)
    asked = []

    def predict(given):
        at = int(given[0, -1])
        asked.append(at)
        return (given[:, :-1] - np.sqrt(left[at]) * clean) / np.sqrt(1 - left[at])

    *_, last = denoise(noises, left, predict, fresh)
    assert torch.allclose(last, clean, atol=1e-9) and asked[0] == 49 and asked[-1] == 0 and len(asked) == 7


def test_new_noise_keeps_as_much_noise_as_the_schedule_says() -> None:
    """With the best guess for images that are normal, what comes out is normal again, new noise or not."""
    left, rng = schedule(50), np.random.default_rng(0)

    def predict(given):
        at = int(given[0, -1])
        return np.sqrt(1 - left[at]) * given[:, :-1]

    for fresh in (0.0, 1.0):
        noises = torch.from_numpy(rng.normal(size=(200, 25, 50))) * 0.3  # small, so that nothing is cut
        *_, x = denoise(noises, left, predict, fresh)
        assert x.std().item() == pytest.approx(0.3 * _kept(left, 25, fresh), rel=0.03)


def _kept(left, taken, fresh) -> float:
    """Deviation of the last image, of the first noise 1, by the recursion of its variance."""
    order, variance = np.linspace(len(left) - 1, 0, taken).round().astype(int), 1.0
    for i, at in enumerate(order):
        now, then = left[at], left[order[i + 1]] if i + 1 < taken else 1.0
        anew = fresh**2 * (1 - then) / (1 - now) * (1 - now / then)
        factor = np.sqrt(then * now) + np.sqrt((1 - then - anew) * (1 - now))
        variance = factor**2 * variance + anew
    return float(np.sqrt(variance))


def test_batch_statistics_are_those_of_the_averaged_network(scrap) -> None:
    learner = diffusion.ann(scrap, small("diffusion", channels=4), 0)
    list(learner.epoch())
    norm = next(m for m in learner.module.modules() if isinstance(m, torch.nn.BatchNorm2d))
    before = norm.running_var.clone()
    learner.settle()
    first = norm.running_var.clone()
    learner.settle()
    assert not torch.allclose(before, first) and torch.equal(norm.running_var, first) and norm.momentum == 0.1


@pytest.mark.parametrize("more", [{}, {"patch": 2, "mixed": True}])
def test_spiking_denoisers_in_the_core_equal_torch(scrap, more) -> None:
    settings = small("diffusion", channels=4, sampled=3, replayed=6, **more)
    twin = diffusion.twin(scrap, settings, 0)
    train(twin, 1, lambda fraction: None, higher=False)
    tested, done = twin.test(), []
    replayed = twin.replay("event", 1, done.append)
    same = agreement(tested, replayed)
    assert same["equal"] == same["inferences"] == sum(done) == 6
    assert same["spikes_torch"] == same["spikes_core"] > 0
    assert tested.material["chain"].shape == (6, 3, 8, 8)
    (table,) = tested.tables.values()
    assert [row[0] for row in table.rows] == ["× 0.997", "× 1", "× 1.003"]
    assert "Threshold guidance" in table.findings[0]
    assert replayed.operations.steps == 9 and replayed.operations.synaptic_events > 0


@pytest.mark.parametrize("more", [{}, {"patch": 2, "mixed": True}])
def test_shortcuts_are_currents(scrap, more) -> None:
    """Every cell but the stem sees sums of currents of spikes, so that no layer multiplies sums of spikes."""
    twin = diffusion.twin(scrap, small("diffusion", channels=4, **more), 0)
    with watched(twin.module) as layers, torch.inference_mode():
        twin.module.eval()
        twin.predict(torch.cat([twin.start(2, 5)[:, 0], torch.zeros(5, 1)], 1))
    active = [layer.name for layer in layers if layer.rows and layer.active]
    assert active == ["encoder.layer.0"]


def test_all_contestants_are_judged_by_the_same_first_images(scrap) -> None:
    settings = small("diffusion", channels=4, sampled=3, judged=20)
    learners = [diffusion.ann(scrap, settings, 0), diffusion.adversary(scrap, settings, 0)]
    learners.append(next(o for o in diffusion.FAMILY.others if o.name == "real").build(scrap, settings, 0))
    assert len({id(learner.data) for learner in learners}) == 1
    np.testing.assert_array_equal(learners[0].data.test.x, scrap.test.x[:20])
    assert [learner.test().inferences for learner in learners] == [20] * 3
    assert diffusion.ann(scrap, small("diffusion", channels=4), 0).data is scrap


def test_with_mixed_maps_every_pixel_is_seen_everywhere() -> None:
    """By convolutions alone the first pixel knows nothing of the last."""
    rng = np.random.default_rng(0)
    parts = [Split(rng.random((8, 28, 28), dtype=np.float32), np.arange(8) % 4)] * 3
    for mixed in (False, True):
        settings = small("diffusion", channels=4, patch=2, mixed=mixed)
        module = diffusion.unet(Classification(*parts, 4), settings, diffusion.Rectifier, 1).eval()
        for weights in module.parameters():
            weights.data.abs_()  # no rectifier is silent and nothing cancels: only what is connected counts
        given = torch.zeros(1, 785, requires_grad=True)
        module(given)["velocity"][0, 0, 0, 0, 0].backward()
        seen = given.grad[0, :784].reshape(28, 28) != 0
        assert seen[:10, :10].any() and bool(seen[27, 27]) == mixed


def test_a_denoiser_learns(scrap) -> None:
    settings = small("diffusion", channels=8)
    learner = diffusion.ann(scrap, dataclasses.replace(settings, passes=15), 0)
    before = learner.validate()
    train(learner, 1, lambda fraction: None, higher=False)
    assert learner.validate() < 0.7 * before
    assert learner.test().operations.macs > 0 and learner.test_quantised(3).inferences == 40

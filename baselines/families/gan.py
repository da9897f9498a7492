"""Generative adversarial networks and their spiking twins: fully connected and convolutional, judged alike."""

from __future__ import annotations

from baselines.contract import Classification, Contestant, Family
from baselines.generation import generators as build
from baselines.generation.adversarial import Adversary, GanSettings, RealImages, judged_alike
from baselines.generation.judge import METRICS
from baselines.generation.pictures import BETWEEN, NEAREST, SAMPLES
from baselines.generation.spiking import SpikingAdversary

DEVIATIONS = (
    "an inference is one image; the discriminator is needed to learn, and is not counted",
    "distances are taken in features of a digit classifier of our own that saw the training data alone; they compare "
    "with nothing but each other, real training images against test images give the floor",
    "the twin's random numbers drive its first layer as real currents in every step; its image is a logistic function "
    "of membranes that never fire, per step (as in FSGAN-like decoders); its discriminator sees pixels as currents",
    "both train with the hinge loss, Adam and noise on all images the discriminator sees; the generator judged is an "
    "average over updates, the epoch chosen by the distance to validation images",
)


def ann(data: Classification, s: GanSettings, seed: int) -> Adversary:
    """The fully connected network as a learner."""
    return Adversary(build.mlp_generator, build.mlp_discriminator, data, s, seed, s.lr_ann)


def dcgan(data: Classification, s: GanSettings, seed: int) -> Adversary:
    """The convolutional network as a learner."""
    return Adversary(build.dc_generator, build.dc_discriminator, data, s, seed, s.lr_ann)


def twin(data: Classification, s: GanSettings, seed: int) -> SpikingAdversary:
    """The fully connected spiking twin as a learner."""
    return SpikingAdversary(build.spiking_mlp_generator, build.spiking_mlp_discriminator, data, s, seed, s.lr_snn)


def spiking_dcgan(data: Classification, s: GanSettings, seed: int) -> SpikingAdversary:
    """The convolutional spiking twin as a learner."""
    return SpikingAdversary(build.spiking_dc_generator, build.spiking_dc_discriminator, data, s, seed, s.lr_snn)


FAMILY = Family(
    name="gan",
    title="generative adversarial network",
    settings=build.SETTINGS,
    ann=ann,
    snn=twin,
    twin="spiking GAN",
    others=(
        Contestant("spiking_dcgan", "spiking DCGAN", spiking_dcgan, spiking=True),
        Contestant("dcgan", "DCGAN", dcgan),
        Contestant("real", "training images (the floor)", RealImages),
    ),
    deviations=DEVIATIONS,
    metrics=METRICS,
    galleries=(SAMPLES, NEAREST, BETWEEN),
    judge=judged_alike,
)  # fmt: skip

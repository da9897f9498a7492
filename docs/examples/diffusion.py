"""Diffusion against the GAN on digits, artificial networks alone, by the same judge: a table of test distances."""

import sys

from baselines.families import FAMILIES
from baselines.generation.adversarial import RealImages
from baselines.generation.judge import DISTANCE
from baselines.seeds import torch_threads, train
from baselines.tasks import TASKS

data, seeds = TASKS["digits"].load(), int(sys.argv[1]) if len(sys.argv) > 1 else 1
diffusion, gan = FAMILIES["diffusion"], FAMILIES["gan"]
with torch_threads(1):
    for seed in range(seeds):
        for name, family, build in (
            ("GAN", gan, gan.ann),
            ("diffusion", diffusion, diffusion.ann),
            ("training images", gan, RealImages),
        ):
            settings = family.settings["digits"]
            learner = build(data, settings, seed)
            epochs = 1 if build is RealImages else settings.epochs
            took = train(learner, epochs, lambda done: None, higher=False)["train_s"]
            found = learner.test()
            more = ", ".join(f"{key} {value:.3g}" for key, value in found.measures.items())
            print(f"seed {seed}, {name}: {DISTANCE} {found.score:.3g}, {more} ({took:.0f} s)", flush=True)

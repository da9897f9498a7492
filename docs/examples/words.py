"""Skip-gram against the factorised table on Brown and ABC, artificial sides alone: validation and test correlations."""

import sys

from baselines.families import FAMILIES
from baselines.seeds import torch_threads, train
from baselines.tasks import TASKS

data, seeds = TASKS["corpora"].load(), int(sys.argv[1]) if len(sys.argv) > 1 else 1
family = FAMILIES["word2vec"]
settings = family.settings["corpora"]
table = next(other.build for other in family.others if other.name == "ppmi")
with torch_threads(1):
    for seed in range(seeds):
        for name, build, passes in (
            ("skip-gram", family.ann, settings.epochs),
            ("PPMI and singular vectors", table, 1),
        ):
            learner = build(data, settings, seed)
            found = train(learner, passes, lambda done: None)
            tested = learner.test()
            lists = ", ".join(f"{key} {value:.3f}" for key, value in tested.measures.items())
            told = f"validation {found['validation']:.3f}, test {tested.score:.3f} ({lists})"
            print(f"seed {seed}, {name}: {told}, {found['train_s']:.0f} s", flush=True)

"""What a comparison keeps of a seed that is not finished, to go on from there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("snntorch")
pytest.importorskip("sklearn")

from baselines.checkpoints import UNFINISHED, Checkpoints, look_through  # noqa: E402
from baselines.contract import Classification, Split  # noqa: E402
from baselines.families import FAMILIES  # noqa: E402
from baselines.language.corpus import Corpus, Pairs  # noqa: E402
from baselines.seeds import train  # noqa: E402
from baselines.tasks import TASKS  # noqa: E402
from spikesim.errors import FileError  # noqa: E402

KEY = {"family": "mlp", "task": "digits", "settings": {"epochs": 2, "rates": [0.1, None]}}
FEWER = {  # settings of one short pass for each family; the others take their embedded task as it is
    "gan": {"passes": 1, "hidden": 16},
    "diffusion": {"passes": 1, "channels": 4, "sampled": 3, "judged": 30},
    "dqn": {"pass_steps": 200, "warmup": 50},
    "lndp": {"population": 6, "lives": 1, "validated": 2},
}


def test_snapshots_come_back_as_they_were(tmp_path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    kept = Checkpoints(tmp_path, KEY, 3)
    assert kept.find("ann") is None
    parts = (np.arange(6).reshape(2, 3), np.zeros((0, 4), np.float32), None, 0.5, ["a", {"b": True}])
    kept.keep("ann", {"validation": 0.25, "learning": [[1.5, float("inf")]]}, module.state_dict())
    kept.keep("agent", {}, parts)
    training, state = kept.find("ann")
    assert training == {"validation": 0.25, "learning": [[1.5, float("inf")]]}
    other = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    other.load_state_dict(state)
    assert all(
        torch.equal(a, b) for a, b in zip(module.state_dict().values(), other.state_dict().values(), strict=True)
    )
    found = kept.find("agent")[1]
    assert isinstance(found, tuple) and found[2:] == parts[2:]
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(found[:2], parts[:2], strict=True))
    assert Checkpoints(tmp_path, KEY, 2).find("ann") is None


def test_only_their_seed_is_cleared_and_then_the_folder(tmp_path) -> None:
    one, other = Checkpoints(tmp_path, KEY, 1), Checkpoints(tmp_path, KEY, 11)
    one.keep("ann", {}, 1.0)
    other.keep("ann", {}, 2.0)
    one.clear()
    assert one.find("ann") is None and other.find("ann") == ({}, 2.0)
    other.clear()
    assert not (tmp_path / UNFINISHED).exists()


def test_what_cannot_be_written_safely_is_not_kept(tmp_path) -> None:
    kept = Checkpoints(tmp_path, KEY, 0)
    kept.keep("neat", {}, {"genome": object()})
    assert kept.find("neat") is None and not (tmp_path / UNFINISHED).exists()
    nowhere = Checkpoints(None, KEY, 0)
    nowhere.keep("ann", {}, 1.0)
    assert nowhere.find("ann") is None


def test_other_settings_are_told_before_anything_is_trained(tmp_path) -> None:
    Checkpoints(tmp_path, KEY, 0).keep("ann", {}, 1.0)
    look_through(tmp_path, [KEY], False)
    with pytest.raises(FileError, match=r"mlp_0_ann\.h5: belongs to a comparison with other settings; add --overwrite"):
        look_through(tmp_path, [KEY | {"task": "mnist"}], False)
    (tmp_path / UNFINISHED / "mlp_0_snn.h5").write_bytes(b"cut")
    with pytest.raises(FileError, match=r"mlp_0_snn\.h5 is not a saved trained network.*; delete this file"):
        look_through(tmp_path, [KEY], False)
    look_through(tmp_path, [KEY | {"task": "mnist"}], True)
    assert not list((tmp_path / UNFINISHED).glob("*.h5"))
    assert Checkpoints(tmp_path, KEY, 0).find("ann") is None


def few(data):
    """The first examples or sentences to learn from and to test by; anything else as it is."""
    if isinstance(data, Corpus):
        pairs = {name: Pairs(*(column[:60] for column in each)) for name, each in data.test.items()}
        return data._replace(tokens=data.tokens[:8000], sentence=data.sentence[:8000], test=pairs)
    if not isinstance(data, Classification):
        return data
    parts = [Split(part.x[:n], part.y[:n]) for part, n in zip(data[:3], (256, 40, 40), strict=True)]
    return Classification(*parts, data.classes)


@pytest.mark.parametrize("name", FAMILIES)
def test_all_that_was_learned_is_kept(tmp_path, name) -> None:
    """A learner that never learned, given what another kept, is tested like that one."""
    family = FAMILIES[name]
    task, settings = list(family.settings.items())[-1]
    data, settings = few(TASKS[task].load()), dataclasses.replace(settings, epochs=1, **FEWER.get(name, {}))
    higher = not family.metrics or family.metrics[0].higher
    builds = {"ann": family.ann, "snn": family.snn}
    builds |= {o.name: o.build for o in family.others if name == "dqn"}
    for stage, build in builds.items():
        learner, fresh, kept = build(data, settings, 0), build(data, settings, 0), Checkpoints(tmp_path, KEY, 0)
        kept.keep(stage, train(learner, 1, lambda fraction: None, higher), learner.snapshot())
        fresh.restore(kept.find(stage)[1])
        ways = [lambda one: one.test()]
        if stage == "ann" and hasattr(learner, "test_quantised"):
            ways.append(lambda one: one.test_quantised(3))
        for way in ways:
            a, b = way(learner), way(fresh)
            assert (a.score, a.measures, a.spikes) == (b.score, b.measures, b.spikes)
            assert a.operations == b.operations

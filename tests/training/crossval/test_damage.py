"""Files of a training are there to save time: a damaged one is said, and what it held is made anew."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.reporters import Listener
from tests.support.synthetic import HEADS, LENET, coloured_photos, plan_of, prepared, validate
from training.crossval.checkpoint import read_checkpoint, remove_outdated
from training.crossval.jobs import Job
from training.crossval.plan import Plan, measure_once
from training.crossval.run_job import run_job
from training.errors import InputError
from training.fit.loop import Examples, fit
from training.fit.throughput import Arrangement
from training.utils.devices import find_device
from training.utils.files import DamagedError

PHOTOS, LABELS = coloured_photos()
CPU = find_device("cpu")
NETWORK = replace(LENET, epochs=2, threads=1)


def content(file):
    return torch.load(file, weights_only=True)


def flipped(file):
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    file.write_bytes(whole)


def lies(file, **changes):
    torch.save({**content(file), **changes}, file)


DAMAGE = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-200]),
    "flipped": flipped,
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("# nothing\n"),
    "without entries": lambda file: torch.save({"key": content(file)["key"]}, file),
    "a list": lambda file: torch.save([1], file),
    "other entries": lambda file: lies(file, head=3, history=[{"loss": 1}]),
    "other settings": lambda file: lies(file, settings={"optimizer": "none"}),
    "fewer predictions": lambda file: lies(file, head_probs=torch.ones(2, 3)),
    "predictions of no end": lambda file: lies(file, head_probs=torch.ones(1, 1).expand(1 << 40, 3)),
    "no predictions": lambda file: lies(file, head_probs=None),
}


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads")
    return folder, validate(folder, PHOTOS, LABELS, plan_of(60), HEADS)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_fold_whose_checkpoint_is_damaged_is_trained_again_and_says_so(damage, heads, tmp_path):
    folder, whole = heads
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "fold-1" / "checkpoint.pt")
    said = Listener()
    assert np.array_equal(validate(tmp_path, PHOTOS, LABELS, plan_of(60), HEADS, reporter=said), whole)
    assert [line for line in said.lines if "fold 2 of 3 is trained again: its checkpoint.pt is damaged (" in line]
    assert sum("is done already" in line for line in said.lines) == 2
    # once
    again = Listener()
    validate(tmp_path, PHOTOS, LABELS, plan_of(60), HEADS, reporter=again)
    assert sum("is done already" in line for line in again.lines) == 3


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), DAMAGE["cut"], DAMAGE["text"]])
def test_a_fold_whose_stored_predictions_are_gone_is_trained_again(damage, heads, tmp_path):
    folder, whole = heads
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "fold-0" / "head-predictions.npy")
    said = Listener()
    assert np.array_equal(validate(tmp_path, PHOTOS, LABELS, plan_of(60), HEADS, reporter=said), whole)
    assert any("fold 1 of 3 is trained again: its head-predictions.npy" in line for line in said.lines)


@pytest.mark.parametrize("name", ["features-0.npy", "features-0.json"])
@pytest.mark.parametrize("left", [b"", b"\x93NUMPY\x01\x00", b"{]", b"[" * 5000])
def test_damaged_features_are_computed_again(name, left, heads, tmp_path):
    folder, whole = heads
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).write_bytes(left)
    assert np.array_equal(validate(tmp_path, PHOTOS, LABELS, plan_of(60), HEADS), whole)


def test_features_that_a_killed_process_left_damaged_are_begun_anew(tmp_path):
    whole = validate(tmp_path / "whole", PHOTOS, LABELS, plan_of(60), HEADS)
    note = json.loads((tmp_path / "whole" / "features-0.json").read_text())
    for number, (file, done) in enumerate([(b"", 1), (b"\x93NUMPY", 1), (b"", "many"), (b"", None)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "unfinished-features-0.npy").write_bytes(file)
        (folder / "unfinished-features-0.json").write_text(json.dumps({**note, "done": done}))
        assert np.array_equal(validate(folder, PHOTOS, LABELS, plan_of(60), HEADS), whole)


def test_a_damaged_checkpoint_counts_as_outdated(heads, tmp_path):
    shutil.copytree(heads[0] / "fold-0", tmp_path / "fold-0")
    (tmp_path / "fold-0" / "checkpoint.pt").write_bytes(b"PK\x03\x04")
    with pytest.raises(DamagedError, match=r"checkpoint\.pt is damaged: got "):
        read_checkpoint(tmp_path / "fold-0")
    remove_outdated(tmp_path / "fold-0", "key")
    assert not (tmp_path / "fold-0").exists()


def network(file=None, **options):
    examples = Examples(PHOTOS, LABELS)
    return fit(examples, np.arange(40), classes=3, recipe=NETWORK, device=CPU, seed=1, snapshot=file, **options)


def weights(fitted):
    return torch.cat([value.flatten().float() for value in fitted.model.state_dict().values()])


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """The snapshot of a training that was interrupted after its first epoch, and the same training undisturbed."""
    file = tmp_path_factory.mktemp("interrupted") / "unfinished.pt"

    def stop(result, model):
        if result.epoch == 1:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.fit.state._EVERY", 0)
        with pytest.raises(KeyboardInterrupt):
            network(file, watchers=[stop])
    return file, network()


@pytest.mark.parametrize(
    "damage",
    [
        *(DAMAGE[name] for name in ("cut", "text", "a list")),
        lambda file: lies(file, model={}),
        lambda file: lies(file, generator=torch.zeros(3)),
        lambda file: lies(file, history=[{"epoch": 0}]),
    ],
)
def test_a_training_whose_snapshot_is_damaged_begins_anew_and_ends_as_an_undisturbed_one(damage, interrupted, tmp_path):
    snapshot, whole = interrupted
    file = Path(shutil.copy(snapshot, tmp_path))
    damage(file)
    fitted = network(file)
    assert fitted.began_anew
    assert whole.began_anew is None
    assert torch.equal(weights(fitted), weights(whole))
    assert fitted.history == whole.history


def test_a_job_says_that_its_training_began_anew(tmp_path, monkeypatch):
    data = prepared(tmp_path, PHOTOS, plan_of(60), NETWORK)
    job = Job("fold 1 of 1", tmp_path / "fold", LABELS, np.arange(40), np.arange(40, 60), 1)
    monkeypatch.setattr("training.crossval.run_job.snapshot_file", lambda folder, key: tmp_path / "unfinished.pt")
    (tmp_path / "unfinished.pt").write_bytes(b"PK\x03\x04 and nothing more")
    done = run_job(job, data, NETWORK, CPU)
    assert [line for line in done.warnings if line.startswith("fold 1 of 1 begins again: what was kept of its")]


@pytest.mark.parametrize(
    "text",
    ["", "[", "null", "{}", '{"recipe": {}}', "[" * 3000, '{"recipe": {"model": 3}, "arrangement": {}, "seconds": {}}'],
)
def test_a_damaged_plan_or_arrangement_is_one_line_that_names_it(text, tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"plan\.json is damaged: got .*wanted the file as curate wrote it") as caught:
        Plan.load(file)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"plan\.json is damaged"):
        measure_once(NETWORK, CPU, file, classes=3, jobs=1)


@pytest.mark.parametrize(
    ("key", "value"),
    [("threads", 0), ("threads", "many"), ("side_by_side", -1), ("step_seconds", None), ("device", {"device": "tpu9"})],
)
def test_values_of_an_arrangement_are_checked(key, value, tmp_path):
    file = tmp_path / "arrangement.json"
    file.write_text(json.dumps({**Arrangement(CPU).to_dict(), key: value}))
    with pytest.raises(InputError, match=r"arrangement\.json is damaged"):
        measure_once(NETWORK, CPU, file, classes=3, jobs=1)

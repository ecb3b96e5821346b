"""Out-of-fold probabilities, and what is resumed."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support import on_device
from tests.support.reporters import Listener
from tests.support.synthetic import CPU, HEADS, NETWORKS, coloured_photos, plan_of, validate
from training.errors import InputError
from training.utils.devices import find_device
from training.utils.files import read_json

ROOT = Path(__file__).parents[3]
# batch norm and dropout: both have a state of their own
STATEFUL = replace(NETWORKS, model="mobilenet_v3_small", epochs=3)
both = pytest.mark.parametrize("settings", [HEADS, NETWORKS], ids=["heads", "networks"])
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")


class Stop(Exception):
    pass


def stop_after(share):
    def progress(done, total):
        if done > share * total:
            raise Stop

    return progress


# out-of-fold


@both
def test_every_row_with_a_photo_is_scored_once_and_the_others_are_nan(settings, tmp_path):
    photos, labels = coloured_photos()
    has_photo = np.ones(60, dtype=bool)
    has_photo[[3, 30]] = False
    labels[[5, 6]] = -1
    plan = plan_of(60, may_train=labels >= 0, has_photo=has_photo)
    probs = validate(tmp_path, photos, labels, plan, settings)
    assert np.array_equal(np.isnan(probs).any(axis=1), ~has_photo)
    assert np.allclose(probs[has_photo].sum(axis=1), 1, atol=1e-5)
    assert probs.dtype == np.float32
    labelled = has_photo & (labels >= 0)
    assert (probs[labelled].argmax(axis=1) == labels[labelled]).mean() > 0.9
    for fold in range(3):
        assert (tmp_path / f"fold-{fold}" / "checkpoint.pt").exists()
        logs = list((tmp_path / f"fold-{fold}").glob("events.out.tfevents.*"))
        assert bool(logs) == (settings is NETWORKS)


@both
def test_the_labels_of_a_fold_never_move_its_own_probabilities(settings, tmp_path):
    photos, labels = coloured_photos()
    plan = plan_of(60)
    first = validate(tmp_path / "a", photos, labels, plan, settings)
    changed = labels.copy()
    changed[plan.fold == 1] = 0
    second = validate(tmp_path / "b", photos, changed, plan, settings)
    assert np.array_equal(first[plan.fold == 1], second[plan.fold == 1])
    assert not np.array_equal(first[plan.fold != 1], second[plan.fold != 1])


@both
def test_rows_of_the_test_set_train_no_model(settings, tmp_path):
    photos, labels = coloured_photos()
    test = np.arange(60) % 7 == 0
    plan = plan_of(60, may_train=~test)
    first = validate(tmp_path / "a", photos, labels, plan, settings)
    changed = labels.copy()
    changed[test] = (changed[test] + 1) % 3
    assert np.array_equal(first, validate(tmp_path / "b", photos, changed, plan, settings))


def test_how_much_networks_count_is_kept(tmp_path):
    photos, labels = coloured_photos()
    validate(tmp_path, photos, labels, plan_of(60))
    # a few steps of a network come nowhere near the heads here
    assert 0 <= read_json(tmp_path / "share.json")["network_share"] < 0.5


def test_a_fold_with_nothing_to_train_on_is_refused(tmp_path):
    photos, labels = coloured_photos(6)
    with pytest.raises(InputError, match="nothing to train on"):
        validate(tmp_path, photos, labels, plan_of(6, folds=2, may_train=np.arange(6) < 3))


# what was done before


@both
def test_finished_folds_are_read_back_and_the_rest_is_trained(settings, tmp_path):
    photos, labels = coloured_photos()
    plan = plan_of(60)
    whole = validate(tmp_path / "whole", photos, labels, plan, settings)
    with pytest.raises(Stop):
        validate(tmp_path / "cut", photos, labels, plan, settings, reporter=Listener(progress=stop_after(0.6)))
    finished = {path: path.stat().st_mtime_ns for path in (tmp_path / "cut").glob("*/checkpoint.pt")}
    lines, steps = [], []
    progress = lambda done, total: steps.append((done, total))  # noqa: E731
    resumed = validate(tmp_path / "cut", photos, labels, plan, settings, reporter=Listener(lines.append, progress))
    assert np.array_equal(resumed, whole)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    # heads are fitted side by side: one more may be done by the time that the second is counted
    assert len(finished) in ((1,) if settings is NETWORKS else (2, 3))
    assert sum("done already" in line for line in lines) == len(finished)
    assert steps[-1][0] == steps[-1][1]


def test_a_finished_run_is_read_back_by_a_recipe_that_spells_out_its_defaults(tmp_path):
    photos, labels = coloured_photos()
    first = validate(tmp_path, photos, labels, plan_of(60), HEADS)
    lines = []
    other = replace(HEADS, weight_decay=HEADS.decay)
    assert other != HEADS
    again = validate(tmp_path, photos, labels, plan_of(60), other, reporter=Listener(lines.append))
    assert len(lines) == 3
    assert np.array_equal(first, again)


@pytest.mark.parametrize("other", [{"epochs": 1}, {"learning_rate": 2e-3}, {"image_size": 24}, {"model": "resnet18"}])
def test_a_checkpoint_of_other_settings_is_refused_by_name(other, tmp_path):
    photos, labels = coloured_photos()
    validate(tmp_path, photos, labels, plan_of(60), replace(HEADS, model="squeezenet1_0"))
    with pytest.raises(InputError, match=r"fold-0.checkpoint\.pt was made with other settings or data"):
        validate(tmp_path, photos, labels, plan_of(60), replace(HEADS, **other))


def test_a_checkpoint_of_other_labels_is_refused(tmp_path):
    photos, labels = coloured_photos()
    validate(tmp_path, photos, labels, plan_of(60), HEADS)
    with pytest.raises(InputError, match="other settings or data"):
        validate(tmp_path, photos, np.roll(labels, 1), plan_of(60), HEADS)


KILLED = """
import os, signal, sys
from pathlib import Path
import training.fit.state
from tests.support.reporters import Listener
from tests.support.synthetic import *
from tests.training.crossval.test_cross_validate import STATEFUL
training.fit.state._EVERY = 0
photos, labels = coloured_photos()
def die(done, total):
    if done == 12:
        os.kill(os.getpid(), signal.SIGKILL)
validate(Path(sys.argv[1]), photos, labels, plan_of(60), STATEFUL, reporter=Listener(progress=die))
"""


def test_a_training_that_was_killed_goes_on_from_its_snapshot_and_ends_as_an_undisturbed_one(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "cut"], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.parent.name for path in tmp_path.glob("cut/*/unfinished-*.pt")] == ["fold-0"]
    assert not list(tmp_path.glob("cut/*/checkpoint.pt"))
    photos, labels = coloured_photos()
    steps = []
    progress = lambda done, total: steps.append(done)  # noqa: E731
    resumed = validate(tmp_path / "cut", photos, labels, plan_of(60), STATEFUL, reporter=Listener(progress=progress))
    # two epochs of five steps were kept
    assert steps[0] == 11
    assert not list(tmp_path.glob("cut/*/unfinished-*.pt"))
    assert np.array_equal(resumed, validate(tmp_path / "whole", photos, labels, plan_of(60), STATEFUL))


def test_the_snapshot_of_another_question_is_not_taken_for_this_one(tmp_path, monkeypatch):
    monkeypatch.setattr("training.fit.state._EVERY", 0)
    photos, labels = coloured_photos()
    with pytest.raises(Stop):
        validate(tmp_path / "a", photos, labels, plan_of(60), reporter=Listener(progress=stop_after(0.2)))
    assert list(tmp_path.glob("a/fold-0/unfinished-*.pt"))
    other = np.roll(labels, 1)
    steps = []
    again = validate(
        tmp_path / "a", photos, other, plan_of(60), reporter=Listener(progress=lambda done, total: steps.append(done))
    )
    assert steps[0] == 1
    assert np.array_equal(again, validate(tmp_path / "b", photos, other, plan_of(60)))


def test_snapshots_are_a_minute_apart(tmp_path):
    photos, labels = coloured_photos()
    with pytest.raises(Stop):
        validate(tmp_path, photos, labels, plan_of(60), reporter=Listener(progress=stop_after(0.3)))
    assert not list(tmp_path.glob("*/unfinished-*.pt"))


# on a GPU


@needs_cuda
def test_a_gpu_without_enough_memory_gets_half_the_batch(tmp_path):
    on_device.gets_half_the_batch(tmp_path, find_device("cuda"))


@needs_cuda
def test_a_network_learns_on_a_gpu_and_comes_to_the_same_for_the_same_seed(tmp_path):
    on_device.learns_the_same_twice(tmp_path, find_device("cuda"))


def test_a_network_learns_on_a_cpu_and_comes_to_the_same_for_the_same_seed(tmp_path):
    on_device.learns_the_same_twice(tmp_path, CPU, model="lenet")

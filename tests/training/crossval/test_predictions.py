"""What the models of other folds say of rows that they were trained on: what is kept, and how it is put together."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.reporters import Listener
from tests.support.synthetic import HEADS, NETWORKS, coloured_photos, plan_of, validated
from training.crossval.cross_validate import blend, network_shares
from training.crossval.predictions import FLOOR, Predictions, stored_epochs
from training.utils.files import read_json

both = pytest.mark.parametrize("settings", [HEADS, NETWORKS], ids=["heads", "networks"])
SHAPE = {"epochs": 2, "rows": 5, "classes": 3}
LONGER = replace(NETWORKS, epochs=4)
# float16 has three digits
CLOSE = 0.01


class Stop(Exception):
    pass


def stop_after(steps):
    def progress(done, total):
        if done > steps:
            raise Stop

    return progress


def some_probs(rows, classes=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(classes), rows).astype(np.float32)


def noisy_labels(labels, share=0.5, seed=2):
    """Return labels of which the models can learn little, so that heads and networks are both listened to."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(labels)) < share, rng.integers(0, 3, len(labels)), labels)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """One thread: several would wait for each other on a busy machine, ten times as long as they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def networked(one_thread, tmp_path_factory):
    """The folder of an undisturbed cross-validation with networks, and what it came to; tests must not change it."""
    folder = tmp_path_factory.mktemp("networked")
    photos, labels = coloured_photos()
    return folder, validated(folder, photos, noisy_labels(labels), plan_of(60), LONGER)


def stored(folder, fold, of="head"):
    return np.load(folder / f"fold-{fold}" / f"{of}-predictions.npy")


def mean_of_others(logs, fold):
    """Return the mean of what the folds said (F, N, K), without the row's own."""
    return np.stack(
        [np.delete(logs[:, row], own, axis=0).astype(np.float64).mean(axis=0) for row, own in enumerate(fold)]
    )


# which epochs


@pytest.mark.parametrize(
    ("epochs", "stored"), [(1, [0]), (2, [1]), (3, [1, 2]), (12, [6, 7, 8, 9, 10, 11]), (100, [50, 60, 70, 79, 89, 99])]
)
def test_epochs_of_the_later_half_are_kept(epochs, stored):
    assert stored_epochs(epochs) == stored


def test_at_most_six_epochs_are_kept_and_the_last_is_always_one_of_them():
    for epochs in range(1, 101):
        chosen = stored_epochs(epochs)
        assert 1 <= len(chosen) <= 6
        assert chosen == sorted(set(chosen))
        assert chosen[0] >= epochs // 2
        assert chosen[-1] == epochs - 1


def test_without_epochs_none_is_kept():
    assert stored_epochs(0) == []


# the file


def test_what_is_written_is_read_back_as_the_mean_of_the_logarithms(tmp_path):
    path = tmp_path / "fold-0" / "kept.npy"
    first, second = some_probs(5), some_probs(5, seed=1)
    stored = Predictions(path, **SHAPE)
    stored.write(0, np.arange(5), first)
    stored.write(1, np.array([4, 3, 2, 1, 0]), second[::-1])
    mean = Predictions.mean(path, slice(0, 5))
    assert mean.dtype == np.float32
    assert np.allclose(mean, (np.log(first) + np.log(second)) / 2, atol=CLOSE)
    assert np.array_equal(Predictions.mean(path, slice(2, 4)), mean[2:4])


def test_rows_and_epochs_that_were_not_written_are_nan(tmp_path):
    stored = Predictions(tmp_path / "kept.npy", **SHAPE)
    for epoch in (0, 1):
        stored.write(epoch, np.array([0, 3]), some_probs(2))
    assert np.array_equal(
        np.isnan(Predictions.mean(stored.path, slice(0, 5))).all(axis=1), [False, True, True, False, True]
    )
    stored = Predictions(tmp_path / "half.npy", **SHAPE)
    stored.write(1, np.arange(5), some_probs(5))
    assert np.isnan(Predictions.mean(stored.path, slice(0, 5))).all()


def test_a_probability_of_zero_becomes_the_floor(tmp_path):
    stored = Predictions(tmp_path / "kept.npy", epochs=1, rows=2, classes=3)
    stored.write(0, np.arange(2), np.array([[1, 0, 1e-30], [0.5, 0.5, 0]], dtype=np.float32))
    mean = Predictions.mean(stored.path, slice(0, 2))
    assert np.array_equal(mean[0], [0, FLOOR, FLOOR])
    assert np.allclose(mean[1], [np.log(0.5), np.log(0.5), FLOOR], atol=CLOSE)


@pytest.mark.parametrize("other", [{"epochs": 3}, {"rows": 6}, {"classes": 2}])
def test_a_file_of_another_shape_is_begun_anew(other, tmp_path):
    path = tmp_path / "kept.npy"
    Predictions(path, **SHAPE).write(0, np.arange(5), some_probs(5))
    shape = SHAPE | other
    Predictions(path, **shape)
    assert np.load(path).shape == (shape["epochs"], shape["rows"], shape["classes"])
    assert np.isnan(np.load(path)).all()


def test_a_file_of_the_same_shape_is_gone_on_with(tmp_path):
    path = tmp_path / "kept.npy"
    first, second = some_probs(5), some_probs(5, seed=1)
    Predictions(path, **SHAPE).write(0, np.arange(5), first)
    Predictions(path, **SHAPE).write(1, np.arange(5), second)
    assert np.allclose(Predictions.mean(path, slice(0, 5)), (np.log(first) + np.log(second)) / 2, atol=CLOSE)
    # an epoch that was written before the interruption and is trained again
    Predictions(path, **SHAPE).write(0, np.arange(5), second)
    assert np.allclose(Predictions.mean(path, slice(0, 5)), np.log(second), atol=CLOSE)


@pytest.mark.parametrize("left", [0, 60, 300], ids=["empty", "in the header", "in the data"])
def test_a_file_that_a_power_cut_left_in_part_is_begun_anew(left, tmp_path):
    path = tmp_path / "kept.npy"
    Predictions(path, epochs=2, rows=500, classes=3)
    path.write_bytes(path.read_bytes()[:left])
    Predictions(path, epochs=2, rows=500, classes=3)
    assert np.isnan(np.load(path)).all()


def test_the_other_folds_heads_speak_of_every_row_and_its_own_does_not(tmp_path):
    photos, labels = coloured_photos()
    plan = plan_of(60)
    result = validated(tmp_path, photos, labels, plan, HEADS)
    logs = np.stack([stored(tmp_path, fold)[0] for fold in range(3)])
    assert result.in_fold.shape == (60, 3)
    assert result.in_fold.dtype == np.float32
    assert np.allclose(result.in_fold, mean_of_others(logs, plan.fold), atol=1e-4)
    own = logs[plan.fold, np.arange(60)]
    assert np.allclose(own, np.log(np.maximum(result.probs, 1e-7)), atol=CLOSE)
    assert not np.allclose(result.in_fold, own, atol=CLOSE)
    assert not list(tmp_path.glob("*/network-predictions.npy"))


def test_what_the_model_of_a_fold_says_of_its_own_rows_changes_nothing_for_them(tmp_path):
    photos, labels = coloured_photos()
    plan = plan_of(60)
    first = validated(tmp_path, photos, labels, plan, HEADS)
    logs = np.load(tmp_path / "fold-1" / "head-predictions.npy", mmap_mode="r+")
    logs[:] = -5
    logs.flush()
    # the folds are done, so they are read back
    second = validated(tmp_path, photos, labels, plan, HEADS)
    own = plan.fold == 1
    assert np.array_equal(first.in_fold[own], second.in_fold[own])
    assert (first.in_fold[~own] != second.in_fold[~own]).any(axis=1).all()
    assert np.array_equal(first.probs, second.probs)


@both
def test_rows_without_a_photo_are_nan_and_rows_that_may_not_train_are_spoken_of(settings, tmp_path):
    photos, labels = coloured_photos()
    has_photo = np.ones(60, dtype=bool)
    has_photo[[0, 3, 30, 59]] = False
    labels[[5, 6]] = -1
    plan = plan_of(60, may_train=labels >= 0, has_photo=has_photo)
    result = validated(tmp_path, photos, labels, plan, settings)
    assert np.array_equal(np.isnan(result.in_fold).any(axis=1), ~has_photo)
    assert np.array_equal(np.isnan(result.in_fold).all(axis=1), ~has_photo)
    assert (result.in_fold[has_photo] <= 0).all()
    assert np.isfinite(result.neighbours[has_photo]).all()
    assert np.isnan(result.neighbours[~has_photo]).all()


def test_models_find_it_hard_to_believe_a_wrong_label_that_they_were_told(tmp_path):
    photos, labels = coloured_photos()
    wrong = np.array([10, 25, 41])
    given = labels.copy()
    given[wrong] = (labels[wrong] + 1) % 3
    in_fold = validated(tmp_path, photos, given, plan_of(60), HEADS).in_fold
    belief = in_fold[np.arange(60), given]
    assert belief[wrong].max() < np.delete(belief, wrong).min()


def test_with_two_folds_the_one_other_model_speaks_alone(tmp_path):
    photos, labels = coloured_photos()
    plan = plan_of(60, folds=2)
    in_fold = validated(tmp_path, photos, labels, plan, HEADS).in_fold
    logs = np.stack([stored(tmp_path, fold)[0] for fold in range(2)])
    assert np.array_equal(in_fold, logs[1 - plan.fold, np.arange(60)].astype(np.float32))


def test_predictions_that_are_put_together_in_blocks_are_the_same(tmp_path, monkeypatch):
    photos, labels = coloured_photos()
    whole = validated(tmp_path, photos, labels, plan_of(60), HEADS).in_fold
    monkeypatch.setattr("training.crossval.cross_validate._BLOCK", 7)
    assert np.array_equal(validated(tmp_path, photos, labels, plan_of(60), HEADS).in_fold, whole)


def test_networks_are_heard_in_their_later_epochs_as_much_as_their_fold_trusts_them(networked):
    folder, result = networked
    fold = plan_of(60).fold
    networks = np.stack([stored(folder, number, "network") for number in range(3)])
    assert networks.shape == (3, len(stored_epochs(4)), 60, 3)
    assert np.isfinite(networks).all()
    assert not np.allclose(networks[:, 0], networks[:, 1], atol=CLOSE)
    heads = np.stack([stored(folder, number)[0] for number in range(3)]).astype(np.float32)
    shares = shares_of_checkpoints(folder)
    assert read_json(folder / "share.json")["network_share"] == pytest.approx(shares.mean())
    assert shares.max() > 0
    blended = blend(heads, networks.astype(np.float32).mean(axis=1), shares[:, None, None])
    assert np.isfinite(result.in_fold).all()
    assert np.allclose(result.in_fold, mean_of_others(blended, fold), atol=1e-4)
    assert not np.allclose(result.in_fold, mean_of_others(heads, fold), atol=CLOSE)


def shares_of_checkpoints(folder):
    """Return how much each fold's network counts, from what the folds' models said out-of-fold."""
    labels, plan = noisy_labels(coloured_photos()[1]), plan_of(60)
    head, network = np.empty((2, 60, 3), dtype=np.float32)
    for fold in range(3):
        content = torch.load(folder / f"fold-{fold}" / "checkpoint.pt", weights_only=True)
        head[plan.scored_rows(fold)], network[plan.scored_rows(fold)] = content["head_probs"], content["network_probs"]
    return network_shares(head, network, labels, plan.fold, folds=3)


def test_two_folds_with_networks_of_one_epoch_work(tmp_path):
    photos, labels = coloured_photos()
    plan = plan_of(60, folds=2)
    in_fold = validated(tmp_path, photos, noisy_labels(labels), plan, replace(NETWORKS, epochs=1)).in_fold
    assert stored(tmp_path, 0, "network").shape == (1, 60, 3)
    assert np.isfinite(in_fold).all()
    assert (in_fold <= 0).all()


# what was done before


@pytest.mark.parametrize(
    ("steps", "every"),
    [(17, 0), (37, 0), (17, 60)],
    ids=["in the first fold", "in the second fold", "without a snapshot"],
)
def test_a_training_that_was_interrupted_ends_with_the_same_predictions(steps, every, networked, tmp_path, monkeypatch):
    monkeypatch.setattr("training.fit.state._EVERY", every)
    photos, labels = coloured_photos()
    labels = noisy_labels(labels)
    with pytest.raises(Stop):
        validated(tmp_path, photos, labels, plan_of(60), LONGER, reporter=Listener(progress=stop_after(steps)))
    # of the two epochs that are kept, one was written
    cut = stored(tmp_path, steps // 20, "network")
    assert np.isfinite(cut[0]).all()
    assert np.isnan(cut[1]).all()
    resumed = validated(tmp_path, photos, labels, plan_of(60), LONGER)
    folder, whole = networked
    assert np.array_equal(resumed.in_fold, whole.in_fold)
    assert np.array_equal(resumed.neighbours, whole.neighbours)
    for fold in range(3):
        for of in ("head", "network"):
            assert np.array_equal(stored(tmp_path, fold, of), stored(folder, fold, of))


def test_a_finished_run_is_read_back_with_the_same_predictions(networked):
    folder, first = networked
    photos, labels = coloured_photos()
    logs = []
    again = validated(folder, photos, noisy_labels(labels), plan_of(60), LONGER, reporter=Listener(logs.append))
    assert logs == [f"fold {fold} of 3 is done already" for fold in (1, 2, 3)]
    assert np.array_equal(first.in_fold, again.in_fold)
    assert np.array_equal(first.neighbours, again.neighbours)


def test_what_another_question_left_is_not_taken_for_this_one(networked, tmp_path):
    photos, labels = coloured_photos()
    labels = noisy_labels(labels)
    with pytest.raises(Stop):
        validated(tmp_path, photos, np.roll(labels, 1), plan_of(60), LONGER, reporter=Listener(progress=stop_after(17)))
    assert np.isfinite(stored(tmp_path, 0, "network")[0]).all()
    assert np.array_equal(validated(tmp_path, photos, labels, plan_of(60), LONGER).in_fold, networked[1].in_fold)


def test_a_row_that_has_no_photo_any_more_is_nan(tmp_path):
    photos, labels = coloured_photos()
    with pytest.raises(Stop):
        validated(tmp_path, photos, labels, plan_of(60, folds=2), NETWORKS, reporter=Listener(progress=stop_after(1)))
    # a row of the second fold, of which the interrupted first model speaks
    has_photo = np.arange(60) != 3
    in_fold = validated(tmp_path, photos, labels, plan_of(60, folds=2, has_photo=has_photo), HEADS).in_fold
    assert np.array_equal(np.isnan(in_fold).all(axis=1), ~has_photo)

"""Linear heads: what they learn, and how the strength of their penalty is chosen."""

import numpy as np
import pytest
import torch

from training.features.linear import _compared, fit_head, fit_with
from training.utils.targets import Beliefs, SoftLabels

CPU = torch.device("cpu")


def clouds(n=240, classes=3, dimensions=12, seed=0):
    """Return features that lie in one cloud per class, and the classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    centres = rng.normal(0, 2, (classes, dimensions))
    return (centres[labels] + rng.normal(0, 0.5, (n, dimensions))).astype(np.float32), labels.astype(np.int64)


def fitted(features, labels, rows=None, groups=None, classes=3, seed=0, soft=None):
    rows = np.arange(len(features)) if rows is None else rows
    groups = np.arange(len(features)) if groups is None else groups
    return fit_head(features, rows, labels, groups, classes=classes, seed=seed, device=CPU, soft=soft)


def same(one, other):
    return torch.equal(one.weight, other.weight) and torch.equal(one.bias, other.bias)


def test_classes_that_lie_apart_are_learned_and_probabilities_sum_to_one():
    features, labels = clouds()
    probs = fitted(features, labels, rows=np.arange(120)).predict(features, np.arange(120, 240))
    assert probs.shape == (120, 3)
    assert probs.dtype == np.float32
    assert np.allclose(probs.sum(axis=1), 1, atol=1e-5)
    assert (probs.argmax(axis=1) == labels[120:]).all()
    assert probs.max(axis=1).mean() > 0.9


def test_rows_are_predicted_in_the_order_they_are_asked_for_and_none_is_no_row():
    features, labels = clouds()
    head = fitted(features, labels)
    rows = np.array([7, 200, 3])
    assert np.allclose(head.predict(features, rows), head.predict(features, np.arange(240))[rows], atol=1e-6)
    assert head.predict(features, rows[:0]).shape == (0, 3)


def test_rows_that_do_not_train_have_no_say_in_the_weights_or_the_strength():
    features, labels = clouds()
    rows = np.arange(0, 240, 2)
    first = fitted(features, labels, rows)
    features[1::2], labels[1::2] = 100, -1
    second = fitted(features, labels, rows)
    assert same(first, second)
    assert first.strength == second.strength


def test_noisy_labels_get_a_stronger_penalty_than_clean_ones():
    features, labels = clouds(dimensions=60)
    rng = np.random.default_rng(1)
    noisy = np.where(rng.random(240) < 0.5, rng.integers(0, 3, 240), labels)
    assert fitted(features, noisy).strength > fitted(features, labels).strength


def test_copies_of_one_photo_do_not_make_noise_look_like_knowledge():
    rng = np.random.default_rng(0)
    groups = np.arange(240) // 6
    # nothing can be learned here but the copies by heart
    features, labels = rng.normal(0, 1, (40, 60)).astype(np.float32)[groups], rng.integers(0, 3, 40)[groups]
    assert fitted(features, labels, groups=groups).strength == 0.3
    assert fitted(features, labels).strength < 0.3


@pytest.mark.parametrize("block", [7, 64])
def test_features_that_are_read_in_blocks_give_the_same_head(block, monkeypatch):
    features, labels = clouds()
    whole = fitted(features, labels)
    expected = whole.predict(features, np.arange(240))
    monkeypatch.setattr("training.features.linear._BLOCK", block)
    in_blocks = fitted(features, labels)
    assert in_blocks.strength == whole.strength
    assert np.allclose(in_blocks.predict(features, np.arange(240)), expected, atol=1e-2)


def test_a_class_without_training_rows_is_next_to_impossible():
    features, labels = clouds()
    probs = fitted(features, labels, rows=np.flatnonzero(labels != 1)).predict(features, np.arange(240))
    assert probs[:, 1].mean() < 0.02
    assert (probs.argmax(axis=1) != 1).all()


def test_the_same_seed_gives_the_same_head_whatever_the_order_of_the_rows():
    features, labels = clouds()
    rows = np.random.default_rng(0).permutation(240)
    assert same(fitted(features, labels), fitted(features, labels, rows))


@pytest.mark.parametrize("n", [2, 3])
def test_a_handful_of_rows_is_enough_for_a_head(n):
    features, labels = clouds()
    probs = fitted(features, labels, np.arange(n)).predict(features, np.arange(240))
    assert np.allclose(probs.sum(axis=1), 1, atol=1e-5)


def test_features_may_be_memory_mapped(tmp_path):
    features, labels = clouds()
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    assert same(fitted(mapped, labels), fitted(features, labels))


def test_a_label_counts_as_far_as_its_weight_and_the_second_one_as_well():
    features, labels = clouds()
    wrong = labels.copy()
    wrong[::2] = (labels[::2] + 1) % 3
    weight = np.where(np.arange(240) % 2, 1, 0).astype(np.float32)
    as_given = fitted(features, wrong)
    weighted = fitted(features, wrong, soft=SoftLabels(weight, np.full(240, -1), np.zeros(240, np.float32)))
    second = fitted(features, wrong, soft=SoftLabels(weight, labels, 1 - weight))
    rows = np.arange(240)
    right = [(head.predict(features, rows).argmax(axis=1) == labels).mean() for head in (as_given, weighted, second)]
    assert right[0] < 0.8
    assert right[1:] == [1, 1]
    full, none = np.ones(240, dtype=np.float32), np.zeros(240, dtype=np.float32)
    plain, counted = fitted(features, labels), fitted(features, labels, soft=SoftLabels(full, labels, none))
    assert plain.strength == counted.strength
    assert torch.allclose(plain.weight, counted.weight, atol=1e-3)


@pytest.mark.parametrize("weights", [False, True])
def test_the_gradient_is_that_of_automatic_differentiation(weights):
    rng = np.random.default_rng(0)
    outputs = torch.from_numpy(rng.normal(0, 5, (40, 6)).astype(np.float32)).requires_grad_()
    target = torch.from_numpy(rng.random((40, 6), dtype=np.float32) if weights else rng.integers(0, 6, 40))
    expected = torch.nn.functional.cross_entropy(outputs, target, reduction="sum")
    expected.backward()
    loss, change = _compared(outputs.detach(), target)
    assert torch.allclose(loss, expected, rtol=1e-5)
    assert torch.allclose(change, outputs.grad, atol=1e-5)


def test_a_head_is_where_loss_and_penalty_are_least():
    features, labels = clouds()
    beliefs = np.full((240, 3), 0.1, dtype=np.float32)
    beliefs[np.arange(240), labels] = 0.8
    head = fit_with(features, np.arange(240), Beliefs(beliefs), strength=0.01, device=CPU)
    weight = head.weight.clone().requires_grad_()
    outputs = torch.from_numpy(features) @ weight + head.bias
    loss = torch.nn.functional.cross_entropy(outputs, torch.from_numpy(beliefs))
    (loss + 0.005 * weight.square().sum()).backward()
    assert weight.grad.abs().max() < 1e-3

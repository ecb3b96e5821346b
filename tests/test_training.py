"""Models, the loop, and out-of-fold probabilities."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.crossval import FoldPlan, cross_validate
from training.devices import find_device
from training.errors import InputError
from training.loop import fit, predict, steps_of
from training.models import build_model, known_models
from training.settings import TrainSettings

SMALL = TrainSettings(
    model="squeezenet1_1", image_size=32, epochs=2, batch_size=8, learning_rate=1e-3, pretrained=False, device="cpu"
)
CPU = find_device("cpu")


def coloured_photos(n=60, classes=3, seed=0):
    """Return photos whose class is their colour, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    photos = rng.integers(0, 80, (n, 32, 32, 3), dtype=np.uint8)
    photos[np.arange(n), :, :, labels] += 150
    return photos, labels.astype(np.int64)


def plan_of(n, folds=3, may_train=None, has_photo=None):
    everyone = np.ones(n, dtype=bool)
    return FoldPlan(
        fold=np.arange(n) // 3 % folds,
        groups=np.arange(n),
        may_train=everyone if may_train is None else may_train,
        has_photo=everyone if has_photo is None else has_photo,
    )


def validate(folder, photos, labels, plan, settings=SMALL, **options):
    return cross_validate(photos, labels, plan, classes=3, settings=settings, device=CPU, folder=folder, **options)


def test_every_torchvision_classifier_is_known_and_a_near_miss_gets_a_suggestion():
    assert {"resnet18", "resnet50", "inception_v3", "vit_b_16", "efficientnet_b0"} <= set(known_models())
    with pytest.raises(InputError, match="Did you mean 'resnet18'"):
        build_model("resnet_18", classes=3, image_size=32, pretrained=False)


def test_a_model_that_needs_larger_photos_says_so():
    with pytest.raises(InputError, match="inception_v3 can't take photos of 32 pixels"):
        build_model("inception_v3", classes=3, image_size=32, pretrained=False)


def test_weights_in_torchs_own_cache_are_used_except_for_the_head(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    name = "squeezenet1_1"
    from torchvision.models import get_model, get_model_weights

    source = get_model(name, weights=None)
    file_name = get_model_weights(name).DEFAULT.url.rsplit("/", 1)[-1]
    cached = tmp_path / "hub" / "checkpoints" / file_name
    cached.parent.mkdir(parents=True)
    torch.save(source.state_dict(), cached)
    from training import models

    models._weights.cache_clear()
    try:
        model, origin = build_model(name, classes=3, image_size=32, pretrained=True)
    finally:
        models._weights.cache_clear()
    assert origin == "pretrained"
    key = "features.0.weight"
    assert torch.equal(model.state_dict()[key], source.state_dict()[key])
    assert model.state_dict()["classifier.1.weight"].shape[0] == 3


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_every_optimizer_learns_what_is_there_to_learn(optimizer):
    photos, labels = coloured_photos(90)
    rate = 3e-3 if optimizer == "sgd" else 1e-3
    settings = replace(SMALL, optimizer=optimizer, learning_rate=rate, epochs=5, model="resnet18")
    rows = np.arange(60)
    fitted = fit(photos, rows, labels, classes=3, settings=settings, device=CPU, seed=0)
    probs = predict(fitted.model, photos, np.arange(60, 90), CPU)
    assert probs.shape == (30, 3)
    assert np.allclose(probs.sum(axis=1), 1, atol=1e-5)
    assert (probs.argmax(axis=1) == labels[60:]).mean() > 0.8
    assert [result.epoch for result in fitted.history] == [0, 1, 2, 3, 4]


def test_training_is_the_same_for_the_same_seed_and_leaves_the_global_generator_alone():
    photos, labels = coloured_photos()
    rows = np.arange(40)
    state = torch.get_rng_state()
    runs = [
        predict(fit(photos, rows, labels, classes=3, settings=SMALL, device=CPU, seed=seed).model, photos, rows, CPU)
        for seed in (5, 5, 6)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.allclose(runs[0], runs[2])
    assert torch.equal(state, torch.get_rng_state())


def test_a_last_batch_of_one_photo_does_no_harm():
    photos, labels = coloured_photos(17)
    steps = []
    settings = replace(SMALL, model="resnet18", epochs=1)
    fit(
        photos, np.arange(17), labels, classes=3, settings=settings, device=CPU, seed=0, on_step=lambda: steps.append(1)
    )
    assert len(steps) == steps_of(17, settings) == 2


@pytest.mark.parametrize("photos", [2, 8, 16, 24, 40])
def test_the_schedule_holds_for_any_number_of_steps(photos):
    pixels, labels = coloured_photos(photos)
    settings = replace(SMALL, epochs=1)
    fitted = fit(pixels, np.arange(photos), labels, classes=3, settings=settings, device=CPU, seed=0)
    assert 0 < fitted.history[-1].learning_rate <= settings.learning_rate


def test_auxiliary_outputs_of_googlenet_are_handled():
    photos, labels = coloured_photos(12)
    settings = replace(SMALL, model="googlenet", epochs=1, batch_size=6)
    fitted = fit(photos, np.arange(12), labels, classes=3, settings=settings, device=CPU, seed=0)
    assert predict(fitted.model, photos, np.arange(12), CPU).shape == (12, 3)


@pytest.mark.parametrize(
    ("field", "value"),
    [("optimizer", "adamm"), ("epochs", 0), ("batch_size", 1), ("image_size", 8), ("learning_rate", 0)],
)
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(InputError, match="got"):
        replace(SMALL, **{field: value})


def test_an_unknown_device_is_refused():
    with pytest.raises(InputError, match="can't be used"):
        find_device("cudda")


def test_few_photos_get_more_epochs_than_many():
    settings = TrainSettings()
    assert settings.epochs_for(100) > settings.epochs_for(400) >= settings.epochs_for(100_000)
    assert replace(settings, epochs=7).epochs_for(100) == 7


def test_every_row_with_a_photo_is_scored_once_and_the_others_are_nan(tmp_path):
    photos, labels = coloured_photos()
    has_photo = np.ones(60, dtype=bool)
    has_photo[[3, 30]] = False
    labels[[5, 6]] = -1
    may_train = labels >= 0
    probs = validate(tmp_path, photos, labels, plan_of(60, may_train=may_train, has_photo=has_photo))
    assert np.array_equal(np.isnan(probs).any(axis=1), ~has_photo)
    assert np.allclose(probs[has_photo].sum(axis=1), 1, atol=1e-5)
    for fold in range(3):
        assert (tmp_path / f"fold-{fold}" / "checkpoint.pt").exists()
        assert list((tmp_path / f"fold-{fold}").glob("events.out.tfevents.*"))


def test_a_listings_own_label_never_moves_its_probabilities(tmp_path):
    photos, labels = coloured_photos()
    plan = plan_of(60)
    first = validate(tmp_path / "a", photos, labels, plan)
    changed = labels.copy()
    changed[plan.fold == 1] = 0
    second = validate(tmp_path / "b", photos, changed, plan)
    assert np.array_equal(first[plan.fold == 1], second[plan.fold == 1])
    assert not np.array_equal(first[plan.fold != 1], second[plan.fold != 1])


def test_rows_of_the_test_set_train_no_model(tmp_path):
    photos, labels = coloured_photos()
    test = np.arange(60) % 7 == 0
    plan = plan_of(60, may_train=~test)
    first = validate(tmp_path / "a", photos, labels, plan)
    changed = labels.copy()
    changed[test] = (changed[test] + 1) % 3
    assert np.array_equal(first, validate(tmp_path / "b", photos, changed, plan))


def test_an_interrupted_run_continues_with_the_first_unfinished_fold(tmp_path):
    photos, labels = coloured_photos()
    plan = plan_of(60)
    whole = validate(tmp_path / "whole", photos, labels, plan)

    class Stop(Exception):
        pass

    def stop_in_the_last_fold(done, total):
        if done > 0.8 * total:
            raise Stop

    with pytest.raises(Stop):
        validate(tmp_path / "cut", photos, labels, plan, progress=stop_in_the_last_fold)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cut").glob("*/checkpoint.pt")}
    assert len(kept) == 2
    said = []
    resumed = validate(tmp_path / "cut", photos, labels, plan, say=said.append)
    assert np.array_equal(resumed, whole)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert sum("done already" in line for line in said) == 2


def test_a_checkpoint_of_other_settings_is_refused_by_name(tmp_path):
    photos, labels = coloured_photos()
    validate(tmp_path, photos, labels, plan_of(60))
    with pytest.raises(InputError, match=r"fold-0.checkpoint\.pt was made with other settings"):
        validate(tmp_path, photos, labels, plan_of(60), settings=replace(SMALL, epochs=1))


def test_a_fold_with_nothing_to_train_on_is_refused(tmp_path):
    photos, labels = coloured_photos(6)
    with pytest.raises(InputError, match="nothing to train on"):
        validate(tmp_path, photos, labels, plan_of(6, folds=2, may_train=np.arange(6) < 3))
